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

/** The result of `model.importance`. */
export type Importance = {
  /** The metric that falls when a column is shuffled. */
  metric: string
  rows: number
  columns: { column: string; fall: number; deviation: number | null; contribution: number | null }[]
  /** Row by row what the columns add; null if the model cannot be taken apart. */
  summary: { outputs: string[]; scale: string; columns: { column: string; values: JsonValue[]; added: number[][] }[] } | null
}

const amounts = (value: JsonValue | undefined): number[] => (Array.isArray(value) ? value.map(amount) : [])
const maybe = (value: JsonValue | undefined): number | null => (typeof value === 'number' ? value : null)

/** Null if the job was another. */
export function importanceOf(job: JobView): Importance | null {
  const result = fieldsOf(job.result)
  if (typeof result.metric !== 'string') return null
  const summary = fieldsOf(result.summary)
  return {
    metric: result.metric,
    rows: amount(result.rows),
    columns: records(result.columns).map((one) => ({ column: text(one.column), fall: amount(one.fall), deviation: maybe(one.deviation), contribution: maybe(one.contribution) })),
    summary: !Array.isArray(summary.outputs) ? null : {
      outputs: texts(summary.outputs),
      scale: text(summary.scale),
      columns: records(summary.columns).map((one) => ({ column: text(one.column), values: Array.isArray(one.values) ? one.values : [], added: Array.isArray(one.added) ? one.added.map(amounts) : [] })),
    },
  }
}

/** The result of `model.effect`. */
export type Effect = { column: string; outputs: string[]; rows: number; points: { value: JsonValue; means: number[]; curves: number[] }[] }

/** Null if the job was another. */
export function effectOf(job: JobView): Effect | null {
  const result = fieldsOf(job.result)
  if (!Array.isArray(result.points)) return null
  return {
    column: text(result.column),
    outputs: texts(result.outputs),
    rows: amount(result.rows),
    points: records(result.points).map((one) => ({ value: one.value ?? null, means: amounts(one.means), curves: amounts(one.curves) })),
  }
}

export type MovedCount = { what: string; words: string; found: number; added: number; same: number; conflicts: number; skipped: number }
/** The result of `tracking.import` and `tracking.export`. */
export type Moved = { source: string; isChanged: boolean; counts: MovedCount[]; notes: { kind: string; what: string; why: string }[]; moreNotes: number }

const MOVED_WORDS: Record<string, string> = {
  experiments: 'Experiments', runs: 'Runs', params: 'Parameters', tags: 'Tags', points: 'Points of curves', datasets: 'Datasets of runs', files: 'Files',
  elsewhere: 'With files elsewhere', logged_models: 'Logged models', models: 'Registered models', versions: 'Versions', aliases: 'Aliases',
}

/** What was moved; empty if the job moved nothing. */
export function moved(job: JobView): Moved {
  const result = fieldsOf(job.result)
  const counts = records(result.counts).map((one) => {
    const what = text(one.what)
    const numbers = { found: amount(one.found), added: amount(one.added), same: amount(one.same), conflicts: amount(one.conflicts), skipped: amount(one.skipped) }
    return { what, words: MOVED_WORDS[what] ?? what, ...numbers }
  })
  const notes = records(result.notes).map((one) => ({ kind: text(one.kind), what: text(one.what), why: text(one.why) }))
  return { source: text(result.source), isChanged: result.isChanged === true, counts, notes, moreNotes: amount(result.moreNotes) }
}
