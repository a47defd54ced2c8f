// SVG path texts. One path draws a whole series: a hundred bars as a hundred elements cost a frame.

import type { Point } from '../../host/bindings'
import type { Scale } from './scale'

/** A line through the points; a point that is not a number breaks it. */
export function linePath(points: readonly Point[], x: Scale, y: Scale): string {
  let path = ''
  let isDown = false
  for (const point of points) {
    if (!Number.isFinite(point.x) || !Number.isFinite(point.y)) {
      isDown = false
      continue
    }
    path += `${isDown ? 'L' : 'M'}${pixel(x.toPixels(point.x))} ${pixel(y.toPixels(point.y))}`
    isDown = true
  }
  return path
}

/** Points with a hole on both sides: a line through them draws nothing there, so they need a dot. */
export function lonePoints(points: readonly Point[]): Point[] {
  const isThere = (point: Point | undefined): boolean => point !== undefined && Number.isFinite(point.x) && Number.isFinite(point.y)
  return points.filter((point, index) => isThere(point) && !isThere(points[index - 1]) && !isThere(points[index + 1]))
}

/** A dot on each point. */
export function dotsPath(points: readonly Point[], x: Scale, y: Scale, radius: number): string {
  return points
    .filter((point) => Number.isFinite(point.x) && Number.isFinite(point.y))
    .map((point) => {
      const left = pixel(x.toPixels(point.x) - radius)
      return `M${left} ${pixel(y.toPixels(point.y))}a${radius} ${radius} 0 1 0 ${2 * radius} 0a${radius} ${radius} 0 1 0 ${-2 * radius} 0`
    })
    .join('')
}

/** A rectangle on the zero line. */
export interface BarBox {
  from: number
  to: number
  value: number
}

/** Bars from zero to their value; ones without height are left out. */
export function barsPath(bars: readonly BarBox[], x: Scale, y: Scale): string {
  const zero = y.toPixels(0)
  return bars
    .filter((bar) => bar.value !== 0)
    .map((bar) => {
      const left = pixel(x.toPixels(bar.from))
      return `M${left} ${pixel(zero)}V${pixel(y.toPixels(bar.value))}H${pixel(x.toPixels(bar.to))}V${pixel(zero)}Z`
    })
    .join('')
}

// Tenths of a pixel: finer is invisible and makes the page heavy.
function pixel(value: number): number {
  return Math.round(value * 10) / 10
}
