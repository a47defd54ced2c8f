// Reads what `monitor.check` came to. The wire says JSON; here it is checked and given its shape.

import type { DriftLevel, DriftView, JsonValue } from '../../host/bindings'
import { plural } from '../../lib/format'
import { isObject } from '../../lib/values'

/** What a file looks like beside the training data. */
export interface DriftReport {
  rows: number
  level: DriftLevel
  prediction: DriftView | null
  /** Worst first. */
  features: DriftView[]
}

/** The report in a job's result; null if it is none. */
export function readReport(value: JsonValue): DriftReport | null {
  if (!isObject(value) || !Array.isArray(value.features)) return null
  const level = readLevel(value.level)
  if (level === null || typeof value.rows !== 'number') return null
  return { rows: value.rows, level, prediction: readDrift(value.prediction), features: value.features.flatMap((one) => readDrift(one) ?? []) }
}

/** What `monitor.label` came to, in a sentence. */
export function labelSentence(value: JsonValue): string {
  const found = isObject(value) ? value : {}
  const parts = [`True answers of ${plural(amount(found.labelled), 'row')} found`]
  if (amount(found.unmatched) > 0) parts.push(`${amount(found.unmatched)} belong to no request`)
  if (amount(found.ambiguous) > 0) parts.push(`${amount(found.ambiguous)} are not clear`)
  return parts.join(', ')
}

/** What `monitor.retrain` came to: a sentence, and whether it is good news. */
export function retrainedSentence(value: JsonValue): { title: string; isGood: boolean } {
  const done = isObject(value) ? value : {}
  const version = `Version ${amount(done.version)}`
  const taken = amount(done.rowsTaken) > 0 ? ` It learned from ${plural(amount(done.rowsTaken), 'request')} too.` : ''
  switch (done.outcome) {
    case 'proposed': return { title: `${version} is proposed.${taken}`, isGood: true }
    case 'deployed': return { title: `${version} serves now.${taken}`, isGood: true }
    case 'refused': return { title: `${version} was refused by the gate.${taken}`, isGood: false }
    default: return { title: 'The data have not changed, so neither has the model. Bring fresh data or true answers first.', isGood: false }
  }
}

function readLevel(value: JsonValue | undefined): DriftLevel | null {
  return value === 'none' || value === 'warning' || value === 'alarm' ? value : null
}

function readDrift(value: JsonValue | undefined): DriftView | null {
  if (!isObject(value)) return null
  const level = readLevel(value.level)
  const { column, test } = value
  if (level === null || typeof column !== 'string' || typeof test !== 'string') return null
  const psi = amount(value.psi)
  const figure = isObject(value.figure) ? value.figure : {}
  return {
    column, test, level, psi,
    testTitle: typeof value.testTitle === 'string' ? value.testTitle : test,
    adjustedP: amount(value.adjustedP), newShare: share(value.newShare), outsideShare: share(value.outsideShare),
    statistic: amount(value.statistic), pValue: amount(value.pValue), missingBaseline: amount(value.missingBaseline), missingCurrent: amount(value.missingCurrent),
    newValues: list(value.newValues, isText),
    figure: { type: 'drift', column, bins: list(figure.bins, isText), baseline: list(figure.baseline, isNumber), current: list(figure.current, isNumber), psi },
  }
}

const isText = (value: JsonValue): value is string => typeof value === 'string'
const isNumber = (value: JsonValue): value is number => typeof value === 'number'

function share(value: JsonValue | undefined): number | null {
  return typeof value === 'number' ? value : null
}

function amount(value: JsonValue | undefined): number {
  return typeof value === 'number' ? value : 0
}

function list<T extends JsonValue>(value: JsonValue | undefined, fits: (one: JsonValue) => one is T): T[] {
  return Array.isArray(value) ? value.filter(fits) : []
}
