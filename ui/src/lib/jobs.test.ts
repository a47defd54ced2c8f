import { expect, it } from 'vitest'

import { amountWords } from './jobs'

it('bytes and rows are counted in their own words, and other stages not at all', () => {
  expect(amountWords({ stage: 'downloading', done: 12_000_000, total: 45_000_000 })).toBe('12 MB of 45 MB')
  expect(amountWords({ stage: 'downloading', done: 12_000_000, total: null })).toBe('12 MB')
  expect(amountWords({ stage: 'reading rows', done: 12_000, total: null })).toBe('12,000')
  expect(amountWords({ stage: 'downloading', done: 0, total: null })).toBe('')
  expect([amountWords({ stage: 'profiling', done: 3, total: 10 }), amountWords({ stage: null, done: 3, total: 10 })]).toEqual(['', ''])
})
