// Axes of parallel coordinates and of scatters, of numbers or of names, and the parts of them that are
// marked. Only places from 0 to 1; nothing is drawn here.

import type { JsonValue } from '../../host/bindings'
import { number } from '../format'
import { valueText } from '../values'

/** An axis. `at` gives the place of a value, 0 at the bottom and 1 at the top. */
export type Axis = { name: string; low: string; high: string; at: (value: JsonValue | undefined) => number | null }

/** Part of an axis that was marked, from 0 to 1. */
export type Brush = { from: number; to: number }

/** Wider than this and all above 0, numbers are spread by their logarithm. */
const LOG_FROM = 20

/** The axis of some values: of numbers even or logarithmic, of anything else in the order of their names. */
export function axisOf(name: string, values: readonly (JsonValue | undefined)[], mayBeLog = true): Axis {
  const there = values.filter((value) => value !== undefined && value !== null)
  if (there.length > 0 && there.every((value) => typeof value === 'number')) return numberAxis(name, there.filter((value) => typeof value === 'number'), mayBeLog)
  const names = [...new Set(there.map(valueText))].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
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

/** True if a line with these places, one an axis, goes through every mark. */
export function isWithin(places: readonly (number | null)[], axes: readonly { name: string }[], brushes: ReadonlyMap<string, Brush>): boolean {
  return axes.every(({ name }, index) => {
    const brush = brushes.get(name)
    if (brush === undefined) return true
    const place = places[index] ?? null
    return place !== null && place >= brush.from - 1e-9 && place <= brush.to + 1e-9
  })
}

/** How good a value is among others, from 0 for the worst to 1 for the best. */
export function goodnessAmong(value: number | null, values: readonly number[], largerIsBetter: boolean): number | null {
  if (value === null || values.length === 0) return null
  // By rank: one that went astray would make all others look alike.
  const worse = values.filter((other) => (largerIsBetter ? value > other : value < other)).length
  return values.length === 1 ? 1 : worse / (values.length - 1)
}
