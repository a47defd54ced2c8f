// Which rows of a long table are on screen, and which page of them to ask for.

/** Rows from `first` up to, but not including, `end`. */
export interface RowRange {
  first: number
  end: number
}

/** The rows that are visible, with some more above and below for quick scrolling. */
export function visibleRows(scrollTop: number, height: number, rowHeight: number, total: number, more = 8): RowRange {
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - more)
  const end = Math.min(total, Math.ceil((scrollTop + height) / rowHeight) + more)
  return { first: Math.min(first, Math.max(0, end)), end: Math.max(end, 0) }
}

/** Where the page that covers the rows starts: a multiple of half a page, so that it rarely changes. */
export function pageOffset(range: RowRange, pageRows: number): number {
  const half = Math.floor(pageRows / 2)
  return Math.floor(range.first / half) * half
}
