// By which columns a table is sorted, and what a press of a header makes of it.

import type { OrderBy } from '../../host/bindings'

/** More keys than this nobody can follow. */
const MOST = 4

/** The order after a column was pressed: ascending, descending, not at all. `isMore` keeps the other columns. */
export function pressed(order: readonly OrderBy[], column: string, isMore: boolean): OrderBy[] {
  const known = order.find((one) => one.column === column)
  const next = known === undefined ? [{ column, descending: false }] : known.descending ? [] : [{ column, descending: true }]
  if (!isMore) return next
  if (known === undefined) return [...order, ...next].slice(0, MOST)
  return order.flatMap((one) => (one.column === column ? next : [one]))
}

export type Sorted = { isDescending: boolean; /** 1 for the most important column; null if there is just one. */ place: number | null }

export function sortedBy(order: readonly OrderBy[], column: string): Sorted | null {
  const at = order.findIndex((one) => one.column === column)
  const found = order[at]
  return found === undefined ? null : { isDescending: found.descending, place: order.length > 1 ? at + 1 : null }
}

/** The order as it stands in an address: `age,-name`. Commas and backslashes of names are escaped. */
export function writeOrder(order: readonly OrderBy[]): string | null {
  if (order.length === 0) return null
  return order.map(({ column, descending }) => `${descending ? '-' : '+'}${column.replaceAll(/[\\,]/g, '\\$&')}`).join(',')
}

/** Columns that the table does not have are left out. */
export function readOrder(text: string | undefined, columns: readonly string[]): OrderBy[] {
  const words = text?.match(/(?:\\.|[^,])+/g) ?? []
  return words
    .map((word) => ({ column: word.slice(1).replaceAll(/\\(.)/g, '$1'), descending: word.startsWith('-') }))
    .filter(({ column }) => columns.includes(column))
    .slice(0, MOST)
}
