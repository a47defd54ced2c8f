import { describe, expect, it } from 'vitest'

import type { ColumnProfileView } from '../host/bindings'
import { facts, headline, isId, missingShare } from './profile'

const text = (top: [string, number][], more: Partial<ColumnProfileView> = {}): ColumnProfileView => ({
  name: 'x', kind: 'text', count: top.reduce((sum, [, n]) => sum + n, 0), missing: 0, distinct: top.length, distinctIsExact: true, numbers: null,
  top: top.map(([value, count]) => ({ value, count })), other: 0, meaning: null, isPersonal: false, isUnique: false, zeros: 0, lengths: null, ...more,
})
const numbers: ColumnProfileView = {
  ...text([]), kind: 'number', count: 99, missing: 1, distinct: 80,
  numbers: { min: -2, max: 12.5, mean: 4, std: 1.25, quantiles: [0, 1, 2, 3, 4, 5, 6], edges: [0, 1, 2], counts: [40, 59] },
}

describe('the header of a column', () => {
  it('numbers show their histogram and range', () => {
    expect(headline(numbers)).toEqual({ bars: [40, 59], rest: null, caption: '-2 to 12.5' })
  })

  it('two classes show their shares', () => {
    expect(headline(text([['no', 88], ['yes', 12]])).caption).toBe('no 88 %, yes 12 %')
  })

  it('many values are five bars and one for the rest', () => {
    const many = text(Array.from({ length: 9 }, (_, index) => [`v${index}`, 10 - index]))
    expect(headline(many)).toEqual({ bars: [10, 9, 8, 7, 6, 14], rest: 5, caption: '9 values' })
  })

  it('values that are all different, the same or missing are said in words', () => {
    expect(headline(text([], { count: 500, distinct: 500 })).caption).toBe('all different')
    expect(headline(text([['a', 30]])).caption).toBe('always a')
    expect(headline(text([], { count: 0, missing: 30, distinct: 0 })).caption).toBe('no values')
  })

  it('a few rows that all differ are not yet an id', () => {
    expect(isId(text([], { count: 12, distinct: 12 }))).toBe(false)
  })

  it('the missing share is of all rows', () => {
    expect(missingShare(numbers)).toBe(0.01)
    expect(missingShare(text([], { count: 0 }))).toBe(0)
  })
})

describe('the panel of a column', () => {
  it('tells the spread of times in days and their quantiles as dates', () => {
    const time = { ...numbers, kind: 'time' as const }
    const lines = facts(time)
    expect(lines.find(({ name }) => name === 'Median')?.value).toBe('1 Jan 1970')
    expect(lines.find(({ name }) => name === 'Std. deviation')?.value).toBe('0 days')
  })

  it('text has no quantiles', () => {
    expect(facts(text([['a', 1]])).map(({ name }) => name)).toEqual(['Values', 'Missing', 'Different'])
  })
})
