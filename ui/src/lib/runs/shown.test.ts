import { beforeEach, describe, expect, it } from 'vitest'

import { cellText, keepWidths, keptWidths, shownColumns, statText, usable } from './shown'

describe('columns on the screen', () => {
  it('stand side by side, those that were chosen in the middle', () => {
    const { first, columns, width } = shownColumns(['metrics.auc', 'params.depth'], { 'metrics.auc': 300, state: 5 })
    expect(columns.map(({ text }) => text)).toEqual(['state', 'experiment', 'metrics.auc', 'params.depth', 'duration', 'start_time'])
    expect(columns.map(({ at }) => at)).toEqual([null, null, 0, 1, null, null])
    expect(columns[2]?.width).toBe(300)
    expect(columns[0]?.width, 'no narrower than can be grasped').toBe(usable(5))
    let left = first.width
    for (const column of columns) {
      expect(column.left).toBe(left)
      left += column.width
    }
    expect(width).toBe(left)
  })

  it('say what is in a cell', () => {
    expect(cellText('metrics.auc', 0.91234)).toBe('0.912')
    expect(cellText('metrics.auc', 'NaN')).toBe('NaN')
    expect(cellText('params.depth', '007')).toBe('007')
    expect(cellText('duration', 1400)).toBe('1.4 s')
    expect(cellText('tags.x', null)).toBe('–')
  })

  it('say mean and deviation of a group', () => {
    expect(statText('metrics.auc', { mean: 0.9, deviation: 0.0123, count: 5 })).toBe('0.900 ± 0.012')
    expect(statText('metrics.auc', { mean: 0.9, deviation: null, count: 1 })).toBe('0.900')
    expect(statText('metrics.auc', null)).toBe('–')
  })
})

describe('widths', () => {
  beforeEach(() => {
    const kept = new Map<string, string>()
    Object.defineProperty(globalThis, 'localStorage', { configurable: true, value: { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value) } })
  })

  it('are kept, and what cannot be read is as if it were not there', () => {
    keepWidths({ state: 90 })
    expect(keptWidths()).toEqual({ state: 90 })
    localStorage.setItem('fettle.runs.widths', '{"a":"wide","b":null,"c":70}')
    expect(keptWidths()).toEqual({ c: 70 })
    localStorage.setItem('fettle.runs.widths', 'no JSON')
    expect(keptWidths()).toEqual({})
  })
})
