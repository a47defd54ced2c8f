import { describe, expect, it } from 'vitest'

import type { RunRow } from '../../host/bindings'
import { inner, lineAt, lineCount, topOfRun, topRange, type Block, type Line } from './outline'

const run = (id: string): RunRow => ({
  id, number: 1, name: id, pipeline: '', experiment: 'e', state: 'done', startedAt: 0, durationMs: 1, note: '', parent: null, children: 0, isStarred: false, color: null, cells: [],
})
const block = (...ids: string[]): Block => ({ rows: ids.map(run), total: ids.length, failure: null })
const said = (line: Line): string => (line.kind === 'run' ? `${line.depth}${line.row.id}` : line.kind === 'note' ? line.text : line.kind)

describe('the lines of a table that opens', () => {
  const tops = ['a', 'b', 'c', 'd'].map((id) => topOfRun(run(id)))
  const blocks = new Map<string, Block>([['b', block('x', 'y')], ['x', block('z')], ['d', null]])
  const opened = [
    { at: 1, lines: inner('b', blocks, 1) },
    { at: 3, lines: inner('d', blocks, 1) },
  ]
  const all = Array.from({ length: lineCount(4, opened) }, (_, place) => lineAt(place, opened, (index) => tops[index], (key) => blocks.has(key)))

  it('stand under the row that was opened, at every depth', () => {
    expect(all.map(said)).toEqual(['0a', '0b', '1x', '2z', '1y', '0c', '0d', '…'])
    expect(all.map((line) => line.kind === 'run' && line.isOpen)).toEqual([false, true, true, false, false, false, true, false])
    expect(new Set(all.map((line) => line.key)).size).toBe(all.length)
  })

  it('say where a row is to come', () => {
    expect(lineAt(5, opened, () => undefined, () => false).kind).toBe('waiting')
  })

  it('tell which rows of the first level they reach into', () => {
    for (let first = 0; first < all.length; first += 1) {
      const { first: index } = topRange(first, all.length, opened)
      const tops = all.slice(0, first).filter((line) => line.kind === 'run' && line.depth === 0).length
      expect(index, String(first)).toBe(tops)
    }
    expect(topRange(0, all.length, opened)).toEqual({ first: 0, end: 4 })
  })

  it('end, also for a run that is nested under itself', () => {
    const round = new Map<string, Block>([['a', block('b')], ['b', block('a')]])
    expect(inner('a', round, 1).length).toBeLessThan(20)
  })

  it('say that there are more, or why there are none', () => {
    const more = new Map<string, Block>([['a', { rows: [run('b')], total: 3, failure: null }], ['c', { rows: [], total: 0, failure: 'gone' }]])
    expect(inner('a', more, 1).map(said)).toEqual(['1b', '1 of 3 shown: filter to see the others'])
    expect(inner('c', more, 1).map(said)).toEqual(['gone'])
  })
})
