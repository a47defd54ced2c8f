import { describe, expect, it } from 'vitest'

import { axisOf, isWithin } from './axes'

describe('an axis', () => {
  it('of numbers far apart is logarithmic', () => {
    expect(axisOf('rate', [0.01, 0.1, 1]).at(0.1)).toBeCloseTo(0.5)
    expect(axisOf('depth', [2, 7, 12]).at(7)).toBeCloseTo(0.5)
  })

  it('of names stands in their order', () => {
    const axis = axisOf('method', ['b', 'a', 'c'])
    expect([axis.low, axis.high, axis.at('b'), axis.at('d')]).toEqual(['a', 'c', 0.5, null])
  })

  it('of one value has it in the middle', () => {
    expect(axisOf('depth', [4, 4]).at(4)).toBe(0.5)
    expect(axisOf('method', ['a']).at('a')).toBe(0.5)
    expect(axisOf('nothing', []).at(1)).toBeNull()
  })
})

it('a line is marked if it goes through every mark, and one with a hole there is not', () => {
  const axes = [{ name: 'depth' }, { name: 'auc' }]
  const brushes = new Map([['depth', { from: 0.5, to: 1 }]])
  expect([[0.5, 0], [0.49, 1], [null, 1]].map((places) => isWithin(places, axes, brushes))).toEqual([true, false, false])
  expect(isWithin([null, null], axes, new Map())).toBe(true)
})
