// What a pipeline declares for those that use it as a step: inputs that lead to ports of its own steps,
// and outputs that come from some.

import type { PipelineDoc, PortType, Problem } from '../../host/bindings'
import { endText, parseEnd, type End } from './doc'
import { uniqueId } from './ids'
import { inputPort, kindOf, outputPort, type Kinds } from './kinds'
import { done, refused, type Outcome } from './wiring'

/** Which of them. */
export type DeclaredSide = 'input' | 'output'

/** One that is declared; without a type where it leads nowhere. */
export type Declared = { side: DeclaredSide; name: string; ends: string[]; type: PortType | null }

/** An end that could be declared. */
export type OpenEnd = { end: End; type: PortType }

/** What is declared, inputs first. */
export function declaredOf(doc: PipelineDoc, kinds: Kinds): Declared[] {
  const typeOf = (text: string | undefined, side: DeclaredSide): PortType | null => {
    const end = parseEnd(text ?? '')
    return end === null ? null : ((side === 'input' ? inputPort : outputPort)(doc, kinds, end)?.type ?? null)
  }
  return [
    ...(doc.inputs ?? []).map(({ name, to }): Declared => ({ side: 'input', name, ends: to, type: typeOf(to[0], 'input') })),
    ...(doc.outputs ?? []).map(({ name, from }): Declared => ({ side: 'output', name, ends: [from], type: typeOf(from, 'output') })),
  ]
}

/** Inputs that nothing feeds yet, or outputs: what is declared already is left out. */
export function openEnds(doc: PipelineDoc, kinds: Kinds, side: DeclaredSide): OpenEnd[] {
  const known = new Set(declaredOf(doc, kinds).flatMap((one) => (one.side === side ? one.ends : [])))
  return doc.steps.flatMap((step) => {
    const ports = kindOf(doc, kinds, step.id)?.[side === 'input' ? 'inputs' : 'outputs'] ?? []
    const open = ports.filter((port) => side === 'output' || port.isMany || (step.inputs[port.name] ?? []).length === 0)
    return open.map(({ name, type }) => ({ end: { step: step.id, port: name }, type })).filter(({ end }) => !known.has(endText(end)))
  })
}

/** Declares an end under the name of its port, or one like it that is free. */
export function declare(doc: PipelineDoc, side: DeclaredSide, end: End): Outcome {
  const at = endText(end)
  const label = `Declare the ${side} ${at}`
  if (side === 'input') {
    const inputs = doc.inputs ?? []
    return done(label, { ...doc, inputs: [...inputs, { name: uniqueId(end.port, new Set(inputs.map(({ name }) => name))), to: [at] }] })
  }
  const outputs = doc.outputs ?? []
  return done(label, { ...doc, outputs: [...outputs, { name: uniqueId(end.port, new Set(outputs.map(({ name }) => name))), from: at }] })
}

/** Declares it no longer. */
export function undeclare(doc: PipelineDoc, side: DeclaredSide, name: string): Outcome {
  const left = side === 'input' ? { inputs: doc.inputs?.filter((input) => input.name !== name) ?? [] } : { outputs: doc.outputs?.filter((output) => output.name !== name) ?? [] }
  return done(`Declare the ${side} ${name} no longer`, { ...doc, ...left })
}

/** Gives it another name. Pipelines that use it by the old one have to follow. */
export function renameDeclared(doc: PipelineDoc, side: DeclaredSide, from: string, to: string): Outcome {
  const others = (side === 'input' ? doc.inputs : doc.outputs) ?? []
  if (!/^[a-z][a-z0-9_]{0,59}$/.test(to)) return refused('the name of a port starts with a small letter and holds only a to z, 0 to 9 and _')
  if (to !== from && others.some(({ name }) => name === to)) return refused(`another ${side} is already called \`${to}\``)
  const renamed = <T extends { name: string }>(list: readonly T[] | undefined): T[] => (list ?? []).map((one) => (one.name === from ? { ...one, name: to } : one))
  return done(`Rename the ${side} ${from} to ${to}`, { ...doc, ...(side === 'input' ? { inputs: renamed(doc.inputs) } : { outputs: renamed(doc.outputs) }) })
}

/** True for an input that nothing feeds here because whoever uses this pipeline does. */
export function isAwaited(doc: PipelineDoc, { step, port }: Problem): boolean {
  if (step === null || port === null) return false
  const isWired = (doc.steps.find((one) => one.id === step)?.inputs[port] ?? []).length > 0
  return !isWired && (doc.inputs ?? []).some(({ to }) => to.includes(endText({ step, port })))
}

/** The problems, where what is awaited is none: it only keeps the pipeline from running by itself. */
export function withAwaited(doc: PipelineDoc, problems: readonly Problem[]): Problem[] {
  return problems.map((problem) =>
    isAwaited(doc, problem) ? { ...problem, isWarning: true, message: `\`${problem.step}.${problem.port}\` is fed by the pipeline that uses this one`, hint: 'run that one', fixes: [] } : problem,
  )
}
