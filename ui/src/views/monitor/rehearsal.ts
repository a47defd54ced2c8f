// Reads what `monitor.rehearse` came to. The wire says JSON; here it is checked and given its shape.

import type { JsonValue } from '../../host/bindings'
import { number, percent, plural } from '../../lib/format'
import { isObject } from '../../lib/values'

/** What would change if another version answered. */
export interface RehearsalResult {
  candidate: number
  champion: number
  rows: number
  changed: number
  /** Where answers went, in words. */
  moves: string[]
  /** Groups with the share of their answers that changed, worst first. */
  groups: { name: string; rows: number; value: number; isWorse: boolean }[]
  /** Median time of the model alone for a row, microseconds: what serves, and what was tried. */
  times: [number, number]
  /** The metric on labelled rows of what serves and of what was tried; null if too few are known. */
  quality: { title: string; labelled: number; champion: number; candidate: number } | null
}

/** The result of a rehearsal; null if it is none. */
export function readRehearsal(value: JsonValue): RehearsalResult | null {
  if (!isObject(value) || !isNumber(value.candidate) || !isNumber(value.champion) || !isNumber(value.rows) || !isNumber(value.changed)) return null
  const { candidate, champion, rows, changed, championValue, candidateValue } = value
  const moves = objects(value.moves).map((one) => `${words(one.from)} → ${words(one.to)}: ${plural(amount(one.rows), 'row')}`)
  const groups = objects(value.groups).map((one) => ({ name: words(one.name).replaceAll('`', ''), rows: amount(one.rows), value: amount(one.value), isWorse: one.isWorse === true }))
  const quality = isNumber(championValue) && isNumber(candidateValue) ? { title: words(value.metricTitle), labelled: amount(value.labelled), champion: championValue, candidate: candidateValue } : null
  return { candidate, champion, rows, changed, moves, groups, times: [first(value.championUs), first(value.candidateUs)], quality }
}

/** The result in sentences. */
export function rehearsalSentences(one: RehearsalResult): string[] {
  const share = one.rows === 0 ? 0 : one.changed / one.rows
  const said = [`Version ${one.candidate} would answer ${one.changed} of ${plural(one.rows, 'row')} otherwise (${percent(share)}).`]
  if (one.quality) said.push(`${one.quality.title} ${number(one.quality.candidate, 3)} against ${number(one.quality.champion, 3)} on ${plural(one.quality.labelled, 'labelled row')}.`)
  const [champion, candidate] = one.times
  said.push(`The model alone takes ${number(candidate, 3)} µs a row, ${number(champion, 3)} µs before.`)
  return said
}

const isNumber = (value: JsonValue | undefined): value is number => typeof value === 'number'

function amount(value: JsonValue | undefined): number {
  return isNumber(value) ? value : 0
}

function words(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : ''
}

function first(value: JsonValue | undefined): number {
  return Array.isArray(value) ? amount(value[0]) : 0
}

function objects(value: JsonValue | undefined): { [key: string]: JsonValue }[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}
