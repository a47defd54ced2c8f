import { describe, expect, it } from 'vitest'

import type { ApprovalView, GateCheck, TestReportView, TestResultView } from '../host/bindings'
import { aliasChoices, approvalBadge, FIRST_POLICY, gateParts, isApprovedBy, testLines, testState, withPerson } from './judging'

const result = (rule: string, outcome: TestResultView['outcome'] = 'passed', isError = true): TestResultView => ({
  kind: 'metric', name: null, rule, isError, outcome, measured: '', groups: [], rows: [], durationMs: 1,
})
const report = (results: TestResultView[], isPassed = true): TestReportView => ({
  model: 'm', version: 1, isPassed, summary: '', rowsOf: '', rows: 1, champion: null, at: 0, results, text: null,
})

it.each([
  [[], null, false, 'none'],
  [['a'], null, false, 'never'],
  [['a'], report([result('a')]), true, 'changed'],
  [['a'], report([result('a')]), false, 'passing'],
  [['a'], report([result('a', 'failed', false)]), false, 'warning'],
  [['a'], report([result('a', 'failed')], false), false, 'failing'],
] as const)('the tests %j with report %# stand at their state', (rules, last, isChanged, state) => {
  expect(testState({ rules: [...rules], last, isChanged })).toBe(state)
})

it('a test that was changed has not run, and one that says the same keeps what it found', () => {
  const lines = testLines({ rules: ['a', 'c', 'a'], last: report([result('a'), result('b'), result('a', 'failed')]) })
  expect(lines.map((line) => [line.rule, line.result?.outcome ?? null])).toEqual([['a', 'passed'], ['c', null], ['a', 'failed']])
})

describe('the gate', () => {
  const check = (name: string): GateCheck => ({ name, status: 'failed', message: '' })
  it('is told apart into lines of the policy and what is always asked', () => {
    const { demands, always } = gateParts([check('the package loads'), check('policy.toml line 9: fresh_card'), check('policy.toml line 6: approvals')])
    expect(demands.map(({ line, field, title }) => [line, field, title])).toEqual([[6, 'approvals', 'Approvals'], [9, 'fresh_card', 'Numbers of the card']])
    expect(always.map(({ name }) => name)).toEqual(['the package loads'])
  })
  it('offers each alias once', () => {
    expect(aliasChoices(['production'], ['blue', 'challenger'])).toEqual(['production', 'champion', 'challenger', 'blue'])
  })
})

describe('a person in the policy', () => {
  it('is put among the people, or replaces the key that was there', () => {
    const once = withPerson('format = 1\n\n[people]\nbob = "bb"\n\n[alias.production]\ntests = true\n', 'ann', 'aa')
    expect(once).toBe('format = 1\n\n[people]\nann = "aa"\nbob = "bb"\n\n[alias.production]\ntests = true\n')
    expect(withPerson(once, 'bob', 'cc')).toContain('ann = "aa"\nbob = "cc"\n')
  })
  it('begins the list of people, or the policy, if there is none', () => {
    expect(withPerson('format = 1\n', 'ann@example.org', 'aa')).toBe('format = 1\n\n[people]\n"ann@example.org" = "aa"\n')
    expect(withPerson('', 'ann', 'aa')).toBe(FIRST_POLICY.replace('[people]\n', '[people]\nann = "aa"\n'))
  })
})

describe('an approval', () => {
  const signed: ApprovalView = { person: 'ann', key: 'aa', isApproval: true, note: '', at: 0, counts: true, isForged: false, trouble: null }
  it('counts for its person and key', () => {
    expect([isApprovedBy([signed], 'ann', 'aa'), isApprovedBy([signed], 'ann', 'bb'), isApprovedBy([{ ...signed, counts: false }], 'ann', 'aa')]).toEqual([true, false, false])
  })
  it('has a badge for each fate', () => {
    const fates = [signed, { ...signed, counts: false }, { ...signed, isApproval: false, counts: false }, { ...signed, isForged: true, counts: false }]
    expect(fates.map((one) => approvalBadge(one).label)).toEqual(['Approved', 'Does not count', 'Withdrawn', 'Forged'])
  })
})
