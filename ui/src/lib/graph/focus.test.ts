import { describe, expect, it } from 'vitest'

import { wireId, wiresOf } from './doc'
import { cutsOf, focusOn, hopsLine, narrower, neighbourhood, onShow, stepsOnShow, wider, type Focus } from './focus'
import { chain, doc, KINDS, step } from './testkit'
import { addStep } from './commands'

/** data → filter → impute → forest, and a twin of filter that hangs on data too. */
const pipeline = doc(...chain().steps, step('twin', 'filter', { table: ['data.table'] }, [264, 200]), step('late', 'encode', { table: ['twin.table'] }, [528, 200]))
const focus = (hops: number, ...ids: string[]): Focus => {
  const made = focusOn(pipeline, ids, hops)
  if (made === null) throw new Error('nothing is in focus')
  return made
}

describe('the neighbourhood of steps', () => {
  it('goes so many wires each way, and not down another branch', () => {
    expect([...neighbourhood(pipeline, ['filter'], 0)]).toEqual(['filter'])
    expect([...neighbourhood(pipeline, ['filter'], 1)].sort()).toEqual(['data', 'filter', 'impute'])
    expect([...neighbourhood(pipeline, ['filter'], 9)].sort()).toEqual(['data', 'filter', 'forest', 'impute'])
    expect([...neighbourhood(pipeline, ['filter', 'late'], 1)].sort()).toEqual(['data', 'filter', 'impute', 'late', 'twin'])
  })

  it('of steps that are gone is empty, and cannot be looked at', () => {
    expect(neighbourhood(pipeline, ['gone'], 3).size).toBe(0)
    expect(focusOn(pipeline, ['gone'])).toBeNull()
  })

  it('ends in a circle too', () => {
    const round = doc(step('one', 'filter', { table: ['two.table'] }), step('two', 'filter', { table: ['one.table'] }))
    expect([...neighbourhood(round, ['one'], 50)].sort()).toEqual(['one', 'two'])
  })
})

describe('what is on show', () => {
  it('has the steps, the wires among them and no other, and the order of the file', () => {
    const shown = onShow(pipeline, stepsOnShow(pipeline, focus(1, 'impute'), []))
    expect(shown.steps.map(({ id }) => id)).toEqual(['filter', 'impute', 'forest'])
    expect(wiresOf(shown).map(wireId)).toEqual(['filter.table>impute.table', 'impute.table>forest.table'])
  })

  it('keeps the frames around what is shown, and notes', () => {
    const framed = { ...pipeline, frames: [
      { id: 'top', title: '', note: '', tone: 'grey', box: [250, -20, 260, 120] },
      { id: 'low', title: '', note: '', tone: 'grey', box: [250, 180, 600, 120] },
      { id: 'note', title: '', note: 'why', tone: 'yellow', box: [0, 900, 100, 100] },
    ] } satisfies typeof pipeline
    expect(onShow(framed, new Set(['filter'])).frames?.map(({ id }) => id)).toEqual(['top', 'note'])
  })

  it('says where it ends, and how much is beyond', () => {
    expect([...cutsOf(pipeline, stepsOnShow(pipeline, focus(1, 'filter'), []))]).toEqual([['data', { before: 0, after: 1 }], ['impute', { before: 0, after: 1 }]])
    expect(cutsOf(pipeline, new Set(pipeline.steps.map(({ id }) => id))).size).toBe(0)
  })

  it('takes in what is selected and what came since, so that nothing is changed unseen', () => {
    const look = focus(0, 'forest')
    expect([...stepsOnShow(pipeline, look, ['twin'])].sort()).toEqual(['forest', 'twin'])
    const added = addStep(pipeline, KINDS, 'dataset', [0, 500], { type: 'none' }).change?.doc ?? pipeline
    expect([...stepsOnShow(added, look, [])].sort()).toEqual(['dataset', 'forest'])
  })
})

describe('how far one looks', () => {
  it('grows until there is no more, and shrinks to the steps themselves', () => {
    let look = focus(1, 'filter')
    expect(hopsLine(pipeline, look)).toBe('1 wire each way')
    look = wider(pipeline, look)
    expect(look.hops).toBe(2)
    expect(hopsLine(pipeline, look)).toBe('All before and after')
    expect(wider(pipeline, look)).toBe(look)
    look = narrower(narrower(look))
    expect(hopsLine(pipeline, look)).toBe('Only themselves')
    expect(narrower(look)).toBe(look)
  })
})
