import { describe, expect, it } from 'vitest'

import type { PlanStep, StepRunView, StepState } from '../../host/bindings'
import { plannedAsOne, ranAsOne } from './parts'

function ran(...states: StepState[]): StepRunView[] {
  return states.map((state, index) => ({
    step: `clean__s${index}`, kind: 'filter', state, reasons: [], progress: null, stage: null, startedAt: null, durationMs: null, cpuMs: null,
    maxMemoryBytes: null, inputBytes: null, outputBytes: null, tries: [], metrics: {}, environment: {}, summary: `${index}`, outputs: [], error: null,
  }))
}
const state = (...states: StepState[]): StepState | undefined => ranAsOne('clean', ran(...states))?.state

describe('the steps of a component as one', () => {
  it('have run once all have, and from the cache if all were', () => {
    expect(state('cached', 'done')).toBe('done')
    expect(state('cached', 'cached')).toBe('cached')
    expect(ranAsOne('clean', ran('done', 'done'))?.summary).toBe('1')
  })

  it('run as soon as one does, and are as far as many have ended', () => {
    expect(state('pending', 'pending')).toBe('pending')
    expect(ranAsOne('clean', ran('done', 'running', 'pending', 'pending'))).toMatchObject({ step: 'clean', state: 'running', progress: 0.25 })
    expect(state('done', 'pending')).toBe('running')
  })

  it('have failed if one has, whatever the others did', () => {
    expect(ranAsOne('clean', ran('blocked', 'done', 'failed'))).toMatchObject({ state: 'failed', summary: '2' })
    expect(state('done', 'blocked')).toBe('blocked')
  })

  it('are cached only if all are', () => {
    const plan = (...actions: PlanStep['action'][]): PlanStep['action'] | undefined =>
      plannedAsOne('clean', actions.map((action, index) => ({ step: `clean__s${index}`, action, reasons: [] })))?.action
    expect(plan('cached', 'cached')).toBe('cached')
    expect(plan('cached', 'run', 'pending')).toBe('run')
    expect(plan('cached', 'pending')).toBe('pending')
    expect(plan()).toBeUndefined()
  })

  it('are none of another step whose name begins alike', () => {
    expect(ranAsOne('cle', ran('done'))).toBeUndefined()
  })
})
