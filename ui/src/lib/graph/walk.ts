// Finds steps: along the wires of one, by what is typed, and what it could be wired to.

import type { PipelineDoc, PortType } from '../../host/bindings'
import { rank } from '../fuzzy'
import { endText, predecessorsOf, stepOf, successorsOf, wireId, wiresFrom, wiresInto, type Wire } from './doc'
import type { Face } from './faces'
import { kindOf, outputPort, stepTitle, type Kinds } from './kinds'
import { sourcesFor, targetsFor } from './rules'
import { show } from './schema'
import { withoutWires } from './wiring'

/** The steps that one feeds or is fed by, the one at its own height first. */
export function stepsAlong(doc: PipelineDoc, id: string, side: 'before' | 'after'): string[] {
  const y = (step: string): number => stepOf(doc, step)?.position[1] ?? 0
  const next = (side === 'after' ? successorsOf(doc) : predecessorsOf(doc)).get(id) ?? []
  return [...next].sort((a, b) => Math.abs(y(a) - y(id)) - Math.abs(y(b) - y(id)))
}

/** An entry of a list to choose from. */
export type Choice = { id: string; label: string; detail: string; type: PortType | null }

/** A wire that could be drawn, or one that is there. */
export type WireChoice = Choice & { wire: Wire }

/** A wire that is there, and where an end of it could go instead. */
export type MoveChoice = WireChoice & { next: Wire }

/** Steps that answer to what is typed: by title, id, state and parameters. */
export function findSteps(doc: PipelineDoc, kinds: Kinds, faces: ReadonlyMap<string, Face>, text: string): Choice[] {
  const all = doc.steps.map((step) => {
    const title = stepTitle(kinds, step)
    const face = faces.get(step.id)
    const params = Object.entries(step.params).map(([name, value]) => `${name} ${show(value)}`)
    const choice: Choice = { id: step.id, label: step.id, detail: face === undefined ? title : `${title} · ${face.word}`, type: null }
    return { choice, words: [`${step.id} ${title}`, `${face?.word ?? ''} ${params.join(' ')}`] as const }
  })
  if (text.trim() === '') return all.map(({ choice }) => choice)
  const named = rank(text, all, ({ words }) => words[0])
  // What stands in parameters is matched as it is typed: letters in order would be found anywhere.
  const needle = text.trim().toLowerCase()
  const others = all.filter((one) => !named.includes(one) && one.words[1].toLowerCase().includes(needle))
  return [...named, ...others].map(({ choice }) => choice)
}

/** Every wire that could be drawn to or from a step: out of it first. */
export function wiresFor(doc: PipelineDoc, kinds: Kinds, id: string): WireChoice[] {
  const kind = kindOf(doc, kinds, id)
  const out = (kind?.outputs ?? []).flatMap((port) => {
    const from = { step: id, port: port.name }
    return targetsFor(doc, kinds, from).map(({ end, verdict }) => {
      const replaced = verdict.isAllowed && verdict.replaces !== null ? `, replaces ${verdict.replaces}` : ''
      return choiceOf({ from, to: end }, `${port.name} → ${endText(end)}`, `${port.type}${replaced}`, port.type)
    })
  })
  const into = (kind?.inputs ?? []).flatMap((port) => {
    const to = { step: id, port: port.name }
    return sourcesFor(doc, kinds, to).map(({ end, verdict }) => {
      const replaced = verdict.isAllowed && verdict.replaces !== null ? `, replaces ${verdict.replaces}` : ''
      return choiceOf({ from: end, to }, `${endText(end)} → ${port.name}`, `${port.type}${replaced}`, port.type)
    })
  })
  return [...out, ...into]
}

/** The wires of a step, to take one away. */
export function wiresAt(doc: PipelineDoc, kinds: Kinds, id: string): WireChoice[] {
  const step = stepOf(doc, id)
  const all = [...wiresFrom(doc, id), ...(step === undefined ? [] : wiresInto(step))]
  return all.map((wire) => {
    const type = outputPort(doc, kinds, wire.from)?.type ?? 'files'
    return choiceOf(wire, `${endText(wire.from)} → ${endText(wire.to)}`, type, type)
  })
}

/** Every other port that the far end of a step's wires could go to. */
export function movesAt(doc: PipelineDoc, kinds: Kinds, id: string): MoveChoice[] {
  return wiresAt(doc, kinds, id).flatMap(({ wire }) => movesOf(doc, kinds, wire, wire.from.step === id ? 'to' : 'from'))
}

/** Every other port that one end of a wire could go to. */
export function movesOf(doc: PipelineDoc, kinds: Kinds, wire: Wire, side: 'from' | 'to'): MoveChoice[] {
  const base = withoutWires(doc, [wire])
  const candidates = side === 'to' ? targetsFor(base, kinds, wire.from) : sourcesFor(base, kinds, wire.to)
  const type = outputPort(doc, kinds, wire.from)?.type ?? 'files'
  return candidates.flatMap(({ end, verdict }): MoveChoice[] => {
    if (end.step === wire[side].step && end.port === wire[side].port) return []
    const next = { ...wire, [side]: end }
    const replaced = verdict.isAllowed && verdict.replaces !== null ? `, replaces ${verdict.replaces}` : ''
    const label = side === 'to' ? `${endText(wire.from)} → ${endText(end)}, not ${endText(wire.to)}` : `${endText(end)}, not ${endText(wire.from)} → ${endText(wire.to)}`
    return [{ ...choiceOf(wire, label, `${type}${replaced}`, type), id: `${wireId(wire)} ${wireId(next)}`, next }]
  })
}

function choiceOf(wire: Wire, label: string, detail: string, type: PortType): WireChoice {
  return { id: wireId(wire), label, detail, type, wire }
}
