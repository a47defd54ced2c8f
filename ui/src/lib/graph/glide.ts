// What moves on the canvas glides to its new place, so that the eye can follow where it went: after
// tidying up, aligning, an undo. The document has the new places at once; only what is drawn is behind.

import type { PipelineDoc } from '../../host/bindings'
import type { Place } from './geometry'
import { framesOf, withFrames } from './sheet'

/** From where to where something moves, by the id of the step or frame. */
export type Moves = ReadonlyMap<string, { from: Place; to: Place }>

/** Less is no way to be followed: places snap to a grid when a drag ends. */
const LEAST_PX = 8
/** More at once take longer to draw than they help: they are there at once. */
const MOST = 200

/** What stands elsewhere than it is drawn; nothing if it is too much to follow. */
export function movesTo(doc: PipelineDoc, drawn: ReadonlyMap<string, Place>): Moves {
  const places: [string, Place][] = [...doc.steps.map((step): [string, Place] => [step.id, step.position]), ...framesOf(doc).map(({ id, box }): [string, Place] => [id, [box[0], box[1]]])]
  const moves = places.flatMap(([id, to]): [string, { from: Place; to: Place }][] => {
    const from = drawn.get(id)
    return from === undefined || Math.hypot(to[0] - from[0], to[1] - from[1]) < LEAST_PX ? [] : [[id, { from, to }]]
  })
  return new Map(moves.length > MOST ? [] : moves)
}

/** Where everything is once this share of the way, from 0 to 1, is gone: quick at first, slow at the end. */
export function placesAt(moves: Moves, share: number): Map<string, Place> {
  const way = 1 - (1 - Math.min(1, Math.max(0, share))) ** 3
  return new Map([...moves].map(([id, { from, to }]) => [id, [from[0] + (to[0] - from[0]) * way, from[1] + (to[1] - from[1]) * way]]))
}

/** The document as it is drawn with these places. */
export function withPlaces(doc: PipelineDoc, places: ReadonlyMap<string, Place>): PipelineDoc {
  const steps = doc.steps.map((step) => {
    const position = places.get(step.id)
    return position === undefined ? step : { ...step, position }
  })
  const frames = framesOf(doc).map((frame) => {
    const at = places.get(frame.id)
    return at === undefined ? frame : { ...frame, box: [at[0], at[1], frame.box[2], frame.box[3]] satisfies typeof frame.box }
  })
  return withFrames({ ...doc, steps }, frames)
}
