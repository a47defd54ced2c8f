// Schedules as cron writes them, said as a sentence. The backend decides when they run; this only reads
// the same grammar, so that a person sees what the five fields mean while typing them.

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']
const SHORT: Record<string, string> = { '@hourly': '0 * * * *', '@daily': '0 0 * * *', '@weekly': '0 0 * * 0', '@monthly': '0 0 1 * *' }

/** The values of a field in order, and whether it was a star. */
type Field = { values: number[]; isAny: boolean; step: number | null }
type Allowed = { what: string; low: number; high: number; names: readonly string[] }

const FIELDS: readonly Allowed[] = [
  { what: 'minute', low: 0, high: 59, names: [] },
  { what: 'hour', low: 0, high: 23, names: [] },
  { what: 'day of the month', low: 1, high: 31, names: [] },
  { what: 'month', low: 1, high: 12, names: MONTHS.map((name) => name.slice(0, 3).toLowerCase()) },
  { what: 'day of the week', low: 0, high: 7, names: DAYS.map((name) => name.slice(0, 3).toLowerCase()) },
]

/** A schedule in words, or why it is none. */
export type Reading = { sentence: string; problem: null } | { sentence: null; problem: string }

/** Reads a schedule: `0 6 * * 1-5` is `At 06:00 from Monday to Friday`. */
export function readCron(text: string): Reading {
  const wrong = (problem: string): Reading => ({ sentence: null, problem })
  const trimmed = text.trim().toLowerCase()
  if (trimmed.startsWith('@') && SHORT[trimmed] === undefined) return wrong(`There is @hourly, @daily, @weekly and @monthly, but no ${trimmed}.`)
  const words = (SHORT[trimmed] ?? trimmed).split(/\s+/).filter((word) => word !== '')
  if (words.length !== FIELDS.length) return wrong('Five fields are needed: minute, hour, day of the month, month, day of the week.')
  const fields: Field[] = []
  for (const [index, allowed] of FIELDS.entries()) {
    const field = readField(words[index] ?? '', allowed)
    if (typeof field === 'string') return wrong(field)
    fields.push(field)
  }
  const [minutes, hours, days, months, weekdays] = fields
  if (minutes === undefined || hours === undefined || days === undefined || months === undefined || weekdays === undefined) return wrong('Five fields are needed.')
  const parts = [timeWords(minutes, hours), dayWords(days, weekdays), months.isAny ? '' : `in ${spans(months.values, (value) => MONTHS[value - 1] ?? '')}`]
  return { sentence: parts.filter((part) => part !== '').join(' '), problem: null }
}

function readField(text: string, { what, low, high, names }: Allowed): Field | string {
  const found = new Set<number>()
  let step: number | null = null
  for (const part of text.split(',')) {
    const [range = '', by] = part.split('/')
    const every = by === undefined ? 1 : Number(by)
    if (!Number.isInteger(every) || every < 1 || part.split('/').length > 2) return `${part} is no step of the ${what}.`
    const ends = range === '*' ? [low, high] : range.split('-').map((end) => valueOf(end, low, names))
    const [from, to = by === undefined ? ends[0] : high] = ends
    if (from === undefined || to === undefined || ends.length > 2 || [from, to].some((end) => !Number.isInteger(end) || end < low || end > high) || from > to) return `${range} is no ${what}.`
    for (let value = from; value <= to; value += every) found.add(value)
    if (range === '*' && by !== undefined) step = every
  }
  // Sunday is 0 and 7.
  const values = [...new Set([...found].map((value) => (high === 7 ? value % 7 : value)))].sort((a, b) => a - b)
  return { values, isAny: text === '*', step: text.includes(',') ? null : step }
}

function valueOf(text: string, low: number, names: readonly string[]): number {
  const index = names.indexOf(text)
  return index >= 0 ? index + low : /^\d+$/.test(text) ? Number(text) : NaN
}

function timeWords(minutes: Field, hours: Field): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const [minute] = minutes.values
  if (minutes.values.length === 1 && minute !== undefined) {
    if (hours.isAny) return minute === 0 ? 'Every hour' : `Every hour at ${minute} past`
    if (hours.step !== null) return `Every ${hours.step} hours${minute === 0 ? '' : ` at ${minute} past`}`
    if (hours.values.length <= 6) return `At ${list(hours.values.map((hour) => `${two(hour)}:${two(minute)}`))}`
    return `At ${minute} past the hours ${spans(hours.values, two)}`
  }
  const often = minutes.isAny ? 'Every minute' : minutes.step !== null ? `Every ${minutes.step} minutes` : `At minutes ${spans(minutes.values, String)}`
  return hours.isAny ? often : `${often} in the hours ${spans(hours.values, two)}`
}

function dayWords(days: Field, weekdays: Field): string {
  const week = weekdays.values.join() === '0,6' ? 'on Saturday and Sunday' : spansOf(weekdays.values).length === 1 && weekdays.values.length > 2 ? `from ${spans(weekdays.values, dayName)}` : `on ${spans(weekdays.values, dayName)}`
  const month = `on day ${spans(days.values, String)} of the month`
  if (days.isAny) return weekdays.isAny ? 'every day' : week
  // As in cron: one of both days is enough.
  return weekdays.isAny ? month : `${month} or ${week}`
}

const dayName = (value: number): string => DAYS[value % 7] ?? ''

function spansOf(values: readonly number[]): [number, number][] {
  const found: [number, number][] = []
  for (const value of values) {
    const last = found.at(-1)
    if (last !== undefined && last[1] === value - 1) last[1] = value
    else found.push([value, value])
  }
  return found
}

function spans(values: readonly number[], name: (value: number) => string): string {
  return list(spansOf(values).flatMap(([from, to]) => (to - from < 2 ? (from === to ? [name(from)] : [name(from), name(to)]) : [`${name(from)} to ${name(to)}`])))
}

function list(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`
}

/** Schedules people start from. */
export const COMMON: readonly { label: string; cron: string }[] = [
  { label: 'Every hour', cron: '0 * * * *' },
  { label: 'Every day at 6 in the morning', cron: '0 6 * * *' },
  { label: 'On working days at 6 in the morning', cron: '0 6 * * 1-5' },
  { label: 'Every Monday at 6 in the morning', cron: '0 6 * * 1' },
  { label: 'On the first of the month at midnight', cron: '0 0 1 * *' },
]
