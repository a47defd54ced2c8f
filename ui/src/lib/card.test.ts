import { expect, it } from 'vitest'

import { CLAIMS, TEXT } from '../test/card'
import { broughtUpToDate, saidAs } from './card'

it('only stale claims with an answer are brought up to date', () => {
  expect(broughtUpToDate(TEXT, CLAIMS)).toBe(TEXT.replace('= 0.9}}', '= 0.95123}}'))
  expect(['0.95123456', '344', 'boosting', '1.25e-7', '184320'].map(saidAs)).toEqual(['0.95123', '344', 'boosting', '1.25e-7', '184320'])
})
