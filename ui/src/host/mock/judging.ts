// What stands between a model and its use: tests, reasons, policy, approvals, card and passport of species.

import type { ApprovalView, CardView, ClaimView, ExplainedRow, GateCheck, IdentityView, PassportCheck, TestReportView, TestResultView, TestsView, WhatIfView } from '../bindings'
import { CLASSES } from './figures'
import { perWorld } from './state'
import { failure, randomness, type Answers, type World } from './world'

const TESTS = `format = 1

[[test]]
kind = "metric"
metric = "auc"
at_least = 0.9

[[test]]
kind = "slices"
max_drop = 0.1
severity = "warn"
name = "no island is left behind"

[[test]]
kind = "calibration"
max_error = 0.02
`
const SUGGESTED = `format = 1

[[test]]
kind = "metric"
metric = "auc"
at_least = 0.9

[[test]]
kind = "golden"
`
const KINDS = [
  { kind: 'metric', title: 'Metric', summary: 'A metric holds a threshold.', doc: '', example: 'kind = "metric"\nmetric = "auc"\nat_least = 0.9\n' },
  { kind: 'slices', title: 'Slices', summary: 'No group of rows is served much worse than all of them together.', doc: '', example: 'kind = "slices"\nmax_drop = 0.1\n' },
  { kind: 'calibration', title: 'Calibration', summary: 'Probabilities come true as often as they say.', doc: '', example: 'kind = "calibration"\nmax_error = 0.05\n' },
  { kind: 'golden', title: 'Golden rows', summary: 'Rows whose right answers are written down are answered so.', doc: '', example: 'kind = "golden"\n' },
]
const CARD = `# species

Version {{version = 2}}, a {{task = multiclass}} model of \`{{target = species}}\`.

## Intended use
Telling penguins of the Palmer Archipelago apart, for **teaching**.

## Results

- auc: {{metric.auc = 0.9951}}
- accuracy: {{metric.accuracy = 0.9855}}

## Limits
<!-- Where it is wrong more often. -->
`
const NOW: Record<string, string> = { version: '2', task: 'multiclass', target: 'species', 'metric.auc': '0.99793245', 'metric.accuracy': '0.9855' }
const KEY = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'

type State = { tests: string; ran: string | null; policy: string; approvals: ApprovalView[]; identity: IdentityView | null; card: string }
const stateOf = perWorld<State>(() => ({ tests: TESTS, ran: TESTS, policy: '', approvals: [], identity: null, card: CARD }))

function rulesOf(text: string): { kind: string; rule: string; isError: boolean; name: string | null }[] {
  return text.split('[[test]]').slice(1).map((entry) => {
    const value = (name: string): string | null => new RegExp(`^${name} = "?([^"\\n]*)"?$`, 'm').exec(entry)?.[1] ?? null
    const kind = value('kind') ?? ''
    if (KINDS.every((one) => one.kind !== kind)) throw failure('invalid_input', `cannot read the tests of \`species\`: line 4: there is no test \`${kind}\``, 'did you mean `metric`?')
    const rule = { metric: `\`${value('metric')}\` is at least ${value('at_least')}`, slices: `no group is worse than all rows by more than ${value('max_drop')}`, calibration: `the calibration error is at most ${value('max_error')}`, golden: 'the golden row is answered as it was' }[kind]
    return { kind, rule: rule ?? kind, isError: value('severity') !== 'warn', name: value('name') }
  })
}

const group = (name: string, rows: number, value: number, isBroken = false) => ({ name, rows, measure: 'accuracy', value, isBroken })
function found(text: string): TestResultView[] {
  return rulesOf(text).map((one) => ({
    ...one,
    outcome: one.kind === 'slices' ? 'failed' : 'passed',
    measured: { metric: '`auc` is 0.998', slices: '`island` = Torgersen: accuracy 0.81 of 21 rows, all have 0.986', calibration: 'the expected calibration error is 0.0121' }[one.kind] ?? 'it is',
    groups: one.kind === 'slices' ? [group('island = Torgersen', 21, 0.81, true), group('island = Dream', 24, 0.97), group('island = Biscoe', 24, 1)] : [],
    rows: one.kind === 'slices' ? [{ row: 12, cells: [['island', 'Torgersen'], ['truth', 'Adelie'], ['answer', 'Chinstrap']] }] : [],
    durationMs: 12,
  }))
}

function report(state: State): TestReportView | null {
  if (state.ran === null) return null
  const results = found(state.ran)
  const passed = results.filter(({ outcome }) => outcome === 'passed').length
  return {
    model: 'species', version: 2, isPassed: results.every(({ outcome, isError }) => outcome === 'passed' || !isError), rowsOf: 'the rows that were held out in training', rows: 69, champion: '`production` v1',
    summary: passed === results.length ? `all ${passed} tests pass` : `${passed} of ${results.length} tests pass, the others only warn`, at: Date.now() - 60_000, results, text: null,
  }
}

const tests = (state: State): TestsView => ({ text: state.tests, rules: rulesOf(state.tests).map(({ rule }) => rule), last: report(state), isChanged: state.ran !== null && state.ran !== state.tests, suggested: SUGGESTED, kinds: KINDS })

const demand = (line: number, field: string, isMet: boolean, message: string): GateCheck => ({ name: `policy.toml line ${line}: ${field}`, status: isMet ? 'passed' : 'failed', message })

/** The checks of the policy: `tests` and `approvals` are all that the mock understands. */
function demands(state: State, alias: string): GateCheck[] {
  const lines = state.policy.split('\n')
  const start = lines.indexOf(`[alias.${alias}]`)
  if (start < 0) return []
  return lines.flatMap((line, at) => {
    if (at < start || lines.slice(start + 1, at).some((other) => other.startsWith('['))) return []
    if (line === 'tests = true') return [demand(at + 1, 'tests', report(state)?.isPassed === true, report(state)?.summary ?? 'the tests have not run')]
    if (line !== 'approvals = 1') return []
    const who = state.approvals.filter(({ counts }) => counts).map(({ person }) => person)
    return [demand(at + 1, 'approvals', who.length > 0, who.length === 0 ? 'nobody has approved it, 1 approval is needed' : `approved by \`${who.join('`, `')}\`, 1 approval is needed`)]
  })
}

/** What the policy asks of species v2 for an alias, line by line. */
export const policyChecks = (world: World, alias: string): GateCheck[] => demands(stateOf(world), alias)

const peopleOf = (policy: string): Record<string, string> => Object.fromEntries([...policy.matchAll(/^(\w+) = "([0-9a-f]{64})"$/gm)].map(([, person = '', key = '']) => [person, key]))

function sign(world: World, note: string | null, isApproval: boolean): ApprovalView[] {
  const state = stateOf(world)
  if (state.identity === null) throw failure('not_found', 'nobody has said who signs on this machine', 'make a key with `fettle identity new NAME`')
  const { person, key } = state.identity
  const known = peopleOf(state.policy)[person] === key
  state.approvals = [
    ...state.approvals.map((one) => ({ ...one, counts: false, trouble: `\`${person}\` said something else later` })),
    { person, key, isApproval, note: note ?? '', at: Date.now(), counts: isApproval && known, isForged: false, trouble: known ? null : `\`policy.toml\` names no key of \`${person}\`` },
  ]
  world.changed('models', 'audit')
  return state.approvals
}

function claimsOf(text: string): ClaimView[] {
  return text.split('\n').flatMap((line, at) => [...line.matchAll(/\{\{(.*?) = (.*?)\}\}/g)].map(([, query = '', said = '']): ClaimView => {
    const now = NOW[query] ?? null
    return { line: at + 1, query, said, now, isStale: now === null || (now !== said && Math.abs(Number(now) - Number(said)) > 0.5 * 10 ** -(said.split('.')[1]?.length ?? 0)) }
  }))
}

function card(state: State): CardView {
  const claims = claimsOf(state.card)
  const sections = [...state.card.matchAll(/^#+ (.*)\n+(.*)$/gm)].map(([, title = '', next = '']) => ({ title, field: title.toLowerCase().replaceAll(' ', '_'), isFilled: !next.startsWith('<!--') }))
  return { text: state.card, draft: CARD, claims, isStale: claims.some(({ isStale }) => isStale), sections }
}

const ROW = { island: 'Biscoe', bill_length_mm: 46.1, bill_depth_mm: 13.2, flipper_length_mm: 211, body_mass_g: 4500, sex: 'female', year: 2007 }

function explained(inputs: Record<string, unknown>): ExplainedRow {
  const adds: [string, number][] = [
    ['flipper_length_mm', (Number(inputs.flipper_length_mm) - 200) / 12],
    ['bill_depth_mm', (17 - Number(inputs.bill_depth_mm)) / 4],
    ['island', inputs.island === 'Biscoe' ? 0.42 : -0.61],
    ['body_mass_g', 0.12],
    ['sex', -0.004],
  ]
  const raw = [-0.9 - 0.4 * (adds[0]?.[1] ?? 0), -1.4, -1.1 + adds.reduce((sum, [, value]) => sum + value, 0)]
  const all = raw.reduce((sum, value) => sum + Math.exp(value), 0)
  const shares = raw.map((value) => Math.exp(value) / all)
  const label = CLASSES[shares.indexOf(Math.max(...shares))] ?? ''
  return {
    inputs,
    outputs: { label, ...Object.fromEntries(CLASSES.map((name, at) => [`probability_${name}`, shares[at]])) },
    explained: CLASSES.map((output, at) => {
      const sign = at === 2 ? 1 : -0.4
      const contributions = adds.map(([name, value]): [string, number] => [name, value * sign])
      return { output, base: -1.1, sum: -1.1 + contributions.reduce((sum, [, value]) => sum + value, 0), contributions }
    }),
  }
}

function whatIf(place: number | null, row: Record<string, unknown> | null, changes: Record<string, unknown>): WhatIfView {
  if (place !== null && place >= 69) throw failure('not_found', `the package keeps 69 rows, so it has no row ${place}`)
  const before = row ?? { ...ROW, flipper_length_mm: 211 - (place ?? 0) }
  return { before: explained(before), after: explained({ ...before, ...changes }), scale: 'log_probability', note: null, kept: 69, truth: place === null ? null : 'Gentoo' }
}

function importance() {
  const next = randomness(5)
  const columns = Object.keys(ROW)
  const values = (name: string) => Array.from({ length: 69 }, () => (name === 'island' || name === 'sex' ? 'Biscoe' : Math.round(next() * 100)))
  return {
    metric: 'auc', rows: 69,
    columns: columns.map((column, at) => ({ column, fall: 0.2 / (at + 1) ** 2, deviation: 0.01, contribution: 1 / (at + 1) })),
    summary: {
      outputs: CLASSES, scale: 'log_probability',
      columns: columns.map((column, at) => {
        const own = values(column)
        return { column, values: own, added: CLASSES.map((_, output) => own.map((value) => ((typeof value === 'number' ? value - 50 : 10 * next()) / 40 / (at + 1)) * (output === 1 ? -1 : 1))) }
      }),
    },
  }
}

const effect = (column: string) => ({
  column, outputs: CLASSES, rows: 69,
  points: column === 'island' || column === 'sex'
    ? ['Biscoe', 'Dream', 'Torgersen'].map((value, at) => ({ value, means: [0.2 + 0.1 * at, 0.3, 0.5 - 0.1 * at], curves: [] }))
    : Array.from({ length: 20 }, (_, at) => ({ value: 170 + at * 3, means: [1 / (1 + Math.exp((at - 10) / 2)), 0.05, 0.95 - 1 / (1 + Math.exp((at - 10) / 2))], curves: [] })),
})

const PASSPORT: PassportCheck = {
  isGenuine: true, troubles: [], model: 'species', version: 2, person: 'ann', key: KEY, sections: ['card.md', 'lineage.json', 'package/model.onnx', 'tests.json'], approvedBy: ['ann'], tests: 'all 3 tests pass',
}

export const answers: Answers = {
  'model.tests': (_, world) => tests(stateOf(world)),
  'model.set_tests': ({ text }, world) => {
    rulesOf(text)
    stateOf(world).tests = text
    world.changed('models', 'audit')
    return null
  },
  'model.test': (_, world) =>
    world.start({
      kind: 'model.test', title: 'Testing species v2', subject: { model: 'species', version: 2 }, stages: ['scoring', 'testing'], ms: 900,
      finish: () => {
        stateOf(world).ran = stateOf(world).tests
        world.changed('models')
        return {}
      },
    }),
  'model.test_report': ({ to }, world) => world.start({ kind: 'model.test_report', title: 'Writing the report of tests of species v2', ms: 100, finish: () => ({ path: to }) }),
  'model.what_if': ({ place, row, changes }) => whatIf(place, row, changes),
  'model.importance': (_, world) => world.start({ kind: 'model.importance', title: 'Measuring what matters to species v2', subject: { model: 'species', version: 2 }, stages: ['shuffling', 'explaining'], ms: 700, finish: importance }),
  'model.effect': ({ column }, world) => world.start({ kind: 'model.effect', title: 'Following a column of species v2', ms: 300, finish: () => effect(column) }),
  'model.approvals': (_, world) => stateOf(world).approvals,
  'model.approve': ({ note }, world) => sign(world, note, true),
  'model.withdraw': ({ note }, world) => sign(world, note, false),
  'identity.show': (_, world) => stateOf(world).identity,
  'identity.new': ({ person }, world) => {
    if (!/^[\w.@-]+$/.test(person)) throw failure('invalid_input', `\`${person}\` cannot be the name of a person`, 'use letters, digits, `-`, `_`, `.` and `@`, such as an address')
    return (stateOf(world).identity = { person, key: KEY })
  },
  'policy.show': (_, world) => {
    const { policy } = stateOf(world)
    return { text: policy, people: peopleOf(policy), aliases: [...policy.matchAll(/^\[alias\.(\w+)\]$/gm)].map(([, alias = '']) => alias) }
  },
  'policy.set': ({ text }, world) => {
    const line = text.split('\n').findIndex((one) => one.startsWith('test ='))
    if (line >= 0) throw failure('invalid_input', `the policy cannot be read at line ${line + 1}: there is no field \`test\``, 'did you mean `tests`?')
    stateOf(world).policy = text
    world.changed('models', 'audit')
    return null
  },
  'model.card': (_, world) => card(stateOf(world)),
  'model.set_card': ({ text }, world) => {
    stateOf(world).card = text
    world.changed('models', 'audit')
    return null
  },
  'model.passport': ({ to }, world) => world.start({ kind: 'model.passport', title: 'Writing the passport of species v2', ms: 400, finish: () => ({ path: to, bytes: 190_000, hash: 'b3', key: KEY }) }),
  'passport.verify': ({ path }) => {
    if (path.includes('missing')) throw failure('not_found', `there is no \`${path}\``)
    return path.includes('changed') ? { ...PASSPORT, isGenuine: false, troubles: ['`package/model.onnx` is not what was signed'] } : PASSPORT
  },
  'audit.verify': () => ({ rows: 260, isWhole: true, troubles: [] }),
}
