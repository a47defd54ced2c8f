// JSON values of parameters and rows as people write them.

import type { JsonValue } from '../host/bindings'

/** The value as text: text without quotes, null as a dash, lists and objects as JSON. */
export function valueText(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return '–'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** True for an object of JSON. */
export function isObject(value: JsonValue | undefined): value is { [key in string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** JSON with line breaks if it is JSON; as it is otherwise. */
export function prettyJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
