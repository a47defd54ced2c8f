// A part of a pipeline by itself: some steps and what is at most so many wires before and after them. It
// is a way of looking and no part of the document.

import type { PipelineDoc } from '../../host/bindings'
import { predecessorsOf, stepOf, successorsOf } from './doc'
import { partOf } from './commands'
import { stepsIn } from './frames'
import { framesOf, withFrames } from './sheet'

/** What is looked at. */
export type Focus = {
  around: readonly string[]
  /** So many wires are followed each way. */
  hops: number
  /** The steps that were there when it began: those that came since are on show wherever they are. */
  known: ReadonlySet<string>
}

/** Wires followed at first: what feeds a step, and what feeds that. */
const FIRST_HOPS = 2
/** More are not counted: there is the whole way. */
const MOST_HOPS = 99

/** Looks at these steps; null if none of them is there. */
export function focusOn(doc: PipelineDoc, ids: readonly string[], hops = FIRST_HOPS): Focus | null {
  const around = ids.filter((id) => stepOf(doc, id) !== undefined)
  return around.length === 0 ? null : { around, hops, known: new Set(doc.steps.map((step) => step.id)) }
}

/** Ids of the steps and of what is at most so many wires before or after them. What hangs on another
 *  output of a step before is not among them. */
export function neighbourhood(doc: PipelineDoc, ids: readonly string[], hops: number): Set<string> {
  const start = ids.filter((id) => stepOf(doc, id) !== undefined)
  return new Set([...within(predecessorsOf(doc), start, hops), ...within(successorsOf(doc), start, hops)])
}

function within(links: ReadonlyMap<string, readonly string[]>, start: readonly string[], hops: number): Set<string> {
  const found = new Set(start)
  let edge = [...start]
  for (let hop = 0; hop < hops && edge.length > 0; hop += 1) {
    edge = edge.flatMap((id) => links.get(id) ?? []).filter((id) => !found.has(id) && found.add(id))
  }
  return found
}

/** Ids of the steps on show: the neighbourhood, what came since, and what is selected, so that nothing is
 *  changed unseen. */
export function stepsOnShow(doc: PipelineDoc, focus: Focus, selected: readonly string[]): Set<string> {
  const shown = neighbourhood(doc, focus.around, focus.hops)
  for (const { id } of doc.steps) if (!focus.known.has(id)) shown.add(id)
  for (const id of selected) shown.add(id)
  return shown
}

/** The pipeline with only these steps, the wires among them, the frames around them, and all notes. */
export function onShow(doc: PipelineDoc, shown: ReadonlySet<string>): PipelineDoc {
  const frames = framesOf(doc).filter((frame) => {
    const inside = stepsIn(doc, frame)
    return inside.length === 0 || inside.some((id) => shown.has(id))
  })
  return withFrames(partOf(doc, [...shown]), frames)
}

/** How many steps before and after one are not on show. */
export type Cut = { before: number; after: number }

/** The steps at which what is on show ends. */
export function cutsOf(doc: PipelineDoc, shown: ReadonlySet<string>): Map<string, Cut> {
  const [previous, next] = [predecessorsOf(doc), successorsOf(doc)]
  const hidden = (ids: readonly string[] | undefined): number => (ids ?? []).filter((id) => !shown.has(id)).length
  const cuts = [...shown].map((id): [string, Cut] => [id, { before: hidden(previous.get(id)), after: hidden(next.get(id)) }])
  return new Map(cuts.filter(([, { before, after }]) => before + after > 0))
}

/** One wire more each way, as long as that shows more; else as it is. */
export function wider(doc: PipelineDoc, focus: Focus): Focus {
  const next = { ...focus, hops: Math.min(MOST_HOPS, focus.hops + 1) }
  const size = (one: Focus): number => neighbourhood(doc, one.around, one.hops).size
  return size(next) > size(focus) ? next : focus
}

/** One wire less each way, down to the steps themselves. */
export function narrower(focus: Focus): Focus {
  return focus.hops === 0 ? focus : { ...focus, hops: focus.hops - 1 }
}

/** `1 wire`, `3 wires`, or that it is the whole way. */
export function hopsLine(doc: PipelineDoc, focus: Focus): string {
  if (focus.hops === 0) return 'Only themselves'
  if (wider(doc, focus) === focus) return 'All before and after'
  return focus.hops === 1 ? '1 wire each way' : `${focus.hops} wires each way`
}
