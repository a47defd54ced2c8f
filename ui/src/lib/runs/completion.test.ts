import { expect, it } from 'vitest'

import { completed, split } from './completion'

it('puts a choice in place of what was begun', () => {
  const option = { text: 'metrics.auc', kind: 'metric' }
  expect(completed('me', 0, 2, option)).toEqual({ text: 'metrics.auc ', cursor: 12 })
  expect(completed("params.a = 'x' and au > 1", 19, 21, option)).toEqual({ text: "params.a = 'x' and metrics.auc > 1", cursor: 31 })
})

it('parts a text where it cannot be read', () => {
  expect(split('a > 1 or b', 6)).toEqual(['a > 1 ', 'or b'])
})
