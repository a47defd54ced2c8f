// What changed between two versions, made ready to be shown.

import type { ChangedCell, ColumnProfileView, ColumnView, NumberProfileView } from '../host/bindings'
import { count, date, number } from './format'

export type Paired = { bins: string[]; before: number[]; after: number[] }

const BINS = 12
const VALUES = 10

/** Both distributions of a column as shares of the same bins. */
export function paired(before: ColumnProfileView, after: ColumnProfileView): Paired {
  if (before.numbers !== null && after.numbers !== null) return numbers(before.numbers, after.numbers, after.kind === 'time' ? date : number)
  return values(before, after)
}

function numbers(before: NumberProfileView, after: NumberProfileView, show: (value: number) => string): Paired {
  const low = Math.min(before.edges[0] ?? before.min, after.edges[0] ?? after.min)
  const high = Math.max(before.edges.at(-1) ?? before.max, after.edges.at(-1) ?? after.max)
  const width = (high - low) / BINS
  if (width === 0) return { bins: [show(low)], before: [1], after: [1] }
  const edges = Array.from({ length: BINS + 1 }, (_, at) => low + at * width)
  return { bins: edges.slice(0, -1).map((edge) => show(edge)), before: spread(before, edges), after: spread(after, edges) }
}

/** The counts of a histogram spread over other bins, each bar evenly; as shares. */
export function spread({ edges, counts }: Pick<NumberProfileView, 'edges' | 'counts'>, over: readonly number[]): number[] {
  const total = counts.reduce((sum, one) => sum + one, 0)
  const shares = Array.from({ length: over.length - 1 }, () => 0)
  counts.forEach((many, at) => {
    const [from, to] = [edges[at] ?? 0, edges[at + 1] ?? 0]
    for (let bin = 0; bin < shares.length; bin += 1) {
      const [start, end] = [over[bin] ?? 0, over[bin + 1] ?? 0]
      const isLast = bin === shares.length - 1
      const overlap = to > from ? Math.max(0, Math.min(to, end) - Math.max(from, start)) / (to - from) : from >= start && (from < end || isLast) ? 1 : 0
      shares[bin] = (shares[bin] ?? 0) + (total === 0 ? 0 : (many * overlap) / total)
    }
  })
  return shares
}

function values(before: ColumnProfileView, after: ColumnProfileView): Paired {
  const shares = ({ top, count: known }: ColumnProfileView): Map<string, number> => new Map(top.map((one) => [one.value, one.count / Math.max(1, known)]))
  const [old, now] = [shares(before), shares(after)]
  const names = [...new Set([...now.keys(), ...old.keys()])].sort((a, b) => (now.get(b) ?? 0) + (old.get(b) ?? 0) - (now.get(a) ?? 0) - (old.get(a) ?? 0)).slice(0, VALUES)
  const of = (all: Map<string, number>): number[] => names.map((name) => all.get(name) ?? 0)
  const rest = (shown: number[]): number => Math.max(0, 1 - shown.reduce((sum, one) => sum + one, 0))
  const [left, right] = [of(old), of(now)]
  const bins = names.map((name) => (name === '' ? 'empty text' : name))
  const [restLeft, restRight] = [before.count === 0 ? 0 : rest(left), after.count === 0 ? 0 : rest(right)]
  if (restLeft < 0.0005 && restRight < 0.0005) return { bins, before: left, after: right }
  return { bins: [...bins, 'all others'], before: [...left, restLeft], after: [...right, restRight] }
}

/** The columns of the list of changed cells: the key that names the row, or else its number. */
export function cellColumns(key: readonly string[]): ColumnView[] {
  const text = (name: string): ColumnView => ({ name, kind: 'text' })
  return [...(key.length === 0 ? ['Row'] : key).map(text), text('Column'), text('Before'), text('Now')]
}

/** A changed cell as a row of that list. */
export function cellRow(cell: ChangedCell, key: readonly string[]): (string | null)[] {
  const named = key.length === 0 ? [count(cell.row + 1)] : key.map((_, at) => cell.key[at] ?? null)
  return [...named, cell.column, cell.old, cell.new]
}
