import { describe, expect, it } from 'vitest'

import { defaultWidth, edgesOf, visibleColumns } from './columns'

describe('columns', () => {
  it('a long name gets more room, up to a limit', () => {
    expect(defaultWidth('y')).toBeLessThan(defaultWidth('flipper_length_millimetres'))
    expect(defaultWidth('x'.repeat(400))).toBe(260)
  })

  it('only those in view and their neighbours are drawn', () => {
    const edges = edgesOf(Array.from({ length: 5000 }, () => 100))
    expect(visibleColumns(edges, 0, 800)).toEqual({ first: 0, end: 10 })
    expect(visibleColumns(edges, 250_050, 250_850)).toEqual({ first: 2499, end: 2510 })
    expect(visibleColumns(edges, 499_200, 500_000)).toEqual({ first: 4991, end: 5000 })
  })

  it('no columns are none', () => {
    expect(visibleColumns(edgesOf([]), 0, 800)).toEqual({ first: 0, end: 0 })
  })
})
