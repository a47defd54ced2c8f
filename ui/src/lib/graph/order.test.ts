import { describe, expect, it } from 'vitest'

import { topological } from './doc'
import { begin, commit, undo } from './history'
import { moveInOrder } from './order'
import { chain, doc, step } from './testkit'

const fork = doc(step('data', 'dataset'), step('a', 'filter', { table: ['data.table'] }), step('b', 'filter', { table: ['data.table'] }), step('c', 'filter', { table: ['b.table'] }))

describe('the order of the outline', () => {
  it('changes among steps that could run in any, and undo brings it back', () => {
    const { change } = moveInOrder(fork, 'b', -1)
    if (change === null) throw new Error('refused')
    expect(topological(change.doc)).toEqual(['data', 'b', 'a', 'c'])
    expect(undo(commit(begin(fork), change, 0)).doc).toEqual(fork)
  })

  it('never puts a step before what feeds it', () => {
    expect(moveInOrder(chain(), 'filter', -1).refusal).toBe('`filter` runs after `data`: a wire says so')
    expect(moveInOrder(chain(), 'filter', 1).refusal).toBe('`impute` runs after `filter`: a wire says so')
  })

  it('ends at both ends', () => {
    expect(moveInOrder(fork, 'data', -1).refusal).toBe('`data` is the first step')
    expect(moveInOrder(fork, 'c', 1).refusal).toBe('`c` is the last step')
    expect(moveInOrder(fork, 'gone', 1).refusal).toBe('no step is selected')
  })
})
