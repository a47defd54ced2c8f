// Writes a changed pipeline into its file without touching the rest of the text: comments, blank lines
// and the order of keys stay. Knows the forms people write steps in; where it meets another, it says
// so by null, and the file is written anew. What it writes is read back by the backend and compared.

import type { JsonValue, PipelineDoc, StepDoc } from '../../host/bindings'
import { isSame, isSameStep } from './doc'
import { framesOf, hasSameFrames, type Frame } from './sheet'

/** A step's part of the file: the comments right above it, its head, and all up to the next. */
type Block = { lines: string[] }
type Parts = { head: string[]; blocks: Block[]; frames: Block[] }

/** True if a text has something that writing it anew would lose. */
export function hasComments(text: string): boolean {
  return text.split('\n').some((line) => commentAt(line) !== null)
}

/** The text of `before` changed into one of `after`; null where the text has a form this does not know. */
export function patchText(text: string, before: PipelineDoc, after: PipelineDoc): string | null {
  const parts = partsOf(text)
  if (parts === null || parts.blocks.length !== before.steps.length) return null
  // What a pipeline declares for others changes rarely, and is written anew then.
  if (!isSame(before.inputs ?? [], after.inputs ?? []) || !isSame(before.outputs ?? [], after.outputs ?? [])) return null
  const frames = frameBlocks(parts.frames, before, after)
  const head = needsSecondFormat(after) && parts.head.some((line) => valueOf(line, 'format') === '1') ? withValue(parts.head, 'format', '2') : parts.head
  if (frames === null || head === null) return null
  const known = new Map<string, { step: StepDoc; block: Block }>()
  for (const [index, step] of before.steps.entries()) {
    const block = parts.blocks[index]
    if (block === undefined || !block.lines.some((line) => valueOf(line, 'id') === JSON.stringify(step.id))) return null
    known.set(step.id, { step, block })
  }
  const pairs = renamesOf(before, after)
  const blocks: string[][] = []
  for (const step of after.steps) {
    const old = known.get(pairs.get(step.id) ?? step.id)
    const lines = old === undefined ? fresh(step) : isSameStep(old.step, step) ? old.block.lines : patchedBlock(old.block.lines, old.step, step)
    if (lines === null) return null
    blocks.push(lines)
  }
  return joined([head, ...blocks, ...frames])
}

function needsSecondFormat(doc: PipelineDoc): boolean {
  return framesOf(doc).length > 0 || doc.steps.some((step) => step.skip === true)
}

// A frame that stays as it was keeps its lines.
function frameBlocks(blocks: readonly Block[], before: PipelineDoc, after: PipelineDoc): string[][] | null {
  const old = framesOf(before)
  if (blocks.length !== old.length) return null
  const known = new Map(old.map((frame, index) => [frame.id, { frame, lines: blocks[index]?.lines ?? [] }]))
  return framesOf(after).map((frame) => {
    const kept = known.get(frame.id)
    return kept !== undefined && hasSameFrames({ ...before, frames: [kept.frame] }, { ...after, frames: [frame] }) ? kept.lines : freshFrame(frame)
  })
}

function freshFrame({ id, title, note, tone, box }: Frame): string[] {
  const texts = [['title', title], ['note', note]] as const
  const said = texts.flatMap(([name, text]) => (text === '' ? [] : [`${name} = ${JSON.stringify(text)}`]))
  return ['[[frame]]', `id = ${JSON.stringify(id)}`, ...said, `tone = ${JSON.stringify(tone)}`, `box = ${write([...box])}`]
}

/** The document as a file can say it: a parameter that is null is one that is left out. */
export function withoutNulls(doc: PipelineDoc): PipelineDoc {
  const steps = doc.steps.map((step) => ({ ...step, params: Object.fromEntries(Object.entries(step.params).filter(([, value]) => value !== null)) }))
  return { ...doc, steps }
}

// A step that took another's place in the list with the same kind was renamed: its comments go along.
function renamesOf(before: PipelineDoc, after: PipelineDoc): Map<string, string> {
  const kept = new Set(after.steps.map((step) => step.id))
  const had = new Set(before.steps.map((step) => step.id))
  const pairs = new Map<string, string>()
  for (const [index, step] of after.steps.entries()) {
    const old = before.steps[index]
    if (old !== undefined && !had.has(step.id) && !kept.has(old.id) && old.kind === step.kind) pairs.set(step.id, old.id)
  }
  return pairs
}

function partsOf(text: string): Parts | null {
  // Texts over several lines may hold anything, also what looks like a step.
  if (text.includes('"""') || text.includes("'''")) return null
  const head: string[] = []
  const blocks: Block[] = []
  const frames: Block[] = []
  let last: string[] = head
  let above: string[] = []
  for (const line of text.replace(/\n$/, '').split('\n')) {
    const name = /^\s*\[\[\s*(\w+)\s*\]\]\s*(#.*)?$/.exec(line)?.[1]
    if (name === 'step' || name === 'frame') {
      last = [...above, line]
      ;(name === 'step' ? blocks : frames).push({ lines: last })
      above = []
    } else if (name !== undefined) {
      // What is declared for others stands with the head, wherever it stood.
      head.push(...above, line)
      last = head
      above = []
    } else if (/^\s*#/.test(line)) above.push(line)
    else {
      last.push(...above, line)
      above = []
    }
  }
  // What stands below the last part belongs to it.
  last.push(...above)
  return { head, blocks, frames }
}

function patchedBlock(lines: readonly string[], from: StepDoc, to: StepDoc): string[] | null {
  let next: string[] | null = [...lines]
  if (from.id !== to.id) next = withValue(next, 'id', JSON.stringify(to.id))
  if (next !== null && from.kind !== to.kind) next = withValue(next, 'kind', JSON.stringify(to.kind))
  if (next !== null && !isSame(from.position, to.position)) next = withValue(next, 'position', write([...to.position]))
  for (const [key, was, is] of plainKeys(from, to)) if (next !== null && was !== is) next = withKey(next, key, is)
  if (next !== null && !isSame(from.params, to.params)) next = withTable(next, 'params', from.params, to.params)
  if (next !== null && !isSame(from.inputs, to.inputs)) next = withTable(next, 'inputs', wires(from), wires(to))
  return next
}

/** Keys of a step that stand by themselves, as they are written; null for one that is left out. */
function plainKeys(from: StepDoc, to: StepDoc): [string, string | null, string | null][] {
  const of = ({ skip, limits }: StepDoc): (string | null)[] => {
    const { retries = 0, timeout = null, cores = null, memory = null } = limits ?? {}
    const numbers = [retries === 0 ? null : String(retries), cores === null ? null : String(cores)]
    return [skip === true ? 'true' : null, ...numbers, ...[timeout, memory].map((text) => (text === null ? null : JSON.stringify(text)))]
  }
  const [was, is] = [of(from), of(to)]
  return ['skip', 'retries', 'cores', 'timeout', 'memory'].map((key, at) => [key, was[at] ?? null, is[at] ?? null])
}

function withKey(lines: readonly string[], key: string, value: string | null): string[] | null {
  const has = lines.some((line) => valueOf(line, key) !== null)
  if (value === null) return has ? lines.filter((line) => valueOf(line, key) === null) : null
  return has ? withValue(lines, key, value) : inserted(lines, [`${key} = ${value}`], topOf(lines))
}

type Table = { [key in string]?: JsonValue }

function wires(step: StepDoc): Table {
  return Object.fromEntries(Object.entries(step.inputs).flatMap(([port, from]): [string, JsonValue][] => (from.length === 0 ? [] : [[port, from.length === 1 ? (from[0] ?? '') : from]])))
}

// A table stands as `[step.params]` with a line for each key, or as `params = { … }` in one line.
function withTable(lines: readonly string[], name: string, from: Table, to: Table): string[] | null {
  const start = lines.findIndex((line) => new RegExp(`^\\s*\\[\\s*step\\.${name}\\s*\\]\\s*(#.*)?$`).test(line))
  if (start >= 0) return withSection(lines, start, from, to)
  if (lines.some((line) => new RegExp(`^\\s*${name}\\.`).test(line))) return null
  const entries = Object.entries(to).flatMap(([key, value]) => (value === undefined || value === null ? [] : [`${writeKey(key)} = ${write(value)}`]))
  if (lines.some((line) => valueOf(line, name) !== null)) {
    return entries.length === 0 ? lines.filter((line) => valueOf(line, name) === null) : withValue(lines, name, `{ ${entries.join(', ')} }`)
  }
  if (entries.length === 0) return [...lines]
  // A new table looks like the one the step has.
  const isInline = lines.some((line) => valueOf(line, 'params') !== null || valueOf(line, 'inputs') !== null)
  const added = isInline ? [`${name} = { ${entries.join(', ')} }`] : ['', `[step.${name}]`, ...entries]
  return inserted(lines, added, topOf(lines))
}

function withSection(lines: readonly string[], start: number, from: Table, to: Table): string[] | null {
  const after = lines.findIndex((line, at) => at > start && /^\s*\[/.test(line))
  const end = after < 0 ? lines.length : after
  let section: string[] | null = lines.slice(start, end)
  for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
    const value = to[key] ?? null
    if (section === null) return null
    if (isSame(from[key] ?? null, value)) continue
    const has: boolean = section.some((line) => valueOf(line, writeKey(key)) !== null)
    // A value that is there and not found in one line has a form that is not known here.
    if (!has && (from[key] ?? null) !== null) return null
    if (value === null) section = section.filter((line) => valueOf(line, writeKey(key)) === null)
    else section = has ? withValue(section, writeKey(key), write(value)) : inserted(section, [`${writeKey(key)} = ${write(value)}`], lastFilled(section) + 1)
  }
  return section === null ? null : [...lines.slice(0, start), ...section, ...lines.slice(end)]
}

// Keys of the step itself stand above its tables.
function topOf(lines: readonly string[]): number {
  const head = lines.findIndex((line) => /^\s*\[\[/.test(line))
  const table = lines.findIndex((line, at) => at > head && /^\s*\[/.test(line))
  return lastFilled(table < 0 ? lines : lines.slice(0, table)) + 1
}
function lastFilled(lines: readonly string[]): number {
  return lines.findLastIndex((line) => line.trim() !== '' && !/^\s*#/.test(line))
}
function inserted(lines: readonly string[], more: readonly string[], at: number): string[] {
  return [...lines.slice(0, at), ...more, ...lines.slice(at)]
}

/** The value of `key = value` in a line, without a comment behind it; null if the line is another, or
 *  the value goes on in the next. */
function valueOf(line: string, key: string): string | null {
  const found = /^(\s*)("(?:[^"\\]|\\.)*"|[A-Za-z0-9_-]+)(\s*=\s*)(.*)$/.exec(line)
  if (found === null || found[2] !== key) return null
  const rest = found[4] ?? ''
  const value = rest.slice(0, commentAt(rest) ?? rest.length).trimEnd()
  return isWhole(value) ? value : null
}

function withValue(lines: readonly string[], key: string, value: string): string[] | null {
  const at = lines.findIndex((line) => valueOf(line, key) !== null)
  const line = lines[at]
  if (line === undefined) return null
  const head = /^(\s*(?:"(?:[^"\\]|\\.)*"|[A-Za-z0-9_-]+)\s*=\s*)/.exec(line)?.[1] ?? ''
  const rest = line.slice(head.length)
  const comment = commentAt(rest)
  const tail = comment === null ? '' : rest.slice(rest.slice(0, comment).trimEnd().length)
  return lines.map((one, index) => (index === at ? head + value + tail : one))
}

/** Where a comment starts in a line, outside of texts. */
function commentAt(line: string): number | null {
  let quote: string | null = null
  for (let at = 0; at < line.length; at += 1) {
    const letter = line.charAt(at)
    if (quote === '"' && letter === '\\') at += 1
    else if (quote !== null) quote = letter === quote ? null : quote
    else if (letter === '"' || letter === "'") quote = letter
    else if (letter === '#') return at
  }
  return null
}

// Every bracket that opens outside of a text closes in the same line.
function isWhole(value: string): boolean {
  const bare = value.replaceAll(/"(?:[^"\\]|\\.)*"|'[^']*'/g, '')
  const count = (letters: RegExp): number => bare.match(letters)?.length ?? 0
  return value !== '' && count(/[[{]/g) === count(/[\]}]/g) && count(/["']/g) === 0
}

function fresh(step: StepDoc): string[] {
  const table = (name: string, entries: Table): string[] => {
    const lines = Object.entries(entries).flatMap(([key, value]) => (value === undefined || value === null ? [] : [`${writeKey(key)} = ${write(value)}`]))
    return lines.length === 0 ? [] : ['', `[step.${name}]`, ...lines]
  }
  const none = { ...step, skip: undefined, limits: undefined }
  const plain = plainKeys(none, step).flatMap(([key, , value]) => (value === null ? [] : [`${key} = ${value}`]))
  return ['[[step]]', `id = ${JSON.stringify(step.id)}`, `kind = ${JSON.stringify(step.kind)}`, `position = ${write([...step.position])}`, ...plain, ...table('params', step.params), ...table('inputs', wires(step))]
}

// Between two steps stands a blank line, as the backend writes it.
function joined(parts: readonly (readonly string[])[]): string {
  const text = parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n').trimEnd())
    .join('\n\n')
  return `${text}\n`
}

function writeKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key)
}

/** A value as TOML. Texts, numbers and lists are written as in JSON; there is no null. */
function write(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.filter((one) => one !== null).map(write).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).flatMap(([key, one]) => (one === null ? [] : [`${writeKey(key)} = ${write(one)}`]))
  return `{ ${entries.join(', ')} }`
}
