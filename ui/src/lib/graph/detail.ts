// How much of a step is drawn, and how large its title, at each zoom of the canvas.

/** From far to near: icon; title; title and icon of the state; title and state; everything. */
export type Detail = 'dot' | 'name' | 'brief' | 'title' | 'full'

/** A level of detail; `titleSize` is the height of the title's letters before the zoom. */
export interface Level {
  detail: Detail
  titleSize: number
}

/** On screen the letters of a title are never smaller than this. */
const SMALLEST_PX = 9
const USUAL_SIZE = 23
/** Larger than this two lines of a title are higher than their step. */
const TWO_LINES = 29

/** Farther out the title grows against the zoom, and what it needs the room of goes. */
export function levelAt(zoom: number): Level {
  if (zoom >= 0.85) return { detail: 'full', titleSize: 13 }
  if (zoom >= 0.6) return { detail: 'title', titleSize: 18 }
  // In steps of two: each new size is worked out for every step on screen.
  const titleSize = Math.max(USUAL_SIZE, 2 * Math.ceil(SMALLEST_PX / zoom / 2))
  if (titleSize <= TWO_LINES) return { detail: 'brief', titleSize }
  // Fewer than six letters say less than an icon.
  return zoom >= 0.18 ? { detail: 'name', titleSize } : { detail: 'dot', titleSize: USUAL_SIZE }
}
