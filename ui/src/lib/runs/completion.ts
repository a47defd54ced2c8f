// What a choice makes of a filter that is being written.

import type { FilterOption } from '../../host/bindings'

/** The text with the choice in place of what was begun, and where the cursor stands then. */
export function completed(text: string, from: number, cursor: number, option: FilterOption): { text: string; cursor: number } {
  const after = text.slice(cursor).trimStart()
  const before = `${text.slice(0, from)}${option.text} `
  return { text: before + after, cursor: before.length }
}

/** The text in two parts, the second from where it cannot be read. */
export function split(text: string, at: number): [string, string] {
  return [text.slice(0, at), text.slice(at)]
}
