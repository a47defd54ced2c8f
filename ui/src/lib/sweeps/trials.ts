// What a sweep's trials come to: the best so far, their order in a table, their places on the axes of
// parallel coordinates. Only numbers; nothing is drawn here.

import type { JsonValue, Point, TrialView } from '../../host/bindings'
import { number } from '../format'
import { valueText } from '../values'

/** True if `value` is better than `than`. */
export function isBetter(value: number, than: number, largerIsBetter: boolean): boolean {
  return largerIsBetter ? value > than : value < than
}

/** The best value after each trial that measured one, as the corners of a line in steps. */
export function bestSoFar(trials: readonly TrialView[], largerIsBetter: boolean): Point[] {
  const points: Point[] = []
  let best: number | null = null
  for (const trial of measured(trials)) {
    if (best !== null) points.push({ x: trial.number, y: best })
    if (best === null || isBetter(trial.value, best, largerIsBetter)) {
      best = trial.value
      points.push({ x: trial.number, y: best })
    }
  }
  return points
}

/** A trial with a value. */
export type Measured = TrialView & { value: number }

/** Trials that measured something, in the order they were begun. A pruned one says little: it was cut short. */
export function measured(trials: readonly TrialView[]): Measured[] {
  return trials.flatMap((trial) => (trial.value === null || trial.state !== 'done' ? [] : [{ ...trial, value: trial.value }])).sort((a, b) => a.number - b.number)
}

/** The best first, then what measured nothing, newest first. */
export function ranked(trials: readonly TrialView[], largerIsBetter: boolean): TrialView[] {
  const rank = (trial: TrialView): number => (trial.state === 'running' ? 0 : trial.state === 'done' ? 1 : trial.state === 'pruned' ? 2 : 3)
  return [...trials].sort((a, b) => {
    if (rank(a) !== rank(b)) return rank(a) - rank(b)
    if (a.value !== null && b.value !== null && a.value !== b.value) return isBetter(a.value, b.value, largerIsBetter) ? -1 : 1
    return b.number - a.number
  })
}

/** An axis of parallel coordinates. `at` gives the place of a value, 0 at the bottom and 1 at the top. */
export type Axis = { name: string; low: string; high: string; at: (value: JsonValue | undefined) => number | null }

/** Wider than this and all above 0, numbers are spread by their logarithm. */
const LOG_FROM = 20

/** An axis for each parameter, in the order given, and one for what was measured. */
export function axesOf(trials: readonly TrialView[], params: readonly string[], metric: string): Axis[] {
  const axes = params.map((name) => axisOf(name, trials.map((trial) => trial.params[name])))
  return [...axes, axisOf(metric, measured(trials).map((trial) => trial.value), false)]
}

/** The axis of some values: of numbers even or logarithmic, of anything else in the order of their names. */
export function axisOf(name: string, values: readonly (JsonValue | undefined)[], mayBeLog = true): Axis {
  const there = values.filter((value) => value !== undefined && value !== null)
  if (there.length > 0 && there.every((value) => typeof value === 'number')) return numberAxis(name, there.filter((value) => typeof value === 'number'), mayBeLog)
  const names = [...new Set(there.map(valueText))].sort((a, b) => a.localeCompare(b))
  const place = new Map(names.map((text, index) => [text, names.length === 1 ? 0.5 : index / (names.length - 1)]))
  return { name, low: names[0] ?? '', high: names.length > 1 ? (names.at(-1) ?? '') : '', at: (value) => (value === undefined || value === null ? null : (place.get(valueText(value)) ?? null)) }
}

function numberAxis(name: string, values: readonly number[], mayBeLog: boolean): Axis {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const isLog = mayBeLog && low > 0 && high / low >= LOG_FROM
  const map = (value: number): number => (isLog ? Math.log(value) : value)
  const span = map(high) - map(low)
  const at = (value: JsonValue | undefined): number | null => (typeof value !== 'number' ? null : span === 0 ? 0.5 : (map(value) - map(low)) / span)
  return { name, low: number(low, 3), high: low === high ? '' : number(high, 3), at }
}

/** Part of an axis that was marked, from 0 to 1. */
export type Brush = { from: number; to: number }

/** The trials whose lines go through every mark. */
export function within(trials: readonly TrialView[], axes: readonly Axis[], brushes: ReadonlyMap<string, Brush>): TrialView[] {
  return trials.filter((trial) =>
    axes.every((axis, index) => {
      const brush = brushes.get(axis.name)
      if (brush === undefined) return true
      const place = axis.at(index === axes.length - 1 ? trial.value : trial.params[axis.name])
      return place !== null && place >= brush.from - 1e-9 && place <= brush.to + 1e-9
    }),
  )
}

/** How good a value is among all, from 0 for the worst to 1 for the best. */
export function goodness(value: number | null, trials: readonly TrialView[], largerIsBetter: boolean): number | null {
  const values = measured(trials).map((trial) => trial.value)
  if (value === null || values.length === 0) return null
  // By rank: one trial that went astray would make all others look alike.
  const worse = values.filter((other) => isBetter(value, other, largerIsBetter)).length
  return values.length === 1 ? 1 : worse / (values.length - 1)
}
