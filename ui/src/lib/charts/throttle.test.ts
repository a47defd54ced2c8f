import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Throttle } from './throttle'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it('passes on the first value at once and the newest one afterwards', () => {
  const seen: number[] = []
  const throttle = new Throttle<number>(250, (value) => seen.push(value))
  for (const value of [1, 2, 3]) throttle.push(value)
  expect(seen).toEqual([1])
  vi.advanceTimersByTime(250)
  expect(seen).toEqual([1, 3])
  vi.advanceTimersByTime(1000)
  expect(seen).toEqual([1, 3])
})

it('acts at most four times a second under a stream of values', () => {
  let acts = 0
  const throttle = new Throttle<number>(250, () => (acts += 1))
  for (let ms = 0; ms < 2000; ms += 10) {
    throttle.push(ms)
    vi.advanceTimersByTime(10)
  }
  expect(acts).toBeLessThanOrEqual(9)
})

it('is silent once stopped', () => {
  const seen: number[] = []
  const throttle = new Throttle<number>(250, (value) => seen.push(value))
  throttle.push(1)
  throttle.push(2)
  throttle.stop()
  vi.advanceTimersByTime(1000)
  expect(seen).toEqual([1])
})
