// Conditions on rows, written in our expression language: the chips above the table are its text.

import type { ColumnKind, ColumnView } from '../../host/bindings'
import { tableName as name } from '../sql'

/** The wire cuts longer cells, so that their text is no longer the value. */
const LONGEST_CELL = 120

/** A cell as a condition writes it: numbers and truth values bare, all else in quotes. */
export function literal(kind: ColumnKind, cell: string): string {
  if (kind === 'boolean' && (cell === 'true' || cell === 'false')) return cell
  if ((kind === 'integer' || kind === 'number') && /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(cell)) return cell
  return `'${cell.replaceAll("'", "''")}'`
}

/** False if the text of the cell cannot be asked for, because it was cut. */
export function isWhole(cell: string | null): boolean {
  return cell === null || cell.length < LONGEST_CELL
}

export function onlyValue({ name: column, kind }: ColumnView, cell: string | null): string {
  return cell === null ? `${name(column)} is null` : `${name(column)} = ${literal(kind, cell)}`
}

/** Rows without the value. A missing cell is no such value, so it stays. */
export function withoutValue({ name: column, kind }: ColumnView, cell: string | null): string {
  if (cell === null) return `${name(column)} is not null`
  return `(${name(column)} <> ${literal(kind, cell)} or ${name(column)} is null)`
}

/** A bar of a histogram. The last one holds its upper edge too; the outermost take what lies beyond. */
export function inBin({ name: column, kind }: ColumnView, edges: readonly number[], bin: number): string {
  const bins = edges.length - 1
  const show = (at: number): string => {
    const edge = edges[at] ?? 0
    return kind === 'time' ? `'${new Date(edge).toISOString().slice(0, 19).replace('T', ' ')}'` : String(edge)
  }
  const low = bin > 0 ? `${name(column)} >= ${show(bin)}` : ''
  const high = bin < bins - 1 ? `${name(column)} < ${show(bin + 1)}` : ''
  if (low === '' && high === '') return `${name(column)} is not null`
  return [low, high].filter((part) => part !== '').join(' and ')
}

/** The parts of a condition that all must hold: split at each `and` outside quotes, brackets, `case` and `between`. */
export function clauses(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let betweens = 0
  let start = 0
  let hasOr = false
  for (const token of text.matchAll(/'(?:[^']|'')*'|"(?:[^"]|"")*"|[()]|[\p{L}_][\p{L}\p{N}_]*/gu)) {
    const word = token[0].toLowerCase()
    if (word === '(' || word === 'case') depth += 1
    else if (word === ')' || word === 'end') depth -= 1
    else if (depth !== 0) continue
    else if (word === 'or') hasOr = true
    else if (word === 'between') betweens += 1
    else if (word === 'and' && betweens > 0) betweens -= 1
    else if (word === 'and') {
      parts.push(text.slice(start, token.index))
      start = token.index + word.length
    }
  }
  // `a and b or c` binds otherwise than it is split.
  if (hasOr) return text.trim() === '' ? [] : [text.trim()]
  return [...parts, text.slice(start)].map((part) => part.trim()).filter((part) => part !== '')
}

/** The condition with one more part; a part that is there already is not written twice. */
export function added(text: string, clause: string): string {
  const parts = clauses(text)
  const [only] = parts
  if (parts.includes(clause)) return text
  if (only === undefined) return clause
  const isOr = parts.length === 1 && hasOuterOr(only)
  return `${isOr ? `(${only})` : parts.join(' and ')} and ${clause}`
}

/** The condition without the part at that place; empty if none is left. */
export function removed(text: string, place: number): string {
  return clauses(text).filter((_, at) => at !== place).join(' and ')
}

function hasOuterOr(text: string): boolean {
  let depth = 0
  for (const [word] of text.matchAll(/'(?:[^']|'')*'|"(?:[^"]|"")*"|[()]|[\p{L}_][\p{L}\p{N}_]*/gu)) {
    if (word === '(') depth += 1
    else if (word === ')') depth -= 1
    else if (depth === 0 && word.toLowerCase() === 'or') return true
  }
  return false
}
