import { describe, expect, it } from 'vitest'

import type { PipelineDoc } from '../../host/bindings'
import { wireId, wiresOf, type End, type Wire } from './doc'
import { begin, commit, undo } from './history'
import { chain, doc, KINDS, step } from './testkit'
import { reconnect, type Outcome } from './wiring'

const end = (text: string): End => ({ step: text.split('.')[0] ?? '', port: text.split('.')[1] ?? '' })
const wire = (from: string, to: string): Wire => ({ from: end(from), to: end(to) })
const after = (outcome: Outcome): PipelineDoc => {
  if (outcome.change === null) throw new Error(outcome.refusal)
  return outcome.change.doc
}
const wires = (pipeline: PipelineDoc): string[] => wiresOf(pipeline).map(wireId)

describe('moving an end of a wire', () => {
  const held = wire('filter.table', 'impute.table')

  it('takes it off its port and puts it on the other as one entry of the history', () => {
    const pipeline = doc(...chain().steps, step('late', 'encode'))
    const outcome = reconnect(pipeline, KINDS, held, wire('filter.table', 'late.table'))
    const moved = after(outcome)
    expect(wires(moved)).toEqual(['data.table>filter.table', 'impute.table>forest.table', 'filter.table>late.table'])
    expect(outcome.change?.label).toBe('Connect filter to late, not impute')
    if (outcome.change === null) throw new Error('it was refused')
    const history = commit(begin(pipeline), outcome.change, 0)
    expect(history.entries).toHaveLength(1)
    expect(wires(undo(history).doc)).toEqual(wires(pipeline))
  })

  it('pushes off what is on a port for one wire', () => {
    const moved = after(reconnect(chain(), KINDS, held, wire('filter.table', 'forest.table')))
    expect(wires(moved)).toEqual(['data.table>filter.table', 'filter.table>forest.table'])
  })

  it('back to where it was changes nothing', () => {
    const outcome = reconnect(chain(), KINDS, held, held)
    if (outcome.change === null) throw new Error('it was refused')
    expect(commit(begin(chain()), outcome.change, 0).entries).toHaveLength(0)
  })

  it('keeps its place among several sources', () => {
    const models = ['a', 'b', 'c', 'd'].map((id) => step(id, 'train_forest'))
    const pipeline = doc(...models, step('best', 'compare', { models: ['a.model', 'b.model', 'c.model'] }))
    const moved = after(reconnect(pipeline, KINDS, wire('b.model', 'best.models'), wire('d.model', 'best.models')))
    expect(moved.steps.at(-1)?.inputs.models).toEqual(['a.model', 'd.model', 'c.model'])
  })

  it('is refused where no such wire could be drawn', () => {
    expect(reconnect(chain(), KINDS, held, wire('filter.table', 'data.table')).refusal).toBe('`data.table` is not an input')
    expect(reconnect(chain(), KINDS, held, wire('forest.model', 'impute.table')).refusal).toBe('this is a model, and `table` takes a table')
  })
})
