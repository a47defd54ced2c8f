// How the table of runs is looked at: what stands in its address, what its columns are called, and what
// a press of a header makes of the order.

import type { TableLook } from '../../host/bindings'
import { metricTitle } from '../metrics'

/** What is shown when nobody has asked for anything; no columns stands for the suggested ones. */
export const PLAIN: TableLook = { experiment: null, filter: '', order: [], columns: [], group: null, widths: {} }

/** More keys than this nobody can follow. */
const MOST_KEYS = 4

function texts(json: string | undefined): string[] {
  if (json === undefined) return []
  try {
    const value: unknown = JSON.parse(json)
    return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
  } catch {
    // An address that somebody typed: what cannot be read is as if it were not there.
    return []
  }
}

/** The look that an address asks for. */
export function readLook(params: Record<string, string>): TableLook {
  return {
    experiment: params.experiment ?? null,
    filter: params.filter ?? '',
    order: texts(params.order),
    columns: texts(params.columns),
    group: params.group ?? null,
    widths: {},
  }
}

/** The part of an address that says so. */
export function writeLook(look: TableLook): Record<string, string | null> {
  return {
    experiment: look.experiment,
    filter: look.filter || null,
    order: look.order.length === 0 ? null : JSON.stringify(look.order),
    columns: look.columns.length === 0 ? null : JSON.stringify(look.columns),
    group: look.group,
  }
}

/** A filter with further conditions. */
export function both(...conditions: (string | null)[]): string {
  return conditions.filter((one) => one !== null && one.trim() !== '').join(' and ')
}

/** A text as a filter writes it; one with both quotes cannot be written. */
export function quoted(text: string): string {
  return text.includes("'") ? `"${text}"` : `'${text}'`
}

export type Pick = 'last' | 'min' | 'max' | 'best' | 'at'

/** A column in its parts: `min(metrics.loss)` is the metric `loss`, and of it the least. */
export type Column = { of: 'metric' | 'parameter' | 'tag' | 'attribute'; key: string; pick: Pick; step: number | null }

const KINDS: Record<string, Column['of']> = { metrics: 'metric', params: 'parameter', tags: 'tag' }

export function parseColumn(text: string): Column {
  const picked = /^(min|max|best|at)\((.*?)(?:,\s*(-?\d+))?\)$/s.exec(text)
  const name = picked?.[2] ?? text
  const pick = picked?.[1]
  const dot = name.indexOf('.')
  const of = KINDS[name.slice(0, Math.max(0, dot))]
  if (of === undefined) return { of: 'attribute', key: name, pick: 'last', step: null }
  const key = name.slice(dot + 1)
  return {
    of,
    key: /^([`"]).*\1$/s.test(key) ? key.slice(1, -1) : key,
    pick: pick === 'min' || pick === 'max' || pick === 'best' || pick === 'at' ? pick : 'last',
    step: picked?.[3] === undefined ? null : Number(picked[3]),
  }
}

/** The metric of a column, with another of its values. */
export function picking(text: string, pick: Pick, step: number | null): string {
  const inner = /^(?:min|max|best|at)\((.*?)(?:,\s*-?\d+)?\)$/s.exec(text)?.[1] ?? text
  if (pick === 'last') return inner
  return pick === 'at' ? `at(${inner}, ${step ?? 0})` : `${pick}(${inner})`
}

const ATTRIBUTES: Record<string, string> = {
  name: 'Name',
  number: 'Run',
  state: 'State',
  experiment: 'Experiment',
  pipeline: 'Pipeline',
  start_time: 'Started',
  end_time: 'Ended',
  duration: 'Time',
  note: 'Note',
  user_id: 'User',
  run_id: 'Id',
  artifact_uri: 'Files at',
}
const PICKS: Record<Pick, string> = { last: '', min: ' (min)', max: ' (max)', best: ' (best)', at: '' }

/** A column's name for people. */
export function columnTitle(text: string): string {
  const { of, key, pick, step } = parseColumn(text)
  if (of === 'attribute') return ATTRIBUTES[key] ?? key
  if (of !== 'metric') return key
  return `${metricTitle(key)}${pick === 'at' ? ` (at ${step ?? 0})` : PICKS[pick]}`
}

/** True for a column whose values are told apart by size rather than by the alphabet. */
function isMeasured(text: string): boolean {
  const { of, key } = parseColumn(text)
  return of === 'metric' || (of === 'attribute' && ['number', 'start_time', 'end_time', 'duration'].includes(key))
}

export type Sorted = { isDescending: boolean; /** 1 for the most important key; null if there is just one. */ place: number | null }

export function sortedBy(order: readonly string[], column: string): Sorted | null {
  const at = order.findIndex((one) => one === `${column} asc` || one === `${column} desc`)
  const found = order[at]
  return found === undefined ? null : { isDescending: found.endsWith(' desc'), place: order.length > 1 ? at + 1 : null }
}

/** The order after a column was pressed: one way, the other way, not at all. `isMore` keeps the other keys. */
export function pressed(order: readonly string[], column: string, isMore: boolean): string[] {
  const first = isMeasured(column) ? 'desc' : 'asc'
  const other = first === 'desc' ? 'asc' : 'desc'
  const known = sortedBy(order, column)
  const isFirst = known !== null && known.isDescending === (first === 'desc')
  const next = known === null ? [`${column} ${first}`] : isFirst ? [`${column} ${other}`] : []
  if (!isMore) return next
  if (known === null) return [...order, ...next].slice(0, MOST_KEYS)
  return order.flatMap((one) => (one === `${column} asc` || one === `${column} desc` ? next : [one]))
}
