import { describe, expect, it } from 'vitest'

import { bestInput, judge, sourcesFor, spliceThrough, targetsFor } from './rules'
import { chain, doc, KINDS, random, step } from './testkit'
import { connect, splice } from './wiring'
import { wireId, wiresOf } from './doc'

const end = (text: string) => ({ step: text.split('.')[0] ?? '', port: text.split('.')[1] ?? '' })

describe('which wires may be drawn', () => {
  it('a model does not go into a table port, and the reason names both', () => {
    const graph = doc(...chain().steps, step('late', 'filter'))
    const verdict = judge(graph, KINDS, { from: end('forest.model'), to: end('late.table') })
    expect(verdict).toEqual({ isAllowed: false, reason: 'this is a model, and `table` takes a table' })
  })

  it('a circle is refused by the names of its steps', () => {
    const graph = doc(step('one', 'filter'), step('two', 'impute', { table: ['one.table'] }))
    const verdict = judge(graph, KINDS, { from: end('two.table'), to: end('one.table') })
    expect(verdict).toEqual({ isAllowed: false, reason: 'that would be a circle: one, two, then one again' })
  })

  it('a long circle is named by its ends', () => {
    const steps = Array.from({ length: 9 }, (_, i) =>
      step(`s${i}`, 'filter', i === 0 ? {} : { table: [`s${i - 1}.table`] }),
    )
    const verdict = judge(doc(...steps), KINDS, { from: end('s8.table'), to: end('s0.table') })
    expect(verdict.isAllowed ? '' : verdict.reason).toBe('that would be a circle: s0, s1, s2, …, s7, s8, then s0 again')
  })

  it('a step does not feed itself, and nothing is connected twice', () => {
    const itself = judge(chain(), KINDS, { from: end('filter.table'), to: end('filter.table') })
    expect(itself.isAllowed ? '' : itself.reason).toBe('a step cannot feed itself')
    const twice = judge(chain(), KINDS, { from: end('data.table'), to: end('filter.table') })
    expect(twice.isAllowed ? '' : twice.reason).toBe('these two are connected already')
  })

  it('an occupied input for one wire is replaced, one for many takes another', () => {
    const replaced = connect(chain(), KINDS, { from: end('data.table'), to: end('impute.table') })
    expect(replaced.change?.doc.steps[2]?.inputs).toEqual({ table: ['data.table'] })
    const two = doc(
      step('a', 'train_forest'),
      step('b', 'train_forest'),
      step('best', 'compare', { models: ['a.model'] }),
    )
    const added = connect(two, KINDS, { from: end('b.model'), to: end('best.models') })
    expect(added.change?.doc.steps[2]?.inputs).toEqual({ models: ['a.model', 'b.model'] })
  })

  it('the free input is chosen before the one that would be replaced', () => {
    const graph = doc(step('a', 'dataset'), step('b', 'dataset'), step('judge', 'evaluate', { table: ['a.table'] }))
    expect(bestInput(graph, KINDS, end('b.table'), 'judge')?.name).toBe('table')
    expect(bestInput(graph, KINDS, end('b.table'), 'a')).toBeNull()
  })

  it('sources for an input are only those that would not close a circle', () => {
    const names = sourcesFor(chain(), KINDS, end('filter.table')).map((candidate) => candidate.end.step)
    expect(names).toEqual([])
    const targets = targetsFor(chain(), KINDS, end('data.table')).map((candidate) => candidate.end.step)
    expect(targets).toEqual(['impute', 'forest'])
  })

})

describe('what a port could be wired to', () => {
  // Any graph, circles included: two hundred of them, the same each time.
  const graphs = Array.from({ length: 200 }, (_, seed) => {
    const next = random(seed)
    const kinds = [...KINDS.keys()]
    const steps = Array.from({ length: 2 + Math.floor(next() * 8) }, (_, at) => step(`s${at}`, kinds[Math.floor(next() * kinds.length)] ?? 'filter'))
    return doc(
      ...steps.map((one) => {
        const ports = KINDS.get(one.kind)?.inputs ?? []
        const wired = ports.flatMap((port): [string, string[]][] => {
          const from = steps[Math.floor(next() * steps.length)]
          const output = KINDS.get(from?.kind ?? '')?.outputs[0]?.name
          return from === undefined || output === undefined || next() < 0.4 ? [] : [[port.name, [`${from.id}.${output}`]]]
        })
        return { ...one, inputs: Object.fromEntries(wired) }
      }),
    )
  })

  it('is the same as what each wire by itself is judged to be', () => {
    for (const graph of graphs) {
      const ends = (side: 'inputs' | 'outputs') => graph.steps.flatMap((one) => (KINDS.get(one.kind)?.[side] ?? []).map((port) => ({ step: one.id, port: port.name })))
      const [outputs, inputs] = [ends('outputs'), ends('inputs')]
      for (const to of inputs) {
        const judged = outputs.map((end) => ({ end, verdict: judge(graph, KINDS, { from: end, to }) })).filter(({ verdict }) => verdict.isAllowed)
        expect(sourcesFor(graph, KINDS, to)).toEqual(judged)
      }
      for (const from of outputs) {
        const judged = inputs.map((end) => ({ end, verdict: judge(graph, KINDS, { from, to: end }) })).filter(({ verdict }) => verdict.isAllowed)
        expect(targetsFor(graph, KINDS, from)).toEqual(judged)
      }
    }
  })
})

describe('putting a step into a wire', () => {
  it('keeps both ends and makes room to the right', () => {
    const graph = doc(...chain().steps, step('fresh', 'encode', {}, [300, 0]))
    const [wire] = wiresOf(graph).filter((one) => one.to.step === 'impute')
    if (wire === undefined) throw new Error('no wire')
    const outcome = splice(graph, KINDS, 'fresh', wire)
    const ids = outcome.change?.doc.steps.flatMap((one) =>
      Object.values(one.inputs)
        .flat()
        .map((from) => `${from}>${one.id}`),
    )
    expect(ids).toContain('filter.table>fresh')
    expect(ids).toContain('fresh.table>impute')
    expect(ids).not.toContain('filter.table>impute')
    const impute = outcome.change?.doc.steps.find((one) => one.id === 'impute')
    const forest = outcome.change?.doc.steps.find((one) => one.id === 'forest')
    expect(impute?.position[0]).toBe(300 + 200 + 60)
    expect(forest?.position[0]).toBe(792 + 32)
  })

  it('keeps the order of several sources', () => {
    const graph = doc(
      step('a', 'train_forest'),
      step('b', 'train_forest'),
      step('t', 'dataset'),
      step('e', 'evaluate', { table: ['t.table'] }),
      step('best', 'compare', { models: ['a.model', 'b.model'] }),
    )
    const [wire] = wiresOf(graph).filter((one) => wireId(one) === 'a.model>best.models')
    if (wire === undefined) throw new Error('no wire')
    const outcome = splice(graph, KINDS, 'e', wire)
    expect(outcome.change?.doc.steps[4]?.inputs).toEqual({ models: ['e.model', 'b.model'] })
  })

  it('is refused for a kind that does not pass the type on', () => {
    expect(spliceThrough(KINDS.get('train_forest'), 'table')).toBeNull()
    expect(spliceThrough(KINDS.get('encode'), 'table')).toEqual({ input: 'table', output: 'table' })
  })
})
