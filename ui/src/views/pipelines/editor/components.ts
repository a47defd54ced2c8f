// Components: added from a palette, gone into and out of, put in place of steps and back.

import { call } from '../../../host/host'
import { addStep, type Tie } from '../../../lib/graph/commands'
import { collapse, expand, pipelineOf, portsOfPart } from '../../../lib/graph/components'
import { crumbText } from '../../../lib/graph/crumbs'
import { stepOf } from '../../../lib/graph/doc'
import type { Place } from '../../../lib/graph/geometry'
import { idsOf, uniqueId } from '../../../lib/graph/ids'
import { withToldPorts } from '../../../lib/graph/kinds'
import { COMPONENT } from '../../../lib/graph/parts'
import { entryOf } from '../../../lib/graph/templates'
import { href, navigate, parseRoute } from '../../../lib/router'
import { sentence } from '../../../parts/sentence'
import { toast, toastFailure } from '../../../parts/toast.svelte'
import type { Editor } from './editor.svelte'

/** The pipeline that the selected step stands for; null if it is no component. */
export function selectedPart(editor: Editor): string | null {
  return editor.selected === null ? null : pipelineOf(stepOf(editor.doc, editor.selected))
}

// Whoever goes in from the outline comes to an outline.
const view = (): string | null => parseRoute(location.hash).params.view ?? null

/** Adds what a palette offers; true if it came in at once. A component comes once its ports are known, as the
 *  wire that it is tied to ends at one of them. */
export function addEntry(editor: Editor, entry: string, place: Place, tie: Tie): boolean {
  const { kind, params } = entryOf(editor.kinds, entry)
  if (kind !== COMPONENT || typeof params.pipeline !== 'string') return editor.document.run(addStep(editor.doc, editor.kinds, entry, place, tie))
  void addPart(editor, entry, params.pipeline, place, tie)
  return false
}

async function addPart(editor: Editor, entry: string, pipeline: string, place: Place, tie: Tie): Promise<void> {
  try {
    const part = await call('pipeline.show', { project: null, pipeline })
    const id = uniqueId(entryOf(editor.kinds, entry).name, idsOf(editor.doc))
    const kinds = withToldPorts(editor.kinds, { ...editor.kinds.own?.ports, [id]: portsOfPart(part.doc, editor.kinds) })
    editor.document.run(addStep(editor.doc, kinds, entry, place, tie))
  } catch (thrown) {
    toastFailure(`${pipeline} could not be added`, thrown)
  }
}

/** Opens the pipeline that the selected step stands for. */
export async function openPart(editor: Editor): Promise<void> {
  const name = selectedPart(editor)
  if (name === null || editor.selected === null) return
  const way = [...editor.crumbs, { pipeline: editor.document.name, step: editor.selected }]
  await editor.document.flush()
  navigate(href('pipelines', [name], { view: view(), in: crumbText(way) }))
}

/** The address of a pipeline around this one, with its component selected. */
export function wayOut(editor: Editor, index: number): string | null {
  const crumb = editor.crumbs[index]
  return crumb === undefined ? null : href('pipelines', [crumb.pipeline], { view: view(), step: crumb.step, in: crumbText(editor.crumbs.slice(0, index)) })
}

/** Goes back to the pipeline around this one. */
export async function leavePart(editor: Editor): Promise<void> {
  const to = wayOut(editor, editor.crumbs.length - 1)
  await editor.document.flush()
  if (to !== null) navigate(to)
}

/** Puts the steps of the selected component in its place. */
export async function expandPart(editor: Editor): Promise<void> {
  const [id, name] = [editor.selected, selectedPart(editor)]
  if (id === null || name === null) return
  try {
    const part = await call('pipeline.show', { project: null, pipeline: name })
    editor.document.run(expand(editor.doc, id, part.doc))
  } catch (thrown) {
    toastFailure(`${id} could not be expanded`, thrown)
  }
}

/** Makes the selected steps a component: a pipeline of that name, and one step that stands for it. Throws
 *  what kept the pipeline from being made. */
export async function collapseSelected(editor: Editor, name: string): Promise<void> {
  const here = editor.document
  const { part, outcome } = collapse(editor.doc, editor.kinds, here.selection.steps, name)
  if (part === null) return void toast({ title: sentence(outcome.refusal ?? ''), tone: 'warning', stay: 5_000 })
  const before = editor.doc
  await call('pipeline.new', { project: null, name, dataset: null })
  await call('pipeline.save', { project: null, pipeline: name, doc: part })
  if (editor.doc !== before) return void toast({ title: `The pipeline changed meanwhile; ${name} is in the list`, tone: 'warning', stay: 5_000 })
  here.run(outcome)
  toast({ title: `${name} is a pipeline now`, detail: 'An undo puts the steps back here and leaves it in the list.', action: { label: 'Open', testid: 'component-open-made', run: () => void openPart(editor) } })
}
