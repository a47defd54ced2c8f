// Which wires may be drawn, and in plain words why others may not.

import type { PipelineDoc, PortType, PortView, StepKindView } from '../../host/bindings'
import { downstreamOf, endText, pathBetween, stepOf, upstreamOf, type End, type Wire } from './doc'
import { aType, inputPort, kindOf, kindFor, outputPort, type Kinds } from './kinds'

/** Whether a wire may be drawn. `replaces` is what it pushes off a port that takes one wire. */
export type Verdict = { isAllowed: true; replaces: string | null } | { isAllowed: false; reason: string }

/** Judges a wire before it is drawn. */
export function judge(doc: PipelineDoc, kinds: Kinds, wire: Wire): Verdict {
  const output = outputPort(doc, kinds, wire.from)
  const input = inputPort(doc, kinds, wire.to)
  if (output === undefined) return refuse(`\`${endText(wire.from)}\` is not an output`)
  if (input === undefined) return refuse(`\`${endText(wire.to)}\` is not an input`)
  if (wire.from.step === wire.to.step) return refuse('a step cannot feed itself')
  if (!fits(output.type, input.type)) {
    return refuse(`this is ${aType(output.type)}, and \`${input.name}\` takes ${aType(input.type)}`)
  }
  const sources = stepOf(doc, wire.to.step)?.inputs[wire.to.port] ?? []
  if (sources.includes(endText(wire.from))) return refuse('these two are connected already')
  const path = pathBetween(doc, wire.to.step, wire.from.step)
  if (path !== null) return refuse(`that would be a circle: ${nameCircle(path)}`)
  return { isAllowed: true, replaces: input.isMany ? null : (sources[0] ?? null) }
}

/** True if what flows out may flow in. */
export function fits(output: PortType, input: PortType): boolean {
  return output === input
}

function refuse(reason: string): Verdict {
  return { isAllowed: false, reason }
}

// A circle of forty steps is named by its ends: nobody reads the middle.
function nameCircle(path: string[]): string {
  const short = path.length > 6 ? [...path.slice(0, 3), '…', ...path.slice(-2)] : path
  return `${short.join(', ')}, then ${path[0] ?? ''} again`
}

/** The input of a step that a wire from `from` should go to: a free one first, then one it may replace. */
export function bestInput(doc: PipelineDoc, kinds: Kinds, from: End, step: string): PortView | null {
  const allowed = (kindOf(doc, kinds, step)?.inputs ?? []).flatMap((port) => {
    const verdict = judge(doc, kinds, { from, to: { step, port: port.name } })
    return verdict.isAllowed ? [{ port, isFree: verdict.replaces === null }] : []
  })
  return (allowed.find((candidate) => candidate.isFree) ?? allowed[0])?.port ?? null
}

/** The output of a step that should feed the input `to`. */
export function bestOutput(doc: PipelineDoc, kinds: Kinds, step: string, to: End): PortView | null {
  const outputs = kindOf(doc, kinds, step)?.outputs ?? []
  return outputs.find((port) => judge(doc, kinds, { from: { step, port: port.name }, to }).isAllowed) ?? null
}

/** A port that could be at the other end, with the verdict. */
export interface Candidate {
  end: End
  verdict: Verdict
}

/** Every output that could feed an input, in the order of the file. The same as judging each, but what
 *  comes after the step is found once: among a thousand steps that is a second less. */
export function sourcesFor(doc: PipelineDoc, kinds: Kinds, to: End): Candidate[] {
  const input = inputPort(doc, kinds, to)
  const sources = stepOf(doc, to.step)?.inputs[to.port] ?? []
  if (input === undefined) return []
  const after = downstreamOf(doc, [to.step])
  const replaces = input.isMany ? null : (sources[0] ?? null)
  return doc.steps.flatMap((step) => {
    if (step.id === to.step || after.has(step.id)) return []
    return (kindFor(kinds, step)?.outputs ?? []).flatMap((port): Candidate[] => {
      const end = { step: step.id, port: port.name }
      const isOpen = fits(port.type, input.type) && !sources.includes(endText(end))
      return isOpen ? [{ end, verdict: { isAllowed: true, replaces } }] : []
    })
  })
}

/** Every input that an output could feed, in the order of the file. */
export function targetsFor(doc: PipelineDoc, kinds: Kinds, from: End): Candidate[] {
  const output = outputPort(doc, kinds, from)
  if (output === undefined) return []
  const before = upstreamOf(doc, [from.step])
  return doc.steps.flatMap((step) => {
    if (step.id === from.step || before.has(step.id)) return []
    return (kindFor(kinds, step)?.inputs ?? []).flatMap((port): Candidate[] => {
      const sources = step.inputs[port.name] ?? []
      const isOpen = fits(output.type, port.type) && !sources.includes(endText(from))
      const replaces = port.isMany ? null : (sources[0] ?? null)
      return isOpen ? [{ end: { step: step.id, port: port.name }, verdict: { isAllowed: true, replaces } }] : []
    })
  })
}

/** The candidates that stand nearest to a step, nearest first; those on the wrong side of it count as farther. */
export function nearestOf(doc: PipelineDoc, candidates: readonly Candidate[], step: string, most: number): Candidate[] {
  const places = new Map(doc.steps.map(({ id, position }) => [id, position]))
  const [x, y] = places.get(step) ?? [0, 0]
  const cost = ({ end }: Candidate): number => {
    const [atX, atY] = places.get(end.step) ?? [0, 0]
    return (atX > x ? 3 : 1) * Math.abs(x - atX) + 2 * Math.abs(y - atY)
  }
  return candidates
    .map((candidate) => ({ candidate, cost: cost(candidate) }))
    .sort((a, b) => a.cost - b.cost)
    .slice(0, most)
    .map(({ candidate }) => candidate)
}

/** The ports a step of that kind would be spliced in by; null if it cannot pass the wire on. */
export function spliceThrough(kind: StepKindView | undefined, type: PortType): { input: string; output: string } | null {
  const input = kind?.inputs.find((port) => fits(type, port.type))
  const output = kind?.outputs.find((port) => fits(port.type, type))
  return input === undefined || output === undefined ? null : { input: input.name, output: output.name }
}
