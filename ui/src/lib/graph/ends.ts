// Where the ends of wires are on the canvas, and which end of which wire somebody takes hold of.

import type { PipelineDoc } from '../../host/bindings'
import { stepOf, wiresOf, wireId, type End, type Wire } from './doc'
import { STEP_HEIGHT, STEP_WIDTH, type Place } from './geometry'
import { kindOf, type Kinds } from './kinds'

/** The side of a step that a port is on: wires come from outputs and go to inputs. */
export type Side = 'from' | 'to'

/** A wire held by one of its ends. */
export type Held = { wire: Wire; side: Side }

/** Where the middle of port `index` of `count` is, from the top of the step. */
export function portTop(index: number, count: number): number {
  return ((index + 0.5) / count) * STEP_HEIGHT
}

/** Where a port is on the canvas; null if there is no such port. */
export function portPlace(doc: PipelineDoc, kinds: Kinds, end: End, side: Side): Place | null {
  const position = stepOf(doc, end.step)?.position
  const ports = kindOf(doc, kinds, end.step)?.[side === 'from' ? 'outputs' : 'inputs'] ?? []
  const index = ports.findIndex((port) => port.name === end.port)
  if (position === undefined || index < 0) return null
  return [position[0] + (side === 'from' ? STEP_WIDTH : 0), position[1] + portTop(index, ports.length)]
}

/** The end of a wire that is nearer to a place; the one it goes to if both are as near. */
export function nearerSide(doc: PipelineDoc, kinds: Kinds, wire: Wire, at: Place): Side {
  const far = (side: Side): number => {
    const place = portPlace(doc, kinds, wire[side], side)
    return place === null ? Infinity : Math.hypot(place[0] - at[0], place[1] - at[1])
  }
  return far('from') < far('to') ? 'from' : 'to'
}

/** The wire that is taken off a port: of several a selected one, else the last that was drawn; null if there is none. */
export function wireOn(doc: PipelineDoc, port: End, side: Side, selected: readonly string[]): Wire | null {
  const wires = wiresOf(doc).filter((wire) => wire[side].step === port.step && wire[side].port === port.port)
  return wires.find((wire) => selected.includes(wireId(wire))) ?? wires.at(-1) ?? null
}
