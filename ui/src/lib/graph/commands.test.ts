import { describe, expect, it } from 'vitest'

import { fromText, paste, toText } from './clipboard'
import { addStep, deleteSteps, dissolveSteps, duplicate, joinable, partOf, renameStep, setParam, tidy } from './commands'
import { downstreamOf, topological, upstreamOf, wireId, wiresOf } from './doc'
import { begin, commit, undo } from './history'
import { idProblem, toId, uniqueId } from './ids'
import { repair } from './repair'
import { chain, doc, KINDS, step } from './testkit'

describe('adding', () => {
  it('a new step gets an id from its kind, and a number if that is taken', () => {
    const outcome = addStep(chain(), KINDS, 'filter', [0, 300], { type: 'none' })
    expect(outcome.change?.select).toEqual(['filter_2'])
    expect(uniqueId('split_2', new Set(['split', 'split_2']))).toBe('split_3')
  })

  it('a new step does not cover one that is there', () => {
    const outcome = addStep(chain(), KINDS, 'encode', [10, 10], { type: 'none' })
    expect(outcome.change?.doc.steps.at(-1)?.position).toEqual([12, 116])
  })

  it('after a port it is fed by it; before a port it feeds it', () => {
    const after = addStep(chain(), KINDS, 'encode', [0, 300], {
      type: 'after',
      from: { step: 'impute', port: 'table' },
    })
    expect(after.change?.doc.steps.at(-1)?.inputs).toEqual({ table: ['impute.table'] })
    const before = addStep(chain(), KINDS, 'dataset', [0, 300], {
      type: 'before',
      to: { step: 'filter', port: 'table' },
    })
    expect(before.change?.doc.steps[1]?.inputs).toEqual({ table: ['dataset.table'] })
  })
})

describe('deleting', () => {
  it('takes the wires of the step with it', () => {
    const outcome = deleteSteps(chain(), ['filter'])
    expect(outcome.change?.doc.steps.map((one) => one.id)).toEqual(['data', 'impute', 'forest'])
    expect(outcome.change?.doc.steps[1]?.inputs).toEqual({})
  })

  it('and reconnect joins what was before with what came after', () => {
    const outcome = dissolveSteps(chain(), KINDS, ['filter'])
    expect(outcome.change?.doc.steps[1]?.inputs).toEqual({ table: ['data.table'] })
  })

  it('of several steps in a row leaves one wire past all of them, and one undo brings them back', () => {
    const outcome = dissolveSteps(chain(), KINDS, ['filter', 'impute'])
    expect(outcome.change?.doc.steps.map((one) => one.id)).toEqual(['data', 'forest'])
    expect(outcome.change?.doc.steps[1]?.inputs).toEqual({ table: ['data.table'] })
    if (outcome.change === null) throw new Error('refused')
    expect(undo(commit(begin(chain()), outcome.change, 0)).doc).toEqual(chain())
  })

  it('offers to reconnect only where something could be joined', () => {
    expect(joinable(chain(), KINDS, ['filter'])).toBe(1)
    expect(joinable(chain(), KINDS, ['data'])).toBe(0)
    expect(joinable(chain(), KINDS, ['forest'])).toBe(0)
    expect(joinable(chain(), KINDS, [])).toBe(0)
  })

  it('nothing is refused with a reason', () => {
    expect(deleteSteps(chain(), []).refusal).toBe('no step is selected')
  })
})

describe('tidying up', () => {
  it('a part of the steps stays where it is and leaves the others alone', () => {
    const ids = ['filter', 'impute']
    expect(partOf(chain(), ids).steps.map((one) => one.inputs)).toEqual([{}, { table: ['filter.table'] }])
    const { change } = tidy(chain(), { filter: [40, 40], impute: [300, 160] })
    expect(change?.doc.steps.map((one) => one.position)).toEqual([[0, 0], [264, 0], [524, 120], [792, 0]])
  })

  it('leaves pinned steps where they are, with the others around them and none on top', () => {
    const laid = { data: [40, 40], filter: [300, 40], impute: [560, 40], forest: [820, 40] } satisfies Record<string, [number, number]>
    const { change } = tidy(chain(), laid, new Set(['filter']))
    expect(change?.doc.steps.map((one) => one.position)).toEqual([[4, 0], [264, 0], [524, 0], [784, 0]])
    const moved = doc(...chain().steps.map((one) => (one.id === 'forest' ? { ...one, position: [520, 20] satisfies [number, number] } : one)))
    const places = tidy(moved, laid, new Set(['filter', 'forest'])).change?.doc.steps.map((one) => one.position)
    expect(places).toEqual([[4, 0], [264, 0], [524, 104], [520, 20]])
  })

  it('with every step pinned moves none', () => {
    const { change } = tidy(chain(), { data: [0, 9], filter: [9, 9], impute: [9, 9], forest: [9, 9] }, new Set(['data', 'filter', 'impute', 'forest']))
    expect(change?.doc.steps).toEqual(chain().steps)
  })

  it('of all steps takes the places as they are', () => {
    const { change } = tidy(chain(), { data: [40, 40], filter: [300, 40], impute: [560, 40], forest: [820, 40] })
    expect(change?.doc.steps[0]?.position).toEqual([40, 40])
  })
})

describe('ids', () => {
  it('a rename follows every wire', () => {
    const outcome = renameStep(chain(), 'filter', 'adults')
    expect(outcome.change?.doc.steps[2]?.inputs).toEqual({ table: ['adults.table'] })
  })

  it.each([
    ['Impute', 'an id starts with a small letter and holds only a to z, 0 to 9 and _'],
    ['', 'a step needs an id'],
    ['impute', 'another step is already called `impute`'],
    ['a'.repeat(49), 'an id has at most 48 characters'],
  ])('%j is refused', (id, reason) => {
    expect(idProblem(chain(), 'filter', id)).toBe(reason)
  })

  it('any text becomes an id', () => {
    expect(toId('Größe 2 – neu')).toBe('gro_e_2_neu')
    expect(toId('2nd')).toBe('step_2nd')
  })
})

describe('parameters', () => {
  it('undefined goes back to the default by leaving the parameter out', () => {
    const set = setParam(chain(), 'filter', 'expression', 'a > 1')
    expect(set.change?.doc.steps[1]?.params).toEqual({ expression: 'a > 1' })
    const reset = set.change === null ? null : setParam(set.change.doc, 'filter', 'expression', undefined)
    expect(reset?.change?.doc).toEqual(chain())
  })
})

describe('the clipboard', () => {
  it('pastes into another pipeline under new ids with the wires among the copies', () => {
    const copied = chain().steps.slice(1, 3)
    const target = doc(step('filter', 'filter'))
    const outcome = paste(target, KINDS, toText(copied), [500, 500], false)
    const pasted = outcome.change?.doc.steps.slice(1)
    expect(pasted?.map((one) => one.id)).toEqual(['filter_2', 'impute'])
    expect(pasted?.[0]?.inputs).toEqual({})
    expect(pasted?.[1]?.inputs).toEqual({ table: ['filter_2.table'] })
  })

  it('keeps links from outside only when asked and only if they lead somewhere', () => {
    const text = toText(chain().steps.slice(1, 2))
    const linked = paste(chain(), KINDS, text, [0, 400], true)
    expect(linked.change?.doc.steps.at(-1)?.inputs).toEqual({ table: ['data.table'] })
    const elsewhere = paste(doc(step('x', 'encode')), KINDS, text, [0, 400], true)
    expect(elsewhere.change?.doc.steps.at(-1)?.inputs).toEqual({})
  })

  it('centres the copies on the pointer and keeps their distances', () => {
    const outcome = paste(doc(), KINDS, toText(chain().steps.slice(0, 2)), [1000, 1000], false)
    const [a, b] = outcome.change?.doc.steps ?? []
    expect((b?.position[0] ?? 0) - (a?.position[0] ?? 0)).toBe(264)
    expect(((a?.position[0] ?? 0) + (b?.position[0] ?? 0) + 200) / 2).toBe(1000)
  })

  it.each([
    '',
    'hello',
    '{}',
    '{"fettle":"fettle/steps","format":1,"steps":[{"id":1}]}',
    '{"fettle":"fettle/steps","format":2,"steps":[]}',
  ])('%j holds no steps', (text) => {
    expect(fromText(text)).toBeNull()
    expect(paste(chain(), KINDS, text, [0, 0], false).refusal).toBe('the clipboard holds no steps')
  })

  it('a step of a kind that is not here is refused by name', () => {
    const text = toText([step('x', 'teleport')])
    expect(paste(chain(), KINDS, text, [0, 0], false).refusal).toBe('there is no step kind `teleport` here')
  })

  it('a duplicate keeps what feeds it', () => {
    const outcome = duplicate(chain(), KINDS, ['impute', 'forest'])
    const copies = outcome.change?.doc.steps.slice(4)
    expect(copies?.map((one) => [one.id, one.inputs.table])).toEqual([
      ['impute_2', ['filter.table']],
      ['forest_2', ['impute_2.table']],
    ])
  })
})

describe('reading a graph', () => {
  it('knows what is before and after', () => {
    expect([...upstreamOf(chain(), ['impute'])].sort()).toEqual(['data', 'filter'])
    expect([...downstreamOf(chain(), ['filter'])].sort()).toEqual(['forest', 'impute'])
  })

  it('orders steps after what feeds them and survives a circle', () => {
    const [a, b, c, d] = chain().steps
    if (!a || !b || !c || !d) throw new Error('chain')
    expect(topological(doc(d, c, b, a))).toEqual(['data', 'filter', 'impute', 'forest'])
    const circle = doc(step('x', 'filter', { table: ['y.table'] }), step('y', 'filter', { table: ['x.table'] }), a)
    expect(topological(circle)).toEqual(['data', 'x', 'y'])
  })

  it('mends dead wires on load and says which', () => {
    const broken = doc(
      step('data', 'dataset'),
      step('filter', 'filter', { table: ['gone.table'], ghost: ['data.table'] }),
      step('late', 'filter', { table: ['data.table', 'filter.table'] }),
      step('data', 'dataset'),
      step('future', 'teleport', { beam: ['data.table'] }),
      step('after', 'filter', { table: ['future.beam'] }),
    )
    const mended = repair(broken, KINDS)
    expect(wiresOf(mended.doc).map(wireId)).toEqual([
      'data.table>late.table',
      'data.table>future.beam',
      'future.beam>after.table',
    ])
    expect(mended.notes).toEqual([
      'Two steps were called `data`; the second is `data_2` now.',
      'Removed the wire from `gone.table` to `filter.table`: there is no step `gone`.',
      'Removed the wire from `data.table` to `filter.ghost`: the step has no such input.',
      'Removed the wire from `filter.table` to `late.table`: the input takes one wire.',
    ])
    expect(repair(mended.doc, KINDS)).toEqual({ doc: mended.doc, notes: [] })
    expect(repair(chain(), KINDS).notes).toEqual([])
  })
})
