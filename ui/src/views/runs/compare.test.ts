import { expect, it } from 'vitest'
import type { ComparedModel, Comparison, MetricView } from '../../host/bindings'
import { metricRow, modelNames } from './compare'

const model = (runNumber: number, step: string, trainer: string, metrics: Record<string, number>): ComparedModel => ({
  runId: `r${runNumber}`,
  runNumber,
  model: { step, trainer, params: {}, metrics, isBest: false, registered: null },
  figures: [],
})
const comparison = (...models: ComparedModel[]): Comparison => ({ models, metrics: [], params: {}, by: 'auc' })
const metric = (name: string, higherIsBetter: boolean): MetricView => ({ name, title: name, higherIsBetter, doc: '' })

it('marks the best by the direction of the metric, and every equal one', () => {
  const both = comparison(model(1, 'a', 'A', { auc: 0.9, log_loss: 0.3 }), model(1, 'b', 'B', { auc: 0.9, log_loss: 0.2 }), model(1, 'c', 'C', {}))
  expect(metricRow(both, metric('auc', true)).map((cell) => cell.isBest)).toEqual([true, true, false])
  expect(metricRow(both, metric('log_loss', false)).map((cell) => cell.isBest)).toEqual([false, true, false])
})

it('marks nothing where there is nothing to compare with', () => {
  expect(metricRow(comparison(model(1, 'a', 'A', { auc: 0.9 })), metric('auc', true))[0]?.isBest).toBe(false)
})

it('starts bars at zero, also below it', () => {
  const two = comparison(model(1, 'a', 'A', { r2: 0.5 }), model(1, 'b', 'B', { r2: -0.5 }))
  expect(metricRow(two, metric('r2', true)).map((cell) => cell.share)).toEqual([1, 0])
})

it('tells models of one trainer apart by step, and of several runs by run', () => {
  expect(modelNames([model(1, 'a', 'Forest', {}), model(1, 'b', 'Forest', {}), model(1, 'c', 'Linear', {})])).toEqual(['Forest (a)', 'Forest (b)', 'Linear'])
  expect(modelNames([model(1, 'a', 'Forest', {}), model(2, 'a', 'Forest', {})])).toEqual(['Forest, run 1', 'Forest, run 2'])
})
