import { describe, expect, it } from 'vitest'
import type { CurveLine } from '../../host/bindings'
import { bucketsFor, coloured, curvesSummary, heightsOf, isThinned, nearestIndex, panned, placeText, reachOf, smoothed, zoomed } from './curves'

const line = (x: number[], mean: number[], rest: Partial<CurveLine> = {}): CurveLine => ({
  run: 'a', points: x.length, notFinite: 0, reach: [x[0] ?? 0, x.at(-1) ?? 0], x, least: mean, greatest: mean, mean, count: x.map(() => 1), ...rest,
})

describe('smoothing', () => {
  it('starts at the first value and not at 0', () => {
    expect(smoothed(line([0, 1, 2], [5, 5, 5]), 0.9)).toEqual([5, 5, 5].map((value) => expect.closeTo(value, 12)))
    expect(smoothed(line([0, 1], [1, 3]), 0)).toEqual([1, 3])
  })

  it('follows the line the more slowly the greater the weight is', () => {
    const jump = line([0, 1, 2], [0, 0, 1])
    const [fast, slow] = [smoothed(jump, 0.3), smoothed(jump, 0.9)]
    expect(fast[2]).toBeGreaterThan(slow[2] ?? NaN)
    expect(slow[2]).toBeCloseTo(0.1 / (1 - 0.9 ** 3), 12)
  })

  it('tells whether buckets stand for several points', () => {
    expect([[1, 1], [1, 7]].map((count) => isThinned({ count }))).toEqual([false, true])
  })
})

describe('the runs in colour', () => {
  const runs = (count: number): string[] => Array.from({ length: count }, (_, index) => `r${index}`)

  it('are all up to thirty, then the first few', () => {
    expect(coloured(runs(30), new Set()).size).toBe(30)
    expect(coloured(runs(31), new Set()).size).toBe(8)
  })

  it('are those that were picked, without ones that are gone', () => {
    expect([...coloured(runs(50), new Set(['r40', 'gone']))]).toEqual(['r40'])
    expect(coloured(runs(2), new Set(['gone'])).size).toBe(2)
  })
})

describe('ranges', () => {
  const whole = { from: 0, to: 100 }

  it('reach from the first line to the last, and are never empty', () => {
    expect(reachOf([line([3, 9], [1, 1]), line([1, 4], [1, 1]), line([], [], { reach: null })])).toEqual({ from: 1, to: 9 })
    expect(reachOf([line([3], [1])])).toEqual({ from: 2.5, to: 3.5 })
    expect(reachOf([])).toBeNull()
  })

  it('are zoomed around a place and never beyond all of it', () => {
    expect(zoomed({ from: 40, to: 60 }, whole, 0.5)).toEqual({ from: 45, to: 55 })
    expect(zoomed({ from: 0, to: 20 }, whole, 0.5, 0)).toEqual({ from: 0, to: 10 })
    expect(zoomed({ from: 0, to: 20 }, whole, 2)).toEqual({ from: 0, to: 40 })
    expect(zoomed({ from: 10, to: 90 }, whole, 2)).toBeNull()
  })

  it('are panned as far as there is something', () => {
    expect(panned({ from: 40, to: 60 }, whole, 0.5)).toEqual({ from: 50, to: 70 })
    expect(panned({ from: 70, to: 90 }, whole, 2)).toEqual({ from: 80, to: 100 })
    expect(panned({ from: 10, to: 30 }, whole, -2)).toEqual({ from: 0, to: 20 })
  })

  it('are as high as the peaks that are seen', () => {
    const peaks = line([0, 1, 2], [1, 1, 1], { least: [1, 0, -9], greatest: [1, 4, 9] })
    expect(heightsOf([peaks], { from: 0, to: 1 }, false)).toEqual([-0.2, 4.2])
    expect(heightsOf([peaks], { from: 0, to: 2 }, true)[0]).toBeGreaterThan(0)
    expect(heightsOf([], whole, true)).toEqual([0.1, 1])
  })
})

it('asks for a bucket a pixel, and for fewer where many lines share the screen', () => {
  expect(bucketsFor(812, 3)).toBe(800)
  expect(bucketsFor(812, 200)).toBe(300)
  expect(bucketsFor(9_000, 1)).toBe(2_000)
})

it('finds the nearest bucket', () => {
  expect([-5, 1.4, 1.6, 9].map((x) => nearestIndex([0, 1, 2, 3], x))).toEqual([0, 1, 2, 3])
  expect(nearestIndex([], 1)).toBe(-1)
})

it('tells places and sums up curves in words', () => {
  expect(placeText(1_000_000, 'step')).toBe('step 1,000,000')
  expect(placeText(90_000, 'relative')).toBe('1 min 30 s')
  expect(curvesSummary([line([0, 1], [2, 1]), line([], [], { run: 'b', points: 3 })], new Map([['a', 'first']])).rows).toEqual([
    ['first', 2, 0, 2, 1, 1, 2],
    ['b', 3, 0, null, null, null, null],
  ])
})
