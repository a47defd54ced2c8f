// What a sweep's trials come to: the best so far, their order in a table, their places on the axes of
// parallel coordinates. Only numbers; nothing is drawn here.

import type { Point, TrialView } from '../../host/bindings'
import { axisOf, goodnessAmong, isWithin, type Axis, type Brush } from '../charts/axes'

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

/** An axis for each parameter, in the order given, and one for what was measured. */
export function axesOf(trials: readonly TrialView[], params: readonly string[], metric: string): Axis[] {
  const axes = params.map((name) => axisOf(name, trials.map((trial) => trial.params[name])))
  return [...axes, axisOf(metric, measured(trials).map((trial) => trial.value), false)]
}

/** The places of a trial on those axes. */
export function placesOf(trial: TrialView, axes: readonly Axis[]): (number | null)[] {
  return axes.map((axis, index) => axis.at(index === axes.length - 1 ? trial.value : trial.params[axis.name]))
}

/** The trials whose lines go through every mark. */
export function within(trials: readonly TrialView[], axes: readonly Axis[], brushes: ReadonlyMap<string, Brush>): TrialView[] {
  return trials.filter((trial) => isWithin(placesOf(trial, axes), axes, brushes))
}

/** How good a value is among all, from 0 for the worst to 1 for the best. */
export function goodness(value: number | null, trials: readonly TrialView[], largerIsBetter: boolean): number | null {
  return goodnessAmong(value, measured(trials).map((trial) => trial.value), largerIsBetter)
}
