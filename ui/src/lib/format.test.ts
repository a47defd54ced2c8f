import { describe, expect, it } from 'vitest'

import { ago, bytes, count, duration, metric, number, percent, plural, until } from './format'

describe('format', () => {
  it('counts are grouped and take the right form', () => {
    expect([count(45211), plural(1, 'row'), plural(45211, 'row')]).toEqual(['45,211', '1 row', '45,211 rows'])
  })

  it('sizes never show a thousand of a unit', () => {
    expect([bytes(999), bytes(1000), bytes(999_600), bytes(4_610_348)]).toEqual(['999 B', '1.0 kB', '1.0 MB', '4.6 MB'])
  })

  it('numbers keep their significant digits only', () => {
    expect([number(0.93144), number(12.4), number(1e-7), number(123456.7), number(2009), number(0)]).toEqual(['0.9314', '12.4', '1.00e-7', '123,457', '2009', '0'])
    expect(number(Number.NEGATIVE_INFINITY)).toBe('-∞')
  })

  it('a metric that is missing is a dash', () => {
    expect([metric(null), metric(0.5), metric(12345.678)]).toEqual(['–', '0.500', '12,346'])
  })

  it('a share is never rounded to nothing or to all', () => {
    expect([percent(0), percent(0.0001), percent(0.0058), percent(0.1236), percent(0.9999), percent(1)]).toEqual(['0 %', '<0.1 %', '0.6 %', '12 %', '>99.9 %', '100 %'])
  })

  it('durations change their unit with their size', () => {
    expect([duration(84), duration(1400), duration(59_600), duration(125_000), duration(11_520_000)]).toEqual(['84 ms', '1.4 s', '1 min 0 s', '2 min 5 s', '3 h 12 min'])
  })

  it('times are told from now', () => {
    const now = Date.UTC(2026, 10, 23, 12)
    expect([ago(now - 1000, now), ago(now - 300_000, now), ago(now - 100_000_000, now)]).toEqual(['just now', '5 min ago', 'yesterday'])
  })

  it('what is to come is told from now', () => {
    const now = Date.UTC(2026, 10, 23, 12)
    expect([0, 100, 3_000, 3_600, 20_000, 90_000, 400_000].map((seconds) => until(now + seconds * 1000, now))).toEqual(['now', 'in 2 min', 'in 50 min', 'in 1 h', 'in 6 h', 'in a day', 'in 5 days'])
  })
})
