// What came of repeating a run, read from the receipt that the backend keeps as JSON.

import type { JsonValue, RunDetail } from '../../host/bindings'
import { isObject } from '../../lib/values'

/** How a step compares with what the run recorded. `follows`: it differs because what came in does. */
export type Verdict = 'identical' | 'different' | 'follows' | 'failed'

/** What came out of a port then and now, as a hash; empty where there was nothing. */
export type PortHashes = { port: string; then: string; now: string }

export type ReceiptStep = { step: string; kind: string; verdict: Verdict; ports: PortHashes[]; why: string | null }

/** Fettle, system and threads of the run, or of its repetition. */
export type Setting = { program: string; system: string; threads: number }

export type Receipt = {
  then: Setting
  now: Setting
  datasets: { step: string; dataset: string }[]
  steps: ReceiptStep[]
  firstDifference: { step: string; why: string } | null
}

const VERDICTS: readonly Verdict[] = ['identical', 'different', 'follows', 'failed']

const text = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '')
const list = (value: JsonValue | undefined): JsonValue[] => (Array.isArray(value) ? value : [])

/** Null if another version of Fettle wrote it in a form that is not known here. */
export function readReceipt(value: JsonValue): Receipt | null {
  if (!isObject(value) || !Array.isArray(value.steps)) return null
  const steps = value.steps.map(readStep)
  if (steps.some((step) => step === null)) return null
  const [step, why] = list(value.firstDifference)
  return {
    then: readSetting(value.then),
    now: readSetting(value.now),
    datasets: isObject(value.datasets) ? Object.entries(value.datasets).map(([by, dataset]) => ({ step: by, dataset: text(dataset) })) : [],
    steps: steps.filter((one) => one !== null),
    firstDifference: typeof step === 'string' ? { step, why: text(why) } : null,
  }
}

function readStep(value: JsonValue): ReceiptStep | null {
  if (!isObject(value)) return null
  const verdict = VERDICTS.find((one) => one === value.verdict)
  if (typeof value.step !== 'string' || verdict === undefined) return null
  const outputs = isObject(value.outputs) ? Object.entries(value.outputs) : []
  const ports = outputs.map(([port, pair]) => ({ port, then: text(list(pair)[0]), now: text(list(pair)[1]) }))
  return { step: value.step, kind: text(value.kind), verdict, ports, why: text(value.why) || null }
}

function readSetting(value: JsonValue | undefined): Setting {
  const setting = isObject(value) ? value : {}
  return { program: text(setting.program), system: text(setting.system), threads: typeof setting.threads === 'number' ? setting.threads : 0 }
}

/** `Fettle 0.1.0, linux x86_64, 2 threads`. */
export function settingWords({ program, system, threads }: Setting): string {
  const parts = [program === '' ? '' : `Fettle ${program}`, system, threads > 0 ? `${threads} ${threads === 1 ? 'thread' : 'threads'}` : '']
  return parts.filter((part) => part !== '').join(', ') || 'not recorded'
}

/** The beginning of a hash, enough to tell two apart. */
export function shortHash(hash: string): string {
  return hash === '' ? 'nothing' : hash.slice(0, 10)
}

/** True if the run can be gone on with: it ended before its end. */
export function isResumable({ summary }: RunDetail): boolean {
  return summary.state === 'failed' || summary.state === 'interrupted' || summary.state === 'cancelled'
}
