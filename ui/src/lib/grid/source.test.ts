import { describe, expect, it } from 'vitest'

import type { ColumnView, TablePage } from '../../host/bindings'
import { pagedSource, rowsSource } from './source'

const columns: ColumnView[] = Array.from({ length: 120 }, (_, index) => ({ name: `c${index}`, kind: 'integer' }))

function far(total: number) {
  const asked: { offset: number; limit: number; columns: string[]; answer: () => void; fail: () => void }[] = []
  const source = pagedSource(columns, total, (offset, limit, names) =>
    new Promise<TablePage>((resolve, reject) => {
      const rows = Array.from({ length: limit }, (_, row) => names.map((name) => `${name}@${offset + row}`))
      asked.push({
        offset, limit, columns: names,
        answer: () => resolve({ total, offset, columns: [], rows }),
        fail: () => reject(new Error('gone')),
      })
    }))
  return { source, asked }
}

const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))
const few = { first: 0, end: 10 }

describe('a table in pages', () => {
  it('cells are unknown until their page has come', async () => {
    const { source, asked } = far(1_000_000)
    source.want({ first: 500_010, end: 500_030 }, few)
    expect(source.cell(500_012, 3)).toBeUndefined()
    asked[0]?.answer()
    await tick()
    expect(source.cell(500_012, 3)).toBe('c3@500012')
  })

  it('the last page is as short as the table', () => {
    const { source, asked } = far(344)
    source.want({ first: 330, end: 344 }, few)
    expect(asked.map(({ offset, limit }) => [offset, limit])).toEqual([[300, 44]])
  })

  it('only the columns in view are asked for', () => {
    const { source, asked } = far(344)
    source.want({ first: 0, end: 20 }, { first: 60, end: 70 })
    expect(asked[0]?.columns[0]).toBe('c50')
    expect(asked[0]?.columns.length).toBe(50)
  })

  it('what was passed by on the way is never asked for', async () => {
    const { source, asked } = far(1_000_000)
    for (let row = 0; row < 100_000; row += 1000) source.want({ first: row, end: row + 20 }, few)
    expect(asked.length).toBe(2)
    asked.forEach(({ answer }) => answer())
    await tick()
    expect(asked.map(({ offset }) => offset)).toEqual([0, 1000, 99_000])
  })

  it('a page that failed is tried again when it is looked at again', async () => {
    const { source, asked } = far(344)
    source.want({ first: 0, end: 20 }, few)
    asked[0]?.fail()
    await tick()
    expect(String(source.error)).toContain('gone')
    source.want({ first: 0, end: 20 }, few)
    expect(asked.length).toBe(2)
    asked[1]?.answer()
    await tick()
    expect(source.error).toBeNull()
  })

  it('pages not looked at for long make room', async () => {
    const { source, asked } = far(1_000_000)
    for (let page = 0; page < 130; page += 1) {
      source.want({ first: page * 100, end: page * 100 + 20 }, few)
      asked.at(-1)?.answer()
      await tick()
    }
    expect(source.cell(0, 0)).toBeUndefined()
    expect(source.cell(12_905, 0)).toBe('c0@12905')
  })
})

describe('a table that is here', () => {
  it('knows all its cells at once', () => {
    const source = rowsSource({ total: 1, offset: 0, columns: columns.slice(0, 1), rows: [[null]] })
    expect([source.total, source.cell(0, 0), source.cell(1, 0)]).toEqual([1, null, undefined])
  })
})
