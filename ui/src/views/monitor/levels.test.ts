import { expect, it } from 'vitest'
import type { AlertMetric, DriftView, MonitorView } from '../../host/bindings'
import { percent } from '../../lib/format'
import { levelSentence, pText, qualitySentence, ruleProblem, shownThreshold, unseenText, unusedMetric, windowMinutes, withThreshold, worstOf } from './levels'

const drift = (column: string, level: DriftView['level']): DriftView => ({
  column, level, psi: 0, test: 'ks', testTitle: 'Kolmogorov-Smirnov', statistic: 0, pValue: 1, adjustedP: 1, newShare: null, outsideShare: null, missingBaseline: 0, missingCurrent: 0, newValues: [],
  figure: { type: 'drift', column, bins: [], baseline: [], current: [], psi: 0 },
})
const view = (rows: number, features: DriftView[], prediction: DriftView | null = null): MonitorView => ({
  deployment: 'd', model: 'm', version: 1, rows, requests: rows, errors: 0, latencyP50Ms: null, latencyP95Ms: null, latencyP99Ms: null,
  traffic: [], level: 'none', prediction, features, rowsNeeded: 30, rules: [], alerts: [], deliveries: [], silencedUntil: null,
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
  const rule = { metric: 'error_rate' as const, threshold: 0.07, windowRows: 500, isEnabled: true }
  expect(shownThreshold(rule)).toBe(7)
  expect(withThreshold(rule, 5).threshold).toBe(0.05)
  expect(ruleProblem(withThreshold(rule, 100))).not.toBeNull()
  expect(ruleProblem({ ...rule, threshold: NaN })).not.toBeNull()
  expect([49, 50, 50.5].map((windowRows) => ruleProblem({ ...rule, windowRows }) === null)).toEqual([false, true, false])
})

it('tells what training never saw', () => {
  const row = drift('a', 'none')
  expect(unseenText(row)).toBe('')
  expect(unseenText({ ...row, newValues: ['x', 'y'], newShare: 0.25 })).toBe(`x, y (${percent(0.25)})`)
  expect(unseenText({ ...row, outsideShare: 0.0002 })).toBe(`<${percent(0.001)} out of range`)
})

it('finds the column that moved most in a window', () => {
  const column = (name: string, psi: number) => ({ column: name, psi, test: 'ks', statistic: 0, adjustedP: 1, level: 'none' as const })
  expect(worstOf({ from: 0, to: 1, rows: 9, level: 'none', columns: [column('a', 0.1), column('b', 0.3), column('c', 0.2)] })?.column).toBe('b')
  expect(worstOf({ from: 0, to: 1, rows: 9, level: 'none', columns: [] })).toBeNull()
})

it('offers a metric without a rule', () => {
  const rule = (metric: AlertMetric) => ({ metric, threshold: 1, windowRows: 500, isEnabled: true })
  expect(unusedMetric([rule('psi')])).toBe('missing')
  expect(unusedMetric([rule('psi'), rule('missing'), rule('performance'), rule('error_rate'), rule('latency_p95')])).toBeNull()
})

it('reads the stretch of time from the address', () => {
  expect([windowMinutes('60'), windowMinutes('all'), windowMinutes(null), windowMinutes('junk')]).toEqual([60, null, 1440, 1440])
})

it('says what is known of the quality: measured, estimated or neither', () => {
  const view = { metric: 'accuracy', metricTitle: 'Accuracy', largerIsBetter: true, metrics: [], reference: 0.97, referenceRows: 69, rows: 300, labelled: 0, unknownLabels: 0, value: null, estimated: null, isCalibrated: false, windows: [], tooSmall: 0, rowsNeeded: 50, slices: [], level: 'none' as const }
  expect(qualitySentence({ ...view, value: 0.91, labelled: 120 })).toBe('Accuracy 0.91 over 120 labelled rows, 0.97 on held-out rows.')
  expect(qualitySentence({ ...view, estimated: { value: 0.9, low: 0.87, high: 0.93 } })).toBe('No true answer is known yet: Accuracy is estimated at 0.9 (0.87 to 0.93), 0.97 on held-out rows.')
  expect(qualitySentence({ ...view, labelled: 12 })).toBe('12 true answers of 50 known, and Accuracy cannot be estimated without.')
})
