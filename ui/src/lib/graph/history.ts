// Undo and redo of everything: each change is one entry that knows its way forth and back.
// All values are immutable; the editor keeps the newest.

import type { PipelineDoc } from '../../host/bindings'
import { difference, isEmpty, patched, type Patch } from './patch'

/** Entries kept; older ones fall off. */
export const MAX_ENTRIES = 200
/** Typing in one field within this stays one entry. */
export const MERGE_MS = 2_000

/** A change to be made: the document it leads to, and how it is called in the history. */
export interface Change {
  /** What was done, such as `Add Split`. */
  label: string
  /** The document after it. */
  doc: PipelineDoc
  /** Changes in a row with the same key become one entry: typing in a field, arrow keys. */
  mergeKey: string | null
  /** Steps to be selected afterwards; null to leave the selection alone. */
  select: string[] | null
}

/** A change that was made. */
export interface Entry {
  label: string
  mergeKey: string | null
  at: number
  forth: Patch
  back: Patch
}

/** A document with the way it came. `entries.slice(0, index)` can be undone, the rest redone. */
export interface History {
  readonly doc: PipelineDoc
  readonly entries: readonly Entry[]
  readonly index: number
}

/** A history that starts here. */
export function begin(doc: PipelineDoc): History {
  return { doc, entries: [], index: 0 }
}

/** True if there is something to undo. */
export function canUndo(history: History): boolean {
  return history.index > 0
}

/** True if there is something to redo. */
export function canRedo(history: History): boolean {
  return history.index < history.entries.length
}

/** Makes a change at a time (ms since the epoch). A change that changes nothing leaves no entry. */
export function commit(history: History, change: Change, at: number): History {
  const forth = difference(history.doc, change.doc)
  if (isEmpty(forth)) return history
  const past = history.entries.slice(0, history.index)
  const last = past.at(-1)
  const isMerged =
    last !== undefined &&
    change.mergeKey !== null &&
    last.mergeKey === change.mergeKey &&
    at - last.at <= MERGE_MS &&
    !canRedo(history)
  const entries = isMerged ? mergeInto(past, last, history, change, at) : [...past, entryOf(history, change, at)]
  const kept = entries.slice(-MAX_ENTRIES)
  return { doc: change.doc, entries: kept, index: kept.length }
}

function entryOf(history: History, change: Change, at: number): Entry {
  return {
    label: change.label,
    mergeKey: change.mergeKey,
    at,
    forth: difference(history.doc, change.doc),
    back: difference(change.doc, history.doc),
  }
}

function mergeInto(past: readonly Entry[], last: Entry, history: History, change: Change, at: number): Entry[] {
  const start = patched(history.doc, last.back)
  const forth = difference(start, change.doc)
  const earlier = past.slice(0, -1)
  // Typed and taken back by typing: nothing is left to undo.
  if (isEmpty(forth)) return earlier
  return [...earlier, { ...last, at, forth, back: difference(change.doc, start) }]
}

/** Ends the merging: the next keystroke starts an entry of its own. */
export function seal(history: History): History {
  const last = history.entries[history.index - 1]
  if (last === undefined || last.mergeKey === null) return history
  const entries = history.entries.map((entry) => (entry === last ? { ...entry, mergeKey: null } : entry))
  return { ...history, entries }
}

/** Takes the last change back. */
export function undo(history: History): History {
  const entry = history.entries[history.index - 1]
  if (entry === undefined) return history
  return { ...seal(history), doc: patched(history.doc, entry.back), index: history.index - 1 }
}

/** Makes the change again that was taken back last. */
export function redo(history: History): History {
  const entry = history.entries[history.index]
  if (entry === undefined) return history
  return { ...history, doc: patched(history.doc, entry.forth), index: history.index + 1 }
}

/** Goes to a place in the history: the state after `index` changes. */
export function goTo(history: History, index: number): History {
  let at = history
  while (at.index > index && canUndo(at)) at = undo(at)
  while (at.index < index && canRedo(at)) at = redo(at)
  return at
}

/** Gives the pipeline another name without an entry. */
export function renamed(history: History, name: string): History {
  return { ...history, doc: { ...history.doc, name } }
}

/** Ids of the steps an entry changed and that are there afterwards, to be shown after undo and redo. */
export function touched(patch: Patch): string[] {
  return Object.entries(patch.steps).flatMap(([id, step]) => (step === null ? [] : [id]))
}
