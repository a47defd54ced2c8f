// Runs beside each other: which rows differ, what to call a run, texts as numbers where they are some.

import type { BesideNumbers, BesideTexts, RunRow } from '../../host/bindings'
import { seriesStyle, type SeriesStyle } from '../charts/palette'

/** `#12 first try`. */
export function runName(run: Pick<RunRow, 'number' | 'name'>): string {
  return run.name === '' ? `#${run.number}` : `#${run.number} ${run.name}`
}

/** How a run is drawn: in the colour that somebody gave it, else in the next one. */
export function runStyle(run: Pick<RunRow, 'color'>, index: number): SeriesStyle {
  const style = seriesStyle(index)
  return run.color === null ? style : { ...seriesStyle(Number(run.color) - 1), dash: style.dash }
}

/** True if not all runs have the same. */
export function differs(values: readonly (string | number | null)[]): boolean {
  return values.some((value) => value !== values[0])
}

/** Rows whose name has the words that are looked for, and those only that differ if that is wanted. */
export function shownRows<T extends { name: string; values: readonly (string | number | null)[] }>(rows: readonly T[], words: string, onlyDifferent: boolean): T[] {
  const wanted = words.toLowerCase().split(/\s+/).filter((word) => word !== '')
  return rows.filter((row) => (!onlyDifferent || differs(row.values)) && wanted.every((word) => row.name.toLowerCase().includes(word)))
}

/** What became of a package from the first run to another. */
export type Change = 'added' | 'removed' | 'changed' | 'same'

export function changeOf(before: string | null, now: string | null): Change {
  if (before === now) return 'same'
  if (before === null) return 'added'
  return now === null ? 'removed' : 'changed'
}

/** True for each run with the best value of a metric, if there is anything to compare it with. */
export function bestOf(row: BesideNumbers): boolean[] {
  const known = row.values.filter((value) => value !== null)
  const best = row.largerIsBetter ? Math.max(...known) : Math.min(...known)
  return row.values.map((value) => known.length > 1 && differs(known) && value === best)
}

/** A parameter as a number if it is one, for an axis. */
export function asNumber(text: string | null): number | string | null {
  if (text === null) return null
  return /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(text) ? Number(text) : text
}

/** Something of every run that can stand on an axis. */
export type Dimension = { id: string; name: string; isMetric: boolean; largerIsBetter: boolean; values: (number | string | null)[] }

/** Parameters and metrics as dimensions; those that are the same for all runs say nothing and are left out. */
export function dimensions(params: readonly BesideTexts[], metrics: readonly BesideNumbers[]): Dimension[] {
  const all: Dimension[] = [
    ...params.map((row) => ({ id: `params.${row.name}`, name: row.name, isMetric: false, largerIsBetter: true, values: row.values.map(asNumber) })),
    ...metrics.map((row) => ({ id: `metrics.${row.name}`, name: row.name, isMetric: true, largerIsBetter: row.largerIsBetter, values: [...row.values] })),
  ]
  return all.filter((one) => differs(one.values))
}

/** True if every value is a number or missing. */
export function isNumeric(one: Dimension): boolean {
  return one.values.every((value) => value === null || typeof value === 'number')
}
