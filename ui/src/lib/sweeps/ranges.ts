// The ranges of a sweep: from the fields of a form to the words of its file, `0.01..0.3:log`, and which
// parameters of a pipeline can be tried at all.

import type { JsonValue, PipelineDoc, StepDoc } from '../../host/bindings'
import { kindOf, type Kinds } from '../graph/kinds'
import { fieldsOf, type Field } from '../graph/schema'

/** What is tried of a parameter: numbers between two ends, or a few values. */
export type Range =
  | { type: 'between'; low: string; high: string; isInteger: boolean; isLog: boolean }
  | { type: 'choice'; choices: string }

/** A parameter that can be tried. */
export type Tunable = {
  /** `step.parameter`, as the file says it. */
  path: string
  step: string
  field: Field
  /** What holds without the sweep. */
  value: JsonValue
}

/** Parameters whose best values lie orders of magnitude apart. */
const LOGARITHMIC = /rate|l1|l2|alpha|lambda|penalty|c$|gamma|leaves|min_.*(gain|weight)/
/** Ends that people who tune start from. */
const USUAL: Record<string, [number, number]> = {
  learning_rate: [0.01, 0.3], leaves: [7, 127], max_depth: [2, 12], depth: [2, 12], rounds: [50, 500], trees: [50, 500], l2: [0.001, 10], min_leaf_rows: [1, 50],
}
/** Changing these changes the question, not the answer. */
const NEVER = new Set(['seed', 'target', 'version', 'dataset'])

/** Every parameter that a sweep can try, in the order of the pipeline. */
export function tunables(doc: PipelineDoc, kinds: Kinds): Tunable[] {
  return doc.steps.flatMap((step) => {
    const kind = kindOf(doc, kinds, step.id)
    if (kind === undefined) return []
    const fields = fieldsOf(kind).filter((field) => !NEVER.has(field.name) && ['number', 'choice', 'switch'].includes(field.editor.type))
    return fields.map((field) => ({ path: `${step.id}.${field.name}`, step: step.id, field, value: valueOf(step, field) }))
  })
}

const valueOf = (step: StepDoc, field: Field): JsonValue => step.params[field.name] ?? field.fallback ?? null

/** A range to start from. */
export function suggest({ field, value }: Tunable): Range {
  if (field.editor.type === 'choice') return { type: 'choice', choices: field.editor.choices.map((choice) => String(choice.value)).join(' | ') }
  if (field.editor.type !== 'number') return { type: 'choice', choices: 'true | false' }
  const { isInteger, min, max, isOpenMin } = field.editor
  const middle = typeof value === 'number' && value > 0 ? value : 1
  const usual = USUAL[field.name] ?? [middle / 4, middle * 4]
  const floor = min === null ? -Infinity : isOpenMin ? Math.max(min, Number.EPSILON) : min
  const inside = (end: number): number => Math.min(max ?? Infinity, Math.max(floor, end))
  const [low, high] = [inside(usual[0]), inside(usual[1])].map((end) => (isInteger ? Math.round(end) : Number(end.toPrecision(3))))
  return { type: 'between', low: String(low), high: String(high), isInteger, isLog: LOGARITHMIC.test(field.name) && (low ?? 0) > 0 }
}

/** What is wrong with a range, in a sentence; null if nothing is. */
export function rangeProblem(range: Range): string | null {
  if (range.type === 'choice') return choicesOf(range.choices).length < 2 ? 'Give two values or more, with | between them.' : null
  const [low, high] = [Number(range.low), Number(range.high)]
  if (range.low.trim() === '' || range.high.trim() === '' || !Number.isFinite(low) || !Number.isFinite(high)) return 'Both ends must be numbers.'
  if (range.isInteger && (!Number.isInteger(low) || !Number.isInteger(high))) return 'Both ends must be whole numbers.'
  if (low >= high) return 'The lower end must be below the upper one.'
  return range.isLog && low <= 0 ? 'A logarithmic range lies above 0.' : null
}

/** The range as the file says it. Ends without a point would mean whole numbers. */
export function rangeText(range: Range): string {
  if (range.type === 'choice') return choicesOf(range.choices).join('|')
  const end = (text: string): string => {
    const number = String(Number(text))
    return range.isInteger || /[.e]/.test(number) ? number : `${number}.0`
  }
  return `${end(range.low)}..${end(range.high)}${range.isLog ? ':log' : ''}`
}

const choicesOf = (text: string): string[] => text.split('|').map((one) => one.trim()).filter((one) => one !== '')

/** Steps that measure something after the swept ones: where a trial's metric may come from. */
export function measuringSteps(doc: PipelineDoc, kinds: Kinds): string[] {
  return doc.steps
    .filter((step) => step.kind !== 'compare' && step.kind !== 'check' && kindOf(doc, kinds, step.id)?.outputs.some((port) => port.type === 'metrics') === true)
    .map((step) => step.id)
}
