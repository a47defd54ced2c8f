// Linear scales and round ticks: from data to pixels and back. No drawing, no DOM.

/** Maps a stretch of data onto a stretch of pixels. */
export interface Scale {
  readonly domain: readonly [number, number]
  readonly range: readonly [number, number]
  /** Data to pixels. */
  toPixels(value: number): number
  /** Pixels to data. */
  toValue(pixels: number): number
}

/** A straight scale. A domain without width is widened, so that nothing divides by zero. */
export function linearScale(domain: readonly [number, number], range: readonly [number, number]): Scale {
  const [low, high] = widened(domain)
  const [from, to] = range
  const slope = (to - from) / (high - low)
  return {
    domain: [low, high],
    range,
    toPixels: (value) => from + (value - low) * slope,
    toValue: (pixels) => (slope === 0 ? low : low + (pixels - from) / slope),
  }
}

function widened([low, high]: readonly [number, number]): [number, number] {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1]
  if (low !== high) return [low, high]
  const margin = low === 0 ? 1 : Math.abs(low) * 0.1
  return [low - margin, high + margin]
}

/** The smallest and largest finite value, or null if there is none. */
export function extent(values: Iterable<number>): [number, number] | null {
  let low = Infinity
  let high = -Infinity
  for (const value of values) {
    if (!Number.isFinite(value)) continue
    low = Math.min(low, value)
    high = Math.max(high, value)
  }
  return low <= high ? [low, high] : null
}

/** The step of 1, 2 or 5 times a power of ten that cuts `span` into about `count` parts. */
export function tickStep(span: number, count: number): number {
  if (!(span > 0) || !Number.isFinite(span)) return 1
  const raw = span / Math.max(1, count)
  const power = 10 ** Math.floor(Math.log10(raw))
  const factor = raw / power
  const round = factor < 1.5 ? 1 : factor < 3.5 ? 2 : factor < 7.5 ? 5 : 10
  return round * power
}

/** Round values inside the domain, about `count` of them. */
export function ticks(domain: readonly [number, number], count: number): number[] {
  const [low, high] = widened(domain)
  const step = tickStep(high - low, count)
  const first = Math.ceil(low / step - 1e-9)
  const last = Math.floor(high / step + 1e-9)
  const values: number[] = []
  for (let index = first; index <= last; index += 1) values.push(withoutNoise(index * step, step))
  return values
}

/** The domain grown to the next round tick on both sides. */
export function niceDomain(domain: readonly [number, number], count: number): [number, number] {
  const [low, high] = widened(domain)
  const step = tickStep(high - low, count)
  return [
    withoutNoise(Math.floor(low / step + 1e-9) * step, step),
    withoutNoise(Math.ceil(high / step - 1e-9) * step, step),
  ]
}

/** Decimals that tell neighbouring ticks apart. */
export function tickDecimals(step: number): number {
  return Math.min(12, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)))
}

/** A tick as text: plain decimals in the middle, powers of ten far out. */
export function formatTick(value: number, step: number): string {
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size >= 1e6 || step < 1e-5) return value.toExponential(size >= 1e6 ? 1 : 0).replace('e+', 'e').replace('.0e', 'e')
  return value.toFixed(tickDecimals(step))
}

// 3 * 0.1 is 0.30000000000000004; a tick must read 0.3.
function withoutNoise(value: number, step: number): number {
  const rounded = Number(value.toFixed(Math.min(15, tickDecimals(step) + 2)))
  return rounded === 0 ? 0 : rounded
}
