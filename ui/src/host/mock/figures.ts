// Figures such as three classes of penguins give, drawn from a seed so that they are the same each time.

import type { Bar, Figure, Point, Series } from '../bindings'
import { randomness } from './world'

export const CLASSES = ['Adelie', 'Chinstrap', 'Gentoo']

const round = (value: number, digits = 4): number => Number(value.toFixed(digits))
const grid = (count: number): number[] => Array.from({ length: count + 1 }, (_, index) => index / count)

function rocPoints(auc: number): Point[] {
  const power = (1 - auc) / auc
  return grid(60).map((x) => ({ x: round(x), y: round(x ** power) }))
}

function precisionPoints(auc: number): Point[] {
  const drop = 3 + 60 * (auc - 0.9)
  return grid(60).map((x) => ({ x: round(x), y: round(1 - (1 - 0.33) * x ** Math.max(2, drop)) }))
}

function calibrationPoints(seed: number): Point[] {
  const random = randomness(seed)
  return grid(9).map((x) => ({ x: round(0.03 + 0.94 * x), y: round(Math.min(1, Math.max(0, 0.03 + 0.94 * x + (random() - 0.5) * 0.14))) }))
}

const perClass = (make: (index: number) => Omit<Series, 'name'>): Series[] => CLASSES.map((name, index) => ({ name, ...make(index) }))

export const importance = (weights: [string, number, number][]): Figure => ({
  type: 'importance',
  measure: 'permutation (loss of AUC)',
  bars: weights.map(([name, value, spread]): Bar => ({ name, value, spread })),
})

/** Everything an evaluation of a classifier draws. */
export function classifierFigures(auc: number, seed: number): Figure[] {
  const wrong = Math.round((1 - auc) * 120)
  return [
    { type: 'roc', series: perClass((index) => ({ points: rocPoints(auc - index * 0.004), value: round(auc - index * 0.004) })) },
    { type: 'confusion', classes: CLASSES, counts: [[29 - wrong, wrong, 0], [Math.ceil(wrong / 2), 14 - Math.ceil(wrong / 2), 0], [0, 0, 25]] },
    importance([
      ['bill_length_mm', round(0.21 * auc), 0.021], ['flipper_length_mm', round(0.13 * auc), 0.016], ['bill_depth_mm', 0.084, 0.011],
      ['island', round(0.03 + seed / 4000), 0.006], ['body_mass_g', 0.017, 0.005], ['sex', 0.004, 0.003], ['year', -0.0008, 0.001],
    ]),
    { type: 'precision_recall', series: perClass((index) => ({ points: precisionPoints(auc - index * 0.004), value: round(auc - 0.006 - index * 0.005) })) },
    { type: 'calibration', series: perClass((index) => ({ points: calibrationPoints(seed + index), value: round(0.02 + (1 - auc) + index * 0.004) })) },
  ]
}

/** A curve that falls and, for the validation rows, turns up a little in the end. */
export function lossPoints(rounds: number, seed: number): [number, number, number | null][] {
  const random = randomness(seed)
  return Array.from({ length: rounds }, (_, index) => {
    const fall = Math.exp(-index / (rounds / 4))
    return [index + 1, round(0.02 + 1.05 * fall), round(0.06 + 1.02 * fall + 0.03 * (index / rounds) ** 2 + random() * 0.008)]
  })
}
