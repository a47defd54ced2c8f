// Keeps the history of each pipeline over restarts, and edits that were not saved yet. The storage of
// the browser may be full, switched off or hold anything: then the editor works without it.

import type { JsonValue, PipelineDoc } from '../../host/bindings'
import { isSameDoc } from './doc'
import { begin, commit, MAX_ENTRIES, type Entry, type History } from './history'
import { isRecord, readStep } from './json'
import type { Patch } from './patch'
import { readFrames, withFrames, withSkipped } from './sheet'

/** What the vault needs of `localStorage`. */
export interface Storage {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
  removeItem(key: string): void
}

/** What is kept of a pipeline. */
export interface Kept {
  history: History
  /** True if the backend has not taken the document yet. */
  isUnsaved: boolean
}

const FORMAT = 2
/** Here frames and skipped steps were kept beside the document, which the backend knew nothing of. */
const FORMAT_BESIDE = 1
/** Characters a history may take; browsers give about five million to all of us. */
const MAX_CHARS = 1_000_000

function keyOf(pipeline: string): string {
  return `fettle.pipeline.${pipeline}`
}

/** Under which name a pipeline is kept: two projects may each have one called the same. */
export function vaultKey(project: string, pipeline: string): string {
  return `${project}.${pipeline}`
}

/** Keeps a history. The oldest entries go first where there is no room. */
export function keep(storage: Storage, pipeline: string, kept: Kept): void {
  let { entries, index } = kept.history
  for (;;) {
    const text = JSON.stringify({ format: FORMAT, doc: kept.history.doc, isUnsaved: kept.isUnsaved, entries, index })
    if (text.length <= MAX_CHARS && write(storage, keyOf(pipeline), text)) return
    // Only what can be undone may go; what can be redone hangs on the document as it is.
    const drop = Math.ceil(index / 2)
    if (drop === 0) return
    entries = entries.slice(drop)
    index -= drop
  }
}

function write(storage: Storage, key: string, text: string): boolean {
  try {
    storage.setItem(key, text)
    return true
  } catch {
    // Full or switched off. The backend has the document; only the way it came is lost.
    return false
  }
}

/** Forgets a pipeline that was deleted or renamed. */
export function forget(storage: Storage, pipeline: string): void {
  try {
    storage.removeItem(keyOf(pipeline))
  } catch {
    // Storage is switched off: there is nothing to forget.
  }
}

/** What was kept of a pipeline; null if nothing, or nothing that can be read. */
export function recall(storage: Storage, pipeline: string): Kept | null {
  try {
    const text = storage.getItem(keyOf(pipeline))
    if (text === null) return null
    const value: JsonValue = JSON.parse(text)
    return readKept(value)
  } catch {
    // Not ours or torn: as if it were not there.
    return null
  }
}

/** The history to open with: the kept one where it still fits the backend's document. */
export function resume(kept: Kept | null, server: PipelineDoc, at: number): Kept {
  if (kept === null) return { history: begin(server), isUnsaved: false }
  const history: History = { ...kept.history, doc: { ...kept.history.doc, name: server.name } }
  if (isSameDoc(history.doc, server)) return { history: { ...history, doc: server }, isUnsaved: false }
  if (kept.isUnsaved) return { history, isUnsaved: true }
  const change = { label: 'Changed outside the editor', doc: server, mergeKey: null, select: null }
  return { history: commit(history, change, at), isUnsaved: false }
}

function readKept(value: JsonValue): Kept | null {
  if (!isRecord(value)) return null
  if (value.format === FORMAT_BESIDE) return readBeside(value)
  if (value.format !== FORMAT || typeof value.index !== 'number') return null
  const doc = readDoc(value.doc)
  const entries = Array.isArray(value.entries) ? value.entries.map(readEntry) : [null]
  const whole = entries.filter((entry) => entry !== null)
  if (doc === null || whole.length !== entries.length || whole.length > MAX_ENTRIES) return null
  if (value.index < 0 || value.index > whole.length || !Number.isInteger(value.index)) return null
  return { history: { doc, entries: whole, index: value.index }, isUnsaved: value.isUnsaved === true }
}

// The way it came is in words of then; the frames and skipped steps go to the backend with the next save.
function readBeside(value: { [key in string]: JsonValue }): Kept | null {
  const doc = readDoc(value.doc)
  if (doc === null || !isRecord(value.doc)) return null
  const skipped = Array.isArray(value.doc.skipped) ? value.doc.skipped.filter((id) => typeof id === 'string') : []
  const moved = withSkipped(doc, skipped)
  return { history: begin(moved), isUnsaved: value.isUnsaved === true || (moved.frames ?? []).length + skipped.length > 0 }
}

function readDoc(value: JsonValue | undefined): PipelineDoc | null {
  if (!isRecord(value) || typeof value.name !== 'string' || !Array.isArray(value.steps)) return null
  const steps = value.steps.map(readStep)
  const whole = steps.filter((step) => step !== null)
  if (whole.length !== steps.length) return null
  const ports = { ...readInputs(value.inputs), ...readOutputs(value.outputs) }
  return withFrames({ name: value.name, steps: whole, ...ports }, readFrames(value.frames))
}

function readInputs(value: JsonValue | undefined): Pick<PipelineDoc, 'inputs'> {
  if (!Array.isArray(value)) return {}
  const inputs = value.flatMap((one) => (isRecord(one) && typeof one.name === 'string' && Array.isArray(one.to) ? [{ name: one.name, to: one.to.filter((end) => typeof end === 'string') }] : []))
  return { inputs }
}

function readOutputs(value: JsonValue | undefined): Pick<PipelineDoc, 'outputs'> {
  if (!Array.isArray(value)) return {}
  const outputs = value.flatMap((one) => (isRecord(one) && typeof one.name === 'string' && typeof one.from === 'string' ? [{ name: one.name, from: one.from }] : []))
  return { outputs }
}

function readEntry(value: JsonValue): Entry | null {
  if (!isRecord(value)) return null
  const { label, mergeKey, at } = value
  const forth = readPatch(value.forth)
  const back = readPatch(value.back)
  if (typeof label !== 'string' || typeof at !== 'number' || forth === null || back === null) return null
  return { label, mergeKey: typeof mergeKey === 'string' ? mergeKey : null, at, forth, back }
}

function readPatch(value: JsonValue | undefined): Patch | null {
  if (!isRecord(value) || !isRecord(value.steps)) return null
  const steps: Patch['steps'] = {}
  for (const [id, step] of Object.entries(value.steps)) {
    const read = step === null ? null : readStep(step)
    if (read === null && step !== null) return null
    steps[id] = read
  }
  const order = Array.isArray(value.order) ? value.order.filter((id) => typeof id === 'string') : null
  // A history of before knew nothing of declared ports.
  const ports = isRecord(value.ports) ? { ...readInputs(value.ports.inputs), ...readOutputs(value.ports.outputs) } : null
  return { order, steps, frames: Array.isArray(value.frames) ? readFrames(value.frames) : null, ports }
}
