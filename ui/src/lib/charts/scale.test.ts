import { describe, expect, it } from 'vitest'
import { extent, formatTick, linearScale, niceDomain, ticks, tickStep } from './scale'

describe('a linear scale', () => {
  it('goes to pixels and back', () => {
    const scale = linearScale([0, 10], [100, 300])
    expect(scale.toPixels(5)).toBe(200)
    for (const value of [-3, 0, 2.5, 10, 17]) expect(scale.toValue(scale.toPixels(value))).toBeCloseTo(value, 10)
  })

  it('widens a domain without width instead of dividing by zero', () => {
    expect(linearScale([4, 4], [0, 100]).toPixels(4)).toBeCloseTo(50)
    expect(linearScale([0, 0], [0, 100]).toPixels(0)).toBe(50)
    expect(Number.isFinite(linearScale([NaN, 1], [0, 100]).toPixels(0.5))).toBe(true)
  })

  it('can run upwards, as the y axis of a screen does', () => {
    expect(linearScale([0, 1], [200, 0]).toPixels(0.25)).toBe(150)
  })
})

describe('ticks', () => {
  it('are round and without floating-point noise', () => {
    expect(ticks([0, 1], 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1])
    expect(ticks([0, 0.3], 3)).toEqual([0, 0.1, 0.2, 0.3])
    expect(ticks([-1, 1], 4)).toEqual([-1, -0.5, 0, 0.5, 1])
    expect(ticks([1700, 6300], 5)).toEqual([2000, 3000, 4000, 5000, 6000])
  })

  it('stay inside the domain and within twice the wanted number', () => {
    let seed = 7
    const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647
    for (let round = 0; round < 500; round += 1) {
      const low = (random() - 0.5) * 10 ** Math.floor(random() * 12 - 6)
      const high = low + random() * 10 ** Math.floor(random() * 12 - 6) + 1e-9
      const values = ticks([low, high], 6)
      const slack = (high - low) * 1e-6
      expect(values.length).toBeGreaterThan(1)
      expect(values.length).toBeLessThan(13)
      for (const value of values) {
        expect(value).toBeGreaterThanOrEqual(low - slack)
        expect(value).toBeLessThanOrEqual(high + slack)
      }
      expect(new Set(values).size).toBe(values.length)
    }
  })

  it('are written with as many decimals as tell them apart', () => {
    expect(formatTick(0.2, 0.2)).toBe('0.2')
    expect(formatTick(0.25, 0.05)).toBe('0.25')
    expect(formatTick(2000, 1000)).toBe('2000')
    expect(formatTick(-1, 0.5)).toBe('-1.0')
    expect(formatTick(3e6, 1e6)).toBe('3e6')
  })

  it('have a step of 1, 2 or 5', () => {
    expect(tickStep(1, 5)).toBeCloseTo(0.2)
    expect(tickStep(100, 5)).toBe(20)
    expect(tickStep(0, 5)).toBe(1)
  })
})

describe('a nice domain', () => {
  it('holds the data and ends on ticks', () => {
    expect(niceDomain([0.13, 0.97], 5)).toEqual([0, 1])
    expect(niceDomain([2700, 6300], 5)).toEqual([2500, 6500])
  })
})

describe('an extent', () => {
  it('leaves out what is not finite and is null without values', () => {
    expect(extent([3, NaN, -1, Infinity])).toEqual([-1, 3])
    expect(extent([NaN])).toBeNull()
  })
})
