// Mends a document on load: a wire to nowhere would only fail when the pipeline runs.

import { COMPONENT } from './parts'
import { namesPorts } from './ports'
import type { PipelineDoc, PortView, StepDoc } from '../../host/bindings'
import { endText, parseEnd, stepOf, withSources } from './doc'
import { uniqueId } from './ids'
import { aType, outputPort, type Kinds, kindFor } from './kinds'
import { fits } from './rules'

/** A mended document with a note for each thing that was mended. */
export interface Repair {
  doc: PipelineDoc
  notes: string[]
}

/** Removes wires that lead nowhere and gives doubled ids new ones. Steps of unknown kinds stay: a newer
 *  Fettle may know them. */
export function repair(doc: PipelineDoc, kinds: Kinds): Repair {
  const notes: string[] = []
  const unique = withUniqueIds(doc, notes)
  const steps = unique.steps.map((step) => withLiveWires(unique, kinds, step, notes))
  const isChanged = steps.some((step, index) => step !== doc.steps[index])
  return { doc: isChanged ? { ...doc, steps } : doc, notes }
}

function withUniqueIds(doc: PipelineDoc, notes: string[]): PipelineDoc {
  const taken = new Set<string>()
  const steps = doc.steps.map((step) => {
    const id = taken.has(step.id) ? uniqueId(step.id, taken) : step.id
    taken.add(id)
    if (id === step.id) return step
    notes.push(`Two steps were called \`${step.id}\`; the second is \`${id}\` now.`)
    return { ...step, id }
  })
  return notes.length === 0 ? doc : { ...doc, steps }
}

function withLiveWires(doc: PipelineDoc, kinds: Kinds, step: StepDoc, notes: string[]): StepDoc {
  const kind = kindFor(kinds, step)
  // What ports a component has is the backend's to know.
  if (kind === undefined || step.kind === COMPONENT) return step
  let next = step
  for (const [name, sources] of Object.entries(step.inputs)) {
    const port = kind.inputs.find((input) => input.name === name)
    const live = sources.filter((source, index) => {
      const problem = wireProblem(doc, kinds, source, { port, isOpen: namesPorts(kind) }, index, sources)
      if (problem !== null) notes.push(`Removed the wire from \`${source}\` to \`${step.id}.${name}\`: ${problem}.`)
      return problem === null
    })
    if (live.length !== sources.length || live.length === 0) next = withSources(next, name, live)
  }
  return next
}

function wireProblem(
  doc: PipelineDoc,
  kinds: Kinds,
  source: string,
  // Lines that name ports may be wrong for the moment: that is for the backend to say, and no reason to cut wires.
  { port, isOpen }: { port: PortView | undefined; isOpen: boolean },
  index: number,
  sources: string[],
): string | null {
  const end = parseEnd(source)
  if (end === null) return 'it names no port'
  if (port === undefined) return isOpen ? null : 'the step has no such input'
  const from = stepOf(doc, end.step)
  if (from === undefined) return `there is no step \`${end.step}\``
  if (sources.indexOf(source) !== index) return 'it was there twice'
  if (!port.isMany && index > 0) return 'the input takes one wire'
  // What a kind that we do not know gives cannot be judged.
  const giver = kinds.get(from.kind)
  if (giver === undefined || from.kind === COMPONENT) return null
  const output = outputPort(doc, kinds, end)
  if (output === undefined) return namesPorts(giver) ? null : `\`${endText(end)}\` is not an output`
  return fits(output.type, port.type) ? null : `${aType(output.type)} cannot go in where ${aType(port.type)} is taken`
}
