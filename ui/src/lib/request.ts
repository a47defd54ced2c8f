// A row of inputs as a form: text for people on one side, typed values for the endpoint on the other.

import type { FieldView, JsonValue } from '../host/bindings'

/** The text of every field by name. */
export type Texts = Record<string, string>

/** Typed values, or what is wrong by field. */
export type Row = { inputs: Record<string, JsonValue>; problems: Record<string, string> }

/** Fields of the form: those of the signature, or else as the sample row has them. */
export function formFields(signature: readonly FieldView[] | undefined, sample: Record<string, JsonValue>): FieldView[] {
  if (signature && signature.length > 0) return [...signature]
  return Object.entries(sample).map(([name, value]) => ({ name, kind: typeof value === 'number' ? 'number' : typeof value === 'boolean' ? 'boolean' : 'text' }))
}

/** The sample row as texts; a missing value is empty. */
export function sampleTexts(fields: readonly FieldView[], sample: Record<string, JsonValue>): Texts {
  return Object.fromEntries(fields.map(({ name }) => [name, textOf(sample[name])]))
}

function textOf(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** What will be sent. An empty field is a missing value, except that text is sent as it is typed. */
export function rowOf(fields: readonly FieldView[], texts: Texts): Row {
  const row: Row = { inputs: {}, problems: {} }
  for (const field of fields) {
    const text = (texts[field.name] ?? '').trim()
    const value = typed(field, text)
    if (value === undefined) row.problems[field.name] = field.kind === 'integer' ? 'A whole number' : field.kind === 'boolean' ? 'true or false' : 'A number'
    else row.inputs[field.name] = value
  }
  return row
}

function typed(field: FieldView, text: string): JsonValue | undefined {
  if (text === '') return null
  switch (field.kind) {
    case 'integer':
      return Number.isInteger(Number(text)) ? Number(text) : undefined
    case 'number':
      return Number.isFinite(Number(text)) ? Number(text) : undefined
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined
    case 'text':
    case 'time':
      return text
  }
}

/** A class with its probability. */
export interface ClassShare {
  name: string
  share: number
}

/** What an endpoint answered, in the order to read it. */
export interface Answer {
  /** The class or the number; null if there is none. */
  headline: string | null
  /** Probabilities, largest first. */
  shares: ClassShare[]
}

const PREFIX = 'probability_'

/** The answer in words and bars. Values may come alone or as a column of one row. */
export function answerOf(outputs: Record<string, JsonValue>): Answer {
  const first = (value: JsonValue | undefined): JsonValue | undefined => (Array.isArray(value) ? value[0] : value)
  const shares = Object.entries(outputs).flatMap(([name, value]): ClassShare[] => {
    const share = first(value)
    return name.startsWith(PREFIX) && typeof share === 'number' ? [{ name: name.slice(PREFIX.length), share }] : []
  })
  const said = first(outputs.label) ?? first(outputs.prediction)
  const headline = said === undefined || said === null ? null : textOf(said)
  return { headline, shares: shares.sort((a, b) => b.share - a.share) }
}
