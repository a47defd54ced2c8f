// Which rows of a long list are drawn: those on screen and a few around them.

/** Rows of a list from `first` up to `last`, and the room that stands for the others. */
export type RowWindow = { first: number; last: number; above: number; below: number }

/** A window's worth, until it is known how high the list is. */
const LIKELY_HEIGHT = 800

/** The rows to draw of `count` rows of one height. Short lists are drawn whole. */
export function rowWindow(count: number, rowHeight: number, scrollTop: number, height: number, wholeUpTo: number): RowWindow {
  if (count <= wholeUpTo) return { first: 0, last: count, above: 0, below: 0 }
  const AROUND = 8
  const first = Math.max(0, Math.min(count - 1, Math.floor(scrollTop / rowHeight) - AROUND))
  const last = Math.min(count, Math.ceil((scrollTop + (height > 0 ? height : LIKELY_HEIGHT)) / rowHeight) + AROUND)
  return { first, last, above: first * rowHeight, below: (count - last) * rowHeight }
}
