// The ways out of a problem that the editor can go by itself: another name, leaving something out,
// connecting what is missing, or showing the step where a column was lost.

import type { ColumnView, FixView, JsonValue, PipelineDoc, Problem, StepDoc } from '../../host/bindings'
import { setParam } from './commands'
import { endText, parseEnd, stepOf, wiresInto, withSources, withStep } from './doc'
import { quote } from './expression'
import { kindOf, type Kinds } from './kinds'
import { nearestOf, sourcesFor } from './rules'
import { connect, disconnect, done, type Outcome } from './wiring'

/** A way out: a change to be made, or a step to be looked at. */
export type Fix = { label: string } & ({ type: 'change'; outcome: Outcome } | { type: 'show'; step: string })

/** What is known of the columns that flow, by `step.port`. */
export type Columns = { readonly [end in string]: readonly ColumnView[] }

/** Names offered in place of one that is not there. */
const MOST_NAMES = 2

/** The ways out of a problem, the likeliest first. */
export function fixesFor(doc: PipelineDoc, kinds: Kinds, columns: Columns, problem: Problem): Fix[] {
  const step = problem.step === null ? undefined : stepOf(doc, problem.step)
  if (step === undefined) return []
  const own = problem.param !== null ? paramFixes(doc, kinds, columns, step.id, problem.param, problem) : problem.port === null ? [] : portFixes(doc, kinds, step.id, problem.port)
  // What is found here knows where the steps stand; the backend knows ways out that nothing here does.
  return own.length > 0 ? own : problem.fixes.flatMap((fix) => changed(doc, fix) ?? [])
}

/** A way out that the backend offers, as a change to the document; null if its step is gone. */
function changed(doc: PipelineDoc, fix: FixView): Fix | null {
  if (stepOf(doc, fix.step) === undefined) return null
  const next = withStep(doc, fix.step, (step): StepDoc => {
    if (fix.type === 'set_kind') return { ...step, kind: fix.kind }
    if (fix.type === 'take_in') return { ...step, skip: undefined }
    if (fix.type === 'set_wires') return withSources(fix.insteadOf === null ? step : withSources(step, fix.insteadOf, []), fix.port, fix.wires)
    const { [fix.param]: _, ...params } = step.params
    return { ...step, params: fix.value === null ? params : { ...params, [fix.param]: fix.value } }
  })
  return { label: fix.label, type: 'change', outcome: done(fix.label, next) }
}

function paramFixes(doc: PipelineDoc, kinds: Kinds, columns: Columns, step: string, param: string, problem: Problem): Fix[] {
  const value = stepOf(doc, step)?.params[param]
  const wrong = quotedIn(problem.message).find((name) => mentions(value, name))
  if (value === undefined || wrong === undefined) return []
  const change = (label: string, to: JsonValue | undefined): Fix => ({ label, type: 'change', outcome: sealed(setParam(doc, step, param, to)) })
  const known = incoming(doc, kinds, columns, step)
  const names = [...quotedIn(problem.hint ?? ''), ...nearest(wrong, known.map((column) => column.name))]
  const offered = [...new Set(names)].filter((name) => name !== wrong && name.trim() !== '').slice(0, MOST_NAMES)
  const renamed = offered.map((name) => change(`Use ${name}`, renamedIn(value, wrong, name)))
  const left = Array.isArray(value) ? value.filter((one) => one !== wrong) : []
  const without = Array.isArray(value) && left.length < value.length ? [change(`Leave out ${wrong}`, left.length === 0 ? undefined : left)] : []
  const lost = lostAt(doc, kinds, columns, step, wrong)
  const shown: Fix[] = lost === null ? [] : [{ label: `Open ${lost}, where ${wrong} goes`, type: 'show', step: lost }]
  return [...renamed, ...without, ...shown]
}

// What is mended in one press is one entry, and typing afterwards another.
function sealed(outcome: Outcome): Outcome {
  return outcome.change === null ? outcome : { change: { ...outcome.change, mergeKey: null }, refusal: null }
}

function portFixes(doc: PipelineDoc, kinds: Kinds, step: string, port: string): Fix[] {
  const found = stepOf(doc, step)
  const sources = found?.inputs[port] ?? []
  const declared = kindOf(doc, kinds, step)?.inputs.find((input) => input.name === port)
  if (found === undefined || declared === undefined) return []
  if (sources.length > 1 && !declared.isMany) {
    const extra = wiresInto(found).filter((wire) => wire.to.port === port).slice(1)
    return [{ label: `Keep only ${sources[0] ?? ''}`, type: 'change', outcome: disconnect(doc, extra) }]
  }
  if (sources.length > 0) return []
  const to = { step, port }
  const near = nearestOf(doc, sourcesFor(doc, kinds, to), step, MOST_NAMES)
  return near.map(({ end }) => ({ label: `Connect ${endText(end)}`, type: 'change', outcome: connect(doc, kinds, { from: end, to }) }))
}

/** The step before `id` that takes a column in and gives it out no more; null if it never was there. */
export function lostAt(doc: PipelineDoc, kinds: Kinds, columns: Columns, id: string, name: string): string | null {
  const seen = new Set<string>()
  let at = id
  while (!seen.has(at)) {
    seen.add(at)
    const source = tableInto(doc, kinds, at)
    const before = source === null ? null : parseEnd(source)
    if (source === null || before === null) return null
    const has = (end: string): boolean => (columns[end] ?? []).some((column) => column.name === name)
    const further = tableInto(doc, kinds, before.step)
    if (further !== null && has(further) && !has(source)) return before.step
    at = before.step
  }
  return null
}

function incoming(doc: PipelineDoc, kinds: Kinds, columns: Columns, id: string): readonly ColumnView[] {
  const source = tableInto(doc, kinds, id)
  return source === null ? [] : (columns[source] ?? [])
}

function tableInto(doc: PipelineDoc, kinds: Kinds, id: string): string | null {
  const port = kindOf(doc, kinds, id)?.inputs.find((input) => input.type === 'table')
  return port === undefined ? null : (stepOf(doc, id)?.inputs[port.name]?.[0] ?? null)
}

function quotedIn(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].flatMap((found) => found[1] ?? [])
}

function mentions(value: JsonValue | undefined, name: string): boolean {
  if (typeof value === 'string') return value === name || wordsOf(value).includes(name)
  return Array.isArray(value) && value.some((one) => mentions(one, name))
}

function renamedIn(value: JsonValue, from: string, to: string): JsonValue {
  if (Array.isArray(value)) return value.map((one) => renamedIn(one, from, to))
  if (typeof value !== 'string') return value
  if (value === from) return to
  return tokensOf(value).map((token) => (nameOf(token) === from ? quote(to) : token)).join('')
}

// An expression cut into text literals, quoted names, bare names and the rest; joined they are the whole.
function tokensOf(text: string): string[] {
  return text.match(/'(?:[^']|'')*'?|"(?:[^"]|"")*"?|[\p{L}_][\p{L}\p{N}_]*|[^'"\p{L}_]+/gu) ?? []
}
function nameOf(token: string): string | null {
  if (token.startsWith('"')) return token.slice(1, token.endsWith('"') ? -1 : undefined).replaceAll('""', '"')
  return /^[\p{L}_]/u.test(token) ? token : null
}
function wordsOf(text: string): string[] {
  return tokensOf(text).flatMap((token) => nameOf(token) ?? [])
}

/** The names closest to one that is not there: at most a third of its letters away. */
export function nearest(wanted: string, names: readonly string[]): string[] {
  const limit = Math.max(1, Math.floor(wanted.length / 3))
  return names
    .map((name) => ({ name, edits: editsBetween(wanted.toLowerCase(), name.toLowerCase()) }))
    .filter(({ edits }) => edits <= limit)
    .sort((a, b) => a.edits - b.edits)
    .map(({ name }) => name)
}

// Levenshtein's distance, with two letters that changed places as one edit.
function editsBetween(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const isSame = a[i - 1] === b[j - 1]
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (isSame ? 0 : 1))
      const isTurned = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (isTurned) best = Math.min(best, (before[j - 2] ?? 0) + 1)
      row.push(best)
    }
    before = last
    last = row
  }
  return last[b.length] ?? 0
}
