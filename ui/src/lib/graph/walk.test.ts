import { describe, expect, it } from 'vitest'

import { SKIPPED } from './faces'
import { chain, doc, KINDS, step } from './testkit'
import { findSteps, movesAt, wiresAt, wiresFor } from './walk'
import { reconnect } from './wiring'

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

  it('could go elsewhere by their far end, and each such move is allowed', () => {
    const pipeline = doc(...chain().steps, step('late', 'encode'))
    const moves = movesAt(pipeline, KINDS, 'filter')
    expect(moves.map((choice) => choice.label)).toEqual([
      'filter.table → forest.table, not impute.table',
      'filter.table → late.table, not impute.table',
      'late.table, not data.table → filter.table',
    ])
    expect(moves[0]?.detail).toBe('table, replaces impute.table')
    expect(new Set(moves.map(({ id }) => id)).size).toBe(moves.length)
    for (const { wire, next } of moves) expect(reconnect(pipeline, KINDS, wire, next).refusal).toBeNull()
  })
})
