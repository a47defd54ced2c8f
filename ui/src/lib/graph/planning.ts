// What a run would do, for people: a row a step, with its reasons said shortly.

import type { PipelineDoc, PlanView } from '../../host/bindings'
import { upstreamOf } from './doc'
import { stepTitle, type Kinds } from './kinds'
import { isPartOf } from './parts'

/** What becomes of a step when the pipeline is run. */
export type Outlook = 'cached' | 'run' | 'pending' | 'skipped'

/** A step in the plan. */
export type PlanRow = { id: string; title: string; outlook: Outlook; reasons: string[] }

/** The rows of a plan; with `to` only what that step needs. */
export function planRows(sheet: PipelineDoc, runnable: PipelineDoc, kinds: Kinds, plan: PlanView, to: string | null): PlanRow[] {
  const isNeeded = to === null ? () => true : neededFor(runnable, to)
  const steps = new Map(sheet.steps.map((step) => [step.id, step]))
  const title = (id: string): string => {
    const step = steps.get(id)
    return step === undefined ? id : stepTitle(kinds, step)
  }
  return plan.steps
    .filter((step) => isNeeded(step.step))
    .map((step): PlanRow => ({ id: step.step, title: title(step.step), outlook: step.action, reasons: step.reasons.map(shortReason) }))
}

/** `2 to run · 3 cached` for a run to one step. */
export function needLine(runnable: PipelineDoc, plan: PlanView, to: string): string {
  const isNeeded = neededFor(runnable, to)
  const steps = plan.steps.filter((step) => isNeeded(step.step) && step.action !== 'skipped')
  const cached = steps.filter((step) => step.action === 'cached').length
  return cached === steps.length ? `all ${cached} cached` : `${steps.length - cached} to run · ${cached} cached`
}

// A plan knows the steps within a component and not the component.
function neededFor(runnable: PipelineDoc, to: string): (id: string) => boolean {
  const needed = [to, ...upstreamOf(runnable, [to])]
  return (id) => needed.some((one) => one === id || isPartOf(one, id))
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
