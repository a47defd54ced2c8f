import { expect, it } from 'vitest'
import { figureTable, tableCsv } from './table'

it('puts the lines of a training side by side, with gaps where one has no point', () => {
  const table = figureTable({
    type: 'curves',
    metric: 'log loss',
    series: [
      { name: 'train', points: [{ x: 1, y: 0.6 }, { x: 2, y: 0.4 }], value: null },
      { name: 'validation', points: [{ x: 2, y: 0.5 }], value: null },
    ],
  })
  expect(table.columns).toEqual(['round', 'train log loss', 'validation log loss'])
  expect(table.rows).toEqual([[1, 0.6, null], [2, 0.4, 0.5]])
})

it('writes a CSV that a spreadsheet reads back', () => {
  const csv = tableCsv({ columns: ['bin', 'share'], rows: [['a, "b"', 0.5], ['missing', null]] })
  expect(csv).toBe('bin,share\r\n"a, ""b""",0.5\r\nmissing,\r\n')
})

it('keeps actual classes in rows and predicted ones in columns', () => {
  const table = figureTable({ type: 'confusion', classes: ['no', 'yes'], counts: [[5, 1], [2, 7]] })
  expect(table.rows).toEqual([['no', 5, 1], ['yes', 2, 7]])
})
