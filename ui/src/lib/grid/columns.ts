// Widths of columns, and which of them are in view: a table may have five thousand.

import type { Span } from './scroll'

const NARROWEST = 140
/** As wide as a column gets. */
export const WIDEST = 260
/** A letter of the header, on average. */
const LETTER = 7.4
/** Glyph, badge and padding beside the name. */
const AROUND = 62

/** A width at which the name can be read; the values have to live with it. */
export function defaultWidth(name: string): number {
  return Math.round(Math.min(WIDEST, Math.max(NARROWEST, name.length * LETTER + AROUND)))
}

/** Left edges of all columns, and the right edge of the last one. */
export function edgesOf(widths: number[]): number[] {
  const edges = [0]
  for (const width of widths) edges.push((edges[edges.length - 1] ?? 0) + width)
  return edges
}

/** The columns between two pixels, and one more on each side. */
export function visibleColumns(edges: number[], left: number, right: number): Span {
  const columns = edges.length - 1
  const first = Math.max(0, lastBelow(edges, left) - 1)
  const end = Math.min(columns, lastBelow(edges, right) + 2)
  return { first: Math.min(first, columns), end }
}

/** The last edge that is not right of `at`: a table of edges is sorted, so halving finds it. */
function lastBelow(edges: number[], at: number): number {
  let low = 0
  let high = edges.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((edges[middle] ?? 0) <= at) low = middle
    else high = middle - 1
  }
  return low
}
