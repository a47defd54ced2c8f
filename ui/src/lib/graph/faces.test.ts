import { describe, expect, it } from 'vitest'

import type { PlanStep, PlanView, RunDetail, StepRunView, StepState } from '../../host/bindings'
import { stateLook } from '../states'
import { facesOf, hintOf, type Badge, type Face } from './faces'
import { STATE_GLYPHS } from './glyphs'
import { chain } from './testkit'

function ran(states: Record<string, StepState>, run: RunDetail['summary']['state'] = 'done'): RunDetail {
  const steps = Object.entries(states).map(([step, state]): StepRunView => ({
    step,
    kind: 'filter',
    state,
    reasons: [],
    progress: state === 'running' ? 0.624 : null,
    stage: null,
    startedAt: null,
    durationMs: null,
    cpuMs: null,
    maxMemoryBytes: null,
    inputBytes: null,
    outputBytes: null,
    tries: [],
    metrics: {},
    environment: {},
    summary: '344 × 8',
    outputs: ['table'],
    error:
      state === 'failed' ? { code: 'step_failed', message: 'column `age` is missing', hint: null, causes: [] } : null,
  }))
  const summary = {
    id: 'r',
    number: 1,
    pipeline: 'test',
    state: run,
    startedAt: 0,
    durationMs: 1,
    cached: 0,
    steps: steps.length,
    metrics: {},
    bestStep: null,
    datasets: [],
    models: [],
    note: null,
  }
  return { summary, doc: chain(), steps, error: null, environment: {}, models: [] }
}

function planned(actions: Record<string, PlanStep['action']>): PlanView {
  const steps = Object.entries(actions).map(([step, action]) => ({
    step,
    action,
    reasons: action === 'run' ? ['its parameters changed'] : [],
  }))
  return { steps, cached: 0, toRun: 0, estimateMs: null }
}

const badges = (known: Partial<Parameters<typeof facesOf>[0]>): Record<string, Badge> =>
  Object.fromEntries(
    [...facesOf({ doc: chain(), problems: [], plan: null, run: null, ...known })].map(([id, face]) => [id, face.badge]),
  )

describe('the faces of steps', () => {
  it('a pipeline that never ran is ready, and a step with a problem is a draft that says why', () => {
    const problems = [
      {
        step: 'filter',
        param: 'expression',
        port: null,
        isWarning: false,
        message: 'an expression is needed',
        hint: null,
        fixes: [],
      },
    ]
    const faces = facesOf({ doc: chain(), problems, plan: null, run: null })
    expect(faces.get('filter')).toMatchObject({ badge: 'draft', reasons: ['An expression is needed.'] })
    expect(faces.get('impute')?.badge).toBe('ready')
  })

  it('a warning does not make a draft', () => {
    const problems = [{ step: 'filter', param: null, port: null, isWarning: true, message: 'slow', hint: null, fixes: [] }]
    expect(badges({ problems }).filter).toBe('ready')
  })

  it('while a run works, each step shows where the run has it', () => {
    const run = ran({ data: 'cached', filter: 'done', impute: 'running', forest: 'pending' }, 'running')
    expect(badges({ run, plan: planned({ data: 'run' }) })).toEqual({
      data: 'cached',
      filter: 'done',
      impute: 'running',
      forest: 'queued',
    })
    expect(facesOf({ doc: chain(), problems: [], plan: null, run }).get('impute')?.word).toBe('62 %')
  })

  it('after a run, what the plan would run again is stale with the reason', () => {
    const run = ran({ data: 'done', filter: 'done', impute: 'done', forest: 'done' })
    const plan = planned({ data: 'cached', filter: 'run', impute: 'pending', forest: 'pending' })
    const faces = facesOf({ doc: chain(), problems: [], plan, run })
    expect(faces.get('data')?.badge).toBe('done')
    expect(faces.get('filter')).toMatchObject({
      badge: 'stale',
      reasons: ['Its parameters changed.'],
      summary: 'its parameters changed',
    })
    expect(faces.get('impute')?.reasons).toEqual(['A step before it must run first.'])
  })

  it('a failure stays until the step is changed, and what follows is blocked', () => {
    const run = ran({ data: 'done', filter: 'failed', impute: 'blocked', forest: 'blocked' }, 'failed')
    const plan = planned({ data: 'cached', filter: 'run', impute: 'pending', forest: 'pending' })
    expect(badges({ run, plan })).toEqual({ data: 'done', filter: 'failed', impute: 'blocked', forest: 'blocked' })
    const doc = chain()
    const steps = doc.steps.map((step) => (step.id === 'filter' ? { ...step, params: { expression: 'a > 1' } } : step))
    expect(badges({ run, plan, doc: { ...doc, steps } }).filter).toBe('ready')
  })

  it('a failure says its cause on the step', () => {
    const run = ran({ data: 'done', filter: 'failed', impute: 'blocked', forest: 'blocked' }, 'failed')
    expect(facesOf({ doc: chain(), problems: [], plan: null, run }).get('filter')?.summary).toBe('column `age` is missing')
    const failed = run.steps.map((step) => (step.error === null ? step : { ...step, error: { ...step.error, message: 'step `filter` found no column `age`' } }))
    expect(facesOf({ doc: chain(), problems: [], plan: null, run: { ...run, steps: failed } }).get('filter')?.summary).toBe('found no column `age`')
  })

  it('what follows a changed step is stale also while there is no plan', () => {
    const run = ran({ data: 'done', filter: 'done', impute: 'done', forest: 'done' })
    const doc = chain()
    const steps = doc.steps.map((step) => (step.id === 'filter' ? { ...step, params: { expression: 'a >' } } : step))
    expect(badges({ run, doc: { ...doc, steps } })).toEqual({ data: 'done', filter: 'ready', impute: 'stale', forest: 'stale' })
  })

  it('a step only moved is not changed', () => {
    const run = ran({ data: 'done', filter: 'done', impute: 'done', forest: 'done' })
    const doc = chain()
    const steps = doc.steps.map((step) => ({
      ...step,
      position: [step.position[0] + 40, 0] satisfies [number, number],
    }))
    expect(badges({ run, doc: { ...doc, steps } }).filter).toBe('done')
  })
})

describe('what a state says', () => {
  const badges: Badge[] = ['draft', 'ready', 'cached', 'queued', 'running', 'done', 'failed', 'blocked', 'stale', 'cancelled', 'interrupted', 'skipped']
  const face = (badge: Badge, reasons: string[] = []): Face => ({ badge, word: '', reasons, summary: null })

  it('has an icon, a word and a meaning, whichever it is', () => {
    expect(Object.keys(STATE_GLYPHS).sort()).toEqual([...badges].sort())
    for (const badge of badges) {
      expect(stateLook(badge).word, badge).not.toBe('')
      expect(hintOf(face(badge)), badge).toMatch(/^[A-Z].*\.$/)
    }
  })

  it('is told by its reasons where there are any, and by so many as can be read', () => {
    expect(hintOf(face('stale', ['rounds: 200 → 300']))).toBe('rounds: 200 → 300')
    expect(hintOf(face('stale', ['a', 'b', 'c', 'd', 'e', 'f', 'g']))).toBe('a\nb\nc\nd\ne\nand 2 more')
  })
})
