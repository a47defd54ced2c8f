import { describe, expect, it } from 'vitest'

import type { PlanView } from '../../host/bindings'
import { needLine, planRows, shortReason } from './planning'
import { runnable } from './skip'
import { withSkipped } from './sheet'
import { chain, KINDS } from './testkit'

describe('a reason to run again', () => {
  it.each([
    ['parameter `learning_rate` changed from `0.1` to `0.2`', 'learning_rate: 0.1 → 0.2'],
    ['parameter `by` changed from nothing to `"auc"`', 'by: not set → auc'],
    ['parameter `note` changed from `"a to b"` to `"c"`', 'note: a to b → c'],
    ['it has not run before', 'it has not run before'],
  ])('%s is said as %s', (reason, short) => {
    expect(shortReason(reason)).toBe(short)
  })
})

describe('a plan', () => {
  const sheet = withSkipped(chain(), ['filter'])
  const plan: PlanView = {
    steps: [
      { step: 'data', action: 'cached', reasons: [] },
      { step: 'impute', action: 'run', reasons: ['parameter `numbers` changed from `"mean"` to `"median"`'] },
      { step: 'forest', action: 'pending', reasons: ['a step before it must run first'] },
      { step: 'filter', action: 'skipped', reasons: ['a run goes past it'] },
    ],
    cached: 1, toRun: 2, estimateMs: null,
  }

  it('lists every step, also those it goes past', () => {
    expect(planRows(sheet, runnable(sheet, KINDS), KINDS, plan, null).map((row) => [row.id, row.outlook, row.reasons.join()])).toEqual([
      ['data', 'cached', ''], ['impute', 'run', 'numbers: mean → median'], ['forest', 'pending', 'a step before it must run first'], ['filter', 'skipped', 'a run goes past it'],
    ])
  })

  it('to a step is told in a line', () => {
    const graph = runnable(sheet, KINDS)
    expect(needLine(graph, plan, 'forest')).toBe('2 to run · 1 cached')
    expect(needLine(graph, plan, 'impute')).toBe('1 to run · 1 cached')
    expect(needLine(graph, plan, 'data')).toBe('all 1 cached')
  })

  it('to a step counts what is within a component before it', () => {
    const parts: PlanView = { ...plan, steps: [{ step: 'data', action: 'cached', reasons: [] }, { step: 'filter__one', action: 'run', reasons: [] }, { step: 'filter__two', action: 'pending', reasons: [] }, { step: 'forest', action: 'pending', reasons: [] }] }
    expect(needLine(chain(), parts, 'impute')).toBe('2 to run · 1 cached')
    expect(planRows(chain(), chain(), KINDS, parts, 'filter').map((row) => row.id)).toEqual(['data', 'filter__one', 'filter__two'])
  })

  it('to a step lists only what that step needs', () => {
    expect(planRows(sheet, runnable(sheet, KINDS), KINDS, plan, 'impute').map((row) => row.id)).toEqual(['data', 'impute'])
  })
})
