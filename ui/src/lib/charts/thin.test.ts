import { describe, expect, it } from 'vitest'
import { heightAt, nearest, thin } from './thin'

const line = (length: number, y: (index: number) => number) =>
  Array.from({ length }, (_, index) => ({ x: index, y: y(index) }))

describe('thinning', () => {
  it('leaves a short line as it is', () => {
    const points = line(10, (index) => index)
    expect(thin(points, 400)).toEqual(points)
  })

  it('never exceeds the limit and keeps both ends and every extreme', () => {
    const points = line(10_000, (index) => (index === 4321 ? 99 : index === 777 ? -99 : Math.sin(index / 50)))
    const kept = thin(points, 400)
    expect(kept.length).toBeLessThanOrEqual(400)
    expect(kept[0]).toEqual(points[0])
    expect(kept.at(-1)).toEqual(points.at(-1))
    expect(kept).toContainEqual({ x: 4321, y: 99 })
    expect(kept).toContainEqual({ x: 777, y: -99 })
  })

  it('keeps the order from left to right', () => {
    const kept = thin(line(1000, (index) => (index * 7919) % 101), 60)
    for (let index = 1; index < kept.length; index += 1) {
      expect(kept[index]!.x).toBeGreaterThan(kept[index - 1]!.x)
    }
  })
})

describe('the nearest point', () => {
  it('is found by x', () => {
    const points = line(5, () => 0)
    expect(nearest(points, 2.4)).toBe(2)
    expect(nearest(points, 2.6)).toBe(3)
    expect(nearest(points, -9)).toBe(0)
    expect(nearest(points, 99)).toBe(4)
    expect(nearest([], 1)).toBe(-1)
  })
})

describe('the height at x', () => {
  it('is straight between points and unknown outside them', () => {
    const points = [{ x: 0, y: 0 }, { x: 0, y: 0.5 }, { x: 1, y: 1 }]
    expect(heightAt(points, 0)).toBe(0.5)
    expect(heightAt(points, 0.5)).toBe(0.75)
    expect(heightAt(points, 1)).toBe(1)
    expect(heightAt(points, 1.1)).toBeNull()
    expect(heightAt([], 0)).toBeNull()
  })
})
