// Thinning: fewer points that draw the same picture. The backend sends at most 400 a series, but
// live curves grow while they are watched.

import type { Point } from '../../host/bindings'

/**
 * At most `limit` points (but never fewer than four). Each bucket keeps its lowest and its highest, so no spike is lost; the
 * first and the last point always stay. Points must go from left to right.
 */
export function thin(points: readonly Point[], limit: number): Point[] {
  if (points.length <= limit) return [...points]
  const first = points[0]
  const last = points[points.length - 1]
  if (!first || !last) return []
  const buckets = Math.max(1, Math.floor((limit - 2) / 2))
  const inner = points.length - 2
  const kept: Point[] = [first]
  for (let bucket = 0; bucket < buckets; bucket += 1) {
    const from = 1 + Math.floor((bucket * inner) / buckets)
    const to = 1 + Math.floor(((bucket + 1) * inner) / buckets)
    kept.push(...lowestAndHighest(points, from, to))
  }
  kept.push(last)
  return kept
}

function lowestAndHighest(points: readonly Point[], from: number, to: number): Point[] {
  let low = from
  let high = from
  for (let index = from; index < to; index += 1) {
    const y = points[index]?.y ?? NaN
    if (y < (points[low]?.y ?? Infinity)) low = index
    if (y > (points[high]?.y ?? -Infinity)) high = index
  }
  const kept = low === high ? [low] : [Math.min(low, high), Math.max(low, high)]
  return kept.flatMap((index) => points[index] ?? [])
}

/** Index of the point whose x is nearest; -1 if there is none. Points go from left to right. */
export function nearest(points: readonly Point[], x: number): number {
  let low = 0
  let high = points.length - 1
  if (high < 0) return -1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((points[middle]?.x ?? Infinity) < x) low = middle + 1
    else high = middle
  }
  const left = points[low - 1]
  const right = points[low]
  return left && right && x - left.x < right.x - x ? low - 1 : low
}

/** The line's height at `x`, straight between its points; null left and right of them. */
export function heightAt(points: readonly Point[], x: number): number | null {
  const first = points[0]
  const last = points[points.length - 1]
  if (!first || !last || x < first.x || x > last.x) return null
  let index = points.findIndex((point) => point.x >= x)
  // At a vertical stretch the highest point is the one a reader means.
  while ((points[index + 1]?.x ?? NaN) === x) index += 1
  const right = points[index]
  const left = points[index - 1]
  if (!right) return null
  if (!left || right.x === x || right.x === left.x) return right.y
  return left.y + ((right.y - left.y) * (x - left.x)) / (right.x - left.x)
}
