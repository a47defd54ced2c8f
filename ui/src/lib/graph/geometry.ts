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
  let [x, y] = snap(wanted)
  while (doc.steps.some((step) => overlaps(step.position, [x, y]))) y += STEP_HEIGHT + GAP_Y
  return [x, y]
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

/** Nearer than this the titles can be read. */
const READABLE = 0.34
const MARGIN = 24

/** Where the canvas opens: everything in view if the titles can be read then, else from the upper left. */
export function openingView(doc: PipelineDoc, width: number, height: number): { x: number; y: number; zoom: number } {
  const box = boxAround(doc.steps.map((step) => step.position))
  if (box === null) return { x: width / 2 - STEP_WIDTH / 2, y: height / 2 - STEP_HEIGHT / 2, zoom: 1 }
  const fitting = Math.min((width - 2 * MARGIN) / box.width, (height - 2 * MARGIN) / box.height)
  const zoom = Math.min(1, Math.max(READABLE, fitting))
  const start = (room: number, from: number, length: number): number => Math.max(MARGIN, (room - length * zoom) / 2) - from * zoom
  return { x: start(width, box.x, box.width), y: start(height, box.y, box.height), zoom }
}

/** True if any step can be seen in the given box of the canvas. */
export function isAnyInView(doc: PipelineDoc, view: Box): boolean {
  return doc.steps.some(({ position: [x, y] }) => {
    const isBeside = x > view.x + view.width || x + STEP_WIDTH < view.x
    const isAboveOrBelow = y > view.y + view.height || y + STEP_HEIGHT < view.y
    return !isBeside && !isAboveOrBelow
  })
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
