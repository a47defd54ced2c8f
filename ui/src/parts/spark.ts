// Paths for sparklines. One path for all bars: twenty rectangles cost WebKit ten times as much.

/** Bars of equal width with a gap of one pixel; the smallest value above zero stays visible. */
export function barsPath(values: number[], width: number, height: number, max = Math.max(...values, 0)): string {
  if (values.length === 0 || max <= 0) return ''
  const step = width / values.length
  const gap = step > 4 ? 1 : 0
  return values
    .map((value, index) => {
      if (value <= 0) return ''
      const tall = Math.max(1, (value / max) * height)
      return `M${round(index * step)} ${height}v${-round(tall)}h${round(step - gap)}v${round(tall)}z`
    })
    .join('')
}

/** A line from the left edge to the right one; a flat line runs through the middle. */
export function linePath(values: number[], width: number, height: number): string {
  const known = values.filter(Number.isFinite)
  if (known.length === 0) return ''
  const low = Math.min(...known)
  const span = Math.max(...known) - low
  const step = values.length > 1 ? width / (values.length - 1) : 0
  let pen = 'M'
  return values
    .map((value, index) => {
      if (!Number.isFinite(value)) {
        pen = 'M'
        return ''
      }
      const y = span === 0 ? height / 2 : height - 1 - ((value - low) / span) * (height - 2)
      const part = `${pen}${round(index * step)} ${round(y)}`
      pen = 'L'
      return part
    })
    .join('')
}

const round = (value: number): number => Math.round(value * 100) / 100
