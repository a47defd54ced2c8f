import { expect, it } from 'vitest'
import { pageOffset, visibleRows } from './window'

it('shows what is on screen and a little more, within the table', () => {
  expect(visibleRows(0, 320, 32, 1000)).toEqual({ first: 0, end: 18 })
  expect(visibleRows(3200, 320, 32, 1000)).toEqual({ first: 92, end: 118 })
  expect(visibleRows(99_999, 320, 32, 5)).toEqual({ first: 5, end: 5 })
  expect(visibleRows(0, 320, 32, 0)).toEqual({ first: 0, end: 0 })
})

it('asks for a page that covers every visible row wherever the table is scrolled to', () => {
  for (let top = 0; top < 100_000; top += 997) {
    const range = visibleRows(top, 900, 32, 5000)
    const offset = pageOffset(range, 200)
    expect(offset).toBeLessThanOrEqual(range.first)
    expect(offset + 200).toBeGreaterThanOrEqual(range.end)
  }
})
