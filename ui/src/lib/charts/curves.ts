// Training curves as the columns uPlot draws: one shared list of rounds, one column a line.

import type { Point, Series, StepCurve } from '../../host/bindings'
import { thin } from './thin'

/** Rounds and heights; null is a gap. */
export interface Columns {
  x: number[]
  lines: (number | null)[][]
}

/** Steps between ticks, as on every other chart: uPlot's own 2.5 would need a digit more than its labels have. */
export const TICK_STEPS: readonly number[] = Array.from({ length: 24 }, (_, at) => [1, 2, 5].map((digit) => Number(`${digit}e${at - 12}`))).flat()

/** The series on one shared axis. */
export function sharedAxis(series: readonly Series[]): Columns {
  const x = [...new Set(series.flatMap((line) => line.points.map((point) => point.x)))].sort((a, b) => a - b)
  const lines = series.map((line) => {
    const heights = new Map(line.points.map((point) => [point.x, point.y]))
    return x.map((round) => heights.get(round) ?? null)
  })
  return { x, lines }
}

/** True if a column holds one height only, which no line shows. */
export function isLone(column: readonly (number | null | undefined)[]): boolean {
  return column.filter((height) => typeof height === 'number').length === 1
}

/** The lines of a curve that is still growing, thinned to what a screen can show. */
export function curveSeries(curve: StepCurve, limit = 400): Series[] {
  const train = curve.points.map(([x, y]): Point => ({ x, y }))
  const validation = curve.points.flatMap(([x, , y]): Point[] => (y === null ? [] : [{ x, y }]))
  const series: Series[] = [{ name: 'train', points: thin(train, limit), value: null }]
  if (validation.length > 0) series.push({ name: 'validation', points: thin(validation, limit), value: null })
  return series
}

/** New points behind the old ones; a round that is there already is replaced, not drawn twice. */
export function withPoints(curve: StepCurve, points: StepCurve['points']): StepCurve {
  const first = points[0]?.[0]
  if (first === undefined) return curve
  const kept = curve.points.filter(([round]) => round < first)
  return { ...curve, points: [...kept, ...points] }
}
