// What the canvas keeps beside the steps: frames with a title and a note, and which steps are skipped.
// The backend's document has no place for it, so it goes with the history of the pipeline on this
// computer and is taken off whatever is sent.

import type { JsonValue, PipelineDoc } from '../../host/bindings'
import { isSame } from './doc'
import { isRecord } from './json'

/** Colours of a frame; each is a token. */
export const TONES = ['grey', 'blue', 'green', 'yellow', 'red', 'violet'] as const
export type Tone = (typeof TONES)[number]

/** A frame around steps, or with none in it a note on the canvas. */
export type Frame = {
  id: string
  title: string
  /** Any text; empty for none. */
  note: string
  tone: Tone
  /** Left, top, width and height, in pixels of the canvas. */
  box: [number, number, number, number]
}

/** A pipeline with what the canvas keeps beside it. */
export type Sheet = PipelineDoc & Partial<Beside>

/** All that is beside the steps. */
export type Beside = { frames: readonly Frame[]; skipped: readonly string[] }

/** Frames kept of one pipeline. */
export const MAX_FRAMES = 200
/** Characters of a note. */
export const MAX_NOTE = 4_000

/** What is beside the steps of a document. */
export function besideOf(doc: Sheet): Beside {
  return { frames: doc.frames ?? [], skipped: doc.skipped ?? [] }
}

/** The document as the backend takes it. */
export function bare(doc: Sheet): PipelineDoc {
  return { name: doc.name, steps: doc.steps }
}

/** The document with these things beside it; a skipped step that is gone is none. */
export function withBeside(doc: PipelineDoc, beside: Beside): Sheet {
  const skipped = beside.skipped.filter((id) => doc.steps.some((step) => step.id === id))
  return { ...bare(doc), ...(beside.frames.length > 0 ? { frames: beside.frames } : {}), ...(skipped.length > 0 ? { skipped } : {}) }
}

/** True if the same is beside both. */
export function isSameBeside(a: Beside, b: Beside): boolean {
  return isSame(toJson(a), toJson(b))
}

function toJson({ frames, skipped }: Beside): JsonValue {
  return { skipped: [...skipped], frames: frames.map(({ id, title, note, tone, box }) => ({ id, title, note, tone, box: [...box] })) }
}

/** Reads what is beside a document from JSON that may hold anything; what is no frame is left out. */
export function readBeside(value: JsonValue | undefined): Beside {
  if (!isRecord(value)) return { frames: [], skipped: [] }
  const frames = Array.isArray(value.frames) ? value.frames.flatMap((one) => readFrame(one) ?? []) : []
  const skipped = Array.isArray(value.skipped) ? value.skipped.filter((id) => typeof id === 'string') : []
  return { frames: frames.slice(0, MAX_FRAMES), skipped }
}

function readFrame(value: JsonValue): Frame | null {
  if (!isRecord(value) || !Array.isArray(value.box)) return null
  const [x, y, width, height] = value.box
  const { id, title, note } = value
  const tone = TONES.find((known) => known === value.tone) ?? 'grey'
  if (typeof x !== 'number' || typeof y !== 'number' || typeof width !== 'number' || typeof height !== 'number') return null
  if (typeof id !== 'string' || typeof title !== 'string' || typeof note !== 'string') return null
  return { id, title, note: note.slice(0, MAX_NOTE), tone, box: [x, y, width, height] }
}
