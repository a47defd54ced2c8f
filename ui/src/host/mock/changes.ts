// What changed from penguins v1 to v2: eleven rows came, one went, some weights were corrected.

import type { ChangedCell, ComparedColumn } from '../bindings'
import { find, page, profile, tableOf } from './data'
import { type Answers } from './world'

const ADDED = 12
const REMOVED = 1

function cells(name: string): ChangedCell[] {
  const table = tableOf(name)
  const at = Math.min(5, table.columns.length - 1)
  return Array.from({ length: 26 }, (_, index): ChangedCell => {
    const row = 7 + index * 11
    const now = table.cell(row, at)
    const old = index % 9 === 0 ? null : String(Number(now ?? 4000) + (index % 2 === 0 ? 50 : -125))
    return { row, oldRow: row, key: [], column: table.columns[at]?.name ?? '', old, new: index % 13 === 5 ? null : now }
  })
}

function compared(name: string): ComparedColumn[] {
  return profile(name).columns.map((after, index) => {
    const numbers = after.numbers
    if (numbers === null) return { before: { ...after, top: after.top.map((one, at) => ({ ...one, count: Math.max(1, one.count - at * 4) })) }, after, psi: 0.012, level: 'none' }
    const moved = index % 3 === 2
    const counts = numbers.counts.map((one, bin) => (moved ? (numbers.counts[bin + 3] ?? Math.round(one / 3)) : one))
    return { before: { ...after, numbers: { ...numbers, counts } }, after, psi: moved ? (index === 2 ? 0.31 : 0.14) : 0.004, level: moved ? (index === 2 ? 'alarm' : 'warning') : 'none' }
  })
}

export const answers: Answers = {
  'dataset.diff': ({ dataset, from, to, key }, world) => {
    const newest = to ?? find(dataset).versions[0]?.number ?? 1
    const same = from === newest
    const rows = tableOf(dataset).rows
    const changed = same ? 0 : 26
    return world.start({
      kind: 'dataset.diff', title: `Compare ${dataset} v${from} with v${newest}`, subject: { dataset }, stages: ['reading', 'matching rows', 'comparing cells'], ms: 900,
      finish: () => ({
        from, to: newest, addedColumns: [], removedColumns: [], renamedColumns: same ? [] : [{ from: 'body_mass', to: 'body_mass_g', equalShare: 0.92 }],
        retypedColumns: same ? [] : [{ name: 'year', from: 'text', to: 'integer' }], key, isKeyFound: key.length === 0,
        oldRows: rows - ADDED + REMOVED, newRows: rows, addedRows: same ? 0 : ADDED, removedRows: same ? 0 : REMOVED, changedRows: changed, unchangedRows: rows - changed - (same ? 0 : ADDED),
        changedCells: changed, columns: same ? [] : [{ name: 'body_mass_g', oldName: 'body_mass', changedCells: changed }],
      }),
    })
  },
  'dataset.changes': ({ dataset, from, to, what, offset, limit }) => {
    const all = from === to ? [] : cells(dataset)
    if (what === 'cells') return { total: all.length, cells: all.slice(offset, offset + limit), rows: null }
    const total = from === to ? 0 : what === 'added' ? ADDED : REMOVED
    const table = { ...tableOf(dataset), rows: total }
    return { total, cells: [], rows: page(table, offset, limit, null) }
  },
  'dataset.compare': ({ dataset, from, to }) => ({
    from, to: to ?? from, rowsBefore: tableOf(dataset).rows - ADDED + REMOVED, rowsAfter: tableOf(dataset).rows, added: [], removed: [], columns: compared(dataset),
  }),
}
