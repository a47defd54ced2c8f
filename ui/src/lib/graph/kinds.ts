// The step kinds by name, and what their ports say.

import type { PortType, PortView, StepDoc, StepKindView } from '../../host/bindings'
import type { PipelineDoc } from '../../host/bindings'
import { stepOf, type End } from './doc'
import { withOwnPorts } from './ports'

/** The step kinds by name, in the order of the palette. */
export type Kinds = ReadonlyMap<string, StepKindView>

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
  const found = stepOf(doc, step)
  return found === undefined ? undefined : kindFor(kinds, found)
}

/** The declaration of a step, with the ports that its parameters name. */
export function kindFor(kinds: Kinds, step: StepDoc): StepKindView | undefined {
  const kind = kinds.get(step.kind)
  return kind === undefined ? undefined : withOwnPorts(kind, step)
}

/** The name of a step for people: its kind's title, with the id where that says more. */
export function stepTitle(kinds: Kinds, step: StepDoc): string {
  return kinds.get(step.kind)?.title ?? step.kind
}

/** A port type with its article, for sentences. */
export function aType(type: PortType): string {
  if (type === 'table' || type === 'model' || type === 'report') return `a ${type}`
  return type
}
