import { expect, it } from 'vitest'

import type { CheckResultView } from '../host/bindings'
import { badgeOf, failingCount, shownPlaces, stateOf } from './quality'

const result = (outcome: CheckResultView['outcome'], isError = true): CheckResultView => ({
  kind: 'range', name: null, rule: 'between 0 and 1', isError, outcome, measured: '', failingRows: null, examples: [], error: null,
})
const check = { kind: 'range', name: null, rule: '', isError: true }

it.each([
  [[], null, 'none'],
  [[check], null, 'never'],
  [[check], [result('passed')], 'passing'],
  [[check], [result('failed', false)], 'warning'],
  [[check], [result('failed', false), result('failed')], 'failing'],
  [[check], [result('error', false)], 'failing'],
] as const)('checks %o with results %o stand at %s', (checks, results, state) => {
  expect(stateOf({ checks: [...checks], results: results === null ? null : [...results] })).toBe(state)
})

it('each check has a badge of its own', () => {
  expect([undefined, result('passed'), result('failed'), result('failed', false), result('error')].map((one) => badgeOf(one).label)).toEqual(['Not run', 'Holds', 'Failed', 'Warning', 'Could not run'])
  expect([failingCount(null), failingCount([result('passed'), result('failed')])]).toEqual([0, 1])
})

it('of very many checks those that do not hold are shown first', () => {
  const checks = Array.from({ length: 6 }, () => check)
  const results = (['passed', 'passed', 'failed', 'passed', 'error', 'passed'] as const).map((outcome) => result(outcome))
  expect([shownPlaces({ checks, results }, 4), shownPlaces({ checks, results }, 6), shownPlaces({ checks, results: null }, 2)]).toEqual([[2, 4, 0, 1], [0, 1, 2, 3, 4, 5], [0, 1]])
})
