// Commands on steps. Each is a pure function to one change, so each is one entry of the history.

import type { JsonValue, PipelineDoc, StepDoc } from '../../host/bindings'
import { endText, isSame, parseEnd, stepOf, withStep, wiresFrom, wiresInto, wiresOf } from './doc'
import type { End, Wire } from './doc'
import { boxAround, freeAmong, freePlace, GAP_X, snap, STEP_WIDTH, type Place } from './geometry'
import { idProblem, idsOf, uniqueId } from './ids'
import { kindOf, outputPort, type Kinds } from './kinds'
import { bestInput, bestOutput, fits, judge } from './rules'
import { entryOf, entryTitle } from './templates'
import { done, refused, splice, withSourcesMapped, withWire, type Outcome } from './wiring'

/** What a new step is tied to. */
export type Tie =
  | { type: 'none' }
  /** Fed by this output. */
  | { type: 'after'; from: End }
  /** Feeds this input. */
  | { type: 'before'; to: End }
  /** Put into this wire. */
  | { type: 'into'; wire: Wire }

/** Adds a step of a kind, or from a template, at a place, wired as the tie says where the types allow it. */
export function addStep(
  doc: PipelineDoc,
  kinds: Kinds,
  entry: string,
  place: Place,
  tie: Tie,
): Outcome {
  const { kind, name, params } = entryOf(kinds, entry)
  const found = kinds.get(kind)
  if (found === undefined) return refused(`there is no step kind \`${kind}\``)
  const id = uniqueId(name, idsOf(doc))
  const position = tie.type === 'into' ? snap(place) : freePlace(doc, place)
  const added: PipelineDoc = { ...doc, steps: [...doc.steps, { id, kind, position, params, inputs: {} }] }
  const label = `Add ${entryTitle(kinds, entry)}`
  const outcome = tied(added, kinds, id, tie)
  if (outcome.change === null) return outcome
  return done(label, outcome.change.doc, [id])
}

function tied(doc: PipelineDoc, kinds: Kinds, id: string, tie: Tie): Outcome {
  if (tie.type === 'none') return done('', doc)
  if (tie.type === 'into') return splice(doc, kinds, id, tie.wire)
  if (tie.type === 'after') {
    const port = bestInput(doc, kinds, tie.from, id)
    if (port === null) return done('', doc)
    return done('', withWire(doc, { from: tie.from, to: { step: id, port: port.name } }, null))
  }
  const port = bestOutput(doc, kinds, id, tie.to)
  if (port === null) return done('', doc)
  const wire: Wire = { from: { step: id, port: port.name }, to: tie.to }
  const verdict = judge(doc, kinds, wire)
  return verdict.isAllowed ? done('', withWire(doc, wire, verdict.replaces)) : refused(verdict.reason)
}

/** Where a step that follows another should stand. */
export function placeAfter(doc: PipelineDoc, id: string): Place {
  const at = stepOf(doc, id)?.position ?? [0, 0]
  return freePlace(doc, [at[0] + STEP_WIDTH + GAP_X, at[1]])
}

/** Removes steps with their wires. */
export function deleteSteps(doc: PipelineDoc, ids: readonly string[]): Outcome {
  const gone = new Set(ids.filter((id) => stepOf(doc, id) !== undefined))
  if (gone.size === 0) return refused('no step is selected')
  const steps = doc.steps
    .filter((step) => !gone.has(step.id))
    .map((step) => withSourcesMapped(step, (end) => (gone.has(end.step) ? null : end)))
  return done(gone.size === 1 ? `Delete ${[...gone].join()}` : `Delete ${gone.size} steps`, withPorts({ ...doc, steps }, (end) => (gone.has(end.step) ? null : end)), [])
}

/** Removes steps and joins what was before each with what came after, where the types allow it. */
export function dissolveSteps(doc: PipelineDoc, kinds: Kinds, ids: readonly string[]): Outcome {
  const gone = [...new Set(ids)].filter((id) => stepOf(doc, id) !== undefined)
  if (gone.length === 0) return refused('no step is selected')
  const left = gone.reduce((at, id) => dissolved(at, kinds, id), doc)
  const label = gone.length === 1 ? `Delete ${gone.join()} and reconnect` : `Delete ${gone.length} steps and reconnect`
  return done(label, left, [])
}

function dissolved(doc: PipelineDoc, kinds: Kinds, id: string): PipelineDoc {
  const step = stepOf(doc, id)
  const removed = deleteSteps(doc, [id]).change
  if (step === undefined || removed === null) return doc
  const incoming = wiresInto(step)
  let joined = removed.doc
  for (const out of wiresFrom(doc, id)) {
    const type = outputPort(doc, kinds, out.from)?.type
    const source = incoming.find((wire) => {
      const given = outputPort(doc, kinds, wire.from)?.type
      return given !== undefined && type !== undefined && fits(given, type)
    })
    if (source === undefined) continue
    const wire = { from: source.from, to: out.to }
    const verdict = judge(joined, kinds, wire)
    if (verdict.isAllowed) joined = withWire(joined, wire, verdict.replaces)
  }
  return joined
}

/** How many wires a delete leaves loose that could be joined: more than none, and it is worth offering. */
export function joinable(doc: PipelineDoc, kinds: Kinds, ids: readonly string[]): number {
  const wires = (outcome: Outcome): number => (outcome.change === null ? 0 : wiresOf(outcome.change.doc).length)
  return wires(dissolveSteps(doc, kinds, ids)) - wires(deleteSteps(doc, ids))
}

/** Sets a parameter; undefined goes back to the default. Typing in one field is one entry. */
export function setParam(doc: PipelineDoc, id: string, name: string, value: JsonValue | undefined): Outcome {
  const next = withStep(doc, id, (step) => {
    if (isSame(step.params[name], value)) return step
    const params = { ...step.params }
    if (value === undefined) delete params[name]
    else params[name] = value
    return { ...step, params }
  })
  const label = value === undefined ? `Reset ${name} of ${id}` : `Change ${name} of ${id}`
  return { change: { label, doc: next, mergeKey: `param:${id}:${name}`, select: null }, refusal: null }
}

/** Moves steps to places. `mergeKey` joins the steps of a walk by arrow keys. */
export function moveSteps(
  doc: PipelineDoc,
  places: ReadonlyMap<string, Place>,
  label: string,
  mergeKey: string | null = null,
): Outcome {
  const steps = doc.steps.map((step): StepDoc => {
    const place = places.get(step.id)
    return place === undefined || isSame(place, step.position) ? step : { ...step, position: place }
  })
  return { change: { label, doc: { ...doc, steps }, mergeKey, select: null }, refusal: null }
}

/** Moves steps by a distance, as the arrow keys do. */
export function nudge(doc: PipelineDoc, ids: readonly string[], dx: number, dy: number): Outcome {
  const moved = new Set(ids)
  const places = new Map<string, Place>(
    doc.steps
      .filter((step) => moved.has(step.id))
      .map((step) => [step.id, [step.position[0] + dx, step.position[1] + dy]]),
  )
  const label = ids.length === 1 ? `Move ${ids.join()}` : `Move ${ids.length} steps`
  return moveSteps(doc, places, label, `nudge:${[...moved].sort().join()}`)
}

/** Puts steps where the layout says, as one entry. Pinned ones stay, and the layout comes to lie around
 *  them; else a part of the steps stays where its upper left corner is. */
export function tidy(doc: PipelineDoc, positions: Record<string, Place>, pins: ReadonlySet<string> = new Set()): Outcome {
  const laid = Object.entries(positions)
  const isPart = laid.length < doc.steps.length
  const label = isPart ? `Tidy up ${laid.length} steps` : 'Tidy up'
  const pinned = doc.steps.filter((step) => step.id in positions && pins.has(step.id))
  if (pinned.length > 0) return moveSteps(doc, aroundPinned(pinned, positions), label)
  const from = boxAround(doc.steps.filter((step) => step.id in positions).map((step) => step.position))
  const to = boxAround(laid.map(([, place]) => place))
  const [dx, dy] = isPart && from !== null && to !== null ? [from.x - to.x, from.y - to.y] : [0, 0]
  return moveSteps(doc, new Map(laid.map(([id, [x, y]]) => [id, snap([x + dx, y + dy])])), label)
}

// The first pinned step is where the layout and the canvas agree. What would lie on a pinned step goes down.
function aroundPinned(pinned: readonly StepDoc[], positions: Record<string, Place>): Map<string, Place> {
  const [first] = pinned
  const [dx, dy] = first === undefined ? [0, 0] : [first.position[0] - (positions[first.id]?.[0] ?? 0), first.position[1] - (positions[first.id]?.[1] ?? 0)]
  const stays = new Set(pinned.map((step) => step.id))
  const taken = pinned.map((step) => step.position)
  const places = new Map<string, Place>()
  const laid = Object.entries(positions).filter(([id]) => !stays.has(id)).sort(([, a], [, b]) => a[1] - b[1] || a[0] - b[0])
  for (const [id, [x, y]] of laid) {
    const place = freeAmong(taken, [x + dx, y + dy])
    taken.push(place)
    places.set(id, place)
  }
  return places
}

/** The steps to be laid out by themselves: wires to others do not count. */
export function partOf(doc: PipelineDoc, ids: readonly string[]): PipelineDoc {
  const steps = doc.steps.filter((step) => ids.includes(step.id))
  return { name: doc.name, steps: steps.map((step) => withSourcesMapped(step, (end) => (ids.includes(end.step) ? end : null))) }
}

/** Gives a step another id; every wire follows. */
export function renameStep(doc: PipelineDoc, from: string, to: string): Outcome {
  const problem = idProblem(doc, from, to)
  if (problem !== null) return refused(problem)
  const steps = doc.steps.map((step) => {
    const turned = withSourcesMapped(step, (end) => (end.step === from ? { ...end, step: to } : end))
    return turned.id === from ? { ...turned, id: to } : turned
  })
  return done(`Rename ${from} to ${to}`, withPorts({ ...doc, steps }, (end) => (end.step === from ? { ...end, step: to } : end)), [to])
}

// What a pipeline declares for others leads to ends of its own steps; what leads nowhere any more goes.
function withPorts(doc: PipelineDoc, map: (end: End) => End | null): PipelineDoc {
  const mapped = (text: string): string[] => {
    const end = parseEnd(text)
    const to = end === null ? null : map(end)
    return to === null ? [] : [endText(to)]
  }
  const { inputs, outputs } = doc
  return {
    ...doc,
    ...(inputs === undefined ? {} : { inputs: inputs.map((input) => ({ ...input, to: input.to.flatMap(mapped) })).filter(({ to }) => to.length > 0) }),
    ...(outputs === undefined ? {} : { outputs: outputs.flatMap((output) => mapped(output.from).map((from) => ({ ...output, from }))) }),
  }
}

/** Copies steps beside themselves; wires among them and into them are kept. */
export function duplicate(doc: PipelineDoc, kinds: Kinds, ids: readonly string[]): Outcome {
  const copied = doc.steps.filter((step) => ids.includes(step.id))
  if (copied.length === 0) return refused('no step is selected')
  const by = GAP_X / 2
  const places = new Map(
    copied.map((step): [string, Place] => [step.id, [step.position[0] + by, step.position[1] + by]]),
  )
  return insertCopies(
    doc,
    kinds,
    copied,
    places,
    true,
    copied.length === 1 ? `Duplicate ${ids.join()}` : `Duplicate ${copied.length} steps`,
  )
}

/** Inserts copies of steps under new ids at places. Wires among the copies stay; those from outside
 *  stay if `isLinked` and what they come from is there. */
export function insertCopies(
  doc: PipelineDoc,
  kinds: Kinds,
  copied: readonly StepDoc[],
  places: ReadonlyMap<string, Place>,
  isLinked: boolean,
  label: string,
): Outcome {
  const taken = idsOf(doc)
  const newIds = new Map<string, string>()
  for (const step of copied) {
    const id = uniqueId(step.id, taken)
    taken.add(id)
    newIds.set(step.id, id)
  }
  const added = copied.map((step): StepDoc => {
    const place = places.get(step.id) ?? step.position
    const turned = withSourcesMapped(step, (end) => {
      const inside = newIds.get(end.step)
      if (inside !== undefined) return { ...end, step: inside }
      return isLinked && outputPort(doc, kinds, end) !== undefined ? end : null
    })
    return { ...turned, id: newIds.get(step.id) ?? step.id, position: snap(place) }
  })
  return done(
    label,
    { ...doc, steps: [...doc.steps, ...added] },
    added.map((step) => step.id),
  )
}

/** Puts another document in place of this one: the file was edited, or a commit restored. */
export function replaceAll(doc: PipelineDoc, other: PipelineDoc, label: string): Outcome {
  return done(label, { ...other, name: doc.name })
}

/** The output a step is followed by when nothing else is said: the first that is not a report. */
export function mainOutput(doc: PipelineDoc, kinds: Kinds, id: string): End | null {
  const outputs = kindOf(doc, kinds, id)?.outputs ?? []
  const port = outputs.find((output) => output.type !== 'report') ?? outputs[0]
  return port === undefined ? null : { step: id, port: port.name }
}
