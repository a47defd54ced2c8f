// The commands of the editor, whatever is on show. The canvas adds its own.

import { align, distribute, type Axis, type Side } from '../../../lib/graph/align'
import { deleteSteps, dissolveSteps, duplicate, joinable, partOf, tidy } from '../../../lib/graph/commands'
import { downstreamOf, stepOf, upstreamOf, wireId, wiresOf } from '../../../lib/graph/doc'
import { deleteFrames } from '../../../lib/graph/frames'
import type { Fix } from '../../../lib/graph/fixes'
import { focusOn, narrower, wider } from '../../../lib/graph/focus'
import { moveInOrder } from '../../../lib/graph/order'
import { toggleSkip } from '../../../lib/graph/skip'
import { stepsAlong } from '../../../lib/graph/walk'
import { disconnect } from '../../../lib/graph/wiring'
import { plural } from '../../../lib/format'
import type { Command } from '../../../lib/keys'
import { href, navigate } from '../../../lib/router'
import { call } from '../../../host/host'
import { toast, toastFailure } from '../../../parts/toast.svelte'
import { isTyping, pasteLinked } from './clipping'
import { expandPart, leavePart, openPart, selectedPart } from './components'
import type { Editor } from './editor.svelte'

const GROUP = 'Pipeline'

const SIDES: readonly { side: Side; title: string }[] = [
  { side: 'left', title: 'Align left' }, { side: 'centre', title: 'Align centres' }, { side: 'right', title: 'Align right' },
  { side: 'top', title: 'Align top' }, { side: 'middle', title: 'Align middles' }, { side: 'bottom', title: 'Align bottom' },
]
const AXES: readonly { axis: Axis; title: string }[] = [{ axis: 'across', title: 'Spread evenly across' }, { axis: 'down', title: 'Spread evenly down' }]

/** Towards an edge by its arrow; the middles by the palette and the inspector. */
export const ALIGN_KEYS: Partial<Record<Side, string>> = { left: 'Mod+Shift+ArrowLeft', right: 'Mod+Shift+ArrowRight', top: 'Mod+Shift+ArrowUp', bottom: 'Mod+Shift+ArrowDown' }
export const SPREAD_KEYS: Record<Axis, string> = { across: 'Shift+Alt+H', down: 'Shift+Alt+V' }

/** Puts the selected steps, or all if there are not several, where the layout of the backend says; pinned ones stay. */
export async function tidyUp(editor: Editor): Promise<void> {
  try {
    const { steps } = editor.document.selection
    const { positions } = await call('pipeline.layout', { doc: steps.length > 1 ? partOf(editor.doc, steps) : editor.shown })
    editor.document.run(tidy(editor.doc, positions, editor.pins.ids))
  } catch (thrown) {
    toastFailure('The steps could not be laid out', thrown)
  }
}

/** Removes what is selected: steps with their wires, or only wires. */
export function deleteSelection(editor: Editor): void {
  const { steps, frames } = editor.document.selection
  if (frames !== undefined && frames.length > 0) editor.document.run(deleteFrames(editor.doc, frames))
  if (steps.length > 0) removeSteps(editor, steps)
  else if (frames !== undefined && frames.length > 0) return
  else editor.document.run(disconnect(editor.doc, editor.document.selectedWires()))
}

/** Removes steps. Where that breaks a chain which could be joined, joining it is offered. */
export function removeSteps(editor: Editor, ids: readonly string[]): void {
  const here = editor.document
  const before = editor.doc
  const loose = joinable(before, editor.kinds, ids)
  if (!here.run(deleteSteps(before, ids)) || loose <= 0) return
  const after = editor.doc
  const name = ids.length === 1 ? ids.join() : plural(ids.length, 'step')
  const close = toast({
    title: `Deleted ${name}`,
    detail: `${plural(loose, 'wire')} could go past it.`,
    action: { label: 'Reconnect', testid: 'delete-reconnect', run: () => { close(); reconnect() } },
  })
  // In place of the delete, so that one undo brings all of it back; not if something else was done since.
  function reconnect(): void {
    if (editor.doc !== after) return void toast({ title: 'The pipeline has changed since', tone: 'warning', stay: 5_000 })
    here.undo()
    here.run(dissolveSteps(before, editor.kinds, ids))
  }
}

/** Goes the likeliest way out of the first problem of the selected step. */
function mendSelected(editor: Editor): void {
  const fix = fixesOfSelected(editor)[0]
  if (fix !== undefined) editor.mend(fix)
}

function fixesOfSelected(editor: Editor): Fix[] {
  return editor.problems.filter((problem) => problem.step === editor.selected).flatMap((problem) => editor.fixesFor(problem))
}

/** Removes the selected steps and joins what was around them. */
export function dissolveSelection(editor: Editor): void {
  editor.document.run(dissolveSteps(editor.doc, editor.kinds, editor.document.selection.steps))
}

function reorder(editor: Editor, by: 1 | -1): void {
  if (editor.selected !== null) editor.document.run(moveInOrder(editor.doc, editor.selected, by))
}

// A chain is walked by one key; where it forks, the step at the same height is next.
function walk(editor: Editor, side: 'before' | 'after'): void {
  const [next] = editor.selected === null ? [] : stepsAlong(editor.doc, editor.selected, side)
  if (next !== undefined) editor.show(next)
}

function extend(editor: Editor, side: typeof upstreamOf): void {
  const { steps } = editor.document.selection
  editor.document.select({ steps: [...steps, ...side(editor.doc, steps)], wires: [] })
}

// Once more on the same steps, or with none, it is the way back.
function toggleFocus(editor: Editor): void {
  const { steps } = editor.document.selection
  const isSame = editor.focus?.around.length === steps.length && steps.every((id) => editor.focus?.around.includes(id) === true)
  editor.look(isSame ? null : focusOn(editor.doc, steps))
}

/** Opens the form of a sweep, with the parameters of what is selected. */
function sweep(editor: Editor): void {
  const { steps } = editor.document.selection
  void editor.document.flush()
  navigate(href('sweeps', [], { pipeline: editor.document.name, new: editor.document.name, steps: steps.length === 0 ? null : steps.join(',') }))
}

/** The commands, with those that need a dialog of the screen. */
export function editorCommands(editor: Editor, dialogs: { commit: () => void; export: () => void; collapse: () => void }): Command[] {
  const here = editor.document
  const isFree = (): boolean => !isTyping()
  const hasSteps = (): boolean => isFree() && here.selection.steps.length > 0
  const hasOne = (): boolean => isFree() && editor.selected !== null
  const hasSeveral = (): boolean => isFree() && here.selection.steps.length > 1
  const hasAny = (): boolean => isFree() && here.selection.steps.length + here.selection.wires.length + (here.selection.frames?.length ?? 0) > 0
  const isIdle = (): boolean => !editor.running.isLive && !editor.running.isStarting
  const isFocused = (): boolean => isFree() && editor.focus !== null
  const selectAll = (): void => here.select({ steps: editor.shown.steps.map((step) => step.id), wires: wiresOf(editor.shown).map(wireId) })
  const command = (id: string, title: string, keys: string[], run: () => void, isEnabled?: () => boolean): Command => ({
    id, title, group: GROUP, keys, run, isEnabled,
  })
  return [
    command('pipeline.run', 'Run the pipeline', ['Mod+Enter'], () => void editor.run(), isIdle),
    command('pipeline.runTo', 'Run to the selected step', ['Mod+Shift+Enter'], () => void editor.run(editor.selected), () => isIdle() && editor.selected !== null),
    command('pipeline.runFrom', 'Run again from the selected step', ['Mod+Alt+Enter'], () => { if (editor.selected !== null) void editor.runFrom(editor.selected) }, () => isIdle() && editor.selected !== null),
    command('pipeline.sweep', 'Sweep the selected steps…', [], () => sweep(editor)),
    command('pipeline.cancel', 'Cancel the run', [], () => void editor.running.cancel(), () => editor.running.isLive),
    command('pipeline.commit', 'Commit the pipeline…', ['Mod+S'], dialogs.commit),
    command('pipeline.export', 'Export the pipeline…', [], dialogs.export),
    command('edit.undo', 'Undo', ['Mod+Z'], () => here.undo(), () => isFree() && here.canUndo),
    command('edit.redo', 'Redo', ['Mod+Shift+Z', 'Mod+Y'], () => here.redo(), () => isFree() && here.canRedo),
    command('edit.pasteLinked', 'Paste and keep incoming wires', ['Mod+Shift+V'], () => void pasteLinked(editor), isFree),
    command('edit.duplicate', 'Duplicate the selected steps', ['Mod+D'], () => void here.run(duplicate(editor.doc, editor.kinds, here.selection.steps)), hasSteps),
    command('edit.delete', 'Delete what is selected', ['Delete', 'Backspace'], () => deleteSelection(editor), hasAny),
    command('edit.dissolve', 'Delete and reconnect', ['Alt+Delete', 'Alt+Backspace', 'Mod+Backspace'], () => dissolveSelection(editor), hasSteps),
    command('edit.fix', 'Fix the problem of the selected step', ['Mod+.'], () => mendSelected(editor), () => editor.selected !== null && fixesOfSelected(editor).length > 0),
    command('edit.skip', 'Skip steps, or take them in again', ['Mod+B'], () => void here.run(toggleSkip(editor.doc, editor.kinds, here.selection.steps)), hasSteps),
    command('edit.selectAll', 'Select everything', ['Mod+A'], selectAll, isFree),
    command('edit.selectBefore', 'Select all steps before', ['Shift+Alt+ArrowLeft'], () => extend(editor, upstreamOf), hasSteps),
    command('edit.selectAfter', 'Select all steps after', ['Shift+Alt+ArrowRight'], () => extend(editor, downstreamOf), hasSteps),
    command('edit.selectConnected', 'Select all steps before and after', ['Shift+Alt+ArrowUp'], () => { extend(editor, upstreamOf); extend(editor, downstreamOf) }, hasSteps),
    command('focus.on', 'Show only what is around the selected steps', ['N'], () => toggleFocus(editor), () => hasSteps() || isFocused()),
    command('focus.more', 'Show one wire more each way', ['.'], () => { if (editor.focus !== null) editor.look(wider(editor.doc, editor.focus)) }, isFocused),
    command('focus.less', 'Show one wire less each way', [','], () => { if (editor.focus !== null) editor.look(narrower(editor.focus)) }, isFocused),
    command('focus.leave', 'Show all steps again', ['Shift+N', 'Escape'], () => editor.look(null), isFocused),
    command('edit.find', 'Find a step…', ['Mod+F'], () => (editor.asked = 'find'), () => editor.doc.steps.length > 0 && document.querySelector('dialog[open]') === null),
    command('edit.insert', 'Insert a step before the selected one…', ['I'], () => (editor.asked = 'insert'), () => hasOne() && Object.keys(stepOf(editor.doc, editor.selected ?? '')?.inputs ?? {}).length > 0),
    command('edit.earlier', 'Move the step up in the order', ['Alt+ArrowUp'], () => reorder(editor, -1), hasOne),
    command('edit.later', 'Move the step down in the order', ['Alt+ArrowDown'], () => reorder(editor, 1), hasOne),
    command('edit.connect', 'Connect the selected step…', ['W'], () => (editor.asked = 'connect'), hasOne),
    command('edit.disconnect', 'Disconnect the selected step…', ['Shift+W'], () => (editor.asked = 'disconnect'), hasOne),
    command('edit.move', 'Move an end of a wire…', ['R'], () => (editor.asked = 'move'), () => isFree() && (editor.selected !== null || here.selectedWires().length === 1)),
    command('edit.walkAfter', 'Go along the wire to the next step', [']'], () => walk(editor, 'after'), hasOne),
    command('edit.walkBefore', 'Go back along the wire', ['['], () => walk(editor, 'before'), hasOne),
    ...SIDES.map(({ side, title }) => command(`edit.align.${side}`, title, ALIGN_KEYS[side] === undefined ? [] : [ALIGN_KEYS[side]], () => void here.run(align(editor.doc, here.selection.steps, side)), hasSeveral)),
    ...AXES.map(({ axis, title }) => command(`edit.spread.${axis}`, title, [SPREAD_KEYS[axis]], () => void here.run(distribute(editor.doc, here.selection.steps, axis)), hasSeveral)),
    command('component.open', 'Open the component', ['O'], () => void openPart(editor), () => isFree() && selectedPart(editor) !== null),
    command('component.leave', 'Back to the pipeline around this one', ['U'], () => void leavePart(editor), () => isFree() && editor.crumbs.length > 0),
    command('component.collapse', 'Make the selected steps a component…', ['Mod+G'], dialogs.collapse, hasSteps),
    command('component.expand', 'Put the steps of the component in its place', ['Mod+Shift+G'], () => void expandPart(editor), () => isFree() && selectedPart(editor) !== null),
    command('edit.deselect', 'Select nothing', ['Escape'], () => here.select({ steps: [], wires: [] }), hasAny),
    command('edit.pin', 'Pin steps where they are, or let them go', ['P'], () => editor.pins.toggle(here.selection.steps), hasSteps),
    command('pipeline.tidy', 'Tidy up the selected steps, or all', ['Shift+Alt+T'], () => void tidyUp(editor), isFree),
  ]
}
