import { describe, expect, it } from 'vitest'

import type { ColumnView, PipelineDoc, Problem } from '../../host/bindings'
import { fixesFor, lostAt, nearest, type Columns, type Fix } from './fixes'
import { chain, doc, KINDS, step } from './testkit'

const columns = (...names: string[]): ColumnView[] => names.map((name) => ({ name, kind: 'number' }))
const FLOW: Columns = { 'data.table': columns('age', 'income', 'Last Seen'), 'filter.table': columns('income', 'Last Seen'), 'impute.table': columns('income', 'Last Seen') }

function problem(rest: Partial<Problem>): Problem {
  return { step: 'impute', param: null, port: null, isWarning: false, message: '', hint: null, fixes: [], ...rest }
}
function withParam(name: string, value: PipelineDoc['steps'][number]['params'][string]): PipelineDoc {
  const base = chain()
  return { ...base, steps: base.steps.map((one) => (one.id === 'impute' ? { ...one, params: { [name]: value } } : one)) }
}
const labels = (fixes: Fix[]): string[] => fixes.map((fix) => fix.label)
const paramsAfter = (fix: Fix | undefined): unknown => (fix?.type === 'change' ? fix.outcome.change?.doc.steps.find((one) => one.id === 'impute')?.params : null)

describe('a column that is missing', () => {
  const missing = problem({ param: 'columns', message: 'there is no column `incme`', hint: 'did you mean `income`?' })

  it('is renamed to the nearest, or left out', () => {
    const fixes = fixesFor(withParam('columns', ['incme', 'Last Seen']), KINDS, FLOW, missing)
    expect(labels(fixes)).toEqual(['Use income', 'Leave out incme'])
    expect(paramsAfter(fixes[0])).toEqual({ columns: ['income', 'Last Seen'] })
    expect(paramsAfter(fixes[1])).toEqual({ columns: ['Last Seen'] })
  })

  it('that was the only one of a list goes back to the default', () => {
    const [, leave] = fixesFor(withParam('columns', ['incme']), KINDS, FLOW, missing)
    expect(paramsAfter(leave)).toEqual({})
  })

  it('in an expression is replaced as a name and never within a text or another name', () => {
    const text = "incme > 3 and \"incme\" < 9 and note = 'incme' and incme_2 is null"
    const [use] = fixesFor(withParam('expression', text), KINDS, FLOW, { ...missing, param: 'expression' })
    expect(paramsAfter(use)).toEqual({ expression: "income > 3 and income < 9 and note = 'incme' and incme_2 is null" })
  })

  it('with a name that needs quotes is written with them', () => {
    const told = problem({ param: 'expression', message: 'there is no column `last_seen`' })
    const [use] = fixesFor(withParam('expression', 'last_seen > 3'), KINDS, FLOW, told)
    expect(paramsAfter(use)).toEqual({ expression: '"Last Seen" > 3' })
  })

  it('leads to the step that let it go', () => {
    const told = problem({ param: 'columns', message: 'there is no column `age`', hint: 'choose one of the columns of the step before' })
    expect(fixesFor(withParam('columns', ['age', 'income']), KINDS, FLOW, told)).toContainEqual({ label: 'Open filter, where age goes', type: 'show', step: 'filter' })
    expect(lostAt(chain(), KINDS, FLOW, 'impute', 'weight')).toBeNull()
  })

  it('in a circle of steps is looked for no longer than once round', () => {
    const circle = doc(step('a', 'filter', { table: ['b.table'] }), step('b', 'filter', { table: ['a.table'] }))
    expect(lostAt(circle, KINDS, {}, 'a', 'age')).toBeNull()
  })

  it('of which the parameter says nothing has no way out', () => {
    expect(fixesFor(withParam('columns', ['income']), KINDS, FLOW, missing)).toEqual([])
    expect(fixesFor(chain(), KINDS, FLOW, problem({ step: 'gone', param: 'columns' }))).toEqual([])
  })
})

describe('an input', () => {
  it('that is not connected is connected to the nearest output', () => {
    const base = chain()
    const open = { ...base, steps: base.steps.map((one) => (one.id === 'impute' ? { ...one, inputs: {} } : one)) }
    const fixes = fixesFor(open, KINDS, FLOW, problem({ port: 'table', message: 'input `table` is not connected' }))
    expect(labels(fixes)).toEqual(['Connect filter.table', 'Connect data.table'])
    expect(fixes[0]?.type === 'change' && fixes[0].outcome.change?.doc).toEqual(base)
  })

  it('with too many wires keeps the first', () => {
    const crowded = doc(step('a', 'dataset'), step('b', 'dataset'), step('impute', 'impute', { table: ['a.table', 'b.table'] }))
    const [keep] = fixesFor(crowded, KINDS, {}, problem({ port: 'table' }))
    expect(keep?.label).toBe('Keep only a.table')
    expect(keep?.type === 'change' && keep.outcome.change?.doc.steps[2]?.inputs).toEqual({ table: ['a.table'] })
  })
})

describe('the nearest names', () => {
  it('are few letters away, turned ones counting once', () => {
    expect(nearest('bill_lenght_mm', ['bill_depth_mm', 'bill_length_mm', 'sex'])).toEqual(['bill_length_mm', 'bill_depth_mm'])
    expect(nearest('age', ['income'])).toEqual([])
  })
})
