// Components: steps made into one step, whose pipeline is a file of its own, and one made into steps
// again. What runs is the same before and after.

import type { InputDoc, JsonValue, OutputDoc, PipelineDoc, PortView, StepDoc, StepPorts } from '../../host/bindings'
import { downstreamOf, endText, parseEnd, stepOf, upstreamOf, wiresInto, type End } from './doc'
import { stepsIn } from './frames'
import { boxAround, snap, STEP_WIDTH, type Place } from './geometry'
import { idsOf, uniqueId } from './ids'
import { isRecord } from './json'
import { inputPort, kindOf, outputPort, type Kinds } from './kinds'
import { COMPONENT, within } from './parts'
import { framesOf, withFrames, type Frame } from './sheet'
import { mainOutput } from './commands'
import { done, refused, withSourcesMapped, type Outcome } from './wiring'

/** Longest id of a step within a component as a run names it; the backend takes no more. */
const MAX_WITHIN = 60

/** Steps that became one: the pipeline they are now in, and the change here. */
export type Collapsed = { part: PipelineDoc; outcome: Outcome }

/** The pipeline that a component stands for; null for any other step, and where none is chosen. */
export function pipelineOf(step: StepDoc | undefined): string | null {
  const name = step?.kind === COMPONENT ? step.params.pipeline : null
  return typeof name === 'string' && name !== '' ? name : null
}

/** The kinds, where the palettes offer these pipelines as components. */
export function withParts(kinds: Kinds, names: readonly string[]): Kinds {
  const component = kinds.get(COMPONENT)
  if (component === undefined || names.length === 0) return kinds
  const presets = names.map((name) => ({ name, title: name, summary: `The steps of the pipeline ${name}, as one.`, params: { pipeline: name } }))
  return new Map([...kinds, [COMPONENT, { ...component, presets }]])
}

/** The ports of a component as its pipeline declares them. Those of components within it nobody knows here. */
export function portsOfPart(part: PipelineDoc, kinds: Kinds): StepPorts {
  const plain: Kinds = new Map(kinds)
  const like = (name: string, text: string | undefined, find: typeof inputPort): PortView[] => {
    const end = parseEnd(text ?? '')
    const port = end === null ? undefined : find(part, plain, end)
    return port === undefined ? [] : [{ ...port, name }]
  }
  return {
    inputs: (part.inputs ?? []).flatMap(({ name, to }) => like(name, to[0], inputPort)),
    outputs: (part.outputs ?? []).flatMap(({ name, from }) => like(name, from, outputPort)),
  }
}

/** What keeps steps from becoming one; null if nothing does. */
export function collapseProblem(doc: PipelineDoc, ids: readonly string[]): string | null {
  const inside = ids.filter((id) => stepOf(doc, id) !== undefined)
  if (inside.length === 0) return 'no step is selected'
  const before = upstreamOf(doc, inside)
  const round = [...downstreamOf(doc, inside)].find((id) => before.has(id))
  return round === undefined ? null : `\`${round}\` comes after some of these steps and before others: select it too`
}

/** What keeps a name from being that of a new pipeline; null if nothing does. */
export function nameProblem(name: string, taken: readonly string[]): string | null {
  if (name === '') return 'It needs a name.'
  if (taken.includes(name)) return 'A pipeline of this name is there already.'
  return /^[a-z0-9][a-z0-9_-]{0,59}$/.test(name) ? null : 'Small letters, digits, `-` and `_`, at most 60.'
}

/** Makes steps one step, which stands where the first of them stood. */
export function collapse(doc: PipelineDoc, kinds: Kinds, ids: readonly string[], name: string): Collapsed | { part: null; outcome: Outcome } {
  const problem = collapseProblem(doc, ids)
  if (problem !== null) return { part: null, outcome: refused(problem) }
  const inside = new Set(ids)
  const own = doc.steps.filter((step) => inside.has(step.id))
  // A run names its steps by both ids, for which there is so much room.
  const room = MAX_WITHIN - within('', '').length - Math.max(...own.map((step) => step.id.length))
  const id = uniqueId(name.slice(0, Math.max(1, room)), idsOf({ ...doc, steps: doc.steps.filter((step) => !inside.has(step.id)) }))
  const long = own.find((step) => within(id, step.id).length > MAX_WITHIN)
  if (long !== undefined) return { part: null, outcome: refused(`\`${within(id, long.id)}\` would be too long an id in a run: rename the step first`) }
  const inputs = entrances(doc, kinds, own, inside)
  const outputs = exits(doc, kinds, own, inside)
  if (outputs.length === 0) return { part: null, outcome: refused('nothing comes out of these steps that another could take') }

  const box = boxAround(own.map((step) => step.position)) ?? { x: 0, y: 0, width: 0, height: 0 }
  const moved = ([x, y]: Place): Place => [x - box.x, y - box.y]
  const frames = framesOf(doc).filter((frame) => isWithin(doc, frame, inside))
  const part: PipelineDoc = withFrames(
    {
      name,
      steps: own.map((step) => ({ ...withSourcesMapped(step, (end) => (inside.has(end.step) ? end : null)), position: moved(step.position) })),
      ...(inputs.length === 0 ? {} : { inputs: inputs.map(({ name: port, to }) => ({ name: port, to })) }),
      outputs: outputs.map(({ name: port, from }) => ({ name: port, from })),
    },
    frames.map((frame) => ({ ...frame, box: [frame.box[0] - box.x, frame.box[1] - box.y, frame.box[2], frame.box[3]] })),
  )
  const fed = inputs.filter(({ sources }) => sources.length > 0).map(({ name: port, sources }): [string, string[]] => [port, sources])
  const one: StepDoc = { id, kind: COMPONENT, position: snap([box.x, box.y]), params: { pipeline: name }, inputs: Object.fromEntries(fed) }
  const given = new Map(outputs.map((output) => [output.from, endText({ step: id, port: output.name })]))
  const taken = new Map(inputs.flatMap((input) => input.to.map((to): [string, string] => [to, endText({ step: id, port: input.name })])))
  const left = doc.steps.flatMap((step) => (step === own[0] ? [one] : inside.has(step.id) ? [] : [step]))
  const steps = left.map((step) => withSourcesMapped(step, (end) => parseEnd(given.get(endText(end)) ?? endText(end))))
  const ported = {
    ...(doc.inputs === undefined ? {} : { inputs: doc.inputs.map((input) => ({ ...input, to: [...new Set(input.to.map((to) => taken.get(to) ?? to))] })) }),
    ...(doc.outputs === undefined ? {} : { outputs: doc.outputs.map((output) => ({ ...output, from: given.get(output.from) ?? output.from })) }),
  }
  const whole = withFrames({ ...doc, ...ported, steps }, framesOf(doc).filter((frame) => !frames.includes(frame)))
  const label = own.length === 1 ? `Make ${own[0]?.id ?? ''} the component ${name}` : `Make ${own.length} steps the component ${name}`
  return { part, outcome: done(label, whole, [id]) }
}

const isWithin = (doc: PipelineDoc, frame: Frame, inside: ReadonlySet<string>): boolean => {
  const steps = stepsIn(doc, frame)
  return steps.length > 0 && steps.every((id) => inside.has(id))
}

// One input for each table, model, … that comes in, whatever number of steps it goes to; a port that
// takes several wires keeps them in their order and is an input by itself.
function entrances(doc: PipelineDoc, kinds: Kinds, own: readonly StepDoc[], inside: ReadonlySet<string>): (InputDoc & { sources: string[] })[] {
  const groups = new Map<string, { port: string; to: string[]; sources: string[] }>()
  const add = (key: string, port: string, to: string, sources: string[]): void => {
    const group = groups.get(key) ?? { port, to: [], sources }
    groups.set(key, { ...group, to: [...group.to, to] })
  }
  for (const step of own) {
    for (const port of kindOf(doc, kinds, step.id)?.inputs ?? Object.keys(step.inputs).map((name) => ({ name, type: 'files', isMany: true, isOptional: false }))) {
      const to = endText({ step: step.id, port: port.name })
      const outside = (step.inputs[port.name] ?? []).filter((source) => !inside.has(parseEnd(source)?.step ?? ''))
      const declared = doc.inputs?.find((input) => input.to.includes(to))
      const by = declared === undefined ? (port.isMany ? to : outside.join()) : `declared ${declared.name} ${outside.join()}`
      if (outside.length > 0 || declared !== undefined) add(`${by} ${port.type} ${port.isOptional}`, port.name, to, outside)
    }
  }
  const names = new Set<string>()
  return [...groups.values()].map(({ port, to, sources }) => ({ name: unique(port, names), to, sources }))
}

// What others take, and where nobody takes anything, what the last steps give.
function exits(doc: PipelineDoc, kinds: Kinds, own: readonly StepDoc[], inside: ReadonlySet<string>): OutputDoc[] {
  const used = doc.steps.filter((step) => !inside.has(step.id)).flatMap(wiresInto).map((wire) => wire.from)
  const declared = (doc.outputs ?? []).flatMap((output) => parseEnd(output.from) ?? [])
  const taken = [...used, ...declared].filter((end) => inside.has(end.step)).map(endText)
  const busy = new Set(own.flatMap(wiresInto).map((wire) => wire.from.step))
  const last = own.filter((step) => !busy.has(step.id)).flatMap((step) => mainOutput(doc, kinds, step.id) ?? [])
  const ends = new Set(taken.length > 0 ? taken : last.map(endText))
  const names = new Set<string>()
  return [...ends].map((from) => ({ name: unique(parseEnd(from)?.port ?? 'out', names), from }))
}

function unique(wanted: string, taken: Set<string>): string {
  const name = uniqueId(wanted, taken)
  taken.add(name)
  return name
}

/** Puts the steps of a component in its place; `part` is its pipeline. */
export function expand(doc: PipelineDoc, id: string, part: PipelineDoc): Outcome {
  const one = stepOf(doc, id)
  if (one === undefined || one.kind !== COMPONENT) return refused('no component is selected')
  const left = doc.steps.filter((step) => step.id !== id)
  const taken = idsOf({ ...doc, steps: left })
  const names = new Map(part.steps.map((step): [string, string] => [step.id, unique(step.id, taken)]))
  const inner = (end: End): End | null => {
    const step = names.get(end.step)
    return step === undefined ? null : { ...end, step }
  }
  const innerText = (text: string): string[] => {
    const end = parseEnd(text)
    const found = end === null ? null : inner(end)
    return found === null ? [] : [endText(found)]
  }
  const entered = new Map((part.inputs ?? []).map((input) => [endText({ step: id, port: input.name }), input.to.flatMap(innerText)]))
  const given = new Map((part.outputs ?? []).map((output) => [endText({ step: id, port: output.name }), innerText(output.from)[0]]))
  const outer = (end: End): End | null => (end.step === id ? parseEnd(given.get(endText(end)) ?? '') : end)

  const box = boxAround(part.steps.map((step) => step.position)) ?? { x: 0, y: 0, width: STEP_WIDTH, height: 0 }
  const by: Place = [one.position[0] - box.x, one.position[1] - box.y]
  const steps = part.steps.map((step): StepDoc => {
    const own = withSourcesMapped(step, inner)
    const inputs = { ...own.inputs }
    for (const input of part.inputs ?? []) {
      for (const to of input.to.flatMap((text) => parseEnd(text) ?? [])) {
        if (to.step === step.id) inputs[to.port] = [...(inputs[to.port] ?? []), ...(one.inputs[input.name] ?? [])]
      }
    }
    const wired = Object.fromEntries(Object.entries(inputs).filter(([, sources]) => sources.length > 0))
    const skip = one.skip === true ? { skip: true } : {}
    return { ...own, ...skip, id: names.get(step.id) ?? step.id, position: snap([step.position[0] + by[0], step.position[1] + by[1]]), params: withSet(step, one), inputs: wired }
  })
  const room = Math.max(0, box.width - STEP_WIDTH)
  const after = downstreamOf(doc, [id])
  const others = left.map((step): StepDoc => {
    const turned = withSourcesMapped(step, outer)
    return after.has(step.id) && step.position[0] >= one.position[0] + STEP_WIDTH ? { ...turned, position: [step.position[0] + room, step.position[1]] } : turned
  })
  const at = doc.steps.findIndex((step) => step.id === id)
  const ported = {
    ...(doc.inputs === undefined ? {} : { inputs: doc.inputs.map((input) => ({ ...input, to: input.to.flatMap((to) => entered.get(to) ?? [to]) })) }),
    ...(doc.outputs === undefined ? {} : { outputs: doc.outputs.map((output) => ({ ...output, from: given.get(output.from) ?? output.from })) }),
  }
  const frames = [...framesOf(doc), ...framesOf(part).map((frame) => ({ ...frame, box: [frame.box[0] + by[0], frame.box[1] + by[1], frame.box[2], frame.box[3]] satisfies Frame['box'] }))]
  const next = { ...doc, ...ported, steps: [...others.slice(0, at), ...steps, ...others.slice(at)] }
  return done(`Expand ${id}`, withFrames(next, withOwnIds(frames)), steps.map((step) => step.id))
}

// Values that the component gives its steps, over those that they have.
function withSet(step: StepDoc, one: StepDoc): StepDoc['params'] {
  const { set } = one.params
  if (!isRecord(set)) return step.params
  const values = set[step.id]
  const params = isRecord(values) ? { ...step.params, ...values } : step.params
  if (step.kind !== COMPONENT) return params
  // Those of a component within it go on to that one.
  const deeper = Object.entries(set).filter(([id]) => id.startsWith(within(step.id, '')))
  if (deeper.length === 0) return params
  const own: { [key in string]: JsonValue } = isRecord(params.set) ? { ...params.set } : {}
  for (const [id, more] of deeper) {
    const inner = id.slice(within(step.id, '').length)
    const had = own[inner]
    own[inner] = isRecord(had) && isRecord(more) ? { ...had, ...more } : more
  }
  return { ...params, set: own }
}

function withOwnIds(frames: readonly Frame[]): Frame[] {
  const taken = new Set<string>()
  return frames.map((frame) => {
    const id = taken.has(frame.id) ? uniqueId(frame.id, taken) : frame.id
    taken.add(id)
    return id === frame.id ? frame : { ...frame, id }
  })
}
