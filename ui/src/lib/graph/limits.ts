// How often a step is tried and how much it may take. None of it changes what the step comes to.

import type { LimitsDoc, PipelineDoc, StepDoc } from '../../host/bindings'
import { isSame, withStep } from './doc'
import type { Outcome } from './wiring'

const NONE: LimitsDoc = { retries: 0, timeout: null, cores: null, memory: null }
/** Times that a step is tried again at most. */
export const MOST_RETRIES = 20

const SPANS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const SIZES: Record<string, number> = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40 }
const LEAST_MEMORY = 16 * 2 ** 20

/** The limits of a step. */
export function limitsOf(step: StepDoc): LimitsDoc {
  return step.limits ?? NONE
}

/** The limits in words; empty if there are none. */
export function limitWords({ retries, timeout, cores, memory }: LimitsDoc): string[] {
  return [
    retries > 0 ? `tried again ${retries === 1 ? 'once' : `up to ${retries} times`}` : '', timeout === null ? '' : `${timeout} a try`,
    cores === null ? '' : `${cores} ${cores === 1 ? 'core' : 'cores'}`, memory === null ? '' : `${memory} of memory`,
  ].filter((word) => word !== '')
}

/** Sets some limits of a step; a step without any has none in its file. */
export function setLimits(doc: PipelineDoc, id: string, change: Partial<LimitsDoc>): Outcome {
  const next = withStep(doc, id, (step) => {
    const limits = { ...limitsOf(step), ...change }
    if (isSame({ ...limits }, { ...limitsOf(step) })) return step
    const { limits: _old, ...rest } = step
    return isSame({ ...limits }, { ...NONE }) ? rest : { ...rest, limits }
  })
  return { change: { label: `Change the limits of ${id}`, doc: next, mergeKey: `limits:${id}:${Object.keys(change).join()}`, select: null }, refusal: null }
}

/** What is wrong with a time, such as `10m`; null if nothing is. */
export function timeoutProblem(text: string): string | null {
  const ms = amount(text, SPANS)
  if (text.trim() === '') return null
  return ms === null ? 'Write a time such as 90s, 10m or 2h.' : ms === 0 ? 'This leaves no time.' : null
}

/** What is wrong with an amount of memory, such as `2GiB`; null if nothing is. */
export function memoryProblem(text: string): string | null {
  const bytes = amount(text, SIZES)
  if (text.trim() === '') return null
  return bytes === null ? 'Write an amount such as 512MB or 2GiB.' : bytes < LEAST_MEMORY ? 'The least is 16MiB.' : null
}

function amount(text: string, units: Record<string, number>): number | null {
  const [, number, unit] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$/i.exec(text) ?? []
  const size = unit === undefined ? undefined : units[unit.toLowerCase()]
  return number === undefined || size === undefined ? null : Number(number) * size
}
