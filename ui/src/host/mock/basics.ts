// Short answers for what other files answer better, so that every screen has something from the
// start. A file of your own in this folder replaces them.

import type { DeploymentSummary, ModelSummary, PipelineSummary, RunSummary } from '../bindings'
import type { Answers } from './world'

const MINUTE = 60_000
const now = Date.now()

export const runs: RunSummary[] = [
  {
    id: '0000000000000000000000000000a003', number: 3, pipeline: 'species', state: 'running', startedAt: now - 14_000, durationMs: null, cached: 4, steps: 12,
    metrics: {}, bestStep: null, datasets: [{ dataset: 'penguins', version: 2 }], models: [], note: null,
  },
  {
    id: '0000000000000000000000000000a002', number: 2, pipeline: 'species', state: 'failed', startedAt: now - 55 * MINUTE, durationMs: 3_400, cached: 2, steps: 12,
    metrics: {}, bestStep: null, datasets: [{ dataset: 'penguins', version: 1 }], models: [], note: 'target had one class',
  },
  {
    id: '0000000000000000000000000000a001', number: 1, pipeline: 'species', state: 'done', startedAt: now - 26 * 60 * MINUTE, durationMs: 21_800, cached: 0, steps: 12,
    metrics: { accuracy: 0.985, f1_macro: 0.982, log_loss: 0.061 }, bestStep: 'boosting', datasets: [{ dataset: 'penguins', version: 1 }], models: [{ model: 'species', version: 1 }], note: null,
  },
]

export const deployments: DeploymentSummary[] = [
  {
    id: '0000000000000000000000000000d001', name: 'species', target: 'This computer', state: 'healthy', model: { model: 'species', version: 1, aliases: ['production'] },
    url: 'http://127.0.0.1:8411', requestsLastHour: 412, openAlerts: 1, createdAt: now - 20 * 60 * MINUTE,
  },
]

const models: ModelSummary[] = [
  {
    name: 'species', version: 1, versions: 1, aliases: { production: 1 }, metrics: { accuracy: 0.985 }, task: 'multiclass', createdAt: now - 26 * 60 * MINUTE, endpoints: ['species'],
  },
]

const pipelines: PipelineSummary[] = [{ name: 'species', steps: 12, isChanged: true, datasets: ['penguins'], lastRun: runs[0] ?? null }]

export const answers: Answers = {
  'pipeline.list': () => pipelines,
  'run.list': () => ({ total: runs.length, runs }),
  'model.list': () => models,
  'deployment.list': () => deployments,
}
