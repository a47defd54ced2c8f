// What the levels and numbers of a monitor mean, in words.

import type { AlertMetric, AlertRule, DriftLevel, MonitorView } from '../../host/bindings'
import { number, percent, plural } from '../../lib/format'

export const DAY_MINUTES = 1440

/** Stretches of time to look at; null is since the beginning. */
export const WINDOWS: readonly { minutes: number | null; label: string }[] = [
  { minutes: 60, label: 'Last hour' },
  { minutes: DAY_MINUTES, label: 'Last day' },
  { minutes: 7 * DAY_MINUTES, label: 'Last week' },
  { minutes: null, label: 'Since the beginning' },
]

/** The stretch as it stands in the address: minutes, `all`, or else a day. */
export function windowMinutes(word: string | null): number | null {
  if (word === 'all') return null
  return WINDOWS.find((one) => one.minutes !== null && String(one.minutes) === word)?.minutes ?? DAY_MINUTES
}

/** The formula behind PSI and how to read it. */
export const PSI_TEXT = [
  'Population stability index: how far two distributions are apart.',
  'PSI = sum over bins of (now - training) x ln(now / training)',
  'Up to 0.1 stable, up to 0.25 look at it, above act.',
].join('\n')

/** True once there are enough rows to speak of drift. */
export function isKnown(view: MonitorView): boolean {
  return view.rows >= view.rowsNeeded
}

/** What the level comes to, in a sentence. */
export function levelSentence(view: MonitorView): string {
  if (!isKnown(view)) return `Drift is computed from ${plural(view.rowsNeeded, 'row')} on; ${view.rows === 0 ? 'none came' : `${plural(view.rows, 'row')} came`} in this time.`
  const drifted = view.features.filter((one) => one.level !== 'none')
  const names = drifted.slice(0, 3).map((one) => one.column)
  if (drifted.length > 3) names.push(`${drifted.length - 3} more`)
  const listed = [names.slice(0, -1).join(', '), names.at(-1)].filter((part) => part !== '').join(' and ')
  const predicted = view.prediction && view.prediction.level !== 'none' ? ' The predictions have shifted too.' : ''
  if (drifted.length === 0) return predicted === '' ? 'What comes in looks like the training data.' : 'The inputs look like the training data.' + predicted
  return `${listed} no longer ${drifted.length === 1 ? 'looks' : 'look'} like the training data.${predicted}`
}

/** Latency with as many places as it has meaning. */
export function latencyText(ms: number | null): string {
  if (ms === null) return '–'
  return ms < 100 ? `${number(ms, 3)} ms` : `${number(ms, 4)} ms`
}

/** A p-value: tiny ones are not zero. */
export function pText(value: number): string {
  return value < 0.0001 ? '<0.0001' : String(Number(value.toPrecision(2)))
}

/** The test's name for people. */
export function testWord(test: string): string {
  return test === 'ks' ? 'Kolmogorov-Smirnov' : test === 'chi_square' ? 'Chi-square' : test
}

/** The icon of an alert's level. */
export function alertState(level: DriftLevel): string {
  return level === 'none' ? 'passed' : level
}

export const METRIC_WORDS: Record<AlertMetric, { label: string; unit: string; usual: number; step: number }> = {
  psi: { label: 'PSI of any input or the prediction', unit: '', usual: 0.25, step: 0.05 },
  error_rate: { label: 'Share of failed requests', unit: '%', usual: 0.05, step: 1 },
  latency_p95: { label: 'p95 latency', unit: 'ms', usual: 100, step: 10 },
}

/** The threshold as it is typed: shares as per cent. */
export function shownThreshold(rule: AlertRule): number {
  return rule.metric === 'error_rate' ? Number((rule.threshold * 100).toPrecision(12)) : rule.threshold
}

/** The rule with a threshold as it was typed. */
export function withThreshold(rule: AlertRule, typed: number): AlertRule {
  return { ...rule, threshold: rule.metric === 'error_rate' ? typed / 100 : typed }
}

/** What is wrong with a rule; null if nothing is. */
export function ruleProblem(rule: AlertRule): string | null {
  if (!(rule.threshold > 0)) return 'Above zero'
  return rule.metric === 'error_rate' && rule.threshold >= 1 ? 'Below 100 %' : null
}

/** A metric that has no rule yet, to add one for. */
export function unusedMetric(rules: readonly AlertRule[]): AlertMetric | null {
  const metrics: AlertMetric[] = ['psi', 'error_rate', 'latency_p95']
  return metrics.find((metric) => !rules.some((rule) => rule.metric === metric)) ?? null
}

/** Share of failed requests; nothing if none came. */
export function errorShare(view: { requests: number; errors: number }): string {
  return view.requests === 0 ? '' : percent(view.errors / view.requests)
}
