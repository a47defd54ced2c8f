// Completion in an expression field: the name being typed at the cursor and what it may become.

import type { ColumnView } from '../../host/bindings'

/** Functions an expression may call. */
export const FUNCTIONS: readonly string[] = [
  'abs',
  'case',
  'ceil',
  'coalesce',
  'exp',
  'floor',
  'greatest',
  'least',
  'length',
  'ln',
  'log10',
  'lower',
  'power',
  'round',
  'sqrt',
  'upper',
]

/** A word that may stand at the cursor. */
export interface Completion {
  /** What is shown. */
  label: string
  /** What is written. */
  insert: string
  /** The column's type, or `function`. */
  detail: string
}

/** The word at the cursor: where it starts, and what is typed of it. */
export function wordAt(text: string, cursor: number): { start: number; word: string } | null {
  const before = text.slice(0, cursor)
  // Inside a text literal nothing is completed.
  if ((before.match(/'/g)?.length ?? 0) % 2 === 1) return null
  const quoted = /"([^"]*)$/.exec(before)
  if (quoted !== null && (before.match(/"/g)?.length ?? 0) % 2 === 1) {
    return { start: quoted.index, word: quoted[1] ?? '' }
  }
  const bare = /[\p{L}_][\p{L}\p{N}_]*$/u.exec(before)
  return bare === null ? null : { start: bare.index, word: bare[0] }
}

/** What may stand at the cursor, columns first; at most twelve. */
export function complete(text: string, cursor: number, columns: readonly ColumnView[]): Completion[] {
  const at = wordAt(text, cursor)
  if (at === null || (at.word === '' && text[at.start] !== '"')) return []
  const word = at.word.toLowerCase()
  const named = columns
    .filter((column) => column.name.toLowerCase().includes(word) && column.name !== at.word)
    .sort((a, b) => rank(a.name, word) - rank(b.name, word))
    .map((column) => ({ label: column.name, insert: quote(column.name), detail: column.kind }))
  const isQuoted = text[at.start] === '"'
  const called = isQuoted
    ? []
    : FUNCTIONS.filter((name) => name.startsWith(word) && name !== word).map((name) => ({
        label: name,
        insert: name === 'case' ? 'case when ' : `${name}(`,
        detail: 'function',
      }))
  return [...named, ...called].slice(0, 12)
}

function rank(name: string, word: string): number {
  return name.toLowerCase().startsWith(word) ? 0 : 1
}

/** A column's name as an expression writes it. */
export function quote(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`
}

/** The text with the word at the cursor replaced, and where the cursor goes. */
export function accept(text: string, cursor: number, completion: Completion): { text: string; cursor: number } {
  const at = wordAt(text, cursor)
  const start = at?.start ?? cursor
  const rest = text.slice(cursor).replace(/^"/, completion.insert.startsWith('"') ? '' : '"')
  const head = text.slice(0, start) + completion.insert
  return { text: head + rest, cursor: head.length }
}
