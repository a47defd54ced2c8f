// Reads the JSON Schema of a step kind's parameters into the fields of a form. Understands what our
// declarations use: objects of scalars, enums, nullable values, arrays of text, local references.

import type { JsonValue, StepKindView } from '../../host/bindings'
import { isRecord } from './json'

/** A choice of an enum. */
export interface Choice {
  value: JsonValue
  title: string
  doc: string | null
}

/** How a field is edited. */
export type Editor =
  | { type: 'switch' }
  | {
      type: 'number'
      isInteger: boolean
      min: number | null
      max: number | null
      step: number | null
      isOpenMin: boolean
    }
  | { type: 'text' }
  | { type: 'choice'; choices: Choice[] }
  | { type: 'column' }
  | { type: 'columns' }
  | { type: 'dataset' }
  | { type: 'pipeline' }
  | { type: 'expression'; isSql: boolean }
  | { type: 'lines' }
  | { type: 'list' }
  | { type: 'json' }

/** A parameter of a step kind. */
export interface Field {
  name: string
  title: string
  doc: string | null
  editor: Editor
  /** Its value if nobody sets it; undefined if it has none. */
  fallback: JsonValue | undefined
  isRequired: boolean
  isNullable: boolean
}

type Schema = { [key in string]: JsonValue }

/** The fields of a kind, in the order of its declaration. */
export function fieldsOf(kind: Pick<StepKindView, 'params' | 'defaults'>): Field[] {
  const root = kind.params
  if (!isRecord(root) || !isRecord(root.properties)) return []
  const required = Array.isArray(root.required) ? root.required : []
  const defaults = isRecord(kind.defaults) ? kind.defaults : {}
  return Object.entries(root.properties).flatMap(([name, property]) => {
    if (!isRecord(property)) return []
    const { schema, isNullable } = resolved(property, root)
    const fallback = defaults[name] ?? schema.default
    const isRequired = required.includes(name) && (fallback === undefined || fallback === null)
    const title = text(schema.title) ?? titleOf(name)
    const doc = text(property.description) ?? text(schema.description)
    return [{ name, title, doc, editor: editorOf(schema), fallback, isRequired, isNullable }]
  })
}

/** `learning_rate` as people read it. */
export function titleOf(name: string): string {
  const words = name.replaceAll('_', ' ')
  return words.slice(0, 1).toUpperCase() + words.slice(1)
}

// Follows references and takes the null out of `T | null`; marks on the property win over its type's.
function resolved(property: Schema, root: Schema): { schema: Schema; isNullable: boolean } {
  let schema = property
  let isNullable = false
  for (let depth = 0; depth < 8; depth += 1) {
    const reference = text(schema.$ref)
    const alternatives = [schema.anyOf, schema.oneOf, schema.allOf].find((list) => Array.isArray(list))
    if (reference !== null) {
      schema = { ...referred(reference, root), ...without(schema, '$ref') }
    } else if (Array.isArray(alternatives)) {
      const real = alternatives.filter(isRecord).filter((option) => option.type !== 'null')
      const hadNull = real.length < alternatives.length
      const [only] = real
      if (only === undefined || real.length > 1) break
      isNullable ||= hadNull
      schema = { ...only, ...without(without(without(schema, 'anyOf'), 'oneOf'), 'allOf') }
    } else break
  }
  if (Array.isArray(schema.type)) {
    const types = schema.type.filter((type) => type !== 'null')
    isNullable ||= types.length < schema.type.length
    schema = { ...schema, type: types[0] ?? 'string' }
  }
  return { schema, isNullable }
}

function referred(reference: string, root: Schema): Schema {
  let at: JsonValue = root
  for (const part of reference.replace(/^#\//, '').split('/')) {
    at = isRecord(at) ? (at[part] ?? null) : null
  }
  return isRecord(at) ? at : {}
}

function without(schema: Schema, key: string): Schema {
  const { [key]: _dropped, ...rest } = schema
  return rest
}

function editorOf(schema: Schema): Editor {
  if (isMarked(schema, 'x-column')) return { type: 'column' }
  if (isMarked(schema, 'x-columns')) return { type: 'columns' }
  if (isMarked(schema, 'x-dataset')) return { type: 'dataset' }
  if (isMarked(schema, 'x-pipeline')) return { type: 'pipeline' }
  if (isMarked(schema, 'x-expression')) return { type: 'expression', isSql: schema['x-expression'] === 'sql' }
  if (isMarked(schema, 'x-lines')) return { type: 'lines' }
  const choices = choicesOf(schema)
  if (choices !== null) return { type: 'choice', choices }
  switch (schema.type) {
    case 'boolean':
      return { type: 'switch' }
    case 'integer':
    case 'number':
      return numberEditor(schema)
    case 'string':
      return { type: 'text' }
    case 'array': {
      const items = isRecord(schema.items) ? schema.items : {}
      if (isMarked(items, 'x-column')) return { type: 'columns' }
      return items.type === 'string' ? { type: 'list' } : { type: 'json' }
    }
    default:
      return { type: 'json' }
  }
}

function isMarked(schema: Schema, mark: string): boolean {
  return schema[mark] !== undefined && schema[mark] !== false && schema[mark] !== null
}

function choicesOf(schema: Schema): Choice[] | null {
  if (Array.isArray(schema.enum)) {
    return schema.enum.map((value) => ({ value, title: titleOf(String(value)), doc: null }))
  }
  const options = Array.isArray(schema.oneOf) ? schema.oneOf : Array.isArray(schema.anyOf) ? schema.anyOf : null
  if (options === null) return null
  const choices: Choice[] = []
  for (const option of options) {
    if (!isRecord(option)) return null
    const doc = text(option.description)
    if (option.const !== undefined) {
      choices.push({ value: option.const, title: text(option.title) ?? titleOf(String(option.const)), doc })
    } else if (Array.isArray(option.enum)) {
      choices.push(...option.enum.map((value) => ({ value, title: titleOf(String(value)), doc })))
    } else return null
  }
  return choices
}

function numberEditor(schema: Schema): Editor {
  const isInteger = schema.type === 'integer'
  const openMin = number(schema.exclusiveMinimum)
  const min = number(schema.minimum) ?? openMin
  const max = number(schema.maximum) ?? number(schema.exclusiveMaximum)
  return {
    type: 'number',
    isInteger,
    min,
    max,
    step: number(schema.multipleOf) ?? (isInteger ? 1 : null),
    isOpenMin: openMin !== null,
  }
}

function text(value: JsonValue | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

function number(value: JsonValue | undefined): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

/** A value as the placeholder of a field shows it. */
export function show(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map(show).join(', ')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** What a number field's text means, or why it means nothing. Empty text goes back to the default. */
export function readNumber(
  raw: string,
  editor: Extract<Editor, { type: 'number' }>,
): { value: number | undefined; problem: string | null } {
  const trimmed = raw.trim().replace(',', '.')
  if (trimmed === '') return { value: undefined, problem: null }
  const value = Number(trimmed)
  if (!Number.isFinite(value)) return { value: undefined, problem: 'This is not a number.' }
  if (editor.isInteger && !Number.isInteger(value)) return { value, problem: 'A whole number is needed.' }
  if (editor.min !== null && (editor.isOpenMin ? value <= editor.min : value < editor.min)) {
    return { value, problem: `${editor.isOpenMin ? 'It must be more than' : 'The least is'} ${editor.min}.` }
  }
  if (editor.max !== null && value > editor.max) return { value, problem: `The most is ${editor.max}.` }
  return { value, problem: null }
}
