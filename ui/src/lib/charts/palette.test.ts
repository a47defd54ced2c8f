import { expect, it } from 'vitest'
import { colorProperty, dashLengths, seriesStyle } from './palette'

it('gives sixty-four series styles of which no two are the same', () => {
  const styles = Array.from({ length: 64 }, (_, index) => JSON.stringify(seriesStyle(index)))
  expect(new Set(styles).size).toBe(64)
})

it('gives the first eight series different dashes and not only different colours', () => {
  const dashes = Array.from({ length: 8 }, (_, index) => seriesStyle(index).dash)
  expect(new Set(dashes).size).toBe(8)
})

it('translates a dash and a colour for a canvas', () => {
  expect(dashLengths(seriesStyle(0))).toEqual([])
  expect(dashLengths(seriesStyle(1))).toEqual([7, 3])
  expect(colorProperty(seriesStyle(1))).toBe('--chart-2')
})
