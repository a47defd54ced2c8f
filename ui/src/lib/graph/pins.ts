// Steps that tidying up leaves where they are. How somebody arranges a canvas is theirs: pins are kept on
// this computer and are no part of the pipeline.

import type { PipelineDoc } from '../../host/bindings'
import type { Storage } from './vault'

const keyOf = (pipeline: string): string => `fettle.pins.${pipeline}`

/** The pinned steps of a pipeline, without those that are gone. */
export function recallPins(storage: Storage, pipeline: string, doc: PipelineDoc): Set<string> {
  const there = new Set(doc.steps.map((step) => step.id))
  try {
    const kept: unknown = JSON.parse(storage.getItem(keyOf(pipeline)) ?? '[]')
    return new Set(Array.isArray(kept) ? kept.filter((id): id is string => typeof id === 'string' && there.has(id)) : [])
  } catch {
    // Nothing kept, or nothing that can be read: nothing is pinned.
    return new Set()
  }
}

/** Keeps them. */
export function keepPins(storage: Storage, pipeline: string, pins: ReadonlySet<string>): void {
  try {
    if (pins.size === 0) storage.removeItem(keyOf(pipeline))
    else storage.setItem(keyOf(pipeline), JSON.stringify([...pins]))
  } catch {
    // Storage is full or switched off: they hold as long as the editor is open.
  }
}

/** Pins steps, or lets them go if all of them are pinned. */
export function togglePins(pins: ReadonlySet<string>, ids: readonly string[]): Set<string> {
  const next = new Set(pins)
  const isLetGo = ids.every((id) => pins.has(id))
  for (const id of ids) if (isLetGo) next.delete(id); else next.add(id)
  return next
}

/** The pins once a step has another id: it is new and stands where the old one did. A deleted one stays
 *  pinned, for an undo. */
export function followPins(pins: ReadonlySet<string>, before: PipelineDoc, after: PipelineDoc): ReadonlySet<string> {
  const [old, now] = [before, after].map((doc) => new Map(doc.steps.map((step) => [step.id, step])))
  const gone = [...pins].filter((id) => old?.has(id) === true && now?.has(id) === false)
  if (gone.length === 0) return pins
  const fresh = after.steps.filter(({ id }) => old?.has(id) === false)
  const heirs = new Map(gone.flatMap((id) => {
    const at = old?.get(id)?.position
    return fresh.filter(({ position }) => position[0] === at?.[0] && position[1] === at[1]).map((step) => [id, step.id])
  }))
  return heirs.size === 0 ? pins : new Set([...pins].map((id) => heirs.get(id) ?? id))
}
