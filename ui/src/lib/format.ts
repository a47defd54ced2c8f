// Numbers, sizes and times as people read them. Values of data are never changed by the locale.

const grouped = new Intl.NumberFormat('en-US')

/** `45,211`. */
export function count(value: number): string {
  return grouped.format(value)
}

/** `1 row`, `45,211 rows`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`
}

/** `4.6 MB`, in powers of 1,000 as file managers count. */
export function bytes(value: number): string {
  if (value < 1000) return `${value} B`
  const units = ['kB', 'MB', 'GB', 'TB']
  let size = value
  let unit = ''
  for (const next of units) {
    if (size < 999.5) break
    size /= 1000
    unit = next
  }
  return `${size < 9.95 ? size.toFixed(1) : Math.round(size)} ${unit}`
}

/** At most `digits` significant digits, without trailing zeros: `0.931`, `12.4`, `1.2e-7`. */
export function number(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'not a number' : value > 0 ? '∞' : '-∞'
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size >= 1e15 || size < 1e-4) return value.toExponential(Math.max(0, Math.min(digits, 3) - 1))
  // Four digits are read at a glance, and may be a year.
  if (Number.isInteger(value) || size >= 10 ** digits) return size < 10_000 ? String(Math.round(value)) : grouped.format(Math.round(value))
  return String(Number(value.toPrecision(digits)))
}

/** A metric to three places: `0.931`. */
export function metric(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–'
  if (!Number.isFinite(value)) return number(value)
  return Math.abs(value) < 1000 ? value.toFixed(3) : number(value, 4)
}

/**
 * A share as per cent: `0 %`, `<0.1 %`, `12 %`, `99.7 %`. Never rounds something to nothing or all,
 * unless the number of `decimals` is given, as on the ticks of an axis.
 */
export function percent(share: number, decimals?: number): string {
  const pct = share * 100
  if (decimals !== undefined) return `${pct.toFixed(decimals)} %`
  if (pct === 0) return '0 %'
  if (pct < 0.1) return '<0.1 %'
  if (pct > 99.9 && pct < 100) return '>99.9 %'
  return `${pct < 10 || (pct > 99 && pct < 100) ? Number(pct.toFixed(1)) : Math.round(pct)} %`
}

/** `84 ms`, `1.4 s`, `2 min 5 s`, `3 h 12 min`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  const seconds = ms / 1000
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  if (seconds < 59.5) return `${Math.round(seconds)} s`
  const minutes = Math.floor((seconds + 0.5) / 60)
  if (minutes < 60) return `${minutes} min ${Math.round(seconds - minutes * 60 < 0 ? 0 : seconds - minutes * 60)} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** `just now`, `5 min ago`, `yesterday`, `12 Nov 2026`. */
export function ago(at: number, now: number): string {
  const seconds = (now - at) / 1000
  if (seconds < 45) return 'just now'
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`
  if (seconds < 86_400) return `${Math.round(seconds / 3600)} h ago`
  if (seconds < 2 * 86_400) return 'yesterday'
  if (seconds < 7 * 86_400) return `${Math.floor(seconds / 86_400)} days ago`
  return date(at)
}

const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })
const minute = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit' })

/** `12 Nov 2026`. */
export function date(at: number): string {
  return day.format(at)
}

/** `12 Nov 2026, 14:03:09`, for tooltips and logs. */
export function dateTime(at: number): string {
  return minute.format(at)
}

/** `in 5 min`, `in 3 h`, `in 4 days`; `now` for what is due. */
export function until(at: number, now: number): string {
  const seconds = (at - now) / 1000
  if (seconds < 30) return 'now'
  if (seconds < 3_570) return `in ${Math.max(1, Math.round(seconds / 60))} min`
  if (seconds < 86_400) return `in ${Math.round(seconds / 3600)} h`
  const days = Math.round(seconds / 86_400)
  return days === 1 ? 'in a day' : `in ${count(days)} days`
}

const moments = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' })

/** `Fri, 27 Nov, 06:00`: a time of the coming weeks, in the clock of this machine. */
export function moment(at: number): string {
  return moments.format(at)
}
