// Curves of several runs on one chart: smoothing, ranges, what is in colour, what stands at the cursor.
// Only numbers; nothing is drawn here.

import type { CurveAxis, CurveLine, Series } from '../../host/bindings'
import type { FigureTable } from '../charts/table'
import { dateTime, duration, number } from '../format'

/** Part of an axis. */
export type Range = { from: number; to: number }

/** More lines than this nobody can tell apart: the chosen ones are in colour, the others grey. */
export const MOST_COLOURED = 30
/** That many are in colour until somebody chooses. */
const FIRST_COLOURED = 8

/** The runs in colour. Up to thirty all are, until some are picked. */
export function coloured(runs: readonly string[], picked: ReadonlySet<string>): ReadonlySet<string> {
  const chosen = runs.filter((run) => picked.has(run))
  if (chosen.length > 0) return new Set(chosen)
  return new Set(runs.length <= MOST_COLOURED ? runs : runs.slice(0, FIRST_COLOURED))
}

/**
 * The line smoothed by an exponential moving average over its buckets; `weight` is the share of the
 * past, from 0 (as it is) to below 1. What is one bucket on the screen is one step of it, so that a curve
 * of a million points gets visibly smooth too. It starts unbiased: early values are not drawn towards 0.
 */
export function smoothed(line: Pick<CurveLine, 'mean'>, weight: number): number[] {
  if (weight <= 0) return [...line.mean]
  let sum = 0
  let left = 1
  return line.mean.map((mean) => {
    sum = sum * weight + mean * (1 - weight)
    left *= weight
    return sum / (1 - left)
  })
}

/** True if some bucket stands for several points: then its extremes and its mean are drawn apart. */
export function isThinned(line: Pick<CurveLine, 'count'>): boolean {
  return line.count.some((count) => count > 1)
}

/** From where to where the lines go on the axis; null if there is none. */
export function reachOf(lines: readonly CurveLine[]): Range | null {
  const reaches = lines.flatMap((line) => (line.reach === null ? [] : [line.reach]))
  if (reaches.length === 0) return null
  const [from, to] = [Math.min(...reaches.map(([first]) => first)), Math.max(...reaches.map(([, last]) => last))]
  return from === to ? { from: from - 0.5, to: to + 0.5 } : { from, to }
}

/** The heights that are seen in a range, with some air; on a logarithmic axis only what is above 0. */
export function heightsOf(lines: readonly CurveLine[], seen: Range, isLog: boolean): [number, number] {
  let low = Infinity
  let high = -Infinity
  for (const line of lines) {
    line.x.forEach((x, index) => {
      if (x < seen.from || x > seen.to) return
      for (const height of [line.least[index] ?? NaN, line.greatest[index] ?? NaN]) {
        if (isLog && !(height > 0)) continue
        low = Math.min(low, height)
        high = Math.max(high, height)
      }
    })
  }
  if (low > high) return isLog ? [0.1, 1] : [0, 1]
  if (isLog) return low === high ? [low / 2, high * 2] : [low / 1.1, high * 1.1]
  const air = low === high ? Math.abs(low) * 0.1 || 1 : (high - low) * 0.05
  return [low - air, high + air]
}

/** Buckets to ask for: one a pixel, fewer if many lines share the screen. */
export function bucketsFor(width: number, lines: number): number {
  const most = Math.floor(60_000 / Math.max(1, lines))
  return Math.max(100, Math.min(2_000, Math.round(width / 50) * 50, most))
}

/** The part in the middle, `factor` times as wide; null if it is all of it or more. */
export function zoomed(seen: Range, whole: Range, factor: number, around = (seen.from + seen.to) / 2): Range | null {
  const from = around - (around - seen.from) * factor
  const to = around + (seen.to - around) * factor
  if (to - from >= whole.to - whole.from) return null
  return clamped({ from, to }, whole)
}

/** The part next to it, by a share of its width. */
export function panned(seen: Range, whole: Range, share: number): Range {
  const by = (seen.to - seen.from) * share
  return clamped({ from: seen.from + by, to: seen.to + by }, whole)
}

function clamped({ from, to }: Range, whole: Range): Range {
  const over = Math.max(0, to - whole.to) - Math.max(0, whole.from - from)
  return { from: from - over, to: to - over }
}

/** Index of the bucket nearest to a place; -1 if there is none. */
export function nearestIndex(xs: readonly number[], x: number): number {
  let low = 0
  let high = xs.length - 1
  if (high < 0) return -1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((xs[middle] ?? Infinity) < x) low = middle + 1
    else high = middle
  }
  const before = xs[low - 1]
  return before !== undefined && x - before < (xs[low] ?? Infinity) - x ? low - 1 : low
}

/** The name of an axis. */
export function axisTitle(along: CurveAxis): string {
  switch (along) {
    case 'step':
      return 'Step'
    case 'relative':
      return 'Time since the start'
    case 'wall':
      return 'Time'
  }
}

/** A place on an axis in words. */
export function placeText(x: number, along: CurveAxis): string {
  switch (along) {
    case 'step':
      return `step ${number(Math.round(x), 7)}`
    case 'relative':
      return x < 0 ? `-${duration(-x)}` : duration(x)
    case 'wall':
      return dateTime(x)
  }
}

/** The lines as series of points, for a picture or a table. */
export function seriesOf(lines: readonly CurveLine[], names: ReadonlyMap<string, string>, weight: number): Series[] {
  return lines.map((line) => {
    const heights = smoothed(line, weight)
    return { name: names.get(line.run) ?? line.run, value: null, points: line.x.map((x, index) => ({ x, y: heights[index] ?? NaN })) }
  })
}

/** What the curves come to, a row a run: the table beside the chart. */
export function curvesSummary(lines: readonly CurveLine[], names: ReadonlyMap<string, string>): FigureTable {
  return {
    columns: ['run', 'points', 'not finite', 'first', 'last', 'least', 'greatest'],
    rows: lines.map((line) => {
      const is = line.mean.length > 0
      return [names.get(line.run) ?? line.run, line.points, line.notFinite, line.mean[0] ?? null, line.mean.at(-1) ?? null, is ? Math.min(...line.least) : null, is ? Math.max(...line.greatest) : null]
    }),
  }
}
