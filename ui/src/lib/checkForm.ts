// A check put together in a form, and the entry of the file that says it.

import type { CheckKindView, ColumnKind, ColumnView, JsonValue } from '../host/bindings'
import { fieldsOf, type Field } from './graph/schema'

/** A check as it is filled in. What is not set keeps its default. */
export type CheckDraft = {
  kind: string
  params: { [key in string]: JsonValue }
  name: string
  /** True if data that breaks it must not be used. */
  isError: boolean
  /** The share of rows that may fail, 0 to 1; null for none. */
  maxShare: number | null
}

/** The fields of a kind, in the order of its declaration. */
export function checkFields(kind: CheckKindView): Field[] {
  return fieldsOf({ params: kind.params, defaults: {} })
}

/** True if a field holds several values of which each may be a text, a number or true and false. */
export function isList(field: Field): boolean {
  return field.editor.type === 'list' || (field.editor.type === 'json' && Array.isArray(field.fallback))
}

/** What a typed value is: in a column of texts, a text; elsewhere what it looks like. */
export function scalar(typed: string, kind: ColumnKind | null): JsonValue {
  const text = typed.trim()
  if (kind === 'text' || kind === 'time') return text
  if (text === 'true' || text === 'false') return text === 'true'
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text
}

/** Values between commas; one with a comma in it stands in quotes. */
export function list(typed: string, kind: ColumnKind | null): JsonValue[] {
  const parts = typed.match(/\s*"(?:[^"]|"")*"\s*|[^,]+/g) ?? []
  return parts.map((part) => part.trim()).filter((part) => part !== '').map((part) => (/^".*"$/s.test(part) ? part.slice(1, -1).replaceAll('""', '"') : scalar(part, kind)))
}

/** The type of the column that a check looks at; null if none is chosen yet. */
export function kindOfColumn(draft: CheckDraft, columns: readonly ColumnView[]): ColumnKind | null {
  return columns.find(({ name }) => name === draft.params.column)?.kind ?? null
}

/** The entry of the file, without the line `[[check]]`. */
export function entryOf(draft: CheckDraft, fields: readonly Field[]): string {
  const lines: [string, JsonValue][] = [['kind', draft.kind]]
  for (const { name, fallback } of fields) {
    const value = draft.params[name]
    if (value !== undefined && value !== null && value !== '' && !isSame(value, fallback)) lines.push([name, value])
  }
  if (draft.maxShare !== null && draft.maxShare > 0) lines.push(['max_share', draft.maxShare])
  if (!draft.isError) lines.push(['severity', 'warn'])
  if (draft.name.trim() !== '') lines.push(['name', draft.name.trim()])
  return lines.map(([name, value]) => `${name} = ${toml(value)}`).join('\n')
}

function isSame(one: JsonValue, other: JsonValue | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

/** A value as TOML writes it. Patterns are full of backslashes, which stand for themselves between single quotes. */
function toml(value: JsonValue): string {
  if (typeof value === 'string') return value.includes('\\') && !/['\u0000-\u001f\u007f]/.test(value) ? `'${value}'` : JSON.stringify(value).replaceAll('\u007f', '\\u007f')
  if (Array.isArray(value)) return `[${value.map(toml).join(', ')}]`
  return String(value)
}
