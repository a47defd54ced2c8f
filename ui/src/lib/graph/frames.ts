// Commands on frames. Each is one change, so each is one entry of the history.

import type { PipelineDoc } from '../../host/bindings'
import { moveSteps } from './commands'
import { boxAround, snap, STEP_HEIGHT, STEP_WIDTH, type Box, type Place } from './geometry'
import { framesOf, MAX_FRAMES, MAX_NOTE, MAX_TITLE, withFrames, type Frame } from './sheet'
import { done, refused, type Outcome } from './wiring'

/** Room between the steps and the frame around them; more above, for its title. */
const MARGIN = 24
const MARGIN_TOP = 52
/** A note that stands by itself. */
const NOTE_SIZE: readonly [number, number] = [240, 120]
export const LEAST_WIDTH = 120
export const LEAST_HEIGHT = 60

/** The frame of that id. */
export function frameOf(doc: PipelineDoc, id: string): Frame | undefined {
  return framesOf(doc).find((frame) => frame.id === id)
}

/** Ids of the steps whose middle is within a frame: they move with it. */
export function stepsIn(doc: PipelineDoc, frame: Frame): string[] {
  const [x, y, width, height] = frame.box
  return doc.steps.flatMap(({ id, position: [left, top] }) => {
    const [midX, midY] = [left + STEP_WIDTH / 2, top + STEP_HEIGHT / 2]
    return midX >= x && midX <= x + width && midY >= y && midY <= y + height ? [id] : []
  })
}

/** The smallest box around everything on the canvas; null if there is nothing. */
export function contentBox(doc: PipelineDoc): Box | null {
  const steps = boxAround(doc.steps.map((step) => step.position))
  const frames = framesOf(doc).map(({ box: [x, y, width, height] }): Box => ({ x, y, width, height }))
  const boxes = steps === null ? frames : [steps, ...frames]
  if (boxes.length === 0) return null
  const x = Math.min(...boxes.map((box) => box.x))
  const y = Math.min(...boxes.map((box) => box.y))
  return { x, y, width: Math.max(...boxes.map((box) => box.x + box.width)) - x, height: Math.max(...boxes.map((box) => box.y + box.height)) - y }
}

/** Puts a frame around steps. */
export function frameSteps(doc: PipelineDoc, ids: readonly string[]): Outcome {
  const box = boxAround(doc.steps.filter((step) => ids.includes(step.id)).map((step) => step.position))
  if (box === null) return refused('no step is selected')
  const [x, y] = snap([box.x - MARGIN, box.y - MARGIN_TOP])
  return withNew(doc, 'Frame', [x, y, box.width + 2 * MARGIN, box.height + MARGIN + MARGIN_TOP], `Frame ${ids.length === 1 ? ids.join() : `${ids.length} steps`}`)
}

/** Puts a note at a place. */
export function addNote(doc: PipelineDoc, at: Place): Outcome {
  const [x, y] = snap(at)
  return withNew(doc, 'Note', [x, y, ...NOTE_SIZE], 'Add a note')
}

function withNew(doc: PipelineDoc, title: string, box: Frame['box'], label: string): Outcome {
  const frames = framesOf(doc)
  if (frames.length >= MAX_FRAMES) return refused(`a pipeline holds at most ${MAX_FRAMES} frames and notes`)
  const frame: Frame = { id: nextId(frames), title, note: '', tone: title === 'Note' ? 'yellow' : 'grey', box }
  return done(label, withFrames(doc, [...frames, frame]))
}

function nextId(frames: readonly Frame[]): string {
  const taken = new Set(frames.map((frame) => frame.id))
  let number = frames.length + 1
  while (taken.has(`frame-${number}`)) number += 1
  return `frame-${number}`
}

/** Changes what a frame says, its colour or its size. Typing in one field is one entry. */
export function setFrame(doc: PipelineDoc, id: string, change: Partial<Omit<Frame, 'id'>>, field: string): Outcome {
  const frame = frameOf(doc, id)
  if (frame === undefined) return refused('the frame is no longer there')
  const next = { ...frame, ...change, note: (change.note ?? frame.note).slice(0, MAX_NOTE), title: (change.title ?? frame.title).slice(0, MAX_TITLE) }
  return { change: { label: `Change ${field} of ${frame.title || 'a frame'}`, doc: replaced(doc, next), mergeKey: `frame:${id}:${field}`, select: null }, refusal: null }
}

/** Moves a frame with all that is in it. */
export function moveFrame(doc: PipelineDoc, id: string, to: Place, mergeKey: string | null = null): Outcome {
  const frame = frameOf(doc, id)
  if (frame === undefined) return refused('the frame is no longer there')
  const [x, y, width, height] = frame.box
  const [toX, toY] = snap(to)
  const inside = new Set(stepsIn(doc, frame))
  const places = new Map(
    doc.steps.filter((step) => inside.has(step.id)).map((step): [string, Place] => [step.id, [step.position[0] + toX - x, step.position[1] + toY - y]]),
  )
  const moved = moveSteps(doc, places, `Move ${frame.title || 'a frame'}`, mergeKey)
  if (moved.change === null) return moved
  return { change: { ...moved.change, doc: replaced(moved.change.doc, { ...frame, box: [toX, toY, width, height] }) }, refusal: null }
}

/** Moves frames alone, as when they are dragged among other things that are selected. */
export function placeFrames(doc: PipelineDoc, places: ReadonlyMap<string, Place>): PipelineDoc {
  const moved = framesOf(doc).map((frame): Frame => {
    const place = places.get(frame.id)
    return place === undefined ? frame : { ...frame, box: [...snap(place), frame.box[2], frame.box[3]] }
  })
  return withFrames(doc, moved)
}

/** Takes frames away; what was in them stays. */
export function deleteFrames(doc: PipelineDoc, ids: readonly string[]): Outcome {
  const frames = framesOf(doc)
  const left = frames.filter((frame) => !ids.includes(frame.id))
  if (left.length === frames.length) return refused('no frame is selected')
  return done(frames.length - left.length === 1 ? 'Remove a frame' : `Remove ${frames.length - left.length} frames`, withFrames(doc, left))
}

function replaced(doc: PipelineDoc, frame: Frame): PipelineDoc {
  return withFrames(doc, framesOf(doc).map((one) => (one.id === frame.id ? frame : one)))
}
