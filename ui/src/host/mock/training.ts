// A run that takes its time: steps one after the other, curves that grow, a failure where the data
// has one class. Answers for its own runs and leaves all others to `runs.ts`.

import type { OutputView, PipelineDoc, PlanView, RunDetail, RunStarted, RunSummary, StepDoc, StepRunView, TablePage, TrainedModel } from '../bindings'
import { classifierFigures, lossPoints } from './figures'
import { answers as others } from './runs'
import { statesPlan, statesRuns } from './states'
import { failure, randomness, wait, type Answers, type World } from './world'

type Live = { detail: RunDetail; log: { step: string; text: string }[]; points: Map<string, [number, number, number | null][]> }

const runs = new Map<string, Live>(statesRuns.map((detail) => [detail.summary.id, { detail, log: [], points: new Map() }]))
const cache = new Set<string>()
let number = 243

const SUMMARY: Record<string, string> = { dataset: '344 × 8', split: '344 × 8', select: '344 × 7', filter: '333 × 8', impute: '344 × 8', encode: '344 × 12', scale: '344 × 12', compare: 'boosting, AUC 0.998', check: 'AUC ≥ 0.7', register: 'species v3' }
const AUC: Record<string, number> = { linear: 0.9931, forest: 0.9968, boosting: 0.9979 }
const TRAINER: Record<string, string> = { train_linear: 'Logistic regression', train_forest: 'Random forest', train_boosting: 'Gradient boosting' }
const OUTPUTS: Record<string, string[]> = { evaluate: ['model', 'metrics', 'report'], compare: ['best', 'metrics', 'report'], check: ['passed'], register: ['report'] }

const outputsOf = (kind: string): string[] => (kind.startsWith('train_') ? ['model', 'report'] : (OUTPUTS[kind] ?? ['table']))
const before = (step: StepDoc): string[] => Object.values(step.inputs).flat().map((source) => source.split('.')[0] ?? '')

/** What a step would come to, in a word: the same for the same work. */
function keyOf(doc: PipelineDoc, id: string, depth = 0): string {
  const step = doc.steps.find((one) => one.id === id)
  if (step === undefined || depth > 60) return ''
  return JSON.stringify([step.kind, step.params, step.inputs, before(step).map((source) => keyOf(doc, source, depth + 1))])
}
// Hundreds of steps in a chain make keys as long as books; what lies far back is left out of account.
const shortKey = (doc: PipelineDoc, id: string): string => (doc.steps.length > 60 ? JSON.stringify(doc.steps.find((step) => step.id === id)) : keyOf(doc, id))

export function planFor(doc: PipelineDoc): PlanView {
  const shown = statesPlan(doc)
  if (shown !== null) return { steps: shown, cached: shown.filter(({ action }) => action === 'cached').length, toRun: shown.filter(({ action }) => action === 'run').length, estimateMs: 4_100 }
  const active = doc.steps.filter((step) => step.skip !== true)
  const skipped = doc.steps.filter((step) => step.skip === true).map((step) => ({ step: step.id, action: 'skipped' as const, reasons: ['a run goes past it'] }))
  const missing = new Set(active.filter((step) => !cache.has(shortKey(doc, step.id))).map((step) => step.id))
  const steps = active.map((step) => {
    const action = !missing.has(step.id) ? ('cached' as const) : before(step).some((source) => missing.has(source)) ? ('pending' as const) : ('run' as const)
    return { step: step.id, action, reasons: action === 'run' ? reasonsFor(doc, step) : action === 'pending' ? ['a step before it must run first'] : [] }
  })
  const count = (action: string): number => steps.filter((step) => step.action === action).length
  return { steps: [...steps, ...skipped], cached: count('cached'), toRun: count('run'), estimateMs: missing.size === 0 ? null : missing.size * 1_900 }
}

// As the backend says it: each parameter with what it was.
function reasonsFor(doc: PipelineDoc, step: StepDoc): string[] {
  const last = [...runs.values()].filter((live) => live.detail.summary.pipeline === doc.name).at(-1)
  const was = last?.detail.doc.steps.find((one) => one.id === step.id)
  if (was === undefined) return ['it has not run before']
  const shown = (value: unknown): string => (value === undefined ? 'nothing' : `\`${JSON.stringify(value)}\``)
  const names = [...new Set([...Object.keys(was.params), ...Object.keys(step.params)])].filter((name) => JSON.stringify(was.params[name]) !== JSON.stringify(step.params[name]))
  return names.length === 0 ? ['its result was removed from the cache'] : names.map((name) => `parameter \`${name}\` changed from ${shown(was.params[name])} to ${shown(step.params[name])}`)
}

export function lastRunOf(pipeline: string): RunSummary | null {
  return [...runs.values()].map((live) => live.detail.summary).filter((run) => run.pipeline === pipeline).at(-1) ?? null
}

function open(doc: PipelineDoc, steps: StepDoc[], id: string): Live {
  number += 1
  const summary: RunSummary = {
    id, number, pipeline: doc.name, state: 'running', startedAt: Date.now(), durationMs: null, cached: 0, steps: steps.length, metrics: {}, bestStep: null,
    datasets: [{ dataset: 'penguins', version: 2 }], models: [], note: null,
  }
  const views = steps.map((step): StepRunView => ({
    step: step.id, kind: step.kind, state: 'pending', reasons: [], progress: null, stage: null, startedAt: null, durationMs: null, cpuMs: null, maxMemoryBytes: null, inputBytes: null, outputBytes: null, tries: [], metrics: {}, environment: {}, error: null, summary: null, outputs: [],
  }))
  return { detail: { summary, doc, steps: views, error: null, environment: { fettle: '0.1.0' }, models: [] }, log: [], points: new Map() }
}

function needed(doc: PipelineDoc, to: string | null): StepDoc[] {
  const wanted = new Set<string>()
  const add = (id: string): void => {
    const step = doc.steps.find((one) => one.id === id)
    if (step === undefined || wanted.has(id)) return
    before(step).forEach(add)
    wanted.add(id)
  }
  if (to === null) doc.steps.forEach((step) => add(step.id))
  else add(to)
  return [...wanted].flatMap((id) => doc.steps.find((step) => step.id === id && step.skip !== true) ?? [])
}

export function startRun(world: World, doc: PipelineDoc, to: string | null, force: boolean): RunStarted {
  const id = world.id()
  const steps = needed(doc, to)
  const live = open(doc, steps, id)
  runs.set(id, live)
  const job = world.start({ kind: 'pipeline.run', title: `Run ${doc.name}`, subject: { run: id, pipeline: doc.name }, ms: 3_600_000 })
  void work(world, live, steps, force, job.jobId)
  world.changed('runs')
  return { runId: id, jobId: job.jobId }
}

const change = (live: Live, id: string, to: Partial<StepRunView>): void => {
  live.detail = { ...live.detail, steps: live.detail.steps.map((step) => (step.step === id ? { ...step, ...to } : step)) }
}
const finish = (live: Live, to: Partial<RunSummary>): void => {
  const { summary, steps } = live.detail
  live.detail = { ...live.detail, summary: { ...summary, durationMs: Date.now() - summary.startedAt, cached: steps.filter((step) => step.state === 'cached').length, ...to } }
}
const metricsOf = (step: string): Record<string, number> => {
  const auc = AUC[step.replace('evaluate_', '')] ?? 0.99
  return { roc_auc: auc, accuracy: auc - 0.012, f1: auc - 0.015, log_loss: 1.02 - auc }
}

async function work(world: World, live: Live, steps: StepDoc[], force: boolean, jobId: string): Promise<void> {
  const { doc } = live.detail
  const isDegenerate = doc.steps.some((step) => /species\s*=/.test(String(step.params.expression ?? '')))
  for (const step of steps) {
    if (live.detail.summary.state === 'cancelled') return
    const key = shortKey(doc, step.id)
    if (!force && cache.has(key)) {
      change(live, step.id, { state: 'cached', reasons: ['its result was there'], summary: faceOf(step), outputs: outputsOf(step.kind) })
      world.changed('runs')
      await wait(40 * world.pace)
      continue
    }
    const isOver = await workStep(world, live, step, isDegenerate)
    if (!isOver) return end(world, live, jobId)
    cache.add(key)
  }
  const trainers = doc.steps.filter((step) => step.kind.startsWith('train_') && steps.includes(step))
  const models = trainers.map((step): TrainedModel => ({ step: step.id, trainer: TRAINER[step.kind] ?? step.kind, params: { rounds: 200 }, metrics: metricsOf(step.id), isBest: step.id === 'boosting', registered: step.id === 'boosting' ? { model: 'species', version: 3 } : null }))
  live.detail = { ...live.detail, models: models.sort((a, b) => (b.metrics.roc_auc ?? 0) - (a.metrics.roc_auc ?? 0)) }
  finish(live, { state: 'done', metrics: models[0]?.metrics ?? {}, bestStep: models[0]?.step ?? null, models: models.length > 0 ? [{ model: 'species', version: 3 }] : [] })
  end(world, live, jobId)
}

async function workStep(world: World, live: Live, step: StepDoc, isDegenerate: boolean): Promise<boolean> {
  const started = Date.now()
  const say = (text: string): void => void live.log.push({ step: step.id, text: `${new Date().toISOString().slice(11, 23)} ${step.id}: ${text}\n` })
  const isTraining = step.kind.startsWith('train_')
  change(live, step.id, { state: 'running', progress: 0, startedAt: started, reasons: ['its inputs changed'] })
  world.changed('runs')
  say('started')
  const points = lossPoints(isTraining ? 200 : 1, step.id.length)
  // Tests want the states, not the show.
  const beats = world.pace === 0 ? 2 : isTraining ? 16 : 2
  for (let beat = 1; beat <= beats; beat += 1) {
    await wait((isTraining ? 160 : 120) * world.pace)
    if (live.detail.summary.state === 'cancelled') return false
    change(live, step.id, { progress: beat / beats, stage: isTraining ? `round ${Math.round((beat / beats) * 200)} of 200` : null })
    if (isTraining) {
      const fresh = points.slice(Math.floor(((beat - 1) / beats) * 200), Math.floor((beat / beats) * 200))
      live.points.set(step.id, [...(live.points.get(step.id) ?? []), ...fresh])
      world.emit({ type: 'points', runId: live.detail.summary.id, stepId: step.id, metric: 'log loss', points: fresh })
      say(`round ${fresh.at(-1)?.[0]}: train ${fresh.at(-1)?.[1]}, validation ${fresh.at(-1)?.[2]}`)
    }
    world.changed('runs')
  }
  if (isTraining && isDegenerate) {
    const error = failure('step_failed', `step \`${step.id}\` cannot train: column \`species\` has one class in the training rows`, 'loosen the filter before the split, or choose another target')
    say(`failed: ${error.message}`)
    change(live, step.id, { state: 'failed', error, progress: null, stage: null, durationMs: Date.now() - started })
    live.detail = { ...live.detail, error, steps: live.detail.steps.map((one) => (one.state === 'pending' ? { ...one, state: 'blocked' } : one)) }
    finish(live, { state: 'failed' })
    return false
  }
  say('done')
  const took = Date.now() - started
  change(live, step.id, { state: 'done', progress: null, stage: null, durationMs: took, cpuMs: Math.round(took * 1.7), maxMemoryBytes: 41_000_000 + 900_000 * step.id.length, summary: faceOf(step), outputs: outputsOf(step.kind) })
  world.changed('runs')
  return true
}

function faceOf(step: StepDoc): string | null {
  if (step.kind.startsWith('train_')) return '200 rounds'
  return step.kind === 'evaluate' ? `AUC ${metricsOf(step.id).roc_auc?.toFixed(3)}` : (SUMMARY[step.kind] ?? null)
}

function end(world: World, live: Live, jobId: string): void {
  const { state, id } = live.detail.summary
  const error = state === 'failed' ? live.detail.error : null
  world.put({ ...world.job(jobId), state: state === 'failed' ? 'failed' : state === 'cancelled' ? 'cancelled' : 'done', finishedAt: Date.now(), error, result: { run: id } })
  world.changed('runs', 'pipelines', 'models')
}

function rows(offset: number, limit: number): TablePage {
  const next = randomness(offset + 11)
  const cells = Array.from({ length: Math.max(0, Math.min(limit, 344 - offset)) }, () => {
    const kind = Math.floor(next() * 3)
    const isMissing = next() < 0.04
    return [['Adelie', 'Chinstrap', 'Gentoo'][kind] ?? null, ['Torgersen', 'Dream', 'Biscoe'][kind] ?? null, isMissing ? null : (36 + next() * 12).toFixed(1), (14 + next() * 6).toFixed(1), String(Math.round(180 + next() * 40)), String(Math.round(3_000 + next() * 2_800)), isMissing ? null : next() < 0.5 ? 'female' : 'male', String(2007 + Math.floor(next() * 3))]
  })
  const names = ['species', 'island', 'bill_length_mm', 'bill_depth_mm', 'flipper_length_mm', 'body_mass_g', 'sex', 'year']
  return { total: 344, offset, columns: names.map((name, index) => ({ name, kind: index === 2 || index === 3 ? 'number' : [0, 1, 6].includes(index) ? 'text' : 'integer' })), rows: cells }
}

function output(live: Live, step: string, port: string, offset: number, limit: number | null): OutputView {
  const kind = live.detail.doc.steps.find((one) => one.id === step)?.kind ?? ''
  if (port === 'table') return { type: 'table', page: rows(offset, limit ?? 100) }
  if (port === 'metrics' || port === 'passed') return { type: 'metrics', metrics: metricsOf(step) }
  const figures = kind.startsWith('train_') ? classifierFigures(0.99, 4).slice(-1) : classifierFigures(AUC[step.replace('evaluate_', '')] ?? 0.9979, step.length)
  if (port === 'report') return { type: 'report', figures, notes: kind === 'evaluate' ? ['Scored on 69 test rows.'] : [] }
  const model = live.detail.models.find((one) => step.endsWith(one.step)) ?? live.detail.models[0]
  if (model === undefined) return { type: 'gone' }
  return { type: 'model', model, figures }
}

/** Asks `runs.ts`, which answers for every run that was not started here. */
const other = <K extends keyof Answers>(name: K): NonNullable<Answers[K]> => {
  const found = others[name]
  if (found === undefined) throw failure('not_found', `there is no answer for \`${name}\``)
  return found
}

export const answers: Answers = {
  'run.show': (payload, world) => runs.get(payload.run)?.detail ?? other('run.show')(payload, world),
  'run.curves': (payload, world) => {
    const live = runs.get(payload.run)
    return live === undefined ? other('run.curves')(payload, world) : { curves: [...live.points].map(([step, points]) => ({ step, metric: 'log loss', points })) }
  },
  'run.log': (payload, world) => {
    const live = runs.get(payload.run)
    if (live === undefined) return other('run.log')(payload, world)
    const text = live.log.filter((line) => payload.step === null || line.step === payload.step).map((line) => line.text).join('')
    return { text: text.slice(payload.offset), nextOffset: text.length, isComplete: live.detail.summary.state !== 'running' }
  },
  'run.output': (payload, world) => {
    const live = runs.get(payload.run)
    return live === undefined ? other('run.output')(payload, world) : output(live, payload.step, payload.port, payload.offset, payload.limit)
  },
  'run.cancel': (payload, world) => {
    const live = runs.get(payload.run)
    if (live === undefined) return other('run.cancel')(payload, world)
    live.detail = { ...live.detail, steps: live.detail.steps.map((step) => (step.state === 'running' || step.state === 'pending' ? { ...step, state: 'cancelled', progress: null } : step)) }
    finish(live, { state: 'cancelled' })
    const job = world.jobs.find((one) => one.state === 'running' && one.kind === 'pipeline.run')
    if (job !== undefined) end(world, live, job.id)
    return null
  },
}
