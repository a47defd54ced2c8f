import { expect, it } from 'vitest'
import { timeTicks } from './time'

const noon = new Date(2026, 10, 23, 12, 0, 0).getTime()

it('chooses round moments and never more than asked for', () => {
  expect(timeTicks(noon + 60_000, noon + 3_600_000, 6).map((tick) => tick.label)).toEqual(['12:15', '12:30', '12:45', '13:00'])
  for (const span of [3_000, 70_000, 4e6, 9e7, 3e9, 9e11]) {
    const found = timeTicks(noon, noon + span, 6)
    expect(found.length).toBeGreaterThan(0)
    expect(found.length).toBeLessThanOrEqual(7)
  }
})

it('starts days at midnight of this machine', () => {
  const found = timeTicks(noon, noon + 4 * 86_400_000, 5)
  expect(found[0]?.label).toBe('11-24')
  expect(new Date(found[0]?.value ?? 0).getHours()).toBe(0)
})

it('has no ticks for a stretch without length', () => {
  expect(timeTicks(noon, noon, 5)).toEqual([])
})
