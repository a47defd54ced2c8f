// What stands on the canvas beside the wired steps: frames with a title and a note, and which steps are
// skipped. All of it is in the pipeline file.

import type { FrameDoc, FrameTone, JsonValue, PipelineDoc } from '../../host/bindings'
import { isSame } from './doc'
import { isRecord } from './json'

/** Colours of a frame; each is a token. */
export const TONES = ['grey', 'blue', 'green', 'yellow', 'red', 'violet'] as const satisfies readonly FrameTone[]

/** A frame around steps, or with none in it a note on the canvas. */
export type Frame = FrameDoc

/** Frames of one pipeline; the backend takes no more. */
export const MAX_FRAMES = 200
/** Characters of a note and of a title; the backend takes no more. */
export const MAX_NOTE = 4_000
export const MAX_TITLE = 200

/** The frames of a document. */
export function framesOf(doc: PipelineDoc): readonly Frame[] {
  return doc.frames ?? []
}

/** The document with these frames. */
export function withFrames(doc: PipelineDoc, frames: readonly Frame[]): PipelineDoc {
  const { frames: _, ...rest } = doc
  return frames.length > 0 ? { ...rest, frames: [...frames] } : rest
}

/** Ids of the steps that a run goes past. */
export function skippedOf(doc: PipelineDoc): string[] {
  return doc.steps.flatMap((step) => (step.skip === true ? [step.id] : []))
}

/** The document with just these steps skipped. */
export function withSkipped(doc: PipelineDoc, skipped: readonly string[]): PipelineDoc {
  const wanted = new Set(skipped)
  const steps = doc.steps.map((step) => {
    if ((step.skip === true) === wanted.has(step.id)) return step
    const { skip: _, ...rest } = step
    return wanted.has(step.id) ? { ...rest, skip: true } : rest
  })
  return { ...doc, steps }
}

/** True if both have the same frames. */
export function hasSameFrames(a: PipelineDoc, b: PipelineDoc): boolean {
  return a.frames === b.frames || isSame(framesOf(a).map(toJson), framesOf(b).map(toJson))
}

function toJson({ id, title, note, tone, box }: Frame): JsonValue {
  return { id, title, note, tone, box: [...box] }
}

/** Reads frames from JSON that may hold anything; what is no frame is left out. */
export function readFrames(value: JsonValue | undefined): Frame[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((one) => readFrame(one) ?? []).slice(0, MAX_FRAMES)
}

function readFrame(value: JsonValue): Frame | null {
  if (!isRecord(value) || !Array.isArray(value.box)) return null
  const [x, y, width, height] = value.box
  const { id, title, note } = value
  const tone = TONES.find((known) => known === value.tone) ?? 'grey'
  if (typeof x !== 'number' || typeof y !== 'number' || typeof width !== 'number' || typeof height !== 'number') return null
  if (typeof id !== 'string' || typeof title !== 'string' || typeof note !== 'string') return null
  return { id, title: title.slice(0, MAX_TITLE), note: note.slice(0, MAX_NOTE), tone, box: [x, y, width, height] }
}
