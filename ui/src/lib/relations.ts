// How columns go together, as the profile tells.

import type { MatrixView, ProfileView } from '../host/bindings'
import { count, percent, plural } from './format'

/** Two columns and how closely they go together, from -1 to 1. */
export type Pair = { first: string; second: string; value: number }

/** A measure that has at least one pair. */
export type Measure = { id: 'pearson' | 'spearman' | 'cramersV'; title: string; hint: string; matrix: MatrixView }

/** From here on a pair is worth a look. */
const NOTEWORTHY = 0.3

/** The value of two columns by their places; null where there is none. The measure has no direction. */
export function pairAt({ columns, values }: MatrixView, first: number, second: number): number | null {
  const [low, high] = first < second ? [first, second] : [second, first]
  if (low === high) return 1
  // The pairs before row `low`, and then those of the row.
  return values[low * columns.length - (low * (low + 1)) / 2 + (high - low - 1)] ?? null
}

/** The pairs that go together most closely, at most so many. */
export function strongest(matrix: MatrixView, most: number): Pair[] {
  const pairs: Pair[] = []
  matrix.columns.forEach((first, at) => matrix.columns.forEach((second, other) => {
    const value = other > at ? pairAt(matrix, at, other) : null
    if (value !== null && Math.abs(value) >= NOTEWORTHY) pairs.push({ first, second, value })
  }))
  return pairs.sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, most)
}

export function measures({ together }: ProfileView): Measure[] {
  const all: Measure[] = [
    { id: 'spearman', title: 'Ranks (Spearman)', hint: 'How well one column rises or falls with the other, whatever the shape', matrix: together.spearman },
    { id: 'pearson', title: 'Linear (Pearson)', hint: 'How well a straight line tells one column from the other', matrix: together.pearson },
    { id: 'cramersV', title: "Groups (Cramér's V)", hint: 'How well the values of one text tell those of the other, from 0 to 1', matrix: together.cramersV },
  ]
  return all.filter(({ matrix }) => matrix.columns.length > 1)
}

/** How close a pair is, in words: colour alone says nothing to some. */
export function closeness(value: number): string {
  const size = Math.abs(value)
  const word = size >= 0.95 ? 'nearly the same' : size >= 0.7 ? 'strong' : size >= 0.3 ? 'moderate' : size >= 0.1 ? 'weak' : 'none'
  return value < 0 && size >= 0.1 ? `${word}, opposite` : word
}

/** What can be said of all columns at once, in sentences. */
export function remarks({ rows, together }: ProfileView): string[] {
  const { duplicateRows, completeRows } = together
  return [
    duplicateRows === null ? null : duplicateRows === 0 ? 'No row is a copy of another.' : `${plural(duplicateRows, 'row')} ${duplicateRows === 1 ? 'is a copy' : 'are copies'} of an earlier one (${percent(duplicateRows / Math.max(1, rows))}).`,
    completeRows === null ? null : completeRows === rows ? 'No value is missing in any row.' : `${count(completeRows)} of ${count(rows)} rows have no missing value.`,
  ].filter((line) => line !== null)
}
