import { expect, it } from 'vitest'
import { curveSeries, isLone, sharedAxis, TICK_STEPS, withPoints } from './curves'

it('puts lines with different rounds on one axis, with gaps', () => {
  const shared = sharedAxis([
    { name: 'a', points: [{ x: 1, y: 5 }, { x: 3, y: 7 }], value: null },
    { name: 'b', points: [{ x: 2, y: 6 }], value: null },
  ])
  expect(shared).toEqual({ x: [1, 2, 3], lines: [[5, null, 7], [null, 6, null]] })
})

it('knows a column that no line shows', () => {
  expect(isLone([null, 0.5, null])).toBe(true)
  expect(isLone([0.5, 0.4])).toBe(false)
  expect(isLone([null])).toBe(false)
})

it('steps from tick to tick by one, two or five', () => {
  expect(TICK_STEPS.filter((step) => step >= 0.1 && step <= 10)).toEqual([0.1, 0.2, 0.5, 1, 2, 5, 10])
})

it('has no validation line where nothing was validated', () => {
  const curve = { step: 's', metric: 'log loss', points: [[1, 0.5, null]] as [number, number, number | null][] }
  expect(curveSeries(curve).map((line) => line.name)).toEqual(['train'])
})

it('replaces rounds that come twice, as they do after a reconnect', () => {
  const curve = { step: 's', metric: 'm', points: [[1, 9, null], [2, 8, null]] as [number, number, number | null][] }
  expect(withPoints(curve, [[2, 7, null], [3, 6, null]]).points.map(([, y]) => y)).toEqual([9, 7, 6])
  expect(withPoints(curve, [])).toBe(curve)
})
