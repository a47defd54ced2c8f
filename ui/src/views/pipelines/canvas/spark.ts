// The one small drawing on the face of a step: what is in the data, or how training goes.

import type { ColumnProfileView, StepCurve } from '../../../host/bindings'
import { curveSeries } from '../../../lib/charts/curves'
import { metric, plural } from '../../../lib/format'
import { headline } from '../../../lib/profile'
import { barsPath, linePath } from '../../../parts/spark'

/** One path of an SVG, with what it shows in words. */
export type Spark = { path: string; isLine: boolean; label: string }

export const SPARK_WIDTH = 174
export const SPARK_HEIGHT = 10
/** More points than this are not told apart at that width. */
const MOST_POINTS = 87

/** The values of a column as bars; null where there is nothing to draw. */
export function columnSpark(column: ColumnProfileView): Spark | null {
  const { bars, caption } = headline(column)
  const path = barsPath(bars, SPARK_WIDTH, SPARK_HEIGHT)
  return path === '' ? null : { path, isLine: false, label: `${column.name}: ${caption}` }
}

/** A curve of training as a line: on held-out rows where there are some; null until there are two points. */
export function curveSpark(curve: StepCurve): Spark | null {
  const line = curveSeries(curve, MOST_POINTS).at(-1)
  const last = line?.points.at(-1)
  if (line === undefined || last === undefined || line.points.length < 2) return null
  const path = linePath(line.points.map((point) => point.y), SPARK_WIDTH, SPARK_HEIGHT)
  return { path, isLine: true, label: `${curve.metric} ${metric(last.y)} on ${line.name === 'train' ? 'training' : 'held-out'} rows after ${plural(curve.points.length, 'round')}` }
}
