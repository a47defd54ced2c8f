// Copy, cut and paste of steps. What was copied last is also remembered here, for where the clipboard
// may not be read.

import { fromText, paste, toText } from '../../../lib/graph/clipboard'
import { deleteSteps } from '../../../lib/graph/commands'
import type { Place } from '../../../lib/graph/geometry'
import type { Editor } from './editor.svelte'

let copied: string | null = null
let pointer: (() => Place | null) | null = null

/** Tells where on the canvas the pointer is, for as long as there is a canvas. */
export function setPointer(tell: () => Place | null): () => void {
  pointer = tell
  return () => {
    if (pointer === tell) pointer = null
  }
}

/** True if a text is marked. A drag over the canvas may mark the end of a line and nothing else. */
function isMarking(): boolean {
  return (getSelection()?.toString().trim() ?? '') !== ''
}

/** Marks no text any more: whoever presses on the canvas means what stands on it. */
export function unmark(): void {
  getSelection()?.removeAllRanges()
}

/** True if the keyboard belongs to a field, or a text is marked: then copy and undo are not ours. */
export function isTyping(): boolean {
  const focus = document.activeElement
  const isField = focus instanceof HTMLElement && (focus.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(focus.tagName))
  const isOther = isField && !(focus instanceof HTMLInputElement && /^(checkbox|radio|button)$/.test(focus.type))
  return isOther || isMarking() || document.querySelector('dialog[open]') !== null
}

/** The selected steps as text; null if none are. */
export function copySteps(editor: Editor): string | null {
  const { steps } = editor.document.selection
  const chosen = editor.doc.steps.filter((step) => steps.includes(step.id))
  if (chosen.length === 0) return null
  copied = toText(chosen)
  return copied
}

/** The same, and they are gone. */
export function cutSteps(editor: Editor): string | null {
  const text = copySteps(editor)
  if (text !== null) editor.document.run(deleteSteps(editor.doc, editor.document.selection.steps))
  return text
}

/** Pastes at the pointer, or beside what is there. False if the text holds no steps: it is not for us. */
export function pasteText(editor: Editor, text: string, isLinked: boolean): boolean {
  if (fromText(text) === null) return false
  editor.document.run(paste(editor.doc, editor.kinds, text, pointer?.() ?? placeFor(editor), isLinked))
  return true
}

/** Pastes what was copied last and keeps its links, whatever the engine lets us read. */
export async function pasteLinked(editor: Editor): Promise<void> {
  const text = copied ?? (await navigator.clipboard.readText().catch(() => ''))
  pasteText(editor, text, true)
}

function placeFor(editor: Editor): Place {
  const lowest = editor.doc.steps.reduce((low, step) => Math.max(low, step.position[1]), 0)
  return [editor.doc.steps[0]?.position[0] ?? 0, lowest + 160]
}
