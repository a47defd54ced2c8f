// Reads steps from JSON that may hold anything: the clipboard, the storage of the browser.

import type { JsonValue, LimitsDoc, StepDoc } from '../../host/bindings'

/** True for an object of JSON. */
export function isRecord(value: JsonValue | undefined): value is { [key in string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A step from JSON; null if it is none. */
export function readStep(value: JsonValue): StepDoc | null {
  if (!isRecord(value)) return null
  const { id, kind, position, params, inputs, skip } = value
  if (typeof id !== 'string' || typeof kind !== 'string' || !isRecord(params) || !isRecord(inputs)) return null
  if (!Array.isArray(position)) return null
  const [x, y] = position
  if (typeof x !== 'number' || typeof y !== 'number') return null
  const wires: StepDoc['inputs'] = {}
  for (const [port, sources] of Object.entries(inputs)) {
    if (!Array.isArray(sources)) return null
    wires[port] = sources.filter((source) => typeof source === 'string')
  }
  const limits = readLimits(value.limits)
  return { id, kind, position: [x, y], params, inputs: wires, ...(skip === true ? { skip } : {}), ...(limits === null ? {} : { limits }) }
}

function readLimits(value: JsonValue | undefined): LimitsDoc | null {
  if (!isRecord(value)) return null
  const { retries = 0, timeout = null, cores = null, memory = null } = value
  const isText = (one: JsonValue): one is string | null => one === null || typeof one === 'string'
  if (typeof retries !== 'number' || !isText(timeout) || !isText(memory) || (cores !== null && typeof cores !== 'number')) return null
  return { retries, timeout, cores, memory }
}
