// The step kinds by name, and what their ports say.

import type { PortType, PortView, StepDoc, StepKindView, StepPorts } from '../../host/bindings'
import type { PipelineDoc } from '../../host/bindings'
import { stepOf, type End } from './doc'
import { COMPONENT } from './parts'
import { withOwnPorts } from './ports'

/** The step kinds by name, in the order of the palette, with the ports of steps that name their own. */
export type Kinds = ReadonlyMap<string, StepKindView> & { readonly own?: OwnPorts }

/** The ports that steps name by their parameters, by step, and what their kinds are with them. */
type OwnPorts = { readonly ports: { readonly [step in string]: StepPorts }; readonly kinds: Map<string, StepKindView> }

/** Categories in the order of the main job, with their names for people. */
export const CATEGORIES: readonly { id: string; title: string }[] = [
  { id: 'data', title: 'Data' },
  { id: 'clean', title: 'Clean' },
  { id: 'prepare', title: 'Prepare' },
  { id: 'train', title: 'Train' },
  { id: 'evaluate', title: 'Evaluate' },
  { id: 'release', title: 'Release' },
  { id: 'code', title: 'Your own code' },
]

/** Where a category stands in the main job; one nobody knows comes last. */
export function categoryRank(category: string): number {
  const index = CATEGORIES.findIndex((known) => known.id === category)
  return index < 0 ? CATEGORIES.length : index
}

/** Indexes kinds by name. */
export function indexKinds(kinds: readonly StepKindView[]): Kinds {
  const sorted = [...kinds].sort((a, b) => categoryRank(a.category) - categoryRank(b.category))
  return new Map(sorted.map((kind) => [kind.kind, kind]))
}

/** The kinds with the ports that steps name by their parameters. */
export function withToldPorts(kinds: Kinds, ports: OwnPorts['ports']): Kinds {
  return Object.keys(ports).length === 0 ? kinds : Object.assign(new Map(kinds), { own: { ports, kinds: new Map() } })
}

/** The declaration of an input of a step. */
export function inputPort(doc: PipelineDoc, kinds: Kinds, end: End): PortView | undefined {
  return kindOf(doc, kinds, end.step)?.inputs.find((port) => port.name === end.port)
}

/** The declaration of an output of a step. */
export function outputPort(doc: PipelineDoc, kinds: Kinds, end: End): PortView | undefined {
  return kindOf(doc, kinds, end.step)?.outputs.find((port) => port.name === end.port)
}

/** The kind of a step of the document. */
export function kindOf(doc: PipelineDoc, kinds: Kinds, step: string): StepKindView | undefined {
  return kindFor(kinds, stepOf(doc, step))
}

/** The declaration of a step, with the ports that its parameters name. Those of a component only the backend knows. */
export function kindFor(kinds: Kinds, step: StepDoc | undefined): StepKindView | undefined {
  const kind = step === undefined ? undefined : kinds.get(step.kind)
  if (step === undefined || kind === undefined) return undefined
  if (step.kind !== COMPONENT) return withOwnPorts(kind, step)
  const ports = kinds.own?.ports[step.id]
  const known = kinds.own?.kinds.get(step.id)
  if (known !== undefined || ports === undefined) return known ?? kind
  const made = { ...kind, ...ports }
  kinds.own?.kinds.set(step.id, made)
  return made
}

/** The name of a step for people: its kind's title, for a component the pipeline that it stands for. */
export function stepTitle(kinds: Kinds, step: StepDoc): string {
  const { pipeline } = step.params
  if (step.kind === COMPONENT && typeof pipeline === 'string' && pipeline !== '') return pipeline
  return kinds.get(step.kind)?.title ?? step.kind
}

/** A port type with its article, for sentences. */
export function aType(type: PortType): string {
  if (type === 'table' || type === 'model' || type === 'report') return `a ${type}`
  return type
}
