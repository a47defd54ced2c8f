// Conditions and orders as far as the mock understands them: comparisons joined by `and`.

import type { OrderBy } from '../bindings'
import type { Cell, Table } from './data'
import { failure } from './world'

/** Made rows are looked at only so far: enough for a screen. */
const MOST = 20_000

type Test = (row: number) => boolean

function testOf(table: Table, clause: string): Test {
  const either = /^\((.*) or (.*)\)$/s.exec(clause)
  if (either !== null) {
    const [left, right] = [testOf(table, either[1] ?? ''), testOf(table, either[2] ?? '')]
    return (row) => left(row) || right(row)
  }
  const parts = /^("(?:[^"]|"")*"|[a-z_][a-z0-9_]*)\s*(is not null|is null|<=|>=|<>|=|<|>)\s*(.*)$/is.exec(clause.trim())
  if (parts === null) throw failure('invalid_input', `cannot read \`${clause.trim()}\``, 'write a comparison, such as `year >= 2008`')
  const name = (parts[1] ?? '').replace(/^"|"$/g, '').replaceAll('""', '"')
  const at = table.columns.findIndex((column) => column.name === name)
  const kind = table.columns[at]?.kind
  if (kind === undefined) throw failure('invalid_input', `there is no column \`${name}\``, `the first is \`${table.columns[0]?.name ?? ''}\``)
  const wanted = (parts[3] ?? '').trim().replace(/^'|'$/g, '').replaceAll("''", "'")
  const operator = (parts[2] ?? '').toLowerCase()
  return (row) => {
    const cell = table.cell(row, at)
    if (operator === 'is null') return cell === null
    if (operator === 'is not null') return cell !== null
    if (cell === null) return false
    const order = kind === 'integer' || kind === 'number' ? Number(cell) - Number(wanted) : cell < wanted ? -1 : cell > wanted ? 1 : 0
    return { '=': order === 0, '<>': order !== 0, '<': order < 0, '>': order > 0, '<=': order <= 0, '>=': order >= 0 }[operator] ?? false
  }
}

const compare = (a: Cell, b: Cell, isNumber: boolean): number => (isNumber ? Number(a) - Number(b) : (a ?? '') < (b ?? '') ? -1 : a === b ? 0 : 1)

/** The rows of a table that answer a condition, in an order. */
export function sifted(table: Table, condition: string | null, order: OrderBy[]): Table {
  if (condition === null && order.length === 0) return table
  const tests = condition === null ? [] : condition.split(/\s+and\s+(?![^(]*\))/i).map((clause) => testOf(table, clause))
  const rows = Array.from({ length: Math.min(table.rows, MOST) }, (_, row) => row).filter((row) => tests.every((test) => test(row)))
  const keys = order.map(({ column, descending }) => ({ at: table.columns.findIndex(({ name }) => name === column), sign: descending ? -1 : 1 }))
  rows.sort((a, b) => {
    for (const { at, sign } of keys) {
      const [left, right] = [table.cell(a, at), table.cell(b, at)]
      if (left === null || right === null) {
        if (left !== right) return left === null ? 1 : -1
        continue
      }
      const kind = table.columns[at]?.kind
      const found = compare(left, right, kind === 'integer' || kind === 'number')
      if (found !== 0) return found * sign
    }
    return a - b
  })
  return { columns: table.columns, rows: rows.length, cell: (row, at) => table.cell(rows[row] ?? 0, at) }
}
