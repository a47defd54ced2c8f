// Ticks of a time axis, in the clock of this machine.

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** Round stretches of time, ms. */
export const STEPS: readonly number[] = [
  SECOND, 5 * SECOND, 15 * SECOND, 30 * SECOND,
  MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE,
  HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR,
  DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 90 * DAY, 365 * DAY,
]

/** A place on an axis with its label. */
export interface Tick {
  value: number
  label: string
}

/** At most `count` round moments between two times, ms since the epoch. */
export function timeTicks(from: number, to: number, count: number): Tick[] {
  if (!(to > from)) return []
  const step = STEPS.find((one) => (to - from) / one <= count) ?? 365 * DAY * Math.ceil((to - from) / (365 * DAY) / count)
  // Days must start at midnight here, not in Greenwich.
  const offset = new Date(from).getTimezoneOffset() * MINUTE
  const first = Math.ceil((from - offset) / step) * step + offset
  const found: Tick[] = []
  for (let at = first; at <= to; at += step) found.push({ value: at, label: momentLabel(at, step) })
  return found
}

/** A moment as precisely as ticks `step` ms apart need it. */
export function momentLabel(at: number, step: number): string {
  const date = new Date(at)
  if (step >= DAY) return `${two(date.getMonth() + 1)}-${two(date.getDate())}`
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}`
  return step < MINUTE ? `${clock}:${two(date.getSeconds())}` : clock
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
