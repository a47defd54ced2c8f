// The columns as they stand on the screen: where, how wide, and what a cell of theirs says.

import type { CellView, GroupStat, RunRow } from '../../host/bindings'
import { dateTime, duration, metric, number } from '../format'
import { columnTitle, parseColumn } from './look'

/** A column on the screen. */
export type Shown = {
  /** As orders and filters write it. */
  text: string
  title: string
  width: number
  left: number
  isNumber: boolean
  /** Its place among the cells of a row; null for what every row has. */
  at: number | null
}

export const NARROWEST = 56
export const WIDEST = 640
/** What every row has before the columns that somebody chose, and after them. */
export const FIRST = 'number'
const BEFORE = ['state', 'experiment']
const AFTER = ['duration', 'start_time']
const WIDTHS: Record<string, number> = { [FIRST]: 210, state: 112, experiment: 150, duration: 84, start_time: 108 }

/** A width that can be used: what is kept may be anything. */
export function usable(width: number): number {
  return Math.round(Math.min(WIDEST, Math.max(NARROWEST, width)))
}

export function shownColumns(chosen: readonly string[], widths: Record<string, number>): { first: Shown; columns: Shown[]; width: number } {
  let left = 0
  const shown = (text: string, at: number | null): Shown => {
    const { of } = parseColumn(text)
    const title = text === FIRST ? 'Run' : columnTitle(text)
    const usual = at === null ? (WIDTHS[text] ?? 120) : Math.min(220, Math.max(84, title.length * 7.4 + 34))
    const column = { text, title, width: usable(widths[text] ?? usual), left, isNumber: of === 'metric' || text === 'duration' || text === 'start_time', at }
    left += column.width
    return column
  }
  const first = shown(FIRST, null)
  const others = [...BEFORE.map((text) => [text, null] as const), ...chosen.map((text, at) => [text, at] as const), ...AFTER.map((text) => [text, null] as const)]
  const columns = others.map(([text, at]) => shown(text, at))
  return { first, columns, width: left }
}

/** What a cell says. Values that scripts logged are shown as they are. */
export function cellText(column: string, cell: CellView | undefined): string {
  if (cell === null || cell === undefined) return '–'
  if (typeof cell === 'string') return cell
  const { of, key } = parseColumn(column)
  if (of === 'metric') return metric(cell)
  if (key === 'duration') return duration(cell)
  if (key === 'end_time' || key === 'start_time') return dateTime(cell)
  return number(cell)
}

/** `0.912 ± 0.004`; one number has no deviation. */
export function statText(column: string, stat: GroupStat | null | undefined): string {
  if (stat === null || stat === undefined) return '–'
  const said = cellText(column, stat.mean)
  if (stat.deviation === null) return said
  return parseColumn(column).of === 'metric' ? `${said} ± ${number(stat.deviation, 2)}` : said
}

/** What a row is called: its number, and its name if it has one. */
export function runTitle(row: RunRow): string {
  return row.name === '' ? `#${row.number}` : `#${row.number} ${row.name}`
}

const KEPT = 'fettle.runs.widths'

/** The widths that somebody set here, by column. */
export function keptWidths(): Record<string, number> {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEPT) ?? '{}')
    if (typeof value !== 'object' || value === null) return {}
    return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, number] => typeof entry[1] === 'number' && Number.isFinite(entry[1])))
  } catch {
    // Nothing kept, or nothing that can be read: columns are as wide as they usually are.
    return {}
  }
}

export function keepWidths(widths: Record<string, number>): void {
  try {
    localStorage.setItem(KEPT, JSON.stringify(widths))
  } catch {
    // Storage is full or switched off: they are kept until the window closes.
  }
}
