// Where steps stand: sizes, free places, boxes.

import type { PipelineDoc } from '../../host/bindings'

/** A point of the canvas, in pixels. */
export type Place = [number, number]

/** Width of a step on the canvas. The layout of the backend reckons with the same. */
export const STEP_WIDTH = 200
/** Height of a step on the canvas. */
export const STEP_HEIGHT = 72
/** Room left between two steps that the editor places itself. */
export const GAP_X = 60
/** Room left above and below. */
export const GAP_Y = 32
/** Positions snap to this, as the tokens do. */
export const GRID = 4

/** Rounds a place to the grid. */
export function snap([x, y]: Place): Place {
  return [Math.round(x / GRID) * GRID, Math.round(y / GRID) * GRID]
}

/** The first free place at or below the one wanted. */
export function freePlace(doc: PipelineDoc, wanted: Place): Place {
  return freeAmong(doc.steps.map((step) => step.position), wanted)
}

/** The same among places that are taken. */
export function freeAmong(taken: readonly Place[], wanted: Place): Place {
  let [x, y] = snap(wanted)
  while (taken.some((place) => overlaps(place, [x, y]))) y += STEP_HEIGHT + GAP_Y
  return [x, y]
}

/** Halfway between two steps: where one that is put into their wire stands at first. */
export function placeBetween(doc: PipelineDoc, from: string, to: string): Place {
  const at = (id: string): Place => doc.steps.find((step) => step.id === id)?.position ?? [0, 0]
  const [[x1, y1], [x2, y2]] = [at(from), at(to)]
  return snap([(x1 + x2) / 2, (y1 + y2) / 2])
}

function overlaps(a: Place, b: Place): boolean {
  return Math.abs(a[0] - b[0]) < STEP_WIDTH && Math.abs(a[1] - b[1]) < STEP_HEIGHT
}

/** A rectangle of the canvas. */
export interface Box {
  x: number
  y: number
  width: number
  height: number
}

/** The smallest box around these places of steps; null if there are none. */
export function boxAround(places: readonly Place[]): Box | null {
  if (places.length === 0) return null
  const xs = places.map((place) => place[0])
  const ys = places.map((place) => place[1])
  const x = Math.min(...xs)
  const y = Math.min(...ys)
  return {
    x,
    y,
    width: Math.max(...xs) + STEP_WIDTH - x,
    height: Math.max(...ys) + STEP_HEIGHT - y,
  }
}

/** Where the canvas is scrolled to, and how near it is. */
export interface View {
  x: number
  y: number
  zoom: number
}

/** Farther out nobody gets. */
export const SMALLEST_ZOOM = 0.1
/** Nearer nobody gets. */
export const LARGEST_ZOOM = 2
const MARGIN = 24
/** The buttons of the canvas lie over its upper edge. */
const MARGIN_TOP = 52

/** The view with everything in the middle of a canvas of this size, and nothing larger than life. */
export function fittingView(box: Box | null, width: number, height: number): View {
  if (box === null) return { x: width / 2 - STEP_WIDTH / 2, y: height / 2 - STEP_HEIGHT / 2, zoom: 1 }
  const room = { width: width - 2 * MARGIN, height: height - MARGIN_TOP - MARGIN }
  const zoom = Math.min(1, Math.max(SMALLEST_ZOOM, Math.min(room.width / box.width, room.height / box.height)))
  // What fits stands in the middle of the whole canvas, what only just does keeps clear of the buttons.
  const y = Math.max(MARGIN_TOP, (height - box.height * zoom) / 2)
  return { x: Math.max(MARGIN, (width - box.width * zoom) / 2) - box.x * zoom, y: y - box.y * zoom, zoom }
}

/** The view that much nearer, where what is in the middle stays there. */
export function zoomedBy({ x, y, zoom }: View, factor: number, width: number, height: number): View {
  const next = Math.min(LARGEST_ZOOM, Math.max(SMALLEST_ZOOM, zoom * factor))
  const by = next / zoom
  return { x: width / 2 - (width / 2 - x) * by, y: height / 2 - (height / 2 - y) * by, zoom: next }
}

/** True if nobody can tell the two apart. */
export function isSameView(a: View, b: View): boolean {
  return Math.abs(a.x - b.x) < 1 && Math.abs(a.y - b.y) < 1 && Math.abs(a.zoom - b.zoom) < 0.001
}

/** The share of the steps whose middle can be seen in the given box of the canvas; 1 if there are none. */
export function shareInView(doc: PipelineDoc, view: Box): number {
  if (doc.steps.length === 0) return 1
  const seen = doc.steps.filter(({ position: [left, top] }) => {
    const [x, y] = [left + STEP_WIDTH / 2, top + STEP_HEIGHT / 2]
    return x >= view.x && x <= view.x + view.width && y >= view.y && y <= view.y + view.height
  })
  return seen.length / doc.steps.length
}

/** The step nearest to one in a direction: what an arrow key walks to with Alt. */
export function nearestStep(
  doc: PipelineDoc,
  from: string,
  direction: 'left' | 'right' | 'up' | 'down',
): string | null {
  const start = doc.steps.find((step) => step.id === from)?.position
  if (start === undefined) return null
  let best: { id: string; cost: number } | null = null
  for (const step of doc.steps) {
    if (step.id === from) continue
    const dx = step.position[0] - start[0]
    const dy = step.position[1] - start[1]
    const [along, across] =
      direction === 'left' ? [-dx, dy] : direction === 'right' ? [dx, dy] : direction === 'up' ? [-dy, dx] : [dy, dx]
    if (along <= 0) continue
    // Straying sideways counts double, so the row is kept where there is one.
    const cost = along + 2 * Math.abs(across)
    if (best === null || cost < best.cost) best = { id: step.id, cost }
  }
  return best?.id ?? null
}
