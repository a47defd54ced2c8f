// What the levels and numbers of a monitor mean, in words.

import type { AlertMetric, AlertRule, ColumnDrift, DriftLevel, DriftView, DriftWindow, MonitorView, PerformanceView, PerformanceWindow, WindowUnit } from '../../host/bindings'
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

/** New values by name, or the share of numbers out of range; empty if there is neither. */
export function unseenText(row: DriftView): string {
  const share = row.newShare ?? row.outsideShare ?? 0
  const shown = share === 0 ? '' : share < 0.001 ? `<${percent(0.001)}` : percent(share)
  if (row.newValues.length > 0) return shown === '' ? row.newValues.join(', ') : `${row.newValues.join(', ')} (${shown})`
  return row.outsideShare === null || shown === '' ? shown : `${shown} out of range`
}

/** The column that moved most in a window. */
export function worstOf(window: DriftWindow): ColumnDrift | null {
  return window.columns.reduce<ColumnDrift | null>((found, one) => (found && found.psi >= one.psi ? found : one), null)
}

/** What is known of the quality of all answers, in a sentence. */
export function qualitySentence(view: PerformanceView): string {
  const before = view.reference === null ? '' : `, ${number(view.reference, 3)} on held-out rows`
  if (view.value !== null) return `${view.metricTitle} ${number(view.value, 3)} over ${plural(view.labelled, 'labelled row')}${before}.`
  const few = view.labelled === 0 ? 'No true answer is known yet' : `${plural(view.labelled, 'true answer')} of ${view.rowsNeeded} known`
  if (view.estimated === null) return `${few}, and ${view.metricTitle} cannot be estimated without.`
  return `${few}: ${view.metricTitle} is estimated at ${number(view.estimated.value, 3)} (${number(view.estimated.low, 3)} to ${number(view.estimated.high, 3)})${before}.`
}

/** What was found in a window, in words. */
export function windowSentence(one: PerformanceWindow): string {
  const parts = [
    one.value === null ? null : `${number(one.value, 3)} measured on ${plural(one.labelled, 'labelled row')}`,
    one.estimated === null ? null : `${number(one.estimated.value, 3)} estimated`,
  ].filter((part) => part !== null)
  return `${plural(one.rows, 'row')}, ${parts.length === 0 ? 'not to be judged' : parts.join(', ')}.`
}

/** How a stretch of windows may be cut. */
export const CUTS: readonly { value: string; label: string; size: number; unit: WindowUnit; step: number | null }[] = [
  { value: 'rows-200', label: '200 rows each', size: 200, unit: 'rows', step: null },
  { value: 'rows-1000', label: '1000 rows each', size: 1000, unit: 'rows', step: null },
  { value: 'rows-1000-sliding', label: '1000 rows, every 200', size: 1000, unit: 'rows', step: 200 },
  { value: 'hours', label: 'One hour each', size: 60, unit: 'minutes', step: null },
  { value: 'days', label: 'One day each', size: 1440, unit: 'minutes', step: null },
  { value: 'week-sliding', label: 'One week, every day', size: 10_080, unit: 'minutes', step: 1440 },
]

export const TESTS: readonly { value: string; label: string }[] = [
  { value: '', label: 'Test chosen for each column' },
  { value: 'ks', label: 'Kolmogorov-Smirnov' },
  { value: 'chi_square', label: 'Chi-square' },
  { value: 'wasserstein', label: 'Wasserstein' },
  { value: 'jensen_shannon', label: 'Jensen-Shannon' },
  { value: 'psi', label: 'PSI' },
]

/** The icon of an alert's level. */
export function alertState(level: DriftLevel): string {
  return level === 'none' ? 'passed' : level
}

export const METRIC_WORDS: Record<AlertMetric, { label: string; unit: string; usual: number; step: number }> = {
  psi: { label: 'PSI of any input or the prediction', unit: '', usual: 0.25, step: 0.05 },
  missing: { label: 'More missing values than in training', unit: '%', usual: 0.1, step: 1 },
  performance: { label: 'Worse answers than on held-out rows', unit: '%', usual: 0.05, step: 1 },
  error_rate: { label: 'Share of failed requests', unit: '%', usual: 0.05, step: 1 },
  latency_p95: { label: 'p95 latency', unit: 'ms', usual: 100, step: 10 },
}

export const METRICS: readonly AlertMetric[] = ['psi', 'missing', 'performance', 'error_rate', 'latency_p95']

/** The threshold as it is typed: shares as per cent. */
export function shownThreshold(rule: AlertRule): number {
  return isShare(rule) ? Number((rule.threshold * 100).toPrecision(12)) : rule.threshold
}

/** The rule with a threshold as it was typed. */
export function withThreshold(rule: AlertRule, typed: number): AlertRule {
  return { ...rule, threshold: isShare(rule) ? typed / 100 : typed }
}

const isShare = (rule: AlertRule): boolean => METRIC_WORDS[rule.metric].unit === '%'

/** Rows a rule looks at unless somebody says otherwise, and the fewest that say anything. */
export const USUAL_ROWS = 500
export const FEWEST_ROWS = 50

/** What is wrong with a rule; null if nothing is. */
export function ruleProblem(rule: AlertRule): string | null {
  if (!(rule.threshold > 0)) return 'Above zero'
  if (!Number.isInteger(rule.windowRows) || rule.windowRows < FEWEST_ROWS || rule.windowRows > 1_000_000) return `From ${FEWEST_ROWS} to 1,000,000 rows`
  return isShare(rule) && rule.threshold >= 1 ? 'Below 100 %' : null
}

/** A metric that has no rule yet, to add one for. */
export function unusedMetric(rules: readonly AlertRule[]): AlertMetric | null {
  return METRICS.find((metric) => !rules.some((rule) => rule.metric === metric)) ?? null
}

/** Share of failed requests; nothing if none came. */
export function errorShare(view: { requests: number; errors: number }): string {
  return view.requests === 0 ? '' : percent(view.errors / view.requests)
}
