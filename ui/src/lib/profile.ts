// What the header of a column says about it.

import type { ColumnKind, ColumnProfileView, TaskView } from '../host/bindings'
import { count, date, number, percent, plural } from './format'

const GLYPHS: Record<ColumnKind, string> = { integer: '#', number: '1.2', boolean: '☑', text: 'Aa', time: '◷' }
const KINDS: Record<ColumnKind, string> = { integer: 'Whole number', number: 'Number', boolean: 'Yes or no', text: 'Text', time: 'Date or time' }
const TASKS: Record<TaskView, string> = { binary: 'Classification, two classes', multiclass: 'Classification', regression: 'Regression' }

/** Bars in a header for values that are no numbers; the rest is one more bar. */
const MOST_BARS = 5

export function kindGlyph(kind: ColumnKind): string {
  return GLYPHS[kind]
}

export function kindWord(kind: ColumnKind): string {
  return KINDS[kind]
}

export function taskWord(task: TaskView): string {
  return TASKS[task]
}

/** A value of a number column as its kind has it: times are dates. */
export function value(amount: number, kind: ColumnKind): string {
  return kind === 'time' ? date(amount) : number(amount)
}

export function missingShare({ count: known, missing }: ColumnProfileView): number {
  return known + missing === 0 ? 0 : missing / (known + missing)
}

/** True if each value occurs once: a name or a number, nothing to learn from. */
export function isId({ kind, count: known, distinct }: ColumnProfileView): boolean {
  return kind !== 'number' && kind !== 'time' && known > 20 && distinct >= known
}

export type Headline = {
  bars: number[]
  /** Index of the bar that stands for all other values. */
  rest: number | null
  caption: string
}

export function headline(column: ColumnProfileView): Headline {
  if (column.count === 0) return { bars: [], rest: null, caption: 'no values' }
  if (isId(column) && column.numbers === null) return { bars: [], rest: null, caption: 'all different' }
  if (column.distinct === 1) return { bars: [], rest: null, caption: `always ${column.top[0]?.value ?? (column.numbers ? value(column.numbers.min, column.kind) : '')}` }
  if (column.numbers !== null) {
    const { counts, min, max } = column.numbers
    return { bars: counts, rest: null, caption: `${value(min, column.kind)} to ${value(max, column.kind)}` }
  }
  const top = column.top.slice(0, MOST_BARS).map((entry) => entry.count)
  const others = column.count - top.reduce((sum, one) => sum + one, 0)
  const bars = others > 0 ? [...top, others] : top
  return { bars, rest: others > 0 ? bars.length - 1 : null, caption: classesCaption(column) }
}

/** Two or three values with their shares, more of them as a number. */
function classesCaption({ top, distinct, distinctIsExact, count: known }: ColumnProfileView): string {
  if (distinct <= 2 && top.length === distinct) return top.map((entry) => `${entry.value} ${percent(entry.count / known)}`).join(', ')
  return `${distinctIsExact ? '' : 'about '}${plural(distinct, 'value')}`
}

/** The lines of the panel beside the table. */
export function facts(column: ColumnProfileView): { name: string; value: string }[] {
  const lines = [
    { name: 'Values', value: count(column.count) },
    { name: 'Missing', value: column.missing === 0 ? 'none' : `${count(column.missing)} (${percent(missingShare(column))})` },
    { name: 'Different', value: `${column.distinctIsExact ? '' : 'about '}${count(column.distinct)}` },
  ]
  if (column.isUnique) lines.push({ name: 'Repeats', value: 'none: each row has its own' })
  if (column.meaning !== null) lines.unshift({ name: 'Seems to be', value: `${column.meaning}${column.isPersonal ? ', personal data' : ''}` })
  if (column.lengths !== null) {
    const [shortest, mean, longest] = column.lengths
    lines.push({ name: 'Length', value: shortest === longest ? plural(shortest, 'character') : `${count(shortest)} to ${count(longest)} characters, ${number(mean)} on average` })
  }
  if (column.numbers === null) return lines
  const { min, max, mean, std, quantiles } = column.numbers
  const show = (amount: number): string => value(amount, column.kind)
  const [p01, p05, p25, p50, p75, p95, p99] = quantiles
  return [
    ...lines,
    ...(column.kind === 'time' || column.zeros === 0 ? [] : [{ name: 'Zeros', value: `${count(column.zeros)} (${percent(column.zeros / Math.max(1, column.count))})` }]),
    { name: 'Smallest', value: show(min) },
    { name: '1 %', value: show(p01) },
    { name: '5 %', value: show(p05) },
    { name: '25 %', value: show(p25) },
    { name: 'Median', value: show(p50) },
    { name: '75 %', value: show(p75) },
    { name: '95 %', value: show(p95) },
    { name: '99 %', value: show(p99) },
    { name: 'Largest', value: show(max) },
    { name: 'Mean', value: show(mean) },
    // A spread of dates is a time span, not a date.
    { name: 'Std. deviation', value: column.kind === 'time' ? plural(Math.round(std / 86_400_000), 'day') : number(std) },
  ]
}
