import { describe, expect, it } from 'vitest'

import { wireId, type Wire } from './doc'
import { nearerSide, portPlace, wireOn } from './ends'
import { doc, KINDS, step } from './testkit'

const pipeline = doc(
  step('data', 'dataset', {}, [0, 0]),
  step('forest', 'train_forest', { table: ['data.table'] }, [400, 0]),
  step('boost', 'train_forest', { table: ['data.table'] }, [400, 200]),
)
const toForest: Wire = { from: { step: 'data', port: 'table' }, to: { step: 'forest', port: 'table' } }
const toBoost: Wire = { from: toForest.from, to: { step: 'boost', port: 'table' } }

describe('the end of a wire that is taken hold of', () => {
  it('ports share the height of their step, outputs on its right edge', () => {
    expect(portPlace(pipeline, KINDS, { step: 'data', port: 'table' }, 'from')).toEqual([200, 36])
    expect(portPlace(pipeline, KINDS, { step: 'forest', port: 'report' }, 'from')).toEqual([600, 54])
    expect(portPlace(pipeline, KINDS, { step: 'boost', port: 'table' }, 'to')).toEqual([400, 236])
    expect(portPlace(pipeline, KINDS, { step: 'boost', port: 'nothing' }, 'to')).toBeNull()
    expect(portPlace(pipeline, KINDS, { step: 'gone', port: 'table' }, 'to')).toBeNull()
  })

  it('is the nearer one', () => {
    expect(nearerSide(pipeline, KINDS, toBoost, [230, 60])).toBe('from')
    expect(nearerSide(pipeline, KINDS, toBoost, [390, 220])).toBe('to')
  })

  it('on a port of several wires belongs to the selected one, else to the last', () => {
    const port = { step: 'data', port: 'table' }
    expect(wireOn(pipeline, port, 'from', [])).toEqual(toBoost)
    expect(wireOn(pipeline, port, 'from', [wireId(toForest)])).toEqual(toForest)
    expect(wireOn(pipeline, port, 'to', [])).toBeNull()
  })
})
