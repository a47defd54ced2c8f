import { expect, it } from 'vitest'
import type { DriftView, MonitorView } from '../../host/bindings'
import { levelSentence, pText, ruleProblem, shownThreshold, unusedMetric, windowMinutes, withThreshold } from './levels'

const drift = (column: string, level: DriftView['level']): DriftView => ({
  column, level, psi: 0, test: 'ks', statistic: 0, pValue: 1, missingBaseline: 0, missingCurrent: 0, newValues: [],
  figure: { type: 'drift', column, bins: [], baseline: [], current: [], psi: 0 },
})
const view = (rows: number, features: DriftView[], prediction: DriftView | null = null): MonitorView => ({
  deployment: 'd', model: 'm', version: 1, rows, requests: rows, errors: 0, latencyP50Ms: null, latencyP95Ms: null, latencyP99Ms: null,
  traffic: [], level: 'none', prediction, features, rowsNeeded: 30, rules: [], alerts: [],
})

it('does not speak of drift before there are enough rows', () => {
  expect(levelSentence(view(1, []))).toBe('Drift is computed from 30 rows on; 1 row came in this time.')
})

it('names what drifted, the first three', () => {
  const features = ['a', 'b', 'c', 'd'].map((name) => drift(name, 'alarm'))
  expect(levelSentence(view(99, features))).toBe('a, b, c and 1 more no longer look like the training data.')
  expect(levelSentence(view(99, [drift('a', 'warning')], drift('prediction', 'warning')))).toContain('The predictions have shifted too.')
  expect(levelSentence(view(99, [drift('a', 'none')]))).toBe('What comes in looks like the training data.')
})

it('never rounds a p-value to zero', () => {
  expect([pText(3e-9), pText(0.0412), pText(1)]).toEqual(['<0.0001', '0.041', '1'])
})

it('shows the share of failed requests as per cent and stores it as a share', () => {
  const rule = { metric: 'error_rate' as const, threshold: 0.07, isEnabled: true }
  expect(shownThreshold(rule)).toBe(7)
  expect(withThreshold(rule, 5).threshold).toBe(0.05)
  expect(ruleProblem(withThreshold(rule, 100))).not.toBeNull()
  expect(ruleProblem({ ...rule, threshold: NaN })).not.toBeNull()
})

it('offers a metric without a rule', () => {
  const rule = (metric: 'psi' | 'error_rate' | 'latency_p95') => ({ metric, threshold: 1, isEnabled: true })
  expect(unusedMetric([rule('psi')])).toBe('error_rate')
  expect(unusedMetric([rule('psi'), rule('error_rate'), rule('latency_p95')])).toBeNull()
})

it('reads the stretch of time from the address', () => {
  expect([windowMinutes('60'), windowMinutes('all'), windowMinutes(null), windowMinutes('junk')]).toEqual([60, null, 1440, 1440])
})
