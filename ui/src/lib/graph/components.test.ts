import { describe, expect, it } from 'vitest'

import type { PipelineDoc } from '../../host/bindings'
import { addStep, deleteSteps, renameStep } from './commands'
import { collapse, collapseProblem, expand, nameProblem, portsOfPart, withParts } from './components'
import { declare, declaredOf, openEnds, renameDeclared, undeclare } from './declared'
import { isSameDoc } from './doc'
import { begin, commit, redo, undo } from './history'
import { withToldPorts } from './kinds'
import { chain, doc, KINDS, step } from './testkit'
import type { Outcome } from './wiring'

const after = (outcome: Outcome): PipelineDoc => {
  if (outcome.change === null) throw new Error(outcome.refusal)
  return outcome.change.doc
}
const made = (start: PipelineDoc, ids: string[], name = 'tidy'): { part: PipelineDoc; whole: PipelineDoc } => {
  const { part, outcome } = collapse(start, KINDS, ids, name)
  if (part === null) throw new Error(outcome.refusal ?? '')
  return { part, whole: after(outcome) }
}

/** Two models over one table, measured on it, the better one kept. */
const fan = (): PipelineDoc =>
  doc(
    step('data', 'dataset', {}, [0, 0]),
    step('a', 'train_forest', { table: ['data.table'] }, [260, 0]),
    step('b', 'train_forest', { table: ['data.table'] }, [260, 120]),
    step('judge_a', 'evaluate', { model: ['a.model'], table: ['data.table'] }, [520, 0]),
    step('judge_b', 'evaluate', { model: ['b.model'], table: ['data.table'] }, [520, 120]),
    step('best', 'compare', { models: ['judge_a.model', 'judge_b.model'] }, [780, 60]),
    step('keep', 'register', { model: ['best.best'], checks: ['judge_a.metrics'] }, [1040, 60]),
  )

describe('steps that become one', () => {
  it('go into a pipeline that declares what came in and what went out', () => {
    const { part, whole } = made(chain(), ['filter', 'impute'])
    expect(part.inputs).toEqual([{ name: 'table', to: ['filter.table'] }])
    expect(part.outputs).toEqual([{ name: 'table', from: 'impute.table' }])
    expect(part.steps.map(({ id, position, inputs }) => [id, position, inputs])).toEqual([['filter', [0, 0], {}], ['impute', [264, 0], { table: ['filter.table'] }]])
    expect(whole.steps.map(({ id }) => id)).toEqual(['data', 'tidy', 'forest'])
    expect(whole.steps[1]).toMatchObject({ kind: 'component', params: { pipeline: 'tidy' }, inputs: { table: ['data.table'] }, position: [264, 0] })
    expect(whole.steps[2]?.inputs).toEqual({ table: ['tidy.table'] })
  })

  it('share an input where one table feeds several of them', () => {
    const { part, whole } = made(fan(), ['a', 'b', 'judge_a', 'judge_b', 'best'])
    expect(part.inputs).toEqual([{ name: 'table', to: ['a.table', 'b.table', 'judge_a.table', 'judge_b.table'] }])
    expect(part.outputs).toEqual([{ name: 'best', from: 'best.best' }, { name: 'metrics', from: 'judge_a.metrics' }])
    expect(whole.steps.find(({ id }) => id === 'keep')?.inputs).toEqual({ model: ['tidy.best'], checks: ['tidy.metrics'] })
  })

  it('keep the order of several wires on one port', () => {
    const { part, whole } = made(fan(), ['best'])
    expect(part.inputs).toEqual([{ name: 'models', to: ['best.models'] }])
    expect(whole.steps.find(({ id }) => id === 'tidy')?.inputs).toEqual({ models: ['judge_a.model', 'judge_b.model'] })
  })

  it('give what their last step gives where nobody takes anything yet', () => {
    expect(made(chain(), ['impute', 'forest']).part.outputs).toEqual([{ name: 'model', from: 'forest.model' }])
  })

  it('are refused where a step outside lies between them', () => {
    expect(collapseProblem(chain(), ['filter', 'forest'])).toMatch(/impute/)
    expect(collapse(chain(), KINDS, ['filter', 'forest'], 'tidy').part).toBeNull()
    expect(collapseProblem(chain(), [])).toBe('no step is selected')
  })

  it('stay within the length of an id that the backend takes, or are refused', () => {
    const long = (length: number): PipelineDoc => after(renameStep(chain(), 'filter', 'f'.repeat(length)))
    expect(made(long(40), ['f'.repeat(40)], 'a'.repeat(50)).whole.steps[1]?.id).toBe('a'.repeat(18))
    const deep = doc(step('data', 'dataset'), step('f'.repeat(60), 'filter', { table: ['data.table'] }))
    expect(collapse(deep, KINDS, ['f'.repeat(60)], 'tidy').outcome.refusal).toMatch(/rename the step first/)
  })

  it('take frames along that are only around them, and what the pipeline itself declares leads on', () => {
    const start: PipelineDoc = { ...chain(), frames: [{ id: 'f', title: 'Clean', note: '', tone: 'grey', box: [250, -20, 500, 130] }], inputs: [{ name: 'rows', to: ['filter.table'] }], outputs: [{ name: 'rows', from: 'impute.table' }] }
    const { part, whole } = made(start, ['filter', 'impute'])
    expect(part.frames?.[0]?.box).toEqual([-14, -20, 500, 130])
    expect(whole.frames).toBeUndefined()
    expect(whole.inputs).toEqual([{ name: 'rows', to: ['tidy.table'] }])
    expect(whole.outputs).toEqual([{ name: 'rows', from: 'tidy.table' }])
  })

  it('are what they were once the component is expanded', () => {
    for (const [start, ids] of [[chain(), ['filter', 'impute']], [fan(), ['a', 'b', 'judge_a', 'judge_b']], [fan(), ['best']], [chain(), ['impute', 'forest']]] as const) {
      const { part, whole } = made(start, [...ids])
      const back = after(expand(whole, 'tidy', part))
      expect(back.steps.map(({ id, kind, inputs }) => ({ id, kind, inputs })).sort((a, b) => a.id.localeCompare(b.id))).toEqual(start.steps.map(({ id, kind, inputs }) => ({ id, kind, inputs })).sort((a, b) => a.id.localeCompare(b.id)))
      for (const id of ids) expect(back.steps.find((one) => one.id === id)?.position).toEqual(start.steps.find((one) => one.id === id)?.position)
    }
  })

  it('come back with one undo and go with one redo, declared ports and all', () => {
    const start: PipelineDoc = { ...chain(), outputs: [{ name: 'rows', from: 'impute.table' }] }
    const { outcome } = collapse(start, KINDS, ['filter', 'impute'], 'tidy')
    if (outcome.change === null) throw new Error('refused')
    const there = commit(begin(start), outcome.change, 0)
    expect(isSameDoc(undo(there).doc, start)).toBe(true)
    expect(isSameDoc(redo(undo(there)).doc, outcome.change.doc)).toBe(true)
  })
})

describe('a component that is expanded', () => {
  const part: PipelineDoc = { ...doc(step('filter', 'filter', {}, [40, 40]), step('inner', 'component', { rows: ['filter.table'] }, [300, 40])), inputs: [{ name: 'rows', to: ['filter.table'] }], outputs: [{ name: 'rows', from: 'inner.rows' }] }
  const whole = (more: object = {}): PipelineDoc => doc(step('data', 'dataset', {}, [0, 0]), step('filter', 'filter', { table: ['data.table'] }, [260, 0]), { ...step('c', 'component', { rows: ['filter.table'] }, [520, 0]), params: { pipeline: 'p' }, ...more }, step('forest', 'train_forest', { table: ['c.rows'] }, [780, 0]))

  it('gives its steps other ids where theirs are taken', () => {
    const back = after(expand(whole(), 'c', part))
    expect(back.steps.map(({ id, inputs }) => [id, inputs])).toEqual([['data', {}], ['filter', { table: ['data.table'] }], ['filter_2', { table: ['filter.table'] }], ['inner', { rows: ['filter_2.table'] }], ['forest', { table: ['inner.rows'] }]])
  })

  it('gives them the values that were set for them, those further in too', () => {
    const back = after(expand(whole({ params: { pipeline: 'p', set: { filter: { expression: 'age > 1' }, inner__sort: { by: ['age'] } } } }), 'c', part))
    expect(back.steps[2]?.params).toEqual({ expression: 'age > 1' })
    expect(back.steps[3]?.params).toEqual({ set: { sort: { by: ['age'] } } })
  })

  it('makes room for them, and skips them all if it was skipped', () => {
    const back = after(expand(whole({ skip: true }), 'c', part))
    expect(back.steps.filter(({ skip }) => skip === true).map(({ id }) => id)).toEqual(['filter_2', 'inner'])
    expect(back.steps.at(-1)?.position).toEqual([1040, 0])
  })

  it('is refused where the step is none', () => {
    expect(expand(whole(), 'data', part).refusal).toBe('no component is selected')
  })
})

describe('what a pipeline declares', () => {
  it('can be any output, and any input that nothing feeds', () => {
    const start = doc(step('filter', 'filter'), step('best', 'compare', { models: ['x.model'] }))
    expect(openEnds(start, KINDS, 'input').map(({ end }) => end)).toEqual([{ step: 'filter', port: 'table' }, { step: 'best', port: 'models' }])
    const declared = after(declare(after(declare(start, 'input', { step: 'filter', port: 'table' })), 'output', { step: 'filter', port: 'table' }))
    expect(declaredOf(declared, KINDS).map(({ side, name, type }) => `${side} ${name} ${type}`)).toEqual(['input table table', 'output table table'])
    expect(openEnds(declared, KINDS, 'output').map(({ end }) => end.step)).toEqual(['best'])
  })

  it('has names of its own, each once', () => {
    const start = after(declare(after(declare(fan(), 'output', { step: 'a', port: 'model' })), 'output', { step: 'b', port: 'model' }))
    expect(start.outputs?.map(({ name }) => name)).toEqual(['model', 'model_2'])
    expect(renameDeclared(start, 'output', 'model_2', 'model').refusal).toMatch(/already/)
    expect(renameDeclared(start, 'output', 'model_2', 'Model 2').refusal).toMatch(/small letter/)
    expect(after(renameDeclared(start, 'output', 'model_2', 'second')).outputs?.[1]).toEqual({ name: 'second', from: 'b.model' })
    expect(after(undeclare(start, 'output', 'model')).outputs).toEqual([{ name: 'model_2', from: 'b.model' }])
  })

  it('follows a step that is renamed, goes with one that is deleted, and comes back with an undo', () => {
    const start: PipelineDoc = { ...chain(), inputs: [{ name: 'rows', to: ['filter.table'] }], outputs: [{ name: 'model', from: 'forest.model' }] }
    for (const outcome of [renameStep(start, 'forest', 'wood'), deleteSteps(start, ['forest', 'filter'])]) {
      if (outcome.change === null) throw new Error('refused')
      const there = commit(begin(start), outcome.change, 0)
      expect(there.doc.outputs).toEqual(outcome.change.label.startsWith('Rename') ? [{ name: 'model', from: 'wood.model' }] : [])
      expect(isSameDoc(undo(there).doc, start)).toBe(true)
    }
  })
})

it('a component in a wire is wired by the ports that its pipeline declares', () => {
  const { part } = made(chain(), ['filter', 'impute'])
  const named: PipelineDoc = { ...part, inputs: [{ name: 'rows', to: ['filter.table'] }], outputs: [{ name: 'ready', from: 'impute.table' }] }
  expect(portsOfPart(named, KINDS)).toMatchObject({ inputs: [{ name: 'rows', type: 'table' }], outputs: [{ name: 'ready', type: 'table' }] })
  const filter = KINDS.get('filter')
  if (filter === undefined) throw new Error('there is no such kind')
  const component = { ...filter, kind: 'component', title: 'Component' }
  const kinds = withToldPorts(withParts(new Map([...KINDS, ['component', component]]), ['tidy']), { tidy: portsOfPart(named, KINDS) })
  const wire = { from: { step: 'impute', port: 'table' }, to: { step: 'forest', port: 'table' } }
  const wired = after(addStep(chain(), kinds, 'component#tidy', [0, 0], { type: 'into', wire }))
  expect(wired.steps.find(({ id }) => id === 'tidy')).toMatchObject({ params: { pipeline: 'tidy' }, inputs: { rows: ['impute.table'] } })
  expect(wired.steps.find(({ id }) => id === 'forest')?.inputs).toEqual({ table: ['tidy.ready'] })
})

it('a name is one that no pipeline has and every system takes', () => {
  expect(nameProblem('tidy', [])).toBeNull()
  expect(nameProblem('', [])).toBe('It needs a name.')
  expect(nameProblem('tidy', ['tidy'])).toMatch(/already/)
  expect(nameProblem('Tidy up', [])).toMatch(/Small letters/)
})
