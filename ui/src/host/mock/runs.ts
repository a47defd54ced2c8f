// Runs of the penguins pipeline: one that trains, one that failed, many that are done.

import type { ComparedModel, PipelineDoc, RunDetail, RunState, RunSummary, StepDoc, StepRunView, TrainedModel } from '../bindings'
import { classifierFigures, lossPoints } from './figures'
import { perWorld } from './state'
import { failure, type Answers, type World } from './world'

const MINUTE = 60_000
const now = Date.now()
const id = (number: number): string => `a${number.toString(16).padStart(3, '0')}`.padStart(32, '0')

const trained = (step: string, trainer: string, params: TrainedModel['params'], metrics: TrainedModel['metrics'], version: number | null, isBest = false): TrainedModel => ({
  step, trainer, params, metrics, isBest, registered: version === null ? null : { model: 'species', version },
})

const models: TrainedModel[] = [
  trained('boosting', 'Gradient boosting', { rounds: 200, learning_rate: 0.1, max_depth: 6, min_leaf_rows: 5, seed: 7 }, { auc: 0.9979, accuracy: 0.9855, f1: 0.9821, log_loss: 0.0612, balanced_accuracy: 0.9788 }, 2, true),
  trained('forest', 'Random forest', { trees: 300, max_depth: 12, min_leaf_rows: 1, seed: 7 }, { auc: 0.9968, accuracy: 0.971, f1: 0.9655, log_loss: 0.0884, balanced_accuracy: 0.9602 }, null),
  trained('linear', 'Logistic regression', { l2: 1, max_iterations: 200 }, { auc: 0.9931, accuracy: 0.971, f1: 0.9643, log_loss: 0.1023, balanced_accuracy: 0.9641 }, null),
]
const compared = (runNumber: number): ComparedModel[] =>
  models.map((model, index) => ({ runId: id(runNumber), runNumber, model, figures: classifierFigures(model.metrics.auc ?? 0.99, 10 + index) }))

const step = (stepId: string, kind: string, x: number, y: number, params: StepDoc['params'], inputs: StepDoc['inputs']): StepDoc => ({ id: stepId, kind, position: [x, y], params, inputs })
const doc: PipelineDoc = {
  name: 'species',
  steps: [
    step('penguins', 'dataset', 40, 180, { dataset: 'penguins', version: 2 }, {}),
    step('split', 'split', 304, 180, { train: 0.6, validation: 0.2, test: 0.2, seed: 7, stratify: true }, { table: ['penguins.table'] }),
    step('impute', 'impute', 568, 180, { number: 'median', text: 'mode' }, { table: ['split.table'] }),
    step('encode', 'encode', 832, 180, { method: 'one_hot', max_levels: 20 }, { table: ['impute.table'] }),
    step('linear', 'train_linear', 1120, 60, { l2: 1 }, { table: ['encode.table'] }),
    step('forest', 'train_forest', 1120, 180, { trees: 300 }, { table: ['encode.table'] }),
    step('boosting', 'train_boosting', 1120, 300, { rounds: 200, learning_rate: 0.1 }, { table: ['encode.table'] }),
    step('evaluate_linear', 'evaluate', 1412, 60, { on: 'validation' }, { model: ['linear.model'], table: ['encode.table'] }),
    step('evaluate_forest', 'evaluate', 1412, 180, { on: 'validation' }, { model: ['forest.model'], table: ['encode.table'] }),
    step('evaluate_boosting', 'evaluate', 1412, 300, { on: 'validation' }, { model: ['boosting.model'], table: ['encode.table'] }),
    step('compare', 'compare', 1700, 180, { by: 'auc' }, { models: ['evaluate_linear.model', 'evaluate_forest.model', 'evaluate_boosting.model'] }),
    step('register', 'register', 1964, 180, { name: 'species' }, { model: ['compare.best'] }),
  ],
}

const OUTPUTS: Record<string, string[]> = { evaluate: ['model', 'metrics', 'report'], compare: ['best', 'metrics', 'report'], register: ['report'], train_boosting: ['model', 'report'] }
const SUMMARIES: Record<string, string> = { dataset: '344 × 8', split: '344 × 8', impute: '344 × 8', encode: '344 × 12', compare: 'boosting, AUC 0.998', register: 'species v2' }

function stepRun(one: StepDoc, index: number, state: StepRunView['state']): StepRunView {
  const isOver = state === 'done' || state === 'failed'
  const wasRun = isOver || state === 'running'
  return {
    step: one.id, kind: one.kind, state,
    reasons: state === 'cached' ? ['its result was there'] : wasRun ? ['`penguins` has a new version', 'its parameter `rounds` changed'].slice(0, 1 + (index % 2)) : [],
    progress: state === 'running' ? 0.62 : null, stage: state === 'running' ? 'round 124 of 200' : null,
    startedAt: wasRun ? now - 9_000 : null, durationMs: isOver ? 260 + index * 410 : null, cpuMs: isOver ? 300 + index * 690 : null, maxMemoryBytes: isOver ? 41_000_000 + index * 3_700_000 : null,
    inputBytes: isOver ? 12_300 + index * 4_100 : null, outputBytes: isOver ? 14_800 + index * 3_900 : null, tries: [], metrics: {}, environment: {},
    error: state === 'failed' ? failure('step_failed', 'step `boosting` cannot train: column `species` has one class in the training rows', 'check the filter before the split') : null,
    summary: state === 'done' || state === 'cached' ? (SUMMARIES[one.kind] ?? null) : null,
    outputs: state === 'done' || state === 'cached' ? (OUTPUTS[one.kind] ?? ['table']) : [],
  }
}

function stepState(run: RunSummary, index: number): StepRunView['state'] {
  if (run.state === 'done') return index < run.cached ? 'cached' : 'done'
  if (index < 4) return index < run.cached ? 'cached' : 'done'
  if (run.state === 'running') return index < 6 ? 'done' : index === 6 ? 'running' : 'pending'
  return index === 6 ? 'failed' : index < 6 ? 'done' : 'blocked'
}

const STATES: RunState[] = ['done', 'done', 'done', 'failed', 'done', 'cancelled', 'done', 'done', 'interrupted']
const best = models[0]?.metrics ?? {}
const older = (number: number): RunSummary => {
  const state = STATES[number % STATES.length] ?? 'done'
  const isDone = state === 'done'
  return {
    id: id(number), number, pipeline: number % 5 === 0 ? 'body-mass' : 'species', state, startedAt: now - (260 - number) * 47 * MINUTE, durationMs: 3_400 + ((number * 7919) % 23_000),
    cached: number % 6, steps: doc.steps.length, bestStep: isDone ? 'boosting' : null,
    metrics: !isDone ? {} : number % 5 === 0 ? { r2: 0.862, rmse: 297.4, mae: 231.9 } : { ...best, auc: 0.99 + (number % 7) / 1000 },
    datasets: [{ dataset: 'penguins', version: number > 120 ? 2 : 1 }], models: number % 40 === 0 ? [{ model: 'species', version: 1 }] : [], note: number % 31 === 0 ? 'with the new rows from Dream' : null,
  }
}
const firstRuns: RunSummary[] = [
  { ...older(243), state: 'running', startedAt: now - 14_000, durationMs: null, cached: 3, metrics: {}, bestStep: null, pipeline: 'species', models: [], note: null },
  { ...older(242), state: 'failed', startedAt: now - 55 * MINUTE, durationMs: 3_400, cached: 2, metrics: {}, bestStep: null, pipeline: 'species', models: [], note: 'only Adelie left after the filter' },
  { ...older(241), state: 'done', startedAt: now - 130 * MINUTE, durationMs: 21_800, cached: 0, metrics: best, bestStep: 'boosting', pipeline: 'species', models: [{ model: 'species', version: 2 }], note: null },
  ...Array.from({ length: 240 }, (_, index) => older(240 - index)),
]

const stateOf = perWorld(() => ({ runs: firstRuns }))

/** Every run of a pipeline, as the table of runs shows them too. */
export const listed = (world: World): readonly RunSummary[] => stateOf(world).runs

function find(world: World, wanted: string): RunSummary {
  const found = stateOf(world).runs.find((run) => run.id === wanted || `#${run.number}` === wanted)
  if (!found) throw failure('not_found', `there is no run \`${wanted}\``, 'see the list of runs')
  return found
}

const LOG = ['reading penguins v2: 344 rows, 8 columns', 'split: 206 train, 69 validation, 69 test, stratified by species', 'impute: 2 columns with missing values', 'encode: island, sex as one-hot', 'boosting: 206 rows, 12 features, 3 classes']

export const answers: Answers = {
  'run.list': ({ pipeline, state, offset, limit }, world) => {
    const fitting = stateOf(world).runs.filter((run) => (pipeline === null || run.pipeline === pipeline) && (state === null || run.state === state))
    return { total: fitting.length, runs: fitting.slice(offset, offset + (limit ?? 100)) }
  },
  'run.show': ({ run: wanted }, world): RunDetail => {
    const summary = find(world, wanted)
    return {
      summary, doc, steps: doc.steps.map((one, index) => stepRun(one, index, stepState(summary, index))),
      error: summary.state === 'failed' ? failure('step_failed', 'step `boosting` failed', 'read its log', ['column `species` has one class in the training rows']) : null,
      environment: { commit: '3fa91c02de', fettle: '0.1.0', system: 'Linux 6.1 x86_64', threads: '2', started: 'by hand' },
      ...(summary.number === 241 ? { origin: { cause: 'resume', run: { id: id(240), number: 240 } } } : summary.number === 242 ? { origin: { cause: 'trigger', run: null }, resumedBy: [{ id: id(243), number: 243 }] } : {}),
      models: summary.state === 'done' ? models : summary.state === 'running' ? models.slice(1).map((model) => ({ ...model, metrics: {}, isBest: false })) : [],
    }
  },
  'run.curves': ({ run: wanted }, world) => {
    const rounds = find(world, wanted).state === 'running' ? 124 : 200
    return {
      curves: [
        { step: 'boosting', metric: 'log loss', points: lossPoints(200, 3).slice(0, rounds) },
        { step: 'linear', metric: 'log loss', points: lossPoints(40, 5) },
      ],
    }
  },
  'run.log': ({ run: wanted, offset }, world) => {
    const isLive = find(world, wanted).state === 'running'
    const text = [...LOG, ...lossPoints(124, 3).map(([round, train, held]) => `round ${round}: train ${train}, validation ${held}`)].join('\n')
    return { text: offset === 0 ? text : isLive ? `\nround ${124 + Math.floor(offset / 4000)}: still learning` : '', nextOffset: offset + (offset === 0 ? text.length : 29), isComplete: !isLive }
  },
  'run.output': ({ step: wanted }) => {
    const figures = classifierFigures(0.9979, 10)
    return { type: 'report', figures: wanted.startsWith('evaluate') || wanted === 'compare' ? figures : figures.slice(0, 1), notes: ['Scored on 69 validation rows.'] }
  },
  'run.compare': ({ runs: wanted }, world) => {
    // A script's run has no evaluated models.
    const all = wanted.filter((one) => !one.startsWith('s')).map((one) => find(world, one)).flatMap((run) => compared(run.number).map((one) => ({ ...one, runId: run.id })))
    const names = [...new Set(all.flatMap((one) => Object.keys(one.model.params)))]
    return {
      models: all.sort((a, b) => (b.model.metrics.auc ?? 0) - (a.model.metrics.auc ?? 0)), by: 'auc',
      metrics: [
        { name: 'auc', title: 'AUC', higherIsBetter: true, doc: 'Area under the ROC curve, the mean over each class against the rest.' },
        { name: 'accuracy', title: 'Accuracy', higherIsBetter: true, doc: 'The share of rows with the right class.' },
        { name: 'f1', title: 'F1', higherIsBetter: true, doc: '2 TP / (2 TP + FP + FN), the plain mean over classes.' },
        { name: 'log_loss', title: 'Log loss', higherIsBetter: false, doc: 'The mean of -ln(probability given to the true class).' },
      ],
      params: Object.fromEntries(names.map((name) => [name, all.map((one) => one.model.params[name] ?? null)])),
    }
  },
  'run.cancel': ({ run: wanted }, world) => {
    const found = find(world, wanted)
    const all = stateOf(world)
    all.runs = all.runs.map((run) => (run === found ? { ...run, state: 'cancelled', durationMs: 15_000 } : run))
    world.changed('runs')
    return null
  },
  'run.note': ({ run: wanted, note }, world) => {
    const found = find(world, wanted)
    const all = stateOf(world)
    all.runs = all.runs.map((run) => (run === found ? { ...run, note: note || null } : run))
    world.changed('runs')
    return null
  },
}
