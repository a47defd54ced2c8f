// Commands on wires. Each returns one change, or says why there is none.

import type { PipelineDoc, StepDoc } from '../../host/bindings'
import { downstreamOf, endText, parseEnd, stepOf, withSources, withStep } from './doc'
import type { End, Wire } from './doc'
import { GAP_X, STEP_WIDTH } from './geometry'
import type { Change } from './history'
import { kindFor, outputPort, type Kinds } from './kinds'
import { judge, spliceThrough } from './rules'

/** A change, or the reason why it cannot be made. */
export type Outcome = { change: Change; refusal: null } | { change: null; refusal: string }

/** Wraps a change. */
export function done(label: string, doc: PipelineDoc, select: string[] | null = null): Outcome {
  return { change: { label, doc, mergeKey: null, select }, refusal: null }
}

/** Wraps a refusal. */
export function refused(refusal: string): Outcome {
  return { change: null, refusal }
}

/** Draws a wire; what is on a port for one wire gives way. */
export function connect(doc: PipelineDoc, kinds: Kinds, wire: Wire): Outcome {
  const verdict = judge(doc, kinds, wire)
  if (!verdict.isAllowed) return refused(verdict.reason)
  return done(`Connect ${wire.from.step} to ${wire.to.step}`, withWire(doc, wire, verdict.replaces))
}

/** Moves an end of a wire to another port as one change; what is on a port for one wire gives way. */
export function reconnect(doc: PipelineDoc, kinds: Kinds, wire: Wire, next: Wire): Outcome {
  const verdict = judge(withoutWires(doc, [wire]), kinds, next)
  if (!verdict.isAllowed) return refused(verdict.reason)
  const isSource = wire.from.step !== next.from.step || wire.from.port !== next.from.port
  const label = isSource ? `Connect ${next.to.step} to ${next.from.step}, not ${wire.from.step}` : `Connect ${next.from.step} to ${next.to.step}, not ${wire.to.step}`
  const isSamePort = wire.to.step === next.to.step && wire.to.port === next.to.port
  // Among several sources of a port the new one stands where the old one did.
  if (isSamePort) return done(label, withStep(doc, wire.to.step, (step) => withSources(step, wire.to.port, (step.inputs[wire.to.port] ?? []).map((source) => (source === endText(wire.from) ? endText(next.from) : source)))))
  return done(label, withWire(withoutWires(doc, [wire]), next, verdict.replaces))
}

/** Takes wires away. */
export function disconnect(doc: PipelineDoc, wires: readonly Wire[]): Outcome {
  const first = wires[0]
  if (first === undefined) return refused('no wire is selected')
  const label =
    wires.length === 1 ? `Disconnect ${first.to.step} from ${first.from.step}` : `Disconnect ${wires.length} wires`
  return done(label, withoutWires(doc, wires))
}

/** The document with a wire more, which pushes `replaces` off its port. */
export function withWire(doc: PipelineDoc, wire: Wire, replaces: string | null): PipelineDoc {
  return withStep(doc, wire.to.step, (step) => {
    const sources = (step.inputs[wire.to.port] ?? []).filter((source) => source !== replaces)
    return withSources(step, wire.to.port, [...sources, endText(wire.from)])
  })
}

/** The document without these wires. */
export function withoutWires(doc: PipelineDoc, wires: readonly Wire[]): PipelineDoc {
  return wires.reduce(
    (at, wire) =>
      withStep(at, wire.to.step, (step) => {
        const sources = step.inputs[wire.to.port] ?? []
        const left = sources.filter((source) => source !== endText(wire.from))
        return left.length === sources.length ? step : withSources(step, wire.to.port, left)
      }),
    doc,
  )
}

/** The step with every source changed by `change`; a source that becomes null goes. */
export function withSourcesMapped(step: StepDoc, change: (end: End) => End | null): StepDoc {
  let isChanged = false
  let next = step
  for (const [port, sources] of Object.entries(step.inputs)) {
    const mapped = sources.flatMap((source) => {
      const end = parseEnd(source)
      const to = end === null ? null : change(end)
      return to === null ? [] : [endText(to)]
    })
    const isSame = mapped.length === sources.length && mapped.every((source, i) => source === sources[i])
    if (isSame) continue
    isChanged = true
    next = withSources(next, port, mapped)
  }
  return isChanged ? next : step
}

/** Puts a step that is there into a wire: its old ends keep their meaning, what follows makes room. */
export function splice(doc: PipelineDoc, kinds: Kinds, id: string, wire: Wire): Outcome {
  const step = stepOf(doc, id)
  const type = outputPort(doc, kinds, wire.from)?.type
  if (step === undefined || type === undefined) return refused('the wire is no longer there')
  if (wire.from.step === id || wire.to.step === id) return refused('the wire is its own')
  const ports = spliceThrough(kindFor(kinds, step), type)
  if (ports === null) return refused(`this step does not take ${type} in and give ${type} out`)
  if ((step.inputs[ports.input] ?? []).length > 0)
    return refused(`\`${ports.input}\` of this step is connected already`)
  // The far end keeps its place among several sources, so the order of a comparison does not change.
  const entered = withWire(doc, { from: wire.from, to: { step: id, port: ports.input } }, null)
  const through = { step: id, port: ports.output }
  const turned = withStep(entered, wire.to.step, (target) => {
    const sources = target.inputs[wire.to.port] ?? []
    const mapped = sources.map((source) => (source === endText(wire.from) ? endText(through) : source))
    return withSources(target, wire.to.port, mapped)
  })
  if (downstreamOf(turned, [id]).has(wire.from.step)) return refused('that would be a circle')
  return done(`Insert ${id} between ${wire.from.step} and ${wire.to.step}`, withRoomAfter(turned, id, wire.to.step), [
    id,
  ])
}

/** Moves everything after a step to the right until its successor stands clear of it. */
export function withRoomAfter(doc: PipelineDoc, id: string, next: string): PipelineDoc {
  const at = stepOf(doc, id)?.position
  const nextAt = stepOf(doc, next)?.position
  if (at === undefined || nextAt === undefined) return doc
  const missing = at[0] + STEP_WIDTH + GAP_X - nextAt[0]
  // A successor far to the left stands there because its owner wants it so.
  if (missing <= 0 || missing > 2 * (STEP_WIDTH + GAP_X)) return doc
  const moved = downstreamOf(doc, [id])
  const steps = doc.steps.map((step): StepDoc => {
    if (!moved.has(step.id)) return step
    return { ...step, position: [step.position[0] + missing, step.position[1]] }
  })
  return { ...doc, steps }
}
