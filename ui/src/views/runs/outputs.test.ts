import { expect, it } from 'vitest'
import type { RunDetail, StepRunView } from '../../host/bindings'
import { defaultOutput, figureOutputs } from './outputs'

const ran = (step: string, kind: string, outputs: string[]): StepRunView => ({
  step, kind, outputs, state: 'done', reasons: [], progress: null, stage: null, startedAt: null, durationMs: null, cpuMs: null, maxMemoryBytes: null, inputBytes: null, outputBytes: null, tries: [], metrics: {}, environment: {}, error: null, summary: null,
})
const inputsOf = (model: string[] | undefined): Record<string, string[]> => (model ? { model } : {})
const detail = (bestStep: string | null, steps: StepRunView[], models: Record<string, string[]>): RunDetail => ({
  summary: { id: 'r', number: 1, pipeline: 'p', state: 'done', startedAt: 0, durationMs: 1, cached: 0, steps: 1, metrics: {}, bestStep, datasets: [], models: [], note: null },
  doc: { name: 'p', steps: steps.map((one) => ({ id: one.step, kind: one.kind, position: [0, 0], params: {}, inputs: inputsOf(models[one.step]) })) },
  steps, error: null, environment: {}, models: [],
})

it('shows the evaluation of the best model first', () => {
  const run = detail('boosting', [ran('linear', 'train_linear', ['model', 'report']), ran('e1', 'evaluate', ['model', 'report']), ran('e2', 'evaluate', ['model', 'report'])], { e1: ['linear.model'], e2: ['boosting.model'] })
  expect(defaultOutput(run, figureOutputs(run))?.id).toBe('e2.report')
})

it('offers neither tables nor a model whose report says the same', () => {
  const run = detail(null, [ran('split', 'split', ['table']), ran('e', 'evaluate', ['model', 'metrics', 'report']), ran('c', 'compare', ['best'])], {})
  expect(figureOutputs(run).map((one) => one.id)).toEqual(['e.report', 'c.best'])
  expect(defaultOutput(run, [])).toBeUndefined()
})
