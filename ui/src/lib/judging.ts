// Tests of a model and the gate of an alias, made ready to be shown.

import type { ApprovalView, GateCheck, TestResultView, TestsView } from '../host/bindings'

export type TestState = 'none' | 'never' | 'changed' | 'passing' | 'warning' | 'failing'

/** Where the tests of a version stand as a whole. */
export function testState({ rules, last, isChanged }: Pick<TestsView, 'rules' | 'last' | 'isChanged'>): TestState {
  if (rules.length === 0) return 'none'
  if (last === null) return 'never'
  if (isChanged) return 'changed'
  if (!last.isPassed) return 'failing'
  return last.results.every(({ outcome }) => outcome === 'passed') ? 'passing' : 'warning'
}

/** A test of the file with what came of it; null if it has not run as it is written now. */
export type TestLine = { rule: string; result: TestResultView | null }

/** The tests in the order of their file. After a change of the file those that say the same keep what they found. */
export function testLines({ rules, last }: Pick<TestsView, 'rules' | 'last'>): TestLine[] {
  const left = [...(last?.results ?? [])]
  return rules.map((rule) => {
    const at = left.findIndex((result) => result.rule === rule)
    return { rule, result: at < 0 ? null : (left.splice(at, 1)[0] ?? null) }
  })
}

/** The file in which a project says what its aliases ask. */
export const POLICY_FILE = 'policy.toml'

/** A check of the gate that comes from the policy. */
export type Demand = { line: number; /** As the file calls it. */ field: string; title: string; check: GateCheck }

const TITLES: Record<string, string> = {
  tests: 'Tests',
  approvals: 'Approvals',
  card: 'Sections of the card',
  fresh_card: 'Numbers of the card',
  data_checks: 'Checks of the data',
  min_gain: 'Improvement',
}

/** The checks of a gate: what the policy demands, line by line, and what is asked of every version. */
export function gateParts(checks: readonly GateCheck[]): { demands: Demand[]; always: GateCheck[] } {
  const demands: Demand[] = []
  const always: GateCheck[] = []
  for (const check of checks) {
    const found = /^policy\.toml line (\d+): (\w+)$/.exec(check.name)
    const field = found?.[2]
    if (found === null || field === undefined) always.push(check)
    else demands.push({ line: Number(found[1]), field, title: TITLES[field] ?? field, check })
  }
  return { demands: demands.sort((a, b) => a.line - b.line), always }
}

/** The aliases that a version may be given: the usual ones, those of the policy, those there are. */
export function aliasChoices(...known: (readonly string[])[]): string[] {
  return [...new Set(['production', 'champion', 'challenger', ...known.flat()])]
}

/** A policy to begin with. */
export const FIRST_POLICY = `format = 1

[people]

[alias.production]
tests = true
card = ["intended_use", "limits"]
fresh_card = true
min_gain = 0.0
`

/** A policy in which a person has a key; their old one is replaced. */
export function withPerson(text: string, person: string, key: string): string {
  const entry = `${/^[A-Za-z0-9_-]+$/.test(person) ? person : `"${person}"`} = "${key}"`
  const lines = (text.trim() === '' ? FIRST_POLICY : text).trimEnd().split('\n')
  const head = lines.findIndex((line) => line.trim() === '[people]')
  if (head < 0) return `${lines.join('\n')}\n\n[people]\n${entry}\n`
  const next = lines.findIndex((line, at) => at > head && line.trim().startsWith('['))
  const end = next < 0 ? lines.length : next
  const own = lines.findIndex((line, at) => at > head && at < end && (line.split('=')[0] ?? '').trim().replaceAll('"', '') === person)
  if (own < 0) lines.splice(head + 1, 0, entry)
  else lines[own] = entry
  return `${lines.join('\n')}\n`
}

/** Whether a person's approval counts now. */
export function isApprovedBy(approvals: readonly ApprovalView[], person: string, key: string): boolean {
  return approvals.some((one) => one.person === person && one.key === key && one.counts)
}

/** The state that a badge shows for what somebody signed. */
export function approvalBadge(one: ApprovalView): { state: string; label: string } {
  if (one.isForged) return { state: 'failed', label: 'Forged' }
  if (!one.isApproval) return { state: 'skipped', label: 'Withdrawn' }
  return one.counts ? { state: 'passed', label: 'Approved' } : { state: 'stale', label: 'Does not count' }
}
