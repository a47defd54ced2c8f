// Reads a pipeline document: wires, neighbours, order, paths. Changes nothing.

import type { JsonValue, PipelineDoc, StepDoc } from '../../host/bindings'

/** One end of a wire: a port of a step. */
export interface End {
  step: string
  port: string
}

/** A wire from an output to an input. */
export interface Wire {
  from: End
  to: End
}

/** Reads `step.port`; null if it is not one. Step ids hold no dot, so the first one divides. */
export function parseEnd(text: string): End | null {
  const dot = text.indexOf('.')
  if (dot <= 0 || dot === text.length - 1) return null
  return { step: text.slice(0, dot), port: text.slice(dot + 1) }
}

/** Writes an end as the pipeline file does. */
export function endText(end: End): string {
  return `${end.step}.${end.port}`
}

/** The name of a wire, unique in a document. */
export function wireId(wire: Wire): string {
  return `${endText(wire.from)}>${endText(wire.to)}`
}

/** The step of that id. */
export function stepOf(doc: PipelineDoc, id: string): StepDoc | undefined {
  if (doc.steps.length < LONG) return doc.steps.find((step) => step.id === id)
  const known = indexes.get(doc.steps) ?? indexOf(doc.steps)
  indexes.set(doc.steps, known)
  return known.get(id)
}

/** From here on looking a step up is worth an index: a thousand wires ask for two thousand steps. */
const LONG = 64
// Documents are never changed, only replaced, so an index holds as long as its list.
const indexes = new WeakMap<readonly StepDoc[], ReadonlyMap<string, StepDoc>>()

function indexOf(steps: readonly StepDoc[]): ReadonlyMap<string, StepDoc> {
  // The first of a doubled id counts, as in a search from the start.
  return new Map([...steps].reverse().map((step) => [step.id, step]))
}

/** Every wire that goes into a step, in the order of its ports. */
export function wiresInto(step: StepDoc): Wire[] {
  return Object.entries(step.inputs).flatMap(([port, sources]) =>
    sources.flatMap((source) => {
      const from = parseEnd(source)
      return from === null ? [] : [{ from, to: { step: step.id, port } }]
    }),
  )
}

/** Every wire of a document. */
export function wiresOf(doc: PipelineDoc): Wire[] {
  return doc.steps.flatMap(wiresInto)
}

/** Every wire that leaves a step. */
export function wiresFrom(doc: PipelineDoc, id: string): Wire[] {
  return wiresOf(doc).filter((wire) => wire.from.step === id)
}

/** Ids of the steps that each step feeds. */
export function successorsOf(doc: PipelineDoc): Map<string, string[]> {
  const next = new Map<string, string[]>(doc.steps.map((step) => [step.id, []]))
  for (const wire of wiresOf(doc)) {
    const targets = next.get(wire.from.step)
    if (targets !== undefined && !targets.includes(wire.to.step)) targets.push(wire.to.step)
  }
  return next
}

/** Ids of the steps that feed each step. */
export function predecessorsOf(doc: PipelineDoc): Map<string, string[]> {
  const known = new Set(doc.steps.map((step) => step.id))
  return new Map(
    doc.steps.map((step) => {
      const sources = wiresInto(step).map((wire) => wire.from.step)
      return [step.id, [...new Set(sources)].filter((id) => known.has(id))]
    }),
  )
}

/** All steps before the given ones, without them. */
export function upstreamOf(doc: PipelineDoc, ids: Iterable<string>): Set<string> {
  return reach(predecessorsOf(doc), ids)
}

/** All steps after the given ones, without them. */
export function downstreamOf(doc: PipelineDoc, ids: Iterable<string>): Set<string> {
  return reach(successorsOf(doc), ids)
}

function reach(links: Map<string, string[]>, ids: Iterable<string>): Set<string> {
  const start = new Set(ids)
  const found = new Set<string>()
  const open = [...start]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const next of links.get(id) ?? []) {
      if (found.has(next)) continue
      found.add(next)
      open.push(next)
    }
  }
  for (const id of start) found.delete(id)
  return found
}

/** The shortest way along wires from one step to another, both included; null if there is none. */
export function pathBetween(doc: PipelineDoc, from: string, to: string): string[] | null {
  const links = successorsOf(doc)
  const cameFrom = new Map<string, string | null>([[from, null]])
  const queue = [from]
  for (let head = 0; head < queue.length; head += 1) {
    const id = queue[head]
    if (id === undefined) break
    if (id === to) return walkBack(cameFrom, to)
    for (const next of links.get(id) ?? []) {
      if (cameFrom.has(next)) continue
      cameFrom.set(next, id)
      queue.push(next)
    }
  }
  return null
}

function walkBack(cameFrom: Map<string, string | null>, to: string): string[] {
  const path: string[] = []
  for (let at: string | null | undefined = to; at !== null && at !== undefined; at = cameFrom.get(at)) {
    path.unshift(at)
  }
  return path
}

/** Step ids so that each comes after what feeds it; file order among equals; a circle stays at the end. */
export function topological(doc: PipelineDoc): string[] {
  const before = predecessorsOf(doc)
  const done = new Set<string>()
  const order: string[] = []
  let left = doc.steps.map((step) => step.id)
  while (left.length > 0) {
    const ready = left.filter((id) => (before.get(id) ?? []).every((source) => done.has(source)))
    if (ready.length === 0) return [...order, ...left]
    for (const id of ready) done.add(id)
    order.push(...ready)
    left = left.filter((id) => !done.has(id))
  }
  return order
}

/** The document with one step changed; the same object if nothing changed. */
export function withStep(doc: PipelineDoc, id: string, change: (step: StepDoc) => StepDoc): PipelineDoc {
  let isChanged = false
  const steps = doc.steps.map((step) => {
    if (step.id !== id) return step
    const next = change(step)
    isChanged ||= next !== step
    return next
  })
  return isChanged ? { ...doc, steps } : doc
}

/** The step with other sources at one input; the port goes when nothing is left on it. */
export function withSources(step: StepDoc, port: string, sources: string[]): StepDoc {
  const inputs = { ...step.inputs }
  if (sources.length === 0) delete inputs[port]
  else inputs[port] = sources
  return { ...step, inputs }
}

/** True if both hold the same, whatever the order of their keys. */
export function isSame(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    return a.every((item, index) => isSame(item, b[index]))
  }
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && isSame(a[key], b[key]))
}

/** True if both steps are the same. */
export function isSameStep(a: StepDoc, b: StepDoc): boolean {
  return a === b || (isSameWork(a, b) && isSame(a.position, b.position) && isSame(limitsJson(a), limitsJson(b)))
}

// Written out, so that a step that has no limits is like one whose limits say nothing.
function limitsJson({ limits }: StepDoc): JsonValue {
  return [limits?.retries ?? 0, limits?.timeout ?? null, limits?.cores ?? null, limits?.memory ?? null]
}

/** True if both steps do the same, wherever they stand and whatever they may take. */
export function isSameWork(a: StepDoc, b: StepDoc): boolean {
  const isSaid = a.id === b.id && a.kind === b.kind && (a.skip === true) === (b.skip === true)
  return isSaid && isSame(a.params, b.params) && isSame(a.inputs, b.inputs)
}

/** True if both documents hold the same, whatever their names: steps in the same order, frames, ports. */
export function isSameDoc(a: PipelineDoc, b: PipelineDoc): boolean {
  return hasSameBeside(a, b) && hasSameSteps(a, b)
}

function hasSameBeside(a: PipelineDoc, b: PipelineDoc): boolean {
  return isSame(a.frames ?? [], b.frames ?? []) && hasSamePorts(a, b)
}

/** True if both declare the same for others. */
export function hasSamePorts(a: PipelineDoc, b: PipelineDoc): boolean {
  return isSame(a.inputs ?? [], b.inputs ?? []) && isSame(a.outputs ?? [], b.outputs ?? [])
}

function hasSameSteps(a: PipelineDoc, b: PipelineDoc): boolean {
  if (a.steps === b.steps) return true
  if (a.steps.length !== b.steps.length) return false
  return a.steps.every((step, index) => {
    const other = b.steps[index]
    return other !== undefined && isSameStep(step, other)
  })
}
