// What became of a pipeline between two versions, in words: for the canvas and for a list.

import type { JsonValue, PipelineDoc, StepDoc, StepKindView } from '../../host/bindings'
import { isSame, isSameStep, wireId, wiresOf, type Wire } from './doc'
import { stepTitle, type Kinds } from './kinds'
import { isRecord } from './json'
import { limitsOf, limitWords } from './limits'
import { show } from './schema'

/** What became of a step. `moved` says that it only stands elsewhere. */
export type Fate = 'added' | 'removed' | 'changed' | 'moved'

/** A step that is not as it was. */
export type StepChange = { id: string; title: string; fate: Fate; words: string[] }

/** The difference of two versions. */
export type Comparison = {
  /** By id, in the order of the new version; those that went come last. */
  steps: ReadonlyMap<string, StepChange>
  /** Steps as they were that are no longer there. */
  gone: StepDoc[]
  /** Names of wires that are new. */
  newWires: ReadonlySet<string>
  /** Wires that are no longer there. */
  goneWires: Wire[]
}

/** Longest value written out; a longer one is cut. */
const MOST_LETTERS = 60

/** What it takes to get from one version to the other. */
export function compareDocs(before: PipelineDoc, after: PipelineDoc, kinds: Kinds): Comparison {
  const old = new Map(before.steps.map((step) => [step.id, step]))
  const now = new Set(after.steps.map((step) => step.id))
  const gone = before.steps.filter((step) => !now.has(step.id))
  const names = renamed(gone, after.steps.filter((step) => !old.has(step.id)))
  const changes = after.steps.flatMap((step): StepChange[] => {
    const name = names.get(step.id)
    const was = old.get(name ?? step.id)
    const change = (fate: Fate, words: string[]): StepChange => ({ id: step.id, title: stepTitle(kinds, step), fate, words })
    if (was === undefined) return [change('added', ['new'])]
    if (isSameStep(was, step)) return []
    const words = [...(name === undefined ? [] : [`was called ${name}`]), ...changesOf(was, step, kinds)]
    return [words.length > 0 ? change('changed', words) : change('moved', ['stands elsewhere'])]
  })
  const renamedFrom = new Set(names.values())
  const left = gone.filter((step) => !renamedFrom.has(step.id))
  const removed = left.map((step): StepChange => ({ id: step.id, title: stepTitle(kinds, step), fate: 'removed', words: ['no longer there'] }))
  const oldWires = new Set(wiresOf(before).map(wireId))
  const nowWires = new Set(wiresOf(after).map(wireId))
  return {
    steps: new Map([...changes, ...removed].map((change) => [change.id, change])),
    gone: left,
    newWires: new Set([...nowWires].filter((id) => !oldWires.has(id))),
    goneWires: wiresOf(before).filter((wire) => !nowWires.has(wireId(wire))),
  }
}

/** What was changed in a step: kind, parameters, wires. Its place does not count. */
export function changesOf(before: StepDoc, after: StepDoc, kinds: Kinds): string[] {
  const words: string[] = []
  if ((before.skip === true) !== (after.skip === true)) words.push(after.skip === true ? 'skipped' : 'taken in again')
  if (before.kind !== after.kind) words.push(`kind: ${before.kind} → ${after.kind}`)
  const kind = kinds.get(after.kind)
  for (const name of new Set([...Object.keys(before.params), ...Object.keys(after.params)])) {
    const [from, to] = [before.params[name], after.params[name]]
    if (isSame(from ?? null, to ?? null)) continue
    words.push(`${name}: ${valueWords(from, kind, name)} → ${valueWords(to, kind, name)}`)
  }
  for (const port of new Set([...Object.keys(before.inputs), ...Object.keys(after.inputs)])) {
    const [from, to] = [before.inputs[port] ?? [], after.inputs[port] ?? []]
    if (isSame(from, to)) continue
    words.push(`${port} from ${to.join(', ') || 'nothing'}, was ${from.join(', ') || 'nothing'}`)
  }
  const [was, is] = [limitWords(limitsOf(before)), limitWords(limitsOf(after))].map((list) => list.join(', ') || 'none')
  if (was !== is) words.push(`limits: ${was} → ${is}`)
  return words
}

function valueWords(value: JsonValue | undefined, kind: StepKindView | undefined, name: string): string {
  if (value !== undefined && value !== null) return cut(show(value) || 'empty')
  const defaults = kind?.defaults
  const fallback = isRecord(defaults) ? show(defaults[name]) : ''
  return fallback === '' ? 'not set' : `${cut(fallback)} (default)`
}

function cut(text: string): string {
  return text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS - 1)}…` : text
}

// A step of the same kind and parameters at the same place has only another name.
function renamed(gone: readonly StepDoc[], come: readonly StepDoc[]): Map<string, string> {
  const names = new Map<string, string>()
  for (const step of come) {
    const was = gone.find((old) => old.kind === step.kind && isSame(old.position, step.position) && isSame(old.params, step.params))
    if (was !== undefined && ![...names.values()].includes(was.id)) names.set(step.id, was.id)
  }
  return names
}

/** `1 added, 2 changed`; what only stands elsewhere comes last. */
export function comparisonLine({ steps, newWires, goneWires }: Comparison): string {
  const count = (fate: Fate): number => [...steps.values()].filter((change) => change.fate === fate).length
  const parts = (['added', 'removed', 'changed', 'moved'] as const).flatMap((fate) => (count(fate) === 0 ? [] : [`${count(fate)} ${fate}`]))
  const wires = newWires.size + goneWires.length
  if (wires > 0) parts.push(`${wires} ${wires === 1 ? 'wire' : 'wires'}`)
  return parts.length === 0 ? 'No difference' : parts.join(', ')
}
