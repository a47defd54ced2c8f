import { expect, it } from 'vitest'

import type { CheckResultView } from '../host/bindings'
import { badgeOf, entriesOf, failingCount, freshOf, lineOf, shownPlaces, stateOf, withCheck, withSuggested } from './quality'

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

it('the first check brings the head of the file with it', () => {
  expect(withCheck('', 'kind = "unique"\n')).toBe('format = 1\n\n[[check]]\nkind = "unique"\n')
  expect(withCheck('format = 1\n\n[[check]]\nkind = "a"\n', 'kind = "b"')).toBe('format = 1\n\n[[check]]\nkind = "a"\n\n[[check]]\nkind = "b"\n')
})

it('a suggestion is added without what is there already', () => {
  const file = withCheck('', 'kind = "a"')
  const suggested = withCheck(withCheck('', 'kind = "a"'), 'kind = "b"')
  expect(entriesOf(withSuggested(file, suggested))).toEqual(['kind = "a"', 'kind = "b"'])
  expect(withSuggested('', suggested)).toBe(suggested)
})

it('the line of a message is found where it names one', () => {
  expect([lineOf('line 7: no such kind'), lineOf('at line 12 of the file'), lineOf('in line'), lineOf('')]).toEqual([7, 12, null, null])
})

it('ten thousand suggestions are added as quickly as ten', () => {
  const suggested = `format = 1\n${Array.from({ length: 10_000 }, (_, at) => `\n[[check]]\nkind = "not_null"\ncolumn = "c${at}"\n`).join('')}`
  const begun = performance.now()
  const file = withSuggested(withCheck('', 'kind = "not_null"\ncolumn = "c5"'), suggested)
  expect([entriesOf(file).length, freshOf(file, suggested).length]).toEqual([10_000, 0])
  expect(performance.now() - begun, 'each entry is looked at once').toBeLessThan(2000)
})

it('of very many checks those that do not hold are shown first', () => {
  const checks = Array.from({ length: 6 }, () => check)
  const results = (['passed', 'passed', 'failed', 'passed', 'error', 'passed'] as const).map((outcome) => result(outcome))
  expect([shownPlaces({ checks, results }, 4), shownPlaces({ checks, results }, 6), shownPlaces({ checks, results: null }, 2)]).toEqual([[2, 4, 0, 1], [0, 1, 2, 3, 4, 5], [0, 1]])
})
