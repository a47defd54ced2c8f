// Adding steps from a palette: what they are tied to, and how they come into the document.

import { mainOutput, placeAfter, type Tie } from '../../../lib/graph/commands'
import { stepOf, wireId, wiresFrom, wiresOf, type End, type Wire } from '../../../lib/graph/doc'
import type { Place } from '../../../lib/graph/geometry'
import { inputPort, kindOf, outputPort } from '../../../lib/graph/kinds'
import type { Need } from '../../../lib/graph/palette'
import { spliceThrough } from '../../../lib/graph/rules'
import { entryOf } from '../../../lib/graph/templates'
import { addEntry } from '../editor/components'
import type { Editor } from '../editor/editor.svelte'
import type { Quick } from './board.svelte'
import { rememberKind } from './recent'

/** Adds a step; true if it came in. */
export function add(editor: Editor, kind: string, place: Place, tie: Tie): boolean {
  if (!editor.kinds.has(entryOf(editor.kinds, kind).kind)) return false
  rememberKind(kind)
  return addEntry(editor, kind, place, tie)
}

/** The wire of that id, if a step of the kind can be put into it. */
export function wireFor(editor: Editor, id: string | null, kind: string): Wire | null {
  const wire = wiresOf(editor.doc).find((one) => wireId(one) === id)
  const type = wire === undefined ? undefined : outputPort(editor.doc, editor.kinds, wire.from)?.type
  if (wire === undefined || type === undefined) return null
  return spliceThrough(editor.kinds.get(entryOf(editor.kinds, kind).kind), type) === null ? null : wire
}

/** The wire that a step would be put into if it were let go on it: only one that has no wires yet. */
export function wireForLoose(editor: Editor, id: string, wire: string | null): Wire | null {
  const step = stepOf(editor.doc, id)
  const isLoose = step !== undefined && Object.keys(step.inputs).length === 0 && wiresFrom(editor.doc, id).length === 0
  return isLoose ? wireFor(editor, wire, step.kind) : null
}

/** The palette for a wire that was dropped on nothing. */
export function quickForWire(editor: Editor, end: End, isFromOutput: boolean, at: { x: number; y: number }, place: Place): Quick {
  const port = (isFromOutput ? outputPort : inputPort)(editor.doc, editor.kinds, end)
  const category = kindOf(editor.doc, editor.kinds, end.step)?.category ?? ''
  const need: Need | null =
    port === undefined ? null : { side: isFromOutput ? 'takes' : 'gives', type: port.type, isStrict: true, category }
  const tie: Tie = isFromOutput ? { type: 'after', from: end } : { type: 'before', to: end }
  const about = port === undefined ? null : isFromOutput ? `After ${end.step}: takes ${port.type}` : `Before ${end.step}: gives ${port.type}`
  return { ...at, place, tie, need, about }
}

/** The palette for a wire: what is chosen is put into it. */
export function quickIntoWire(editor: Editor, wire: Wire, at: { x: number; y: number }, place: Place): Quick {
  const type = outputPort(editor.doc, editor.kinds, wire.from)?.type
  const category = kindOf(editor.doc, editor.kinds, wire.from.step)?.category ?? ''
  const need: Need | null = type === undefined ? null : { side: 'passes', type, isStrict: true, category }
  return { ...at, place, tie: { type: 'into', wire }, need, about: `Between ${wire.from.step} and ${wire.to.step}` }
}

/** The palette at a place: with one step selected, what is added follows it. */
export function quickAt(editor: Editor, at: { x: number; y: number }, place: Place, isAfterSelected: boolean): Quick {
  const from = isAfterSelected && editor.selected !== null ? mainOutput(editor.doc, editor.kinds, editor.selected) : null
  const type = from === null ? undefined : outputPort(editor.doc, editor.kinds, from)?.type
  if (from === null || type === undefined) return { ...at, place, tie: { type: 'none' }, need: null, about: null }
  const category = kindOf(editor.doc, editor.kinds, from.step)?.category ?? ''
  return {
    ...at,
    place: placeAfter(editor.doc, from.step),
    tie: { type: 'after', from },
    need: { side: 'takes', type, isStrict: false, category },
    about: `After ${from.step}`,
  }
}
