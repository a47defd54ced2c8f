import { expect, it } from 'vitest'

import { bestMetric } from './metric'
import { nextWords } from './next'

it('every next step but the import leads to the page where it is done', () => {
  expect(nextWords({ type: 'import' }).to).toBeNull()
  expect(nextWords({ type: 'build_pipeline', dataset: 'a b' }).to).toBe('#/data/a%20b')
  expect(nextWords({ type: 'promote', model: 'm', version: 3 }).to).toBe('#/models/m?version=3')
  expect(nextWords({ type: 'watch', deployment: 'd' }).to).toBe('#/monitor/d')
})

it('the metric shown is the one that says most', () => {
  expect(bestMetric({ log_loss: 0.1, accuracy: 0.985, roc_auc: 0.99 })).toBe('AUC 0.990')
  expect(bestMetric({ log_loss: 0.1 })).toBe('log_loss 0.100')
  expect(bestMetric({})).toBe('')
})
