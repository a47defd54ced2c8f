// Where a table of any length stands, given a scroll bar of limited length.
//
// Browsers cannot lay out an element of 32 million pixels: they stop somewhere between 16 and 33
// million and lose precision before. So the scrolled element is capped, and beyond that the scroll
// bar is scaled. Scaled alone, one notch of the wheel would jump over many rows. Small moves
// therefore move the table by exactly as many pixels as the wheel asked for, and what the bar
// then lacks is kept as a local offset until the bar is set right.

/** Engines agree on this height; far above it they differ. */
export const TALLEST_PX = 8_000_000

/** A move of the bar above this is a drag or a jump; below it is a wheel, a key or a finger. */
export const LARGEST_STEP_PX = 1_500

/** One notch of a mouse wheel. */
const NOTCH_PX = 120

export type Extent = {
  rows: number
  rowHeight: number
  /** Height of the part of the table that is seen, without its header. */
  viewHeight: number
}

/** Where the table stands: `top` is the first pixel seen, of all there would be without the cap. */
export type Place = { barTop: number; top: number }

export function fullHeight({ rows, rowHeight }: Extent): number {
  return rows * rowHeight
}

/** Height of the element that makes the scroll bar. */
export function barHeight(extent: Extent): number {
  return Math.min(fullHeight(extent), TALLEST_PX)
}

const lastTop = (extent: Extent): number => Math.max(0, fullHeight(extent) - extent.viewHeight)
const lastBarTop = (extent: Extent): number => Math.max(0, barHeight(extent) - extent.viewHeight)

/** Pixels of table for a pixel of bar; 1 unless the table is capped. */
export function scale(extent: Extent): number {
  const bar = lastBarTop(extent)
  return bar === 0 ? 1 : lastTop(extent) / bar
}

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high)

/** The place at which `top` is the first pixel seen, as near as there is one. */
export function placeAt(top: number, extent: Extent): Place {
  const wanted = clamp(top, 0, lastTop(extent))
  const bar = Math.round(wanted / scale(extent))
  // As long as there are rows left to see, the bar keeps a pixel to move.
  const low = wanted > 0 ? 1 : 0
  const high = lastBarTop(extent) - (wanted < lastTop(extent) ? 1 : 0)
  return { top: wanted, barTop: scale(extent) === 1 ? bar : clamp(bar, low, high) }
}

/** The place after the bar was moved to `barTop` by the wheel, a key or by dragging it. */
export function afterScroll(before: Place, barTop: number, extent: Extent): Place {
  const bar = clamp(barTop, 0, lastBarTop(extent))
  const step = bar - before.barTop
  if (step === 0) return before
  const factor = scale(extent)
  if (factor === 1) return { barTop: bar, top: bar }
  if (Math.abs(step) > LARGEST_STEP_PX) return { barTop: bar, top: clamp(bar * factor, 0, lastTop(extent)) }
  return { barTop: bar, top: snapped(clamp(before.top + step, 0, lastTop(extent)), bar, extent) }
}

/** Near an end of the table the end of the bar means the end of the table. */
function snapped(top: number, bar: number, extent: Extent): number {
  if (bar <= 0 && top < NOTCH_PX) return 0
  if (bar >= lastBarTop(extent) && lastTop(extent) - top < NOTCH_PX) return lastTop(extent)
  return top
}

/**
 * The same rows with the bar where it belongs. To be asked for when scrolling pauses, and at once
 * at an end of the bar, where it would otherwise be stuck with rows left to see.
 */
export function settled(place: Place, extent: Extent): Place {
  return placeAt(place.top, extent)
}

/** True if the bar has reached an end that the table has not, or the other way round. */
export function isStuck(place: Place, extent: Extent): boolean {
  const isBarAtEnd = place.barTop <= 0 || place.barTop >= lastBarTop(extent)
  const isTableAtEnd = place.top <= 0 || place.top >= lastTop(extent)
  return scale(extent) !== 1 && isBarAtEnd !== isTableAtEnd
}

export type Span = { first: number; end: number }

/** The rows to draw: those in view and a few around them. `end` is the one after the last. */
export function visibleRows(place: Place, extent: Extent, around = 4): Span {
  const first = Math.floor(place.top / extent.rowHeight)
  const end = Math.ceil((place.top + extent.viewHeight) / extent.rowHeight)
  return { first: clamp(first - around, 0, extent.rows), end: clamp(end + around, 0, extent.rows) }
}

/** Where the first drawn row stands, relative to the upper edge of the view. */
export function offsetOf(row: number, place: Place, extent: Extent): number {
  return row * extent.rowHeight - place.top
}

/** The place at which `row` is in view, with as little movement as possible. */
export function showRow(row: number, place: Place, extent: Extent): Place {
  const start = row * extent.rowHeight
  if (start < place.top) return placeAt(start, extent)
  const lowest = start + extent.rowHeight - extent.viewHeight
  return lowest > place.top ? placeAt(lowest, extent) : place
}

/** The place at which `row` is in the middle of the view. */
export function centreRow(row: number, extent: Extent): Place {
  return placeAt((row + 0.5) * extent.rowHeight - extent.viewHeight / 2, extent)
}
