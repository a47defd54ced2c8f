import { expect, it } from 'vitest'
import { metricColumns, metricTitle, sortedMetrics } from './metrics'

it('puts the metrics that matter first and unknown ones last', () => {
  expect(sortedMetrics(['zebra', 'log_loss', 'auc', 'mae', 'alpha'])).toEqual(['auc', 'log_loss', 'mae', 'alpha', 'zebra'])
})

it('gives columns to what occurs, never to the ends of an interval', () => {
  const rows: { metrics: Record<string, number> }[] = [{ metrics: { auc: 0.9, auc_low: 0.8, auc_high: 1 } }, { metrics: { rmse: 2, f1: 0.5, mae: 1 } }]
  expect(metricColumns(rows, 3)).toEqual(['auc', 'f1', 'rmse'])
  expect(metricColumns(rows, 2)).toEqual(['auc', 'f1'])
  expect(metricColumns([], 3)).toEqual([])
})

it('leaves no row without a number as long as there is room', () => {
  const rows: { metrics: Record<string, number> }[] = [{ metrics: { auc: 1, accuracy: 1, f1: 1 } }, { metrics: {} }, { metrics: { r2: 1, mae: 2 } }]
  expect(metricColumns(rows, 3)).toEqual(['auc', 'accuracy', 'r2'])
})

it('calls a metric what people call it', () => {
  expect([metricTitle('auc'), metricTitle('my_metric')]).toEqual(['AUC', 'my_metric'])
})
