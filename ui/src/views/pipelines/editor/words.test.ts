import { describe, expect, it } from 'vitest'

import type { PlanAction, PlanView } from '../../../host/bindings'
import { planHint, planLine, problemLine } from './words'

function plan(actions: PlanAction[], estimateMs: number | null = null): PlanView {
  const steps = actions.map((action, at) => ({ step: `s${at}`, action, reasons: action === 'run' ? ['its parameters changed'] : [] }))
  const count = (wanted: PlanAction): number => actions.filter((action) => action === wanted).length
  return { steps, cached: count('cached'), toRun: count('run'), estimateMs }
}

describe('the line above the editor', () => {
  it('says what a run would do, and counts what is known only later as to be run', () => {
    expect(planLine(plan(['cached', 'cached', 'run', 'pending'], 20_000))).toBe('2 cached · 2 to run · ≈20 s')
    expect(planLine(plan(['cached', 'cached']))).toBe('All 2 cached: nothing to run')
    expect(planLine(plan([]))).toBe('Nothing to run yet')
  })

  it('gives the reasons, and says what may not run at all', () => {
    expect(planHint(plan(['run', 'pending']))).toBe('s0: its parameters changed\n1 step only if a step before comes to another result')
    expect(planHint(plan(['cached']))).toBe('Every result is in the cache')
    expect(planHint(plan(Array.from({ length: 9 }, () => 'run')))).toContain('and 3 more')
  })

  it('counts warnings only where nothing is wrong', () => {
    const problem = { step: null, param: null, port: null, message: 'm', hint: null, fixes: [] }
    expect(problemLine([])).toBe('No problems')
    expect(problemLine([{ ...problem, isWarning: true }])).toBe('1 warning')
    expect(problemLine([{ ...problem, isWarning: true }, { ...problem, isWarning: false }])).toBe('1 problem')
  })
})
