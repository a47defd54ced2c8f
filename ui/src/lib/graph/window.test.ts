import { describe, expect, it } from 'vitest'

import { rowWindow } from './window'

describe('the rows of a long list', () => {
  it('are those on screen and a few around', () => {
    expect(rowWindow(1_000, 44, 4_400, 440, 150)).toEqual({ first: 92, last: 118, above: 92 * 44, below: (1_000 - 118) * 44 })
  })

  it('always stand for the whole height, wherever it is scrolled to', () => {
    for (const scrollTop of [0, 1, 43, 44, 9_999, 43_560, 90_000]) {
      const { first, last, above, below } = rowWindow(1_000, 44, scrollTop, 600, 150)
      expect(above + (last - first) * 44 + below).toBe(44_000)
    }
  })

  it('are all drawn where there are few, and a screenful while no height is known', () => {
    expect(rowWindow(150, 44, 0, 440, 150).last).toBe(150)
    expect(rowWindow(1_000, 44, 0, 0, 150).last).toBe(27)
  })
})
