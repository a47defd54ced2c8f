import { describe, expect, it } from 'vitest'

import { afterScroll, barHeight, centreRow, isStuck, offsetOf, placeAt, settled, showRow, TALLEST_PX, visibleRows, type Extent, type Place } from './scroll'

const small: Extent = { rows: 344, rowHeight: 28, viewHeight: 560 }
const large: Extent = { rows: 1_200_000, rowHeight: 28, viewHeight: 560 }
const huge: Extent = { rows: 100_000_000, rowHeight: 28, viewHeight: 560 }

const start: Place = { barTop: 0, top: 0 }

describe('the scroll bar', () => {
  it('is as long as the table while that is possible, and never longer than the cap', () => {
    expect(barHeight(small)).toBe(344 * 28)
    expect(barHeight(large)).toBe(TALLEST_PX)
    expect(barHeight(huge)).toBe(TALLEST_PX)
  })

  it('moves a short table pixel by pixel', () => {
    expect(afterScroll(start, 120, small)).toEqual({ barTop: 120, top: 120 })
  })

  it('moves a long table by exactly what the wheel asks for', () => {
    const place = centreRow(600_000, large)
    expect(afterScroll(place, place.barTop + 100, large).top).toBe(place.top + 100)
    expect(afterScroll(place, place.barTop - 53, large).top).toBe(place.top - 53)
  })

  it('dragged to its end shows the last row', () => {
    for (const extent of [small, large, huge]) {
      const end = afterScroll(start, barHeight(extent), extent)
      expect(visibleRows(end, extent).end).toBe(extent.rows)
      expect(offsetOf(extent.rows, end, extent)).toBeCloseTo(extent.viewHeight, 3)
    }
  })

  it('dragged to its middle shows the middle', () => {
    const place = afterScroll(start, (TALLEST_PX - 560) / 2, huge)
    expect(Math.abs(visibleRows(place, huge).first - 50_000_000)).toBeLessThan(30)
  })

  it('set right shows the same rows', () => {
    let place = centreRow(600_000, large)
    for (let notch = 0; notch < 200; notch += 1) place = afterScroll(place, place.barTop + 100, large)
    const right = settled(place, large)
    expect(right.top).toBe(place.top)
    expect(Math.abs(right.barTop * (large.rows * 28 - 560) - right.top * (TALLEST_PX - 560)) / (TALLEST_PX - 560)).toBeLessThan(5)
  })

  it('at an end before the table is stuck, and is not once it is set right', () => {
    const near: Place = { barTop: 0, top: 4_000 }
    expect(isStuck(near, large)).toBe(true)
    expect(isStuck(settled(near, large), large)).toBe(false)
  })

  it('turned back to the first row notch by notch gets there', () => {
    let place = placeAt(30_000, large)
    for (let notch = 0; notch < 400 && place.top > 0; notch += 1) {
      place = afterScroll(place, Math.max(0, place.barTop - 100), large)
      if (isStuck(place, large)) place = settled(place, large)
    }
    expect(place).toEqual({ barTop: 0, top: 0 })
  })
})

describe('rows', () => {
  it('every row of a table of any length can be jumped to exactly', () => {
    for (const extent of [small, large, huge]) {
      for (const row of [0, 1, Math.floor(extent.rows / 3), extent.rows - 2, extent.rows - 1]) {
        const place = centreRow(row, extent)
        const { first, end } = visibleRows(place, extent, 0)
        expect(row).toBeGreaterThanOrEqual(first)
        expect(row).toBeLessThan(end)
      }
    }
  })

  it('a row in view does not move the table, the one below moves it by one', () => {
    const place = placeAt(28 * 1000, large)
    expect(showRow(1005, place, large)).toBe(place)
    expect(showRow(1020, place, large).top).toBe(place.top + 28)
    expect(showRow(999, place, large).top).toBe(place.top - 28)
  })

  it('a table shorter than the view stays where it is', () => {
    const short: Extent = { rows: 3, rowHeight: 28, viewHeight: 560 }
    expect(placeAt(500, short)).toEqual({ barTop: 0, top: 0 })
    expect(visibleRows(start, short)).toEqual({ first: 0, end: 3 })
  })
})
