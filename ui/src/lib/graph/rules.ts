// Which wires may be drawn, and in plain words why others may not.

import type { PipelineDoc, PortType, PortView } from '../../host/bindings'
import { endText, pathBetween, stepOf, type End, type Wire } from './doc'
import { aType, inputPort, kindOf, outputPort, type Kinds } from './kinds'

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

/** Every output that could feed an input, allowed ones first, in the order of the file. */
export function sourcesFor(doc: PipelineDoc, kinds: Kinds, to: End): Candidate[] {
  const all = doc.steps.flatMap((step) =>
    (kinds.get(step.kind)?.outputs ?? []).map((port) => {
      const end = { step: step.id, port: port.name }
      return { end, verdict: judge(doc, kinds, { from: end, to }) }
    }),
  )
  return all.filter((candidate) => candidate.verdict.isAllowed)
}

/** Every input that an output could feed, in the order of the file. */
export function targetsFor(doc: PipelineDoc, kinds: Kinds, from: End): Candidate[] {
  const all = doc.steps.flatMap((step) =>
    (kinds.get(step.kind)?.inputs ?? []).map((port) => {
      const end = { step: step.id, port: port.name }
      return { end, verdict: judge(doc, kinds, { from, to: end }) }
    }),
  )
  return all.filter((candidate) => candidate.verdict.isAllowed)
}

/** The ports a step kind would be spliced in by; null if it cannot pass the wire on. */
export function spliceThrough(kinds: Kinds, kind: string, type: PortType): { input: string; output: string } | null {
  const found = kinds.get(kind)
  const input = found?.inputs.find((port) => fits(type, port.type))
  const output = found?.outputs.find((port) => fits(port.type, type))
  return input === undefined || output === undefined ? null : { input: input.name, output: output.name }
}
