// Every state that a step can be in, side by side: two pipelines to look at, one while its run goes on and
// one after it. `#/pipelines/states` and `#/pipelines/states-after` in a mock that is looked at.

import type { PipelineDoc, PlanStep, RunDetail, StepDoc, StepRunView } from '../bindings'

type Shown = { id: string; kind: string; state?: StepRunView['state']; more?: Partial<StepRunView>; plan?: Omit<PlanStep, 'step'>; step?: Partial<StepDoc> }

const failure = { code: 'step_failed' as const, message: 'step `failed` cannot train: column `species` has one class in the training rows', hint: 'loosen the filter before the split', causes: [] }

const LIVE: Shown[] = [
  { id: 'done', kind: 'dataset', state: 'done', more: { summary: '344 × 8', durationMs: 41 } },
  { id: 'cached', kind: 'split', state: 'cached', more: { summary: '344 × 8', reasons: ['its result was there'] } },
  { id: 'running', kind: 'train_forest', state: 'running', more: { progress: 0.62, stage: 'tree 186 of 300', startedAt: 0 } },
  { id: 'running_open', kind: 'impute', state: 'running', more: { progress: null, stage: 'reading rows', startedAt: 0 } },
  { id: 'waiting', kind: 'encode', state: 'pending' },
  { id: 'failed', kind: 'train_linear', state: 'failed', more: { error: failure, durationMs: 310 } },
  { id: 'blocked', kind: 'evaluate', state: 'blocked' },
  { id: 'cancelled', kind: 'train_boosting', state: 'cancelled', more: { durationMs: 1_204 } },
  { id: 'interrupted', kind: 'scale', state: 'interrupted' },
  { id: 'skipped', kind: 'filter', step: { skip: true } },
  { id: 'missing_input', kind: 'compare' },
  { id: 'unknown', kind: 'of_a_newer_fettle' },
]
const AFTER: Shown[] = [
  { id: 'done', kind: 'dataset', state: 'done', more: { summary: '344 × 8' }, plan: { action: 'cached', reasons: [] } },
  { id: 'cached', kind: 'split', state: 'cached', more: { summary: '344 × 8' }, plan: { action: 'cached', reasons: [] } },
  { id: 'stale', kind: 'train_forest', state: 'done', more: { summary: '300 trees' }, plan: { action: 'run', reasons: ['parameter `trees` changed from `300` to `500`'] } },
  { id: 'stale_after', kind: 'evaluate', state: 'done', more: { summary: 'AUC 0.997' }, plan: { action: 'pending', reasons: [] } },
  { id: 'ready', kind: 'encode', plan: { action: 'run', reasons: ['it has not run before'] } },
  { id: 'failed', kind: 'train_linear', state: 'failed', more: { error: failure }, plan: { action: 'run', reasons: ['it has not come to a result'] } },
  { id: 'cancelled', kind: 'train_boosting', state: 'cancelled', plan: { action: 'run', reasons: ['it has not come to a result'] } },
  { id: 'interrupted', kind: 'scale', state: 'interrupted', plan: { action: 'run', reasons: ['it has not come to a result'] } },
  { id: 'a_rather_long_name_of_a_step', kind: 'select', state: 'done', more: { summary: '1,204,332,118 × 1,024' }, plan: { action: 'cached', reasons: [] } },
  { id: 'component', kind: 'component', step: { params: { pipeline: 'prepare' } } },
]

const PER_ROW = 4

function docOf(name: string, shown: Shown[]): PipelineDoc {
  const steps = shown.map(({ id, kind, step }, index): StepDoc => ({ id, kind, position: [40 + 260 * (index % PER_ROW), 40 + 120 * Math.floor(index / PER_ROW)], params: kind === 'dataset' ? { dataset: 'penguins' } : kind === 'filter' ? { expression: 'year > 2007' } : {}, inputs: wires(kind), ...step }))
  return { name, steps }
}

function wires(kind: string): StepDoc['inputs'] {
  if (kind === 'evaluate') return { model: ['failed.model'], table: ['cached.table'] }
  if (kind === 'component') return { rows: ['cached.table'] }
  return ['dataset', 'compare', 'of_a_newer_fettle'].includes(kind) ? {} : { table: [kind === 'split' ? 'done.table' : 'cached.table'] }
}

function runOf(doc: PipelineDoc, shown: Shown[], number: number, state: RunDetail['summary']['state']): RunDetail {
  const steps = shown.flatMap(({ id, kind, state: at, more }): StepRunView[] =>
    at === undefined ? [] : [{ step: id, kind, state: at, reasons: [], progress: null, stage: null, startedAt: null, durationMs: null, cpuMs: null, maxMemoryBytes: null, inputBytes: null, outputBytes: null, tries: [], metrics: {}, environment: {}, error: null, summary: null, outputs: [], ...more }],
  )
  const summary = { id: String(number).padStart(32, '5'), number, pipeline: doc.name, state, startedAt: Date.now() - 60_000, durationMs: state === 'running' ? null : 42_000, cached: 1, steps: steps.length, metrics: {}, bestStep: null, datasets: [], models: [], note: null }
  return { summary, doc, steps, error: state === 'failed' ? failure : null, environment: { fettle: '0.1.0' }, models: [] }
}

export const statesDocs: readonly PipelineDoc[] = [docOf('states', LIVE), docOf('states-after', AFTER)]

const [live, after] = statesDocs
export const statesRuns: readonly RunDetail[] = live === undefined || after === undefined ? [] : [runOf(live, LIVE, 901, 'running'), runOf(after, AFTER, 902, 'failed')]

/** What a run would do, for the pipelines that are here to be looked at. */
export function statesPlan(doc: PipelineDoc): PlanStep[] | null {
  if (!statesDocs.some(({ name }) => name === doc.name)) return null
  return (doc.name === 'states' ? LIVE : AFTER).flatMap(({ id, plan }) => (plan === undefined ? [] : [{ step: id, ...plan }]))
}
