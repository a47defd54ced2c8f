import { describe, expect, it } from 'vitest'

import type { TrialView } from '../../host/bindings'
import { axesOf, bestSoFar, goodness, ranked, within } from './trials'

const trial = (number: number, value: number | null, rest: Partial<TrialView> = {}): TrialView => ({ number, value, params: {}, state: value === null ? 'failed' : 'done', rounds: 0, runId: null, error: null, ...rest })

describe('the best so far', () => {
  it('goes in steps and never gets worse', () => {
    expect(bestSoFar([trial(0, 3), trial(1, 5), trial(2, 2)], false)).toEqual([{ x: 0, y: 3 }, { x: 1, y: 3 }, { x: 2, y: 3 }, { x: 2, y: 2 }])
    expect(bestSoFar([trial(0, 3), trial(1, 5)], true).at(-1)).toEqual({ x: 1, y: 5 })
  })

  it('leaves out what measured nothing or was cut short', () => {
    expect(bestSoFar([trial(0, null), trial(1, 9, { state: 'pruned' }), trial(2, 4)], true)).toEqual([{ x: 2, y: 4 }])
    expect(bestSoFar([], true)).toEqual([])
  })
})

it('trials stand by what they measured, those that work first and those that failed last', () => {
  const order = ranked([trial(0, 3), trial(1, null), trial(2, 5), trial(3, null, { state: 'running' }), trial(4, 9, { state: 'pruned' })], true).map((one) => one.number)
  expect(order).toEqual([3, 2, 0, 4, 1])
})

it('marks on axes keep the trials that go through all of them', () => {
  const trials = [trial(0, 1, { params: { depth: 2 } }), trial(1, 3, { params: { depth: 12 } }), trial(2, 2, { params: { depth: 10 } })]
  const axes = axesOf(trials, ['depth'], 'auc')
  const kept = (brushes: [string, { from: number; to: number }][]): number[] => within(trials, axes, new Map(brushes)).map((one) => one.number)
  expect(kept([])).toEqual([0, 1, 2])
  expect(kept([['depth', { from: 0.5, to: 1 }]])).toEqual([1, 2])
  expect(kept([['depth', { from: 0.5, to: 1 }], ['auc', { from: 0.9, to: 1 }]])).toEqual([1])
})

it('how good a value is goes by rank, so that one trial astray does not hide the others', () => {
  const trials = [trial(0, 1), trial(1, 2), trial(2, 1_000)]
  expect(trials.map((one) => goodness(one.value, trials, false))).toEqual([1, 0.5, 0])
  expect(goodness(null, trials, true)).toBeNull()
  expect(goodness(4, [trial(0, 4)], true)).toBe(1)
})
