import { expect, it } from 'vitest'

import type { ColumnProfileView } from '../host/bindings'
import { cellColumns, cellRow, paired, spread } from './changes'

const text = (top: [string, number][], count: number): ColumnProfileView => ({
  name: 'plan', kind: 'text', count, missing: 0, distinct: top.length, distinctIsExact: true, numbers: null, top: top.map(([value, many]) => ({ value, count: many })), other: 0, meaning: null, isPersonal: false, isUnique: false, zeros: 0, lengths: null,
})
const sum = (shares: number[]): number => shares.reduce((total, one) => total + one, 0)

it('a histogram over other bins keeps its mass', () => {
  const shares = spread({ edges: [0, 10, 20], counts: [30, 10] }, [0, 5, 10, 20])
  expect(shares).toEqual([0.375, 0.375, 0.25])
  expect(sum(spread({ edges: [5, 5], counts: [7] }, [0, 5]))).toBe(1)
  expect(sum(spread({ edges: [0, 1], counts: [0] }, [0, 1]))).toBe(0)
})

it('values of both versions stand side by side, commonest first, the others together', () => {
  const { bins, before, after } = paired(text([['a', 6], ['b', 4]], 10), text([['c', 8], ['a', 1]], 10))
  expect(bins).toEqual(['c', 'a', 'b', 'all others'])
  expect(before.map((one) => Number(one.toFixed(3)))).toEqual([0, 0.6, 0.4, 0])
  expect(after.map((one) => Number(one.toFixed(3)))).toEqual([0.8, 0.1, 0, 0.1])
})

it('a column without any value has no shares', () => {
  expect(paired(text([], 0), text([['a', 2]], 2))).toEqual({ bins: ['a'], before: [0], after: [1] })
})

it('a changed cell is named by its key, or else by its row', () => {
  const cell = { row: 6, oldRow: 5, key: ['7', null], column: 'age', old: '1', new: null }
  expect(cellColumns(['id', 'part']).map(({ name }) => name)).toEqual(['id', 'part', 'Column', 'Before', 'Now'])
  expect(cellRow(cell, ['id', 'part'])).toEqual(['7', null, 'age', '1', null])
  expect(cellRow(cell, [])).toEqual(['7', 'age', '1', null])
})
