// Registered models: species with three versions, body-mass with one.

import type { AliasMove, GateCheck, GateReport, ModelSummary, ModelVersionDetail, ModelVersionRow } from '../bindings'
import { CLASSES, classifierFigures } from './figures'
import { policyChecks } from './judging'
import { perWorld } from './state'
import { failure, type Answers, type World } from './world'

const HOUR = 3_600_000
const now = Date.now()
const runId = (number: number): string => `a${number.toString(16).padStart(3, '0')}`.padStart(32, '0')

const firstAliases: Record<string, number> = { production: 1, challenger: 2 }
const firstHistory: AliasMove[] = [
  { alias: 'challenger', from: 1, to: 2, reason: null, at: now - 2 * HOUR },
  { alias: 'production', from: null, to: 1, reason: 'first model, agreed with Ada', at: now - 26 * HOUR },
]
const version = (number: number, trainer: string, run: number, metrics: Record<string, number>): Omit<ModelVersionRow, 'aliases'> => ({ number, trainer, runId: runId(run), runNumber: run, metrics, createdAt: now - (4 - number) * 24 * HOUR })
const versions = [
  version(2, 'Gradient boosting', 241, { auc: 0.9979, accuracy: 0.9855, f1: 0.9821, log_loss: 0.0612 }),
  version(1, 'Random forest', 200, { auc: 0.9951, accuracy: 0.9565, f1: 0.9498, log_loss: 0.1107 }),
]
const stateOf = perWorld(() => ({ aliases: firstAliases, history: firstHistory }))
const aliasesOf = (world: World, number: number): string[] => Object.entries(stateOf(world).aliases).filter(([, to]) => to === number).map(([name]) => name)
const row = (world: World, one: Omit<ModelVersionRow, 'aliases'>): ModelVersionRow => ({ ...one, aliases: aliasesOf(world, one.number) })

const summaries = (world: World): ModelSummary[] => [
  { name: 'species', version: 2, versions: versions.length, aliases: stateOf(world).aliases, metrics: versions[0]?.metrics ?? {}, task: 'multiclass', createdAt: now - 48 * HOUR, endpoints: ['species'] },
  { name: 'body-mass', version: 1, versions: 1, aliases: {}, metrics: { r2: 0.862, rmse: 297.4, mae: 231.9 }, task: 'regression', createdAt: now - 70 * HOUR, endpoints: [] },
]

function find(world: World, wanted: string | null): ModelVersionRow {
  const number = wanted === null ? versions[0]?.number : (stateOf(world).aliases[wanted] ?? Number(wanted))
  const found = versions.find((one) => one.number === number)
  if (!found) throw failure('not_found', `model \`species\` has no version \`${wanted ?? ''}\``, 'see the versions of the model')
  return row(world, found)
}

function detail(world: World, wanted: string | null): ModelVersionDetail {
  const one = find(world, wanted)
  return {
    model: 'species', row: one, task: 'multiclass', target: 'species', classes: CLASSES,
    inputs: [
      { name: 'island', kind: 'text' }, { name: 'bill_length_mm', kind: 'number' }, { name: 'bill_depth_mm', kind: 'number' }, { name: 'flipper_length_mm', kind: 'integer' },
      { name: 'body_mass_g', kind: 'integer' }, { name: 'sex', kind: 'text' }, { name: 'year', kind: 'integer' },
    ],
    outputs: [{ name: 'label', kind: 'text' }, ...CLASSES.map((name) => ({ name: `probability_${name}`, kind: 'number' as const }))],
    params: { rounds: 200, learning_rate: 0.1, max_depth: 6, min_leaf_rows: 5, seed: 7 },
    recipe: ['Missing `bill_length_mm` becomes 44.5, the median.', 'Missing `sex` becomes `male`, the commonest value.', '`island` becomes 3 columns, one a value.', '`sex` becomes 2 columns, one a value.'],
    figures: classifierFigures(one.metrics.auc ?? 0.99, 10 + one.number), parity: one.number === 2 ? { rows: 69, maxAbsDiff: 2.98e-8 } : null,
    dataset: { dataset: 'penguins', version: one.number }, step: 'boosting', pipeline: 'species', endpoints: one.number === 1 ? ['species'] : [],
    sizeBytes: 184_320, files: [{ path: 'MLmodel', sizeBytes: 1_402 }, { path: 'model.onnx', sizeBytes: 181_022 }], fileCount: 2, digest: 'b3:6f2c1d9e0a47b85c3e19f0d27a6648bb90e1c5d3f7a2846be0c95d17a3f20c4e',
  }
}

function gate(world: World, wanted: string | null, alias: string): GateReport {
  const one = find(world, wanted)
  const current = stateOf(world).aliases[alias] ?? null
  const checks: GateCheck[] = [
    { name: 'Package scores as the run did', status: one.number === 2 ? 'passed' : 'warning', message: one.number === 2 ? 'largest difference 3.0e-8 over 69 rows' : 'this version was registered without a proof' },
    { name: 'Better than the current version', status: current === null || current === one.number || one.number > current ? 'passed' : 'failed', message: current === null ? 'nothing is in production yet' : `AUC ${one.metrics.auc} against 0.9951 of v${current}` },
    { name: 'Signature fits', status: 'passed', message: 'the inputs and outputs are those of the version in production' },
    { name: 'Accuracy at least 0.9', status: 'passed', message: `accuracy is ${one.metrics.accuracy}` },
    { name: 'Small classes', status: 'warning', message: 'Chinstrap has only 14 validation rows' },
    ...policyChecks(world, alias),
  ]
  return { model: 'species', version: one.number, alias, current, checks, isOpen: checks.every((check) => check.status !== 'failed') }
}

const exported = (world: World, title: string, kind: string) => world.start({ kind, title, ms: 800, subject: { model: 'species' } })

export const answers: Answers = {
  'model.list': (_, world) => summaries(world),
  'model.show': ({ model }, world) => {
    const summary = summaries(world).find((one) => one.name === model)
    if (!summary) throw failure('not_found', `there is no model \`${model}\``, 'see the list of models')
    return { summary, versions: model === 'species' ? versions.map((one) => row(world, one)) : [], history: model === 'species' ? stateOf(world).history : [] }
  },
  'model.version': ({ version: wanted }, world) => detail(world, wanted),
  'model.gate': ({ version: wanted, alias }, world) => gate(world, wanted, alias ?? 'production'),
  'model.register': () => ({ model: 'species', version: 2 }),
  'model.promote': ({ version: wanted, alias, reason }, world) => {
    const name = alias ?? 'production'
    const report = gate(world, wanted, name)
    const state = stateOf(world)
    if (!report.isOpen) throw failure('gate_failed', `\`species\` v${report.version} may not become \`${name}\``, 'see the checks that failed')
    state.history = [{ alias: name, from: state.aliases[name] ?? null, to: report.version, reason: reason || null, at: Date.now() }, ...state.history]
    state.aliases = { ...state.aliases, [name]: report.version }
    world.changed('models', 'audit')
    return report
  },
  'model.predict': (_, world) => exported(world, 'Score new.csv with species', 'model.predict'),
  'model.export': (_, world) => exported(world, 'Export species v2', 'model.export'),
  'model.verify': (_, world) => world.start({ kind: 'model.verify', title: 'Verify species', ms: 800, finish: () => ({ rows: 69, maxAbsDiff: 2.98e-8 }) }),
}
