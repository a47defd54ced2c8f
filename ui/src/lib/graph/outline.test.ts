import { describe, expect, it } from 'vitest'

import { indent, inputWords, rowsOf } from './outline'
import { chain, doc, KINDS, step } from './testkit'

describe('the rows of the outline', () => {
  it('stand in the order the steps run, each as deep as its longest way', () => {
    expect(rowsOf(chain(), KINDS).map(({ id, depth }) => [id, depth])).toEqual([['data', 0], ['filter', 1], ['impute', 2], ['forest', 3]])
  })

  it('say what comes in, what is missing and what need not be there', () => {
    const [row] = rowsOf(doc(step('register', 'register')), KINDS)
    expect(row?.inputs.map(inputWords)).toEqual(['model is missing', 'checks: none'])
    const last = rowsOf(chain(), KINDS).at(-1)
    expect(last?.inputs.map(inputWords)).toEqual(['impute.table'])
  })

  it('are set in eight pixels a level, and not endlessly', () => {
    expect([0, 1, 2, 6, 40].map(indent)).toEqual([0, 8, 16, 48, 48])
  })
})
