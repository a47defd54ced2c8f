import { expect, it } from 'vitest'
import { barsPath, dotsPath, linePath, lonePoints } from './paths'
import { linearScale } from './scale'

const x = linearScale([0, 10], [0, 100])
const y = linearScale([0, 1], [50, 0])

it('draws a line and breaks it at a hole', () => {
  const path = linePath([{ x: 0, y: 0 }, { x: 5, y: 1 }, { x: 6, y: NaN }, { x: 10, y: 0.5 }], x, y)
  expect(path).toBe('M0 50L50 0M100 25')
})

it('draws bars from the zero line, below it too, and none without height', () => {
  expect(barsPath([{ from: 0, to: 1, value: 0.5 }, { from: 1, to: 2, value: 0 }], x, y)).toBe('M0 50V25H10V50Z')
  expect(barsPath([{ from: 0, to: 1, value: -0.5 }], x, linearScale([-1, 1], [50, 0]))).toBe('M0 25V37.5H10V25Z')
})

it('finds the points that a line leaves out', () => {
  const hole = { x: 3, y: NaN }
  expect(lonePoints([{ x: 1, y: 1 }])).toEqual([{ x: 1, y: 1 }])
  expect(lonePoints([{ x: 1, y: 1 }, hole, { x: 4, y: 1 }, { x: 5, y: 1 }, hole, { x: 7, y: 2 }])).toEqual([{ x: 1, y: 1 }, { x: 7, y: 2 }])
  expect(lonePoints([hole])).toEqual([])
  expect(lonePoints([])).toEqual([])
})

it('draws a dot a point', () => {
  expect(dotsPath([{ x: 1, y: 1 }, { x: NaN, y: 1 }], x, y, 2).match(/M/g)).toHaveLength(1)
})
