// Types of columns by their names on the wire.

import type { ColumnKind } from '../../host/bindings'

export const KINDS: readonly ColumnKind[] = ['integer', 'number', 'boolean', 'text', 'time']

/** The type of that name; null if there is none. */
export function kindOf(word: string): ColumnKind | null {
  return KINDS.find((kind) => kind === word) ?? null
}
