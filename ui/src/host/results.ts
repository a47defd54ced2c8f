// What jobs come to. The wire says `JsonValue`; here it gets the shape the engine gives each kind.

import type { ColumnKind, JobView, JsonValue, TablePage } from './bindings'

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
  /** Quality checks that do not hold: the data must not be used, or somebody should look. */
  failedChecks: number
}

const fieldsOf = (value: JsonValue | null | undefined): Record<string, JsonValue> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}

const text = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '')
const amount = (value: JsonValue | undefined): number => (typeof value === 'number' ? value : 0)
const texts = (value: JsonValue | undefined): string[] => (Array.isArray(value) ? value.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))) : [])

const records = (value: JsonValue | undefined): Record<string, JsonValue>[] => (Array.isArray(value) ? value.map(fieldsOf) : [])

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
    failedChecks: records(result.checks).filter(({ outcome }) => outcome !== 'passed').length,
  }
}

const KINDS: readonly ColumnKind[] = ['integer', 'number', 'boolean', 'text', 'time']

/** The result of `connection.preview`: the first rows of an answer. */
export function answerPage(job: JobView): TablePage {
  const result = fieldsOf(job.result)
  const columns = records(result.columns).map(({ name, kind }) => ({ name: text(name), kind: KINDS.find((one) => one === kind) ?? 'text' }))
  const rows = (Array.isArray(result.rows) ? result.rows : []).map((row) => (Array.isArray(row) ? row.map((cell) => (typeof cell === 'string' ? cell : null)) : []))
  return { total: rows.length, offset: 0, columns, rows }
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

/** The result of `dataset.diff`. */
export type Diff = {
  addedColumns: { name: string }[]
  removedColumns: { name: string }[]
  renamedColumns: { from: string; to: string; equalShare: number }[]
  retypedColumns: { name: string; from: string; to: string }[]
  /** The columns by which rows were matched; none if they were matched by their content. */
  key: string[]
  isKeyFound: boolean
  addedRows: number
  removedRows: number
  changedRows: number
  unchangedRows: number
  changedCells: number
  columns: { name: string; oldName: string; changedCells: number }[]
}

/** Null if the job was no comparison. */
export function diff(job: JobView): Diff | null {
  const result = fieldsOf(job.result)
  if (typeof result.addedRows !== 'number') return null
  const named = (value: JsonValue | undefined): { name: string }[] => records(value).map(({ name }) => ({ name: text(name) }))
  return {
    addedColumns: named(result.addedColumns),
    removedColumns: named(result.removedColumns),
    renamedColumns: records(result.renamedColumns).map((one) => ({ from: text(one.from), to: text(one.to), equalShare: amount(one.equalShare) })),
    retypedColumns: records(result.retypedColumns).map((one) => ({ name: text(one.name), from: text(one.from), to: text(one.to) })),
    key: texts(result.key),
    isKeyFound: result.isKeyFound === true,
    addedRows: amount(result.addedRows),
    removedRows: amount(result.removedRows),
    changedRows: amount(result.changedRows),
    unchangedRows: amount(result.unchangedRows),
    changedCells: amount(result.changedCells),
    columns: records(result.columns).map((one) => ({ name: text(one.name), oldName: text(one.oldName), changedCells: amount(one.changedCells) })),
  }
}
