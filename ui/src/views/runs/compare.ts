// What a comparison shows: names that tell models apart, the best of each metric, bars.

import type { ComparedModel, Comparison, MetricView, RunsBeside } from '../../host/bindings'
import type { Tab } from '../../parts/Tabs.svelte'

/** The trainer, with the step or the run where several models share it. */
export function modelNames(models: readonly ComparedModel[]): string[] {
  const runs = new Set(models.map((one) => one.runId))
  const trainers = models.map((one) => one.model.trainer)
  return models.map((one) => {
    const isShared = trainers.filter((name, index) => name === one.model.trainer && models[index]?.runId === one.runId).length > 1
    const name = isShared ? `${one.model.trainer} (${one.model.step})` : one.model.trainer
    return runs.size > 1 ? `${name}, run ${one.runNumber}` : name
  })
}

/** A key for a model, as the same step occurs in every run. */
export function modelKey(model: ComparedModel): string {
  return `${model.runId}/${model.model.step}`
}

/** A metric of one model. */
export interface MetricCell {
  value: number | null
  /** True for the best value and those equal to it. */
  isBest: boolean
  /** Length of the bar, from 0 to 1. */
  share: number
}

/**
 * A row of metrics. Bars start at zero where all values are positive, so that their lengths compare;
 * a share that looks alike for 0.981 and 0.985 is the truth.
 */
export function metricRow(comparison: Comparison, metric: MetricView): MetricCell[] {
  const values = comparison.models.map((one) => one.model.metrics[metric.name] ?? null)
  const known = values.filter((value): value is number => value !== null && Number.isFinite(value))
  const low = Math.min(0, ...known)
  const high = Math.max(0, ...known)
  const best = metric.higherIsBetter ? Math.max(...known) : Math.min(...known)
  return values.map((value) => ({
    value,
    isBest: value !== null && known.length > 1 && value === best,
    share: value === null || !Number.isFinite(value) || high === low ? 0 : (value - low) / (high - low),
  }))
}

/** What there is to look at; a look that has nothing to show is left out. */
export function tabsOf(models: number, beside: RunsBeside | undefined): Tab[] {
  const has = (is: boolean, id: string, label: string, count?: number): Tab[] => (is ? [{ id, label, count: count ?? null }] : [])
  const isMany = (beside?.runs.length ?? 0) > 1
  const values = (beside?.params.length ?? 0) + (beside?.metrics.length ?? 0)
  return [
    ...has(models > 0, 'models', 'Models', models),
    ...has((beside?.curves.length ?? 0) > 0, 'curves', 'Curves', beside?.curves.length),
    ...has(isMany && values > 0, 'values', 'Parameters & metrics'),
    ...has(isMany && values > 0, 'parallel', 'Parallel'),
    ...has(isMany && values > 0, 'scatter', 'Scatter'),
    ...has(isMany, 'code', 'Code & environment'),
    ...has(isMany && (beside?.files.length ?? 0) > 0, 'files', 'Files & pictures'),
  ]
}

/** The tab that is asked for, or the first one there is. */
export function shownTab(tabs: readonly Tab[], wanted: string | null): string | null {
  return tabs.find(({ id }) => id === wanted)?.id ?? tabs[0]?.id ?? null
}
