import { expect, it } from 'vitest'
import { metricChanges, paritySentence } from './words'

it('says how exactly the package repeats the run', () => {
  expect(paritySentence({ rows: 69, maxAbsDiff: 2.98e-8 })).toBe('The package scores as the run did: max difference 2.98e-8 over 69 rows.')
  expect(paritySentence({ rows: 1, maxAbsDiff: 0 })).toBe('The package scores exactly as the run did over 1 row.')
  expect(paritySentence(null)).toContain('Nobody')
})

it('keeps a metric that only one of two versions has', () => {
  expect(metricChanges(['auc', 'f1'], { auc: 0.9 }, { f1: 0.8 })).toEqual([
    { name: 'auc', current: 0.9, candidate: null },
    { name: 'f1', current: null, candidate: 0.8 },
  ])
  expect(metricChanges(['auc'], null, { auc: 0.9 })[0]?.current).toBeNull()
})
