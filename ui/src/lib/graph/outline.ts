// The pipeline as a list: one row a step, in the order they run, with what comes in and goes out.

import type { PipelineDoc, PortType } from '../../host/bindings'
import { endText, topological, wiresOf, type End } from './doc'
import { kindFor, stepTitle, type Kinds } from './kinds'
import { stepOf } from './doc'

/** An input of a row. */
export interface InputRow {
  port: string
  type: PortType
  sources: string[]
  /** True if the step cannot run before something is connected here. */
  isMissing: boolean
}

/** An output of a row. */
export interface OutputRow {
  port: string
  type: PortType
  targets: string[]
}

/** A step in the list. */
export interface Row {
  id: string
  kind: string
  title: string
  category: string
  /** How deep in the graph: steps before it on the longest way. */
  depth: number
  inputs: InputRow[]
  outputs: OutputRow[]
}

/** The rows of the outline, in the order the steps run. */
export function rowsOf(doc: PipelineDoc, kinds: Kinds): Row[] {
  const depth = new Map<string, number>()
  const steps = new Map(doc.steps.map((step) => [step.id, step]))
  const outgoing = targetsByOutput(doc)
  return topological(doc).flatMap((id) => {
    const step = steps.get(id)
    if (step === undefined) return []
    const kind = kindFor(kinds, step)
    const before = Object.values(step.inputs)
      .flat()
      .map((source) => source.split('.')[0] ?? '')
    depth.set(id, Math.max(0, ...before.map((source) => (depth.get(source) ?? -1) + 1)))
    return [
      {
        id,
        kind: step.kind,
        title: stepTitle(kinds, step),
        category: kind?.category ?? '',
        depth: depth.get(id) ?? 0,
        inputs: (kind?.inputs ?? []).map((port) => {
          const sources = step.inputs[port.name] ?? []
          return { port: port.name, type: port.type, sources, isMissing: !port.isOptional && sources.length === 0 }
        }),
        outputs: (kind?.outputs ?? []).map((port) => ({
          port: port.name,
          type: port.type,
          targets: outgoing.get(endText({ step: id, port: port.name })) ?? [],
        })),
      },
    ]
  })
}

function targetsByOutput(doc: PipelineDoc): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const wire of wiresOf(doc)) {
    const from = endText(wire.from)
    const targets = found.get(from)
    if (targets === undefined) found.set(from, [endText(wire.to)])
    else targets.push(endText(wire.to))
  }
  return found
}

const INDENT_PX = 8
const DEEPEST = 6

/** How far a row is set in: enough to see the order, never so much that the name has no room. */
export function indent(depth: number): number {
  return Math.min(depth, DEEPEST) * INDENT_PX
}

/** What comes in at a port, in words. */
export function inputWords(input: InputRow): string {
  if (input.isMissing) return `${input.port} is missing`
  return input.sources.length === 0 ? `${input.port}: none` : input.sources.join(', ')
}

/** The columns that come in at a step's main table, looked up by the source's name. */
export function tableSource(doc: PipelineDoc, kinds: Kinds, id: string): End | null {
  const step = stepOf(doc, id)
  const port = kindFor(kinds, step)?.inputs.find((input) => input.type === 'table')
  const source = port === undefined ? undefined : step?.inputs[port.name]?.[0]
  const dot = source?.indexOf('.') ?? -1
  return source === undefined || dot < 0 ? null : { step: source.slice(0, dot), port: source.slice(dot + 1) }
}
