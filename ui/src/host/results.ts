// What jobs come to. The wire says `JsonValue`; here it gets the shape the engine gives each kind.

import type { JobView, JsonValue } from './bindings'

/** The result of `dataset.import`. */
export type Imported = {
  dataset: string
  version: number
  /** False if this very file was there already. */
  isNew: boolean
  rows: number
  columns: number
  rejectedRows: number
  warnings: string[]
}

const fieldsOf = (value: JsonValue | null | undefined): Record<string, JsonValue> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}

const text = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '')
const amount = (value: JsonValue | undefined): number => (typeof value === 'number' ? value : 0)
const texts = (value: JsonValue | undefined): string[] => (Array.isArray(value) ? value.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))) : [])

/** Null if the job was no import. */
export function imported(job: JobView): Imported | null {
  const result = fieldsOf(job.result)
  if (typeof result.dataset !== 'string') return null
  return {
    dataset: result.dataset,
    version: amount(result.version),
    isNew: result.isNew !== false,
    rows: amount(result.rows),
    columns: amount(result.columns),
    rejectedRows: amount(result.rejectedRows),
    warnings: texts(result.warnings),
  }
}

/** What a job is about, by kind: `dataset`, `run`, `pipeline`, `model`, `deployment`. */
export function subjectOf(job: JobView): Record<string, string> {
  const fields = Object.entries(fieldsOf(job.subject)).filter(([, value]) => typeof value === 'string' || typeof value === 'number')
  return Object.fromEntries(fields.map(([name, value]) => [name, String(value)]))
}

/** The result of a job as named lines, for kinds that nobody shows in a way of their own. */
export function resultLines(job: JobView): { name: string; value: JsonValue }[] {
  return Object.entries(fieldsOf(job.result)).map(([name, value]) => ({ name, value }))
}

/** A text field of a job's result; empty if there is none. */
export function resultText(job: JobView, name: string): string {
  return text(fieldsOf(job.result)[name])
}

export type Finding = { subject: string; message: string; hint: string | null }

/** The result of `workspace.check` and `workspace.repair`. */
export function checkReport(job: JobView): { isClean: boolean; findings: Finding[]; objects: number; bytes: number } {
  const result = fieldsOf(job.result)
  const findings = (Array.isArray(result.findings) ? result.findings : []).map((one) => {
    const finding = fieldsOf(one)
    return { subject: text(finding.subject), message: text(finding.message), hint: text(finding.hint) || null }
  })
  return { isClean: result.isClean === true, findings, objects: amount(result.objects), bytes: amount(result.bytes) }
}

/** The result of `workspace.gc`. */
export function gcReport(job: JobView): { freedBytes: number; objects: number } {
  const result = fieldsOf(job.result)
  return { freedBytes: amount(result.freedBytes), objects: amount(result.objects) }
}
