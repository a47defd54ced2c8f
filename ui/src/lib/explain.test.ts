import { expect, it } from 'vitest'

import type { ExplainedOutput } from '../host/bindings'
import { direction, moved, scaleWords, shares, signed, swarm } from './explain'

it('values stand where their order puts them, and texts and missing ones nowhere', () => {
  expect(shares([30, 10, 20, 10, null, 'x'])).toEqual([1, 0, 0.5, 0, null, null])
  expect(shares([7, 7])).toEqual([0.5, 0.5])
  expect(shares([false, true])).toEqual([0, 1])
})

it('dots at one place lie beside one another, no further out than the lane', () => {
  const dots = swarm([1, 1, 1, 1, 1, 5], [1, 2, 3, 4, 5, 6], [0, 10], 1)
  expect(dots.map((dot) => dot.step)).toEqual([0, -1, 1, -1, 1, 0])
  expect(dots[5]?.share).toBe(1)
  expect(swarm([2, 2], [null, null], [2, 2], 3).map((dot) => dot.step)).toEqual([0, -1])
})

it('a direction is named only where it is clear', () => {
  expect(direction([-1, 0, 1, 2], [1, 2, 3, 4])).toBe('raises')
  expect(direction([2, 1, 0, -1], [1, 2, 3, 4])).toBe('lowers')
  expect(direction([1, -1, 1, -1], [1, 2, 3, 4])).toBeNull()
  expect(direction([1, 2, 3], ['a', 'b', 'c'])).toBeNull()
  expect(direction([1, 1, 1], [1, 2, 3])).toBeNull()
})

it('contributions of two rows stand side by side, the largest first', () => {
  const output = (contributions: [string, number][]): ExplainedOutput => ({ output: 'y', base: 0, sum: 0, contributions })
  expect(moved(output([['a', 0.1], ['b', -2]]), output([['b', 0.5], ['c', 1]]))).toEqual([
    { column: 'b', before: -2, after: 0.5 },
    { column: 'c', before: 0, after: 1 },
    { column: 'a', before: 0.1, after: 0 },
  ])
  expect(moved(undefined, undefined)).toEqual([])
})

it('numbers carry their sign, and scales have words', () => {
  expect([signed(0.1234), signed(-2), signed(0), signed(-0.0001), signed(1234.5), signed(NaN)]).toEqual(['+0.123', '−2.000', '0', '−<0.001', '+1235', '0'])
  expect([scaleWords('log_odds'), scaleWords(null), scaleWords('new')]).toEqual(['log odds', '', 'new'])
})
