// What a run would do, for people: a row a step, with its reasons said shortly.

import type { PipelineDoc, PlanView } from '../../host/bindings'
import { upstreamOf } from './doc'
import { stepTitle, type Kinds } from './kinds'

/** What becomes of a step when the pipeline is run. */
export type Outlook = 'cached' | 'run' | 'pending' | 'skipped'

/** A step in the plan. */
export type PlanRow = { id: string; title: string; outlook: Outlook; reasons: string[] }

/** The rows of a plan; with `to` only what that step needs. */
export function planRows(sheet: PipelineDoc, runnable: PipelineDoc, kinds: Kinds, plan: PlanView, to: string | null): PlanRow[] {
  const needed = to === null ? null : new Set([to, ...upstreamOf(runnable, [to])])
  const steps = new Map(sheet.steps.map((step) => [step.id, step]))
  const title = (id: string): string => {
    const step = steps.get(id)
    return step === undefined ? id : stepTitle(kinds, step)
  }
  return plan.steps
    .filter((step) => needed === null || needed.has(step.step))
    .map((step): PlanRow => ({ id: step.step, title: title(step.step), outlook: step.action, reasons: step.reasons.map(shortReason) }))
}

/** A reason of the backend in as few words as can be: `rounds: 200 → 300`. */
export function shortReason(reason: string): string {
  const param = /^(?:the )?parameter `([^`]+)` changed from (.+) to (.+?)\.?$/i.exec(reason)
  if (param === null) return reason
  const [, name, from, to] = param
  return `${name ?? ''}: ${plainValue(from ?? '')} → ${plainValue(to ?? '')}`
}

function plainValue(text: string): string {
  if (text === 'nothing') return 'not set'
  return text.replace(/^`(.*)`$/, '$1').replace(/^"(.*)"$/, '$1')
}
