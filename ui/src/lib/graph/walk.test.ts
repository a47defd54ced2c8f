import { describe, expect, it } from 'vitest'

import { SKIPPED } from './faces'
import { chain, doc, KINDS, step } from './testkit'
import { findSteps, wiresAt, wiresFor } from './walk'

describe('finding a step', () => {
  const pipeline = doc(step('raw', 'dataset'), step('adults', 'filter'), { ...step('fill', 'impute'), params: { numbers: 'median' } })
  const found = (text: string): string[] => findSteps(pipeline, KINDS, new Map([['adults', SKIPPED]]), text).map((choice) => choice.id)

  it('goes by id, title, state and what its parameters say', () => {
    expect(found('adu')).toEqual(['adults'])
    expect(found('Fill miss')).toEqual(['fill'])
    expect(found('skipped')).toEqual(['adults'])
    expect(found('numbers median')).toEqual(['fill'])
    expect(found('zebra')).toEqual([])
    expect(found(' ')).toEqual(['raw', 'adults', 'fill'])
  })
})

describe('wires of a step', () => {
  it('that could be drawn are named with what they replace', () => {
    const choices = wiresFor(chain(), KINDS, 'filter')
    expect(choices.map((choice) => choice.label)).toEqual(['table → forest.table'])
    expect(choices[0]?.detail).toBe('table, replaces impute.table')
    expect(wiresFor(chain(), KINDS, 'gone')).toEqual([])
  })

  it('that are there go out first', () => {
    expect(wiresAt(chain(), KINDS, 'filter').map((choice) => choice.label)).toEqual(['filter.table → impute.table', 'data.table → filter.table'])
  })
})
