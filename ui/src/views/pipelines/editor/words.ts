// What the bar above the editor says in a line.

import type { PlanView, Problem, RunDetail } from '../../../host/bindings'
import { duration, plural } from '../../../lib/format'
import { shortReason } from '../../../lib/graph/planning'

/** `2 cached · 7 to run · ≈20 s`. What is known only later counts as to be run. */
export function planLine(plan: PlanView): string {
  const steps = plan.steps.filter((step) => step.action !== 'skipped').length
  const toRun = steps - plan.cached
  if (steps === 0) return 'Nothing to run yet'
  if (toRun === 0) return `All ${steps} cached: nothing to run`
  const parts = [`${plan.cached} cached`, `${toRun} to run`]
  if (plan.estimateMs !== null) parts.push(`≈${duration(plan.estimateMs)}`)
  return parts.join(' · ')
}

/** What the plan line means, for its tooltip. */
export function planHint(plan: PlanView): string {
  const pending = plan.steps.filter((step) => step.action === 'pending').length
  const reasons = plan.steps.filter((step) => step.action !== 'skipped').flatMap((step) => step.reasons.slice(0, 1).map((reason) => `${step.step}: ${shortReason(reason)}`))
  const shown = reasons.slice(0, 6)
  if (reasons.length > shown.length) shown.push(`and ${reasons.length - shown.length} more`)
  if (pending > 0) shown.push(`${plural(pending, 'step')} only if a step before comes to another result`)
  return shown.length === 0 ? 'Every result is in the cache' : shown.join('\n')
}

/** `5 of 12 steps` while a run works. */
export function progressLine(run: RunDetail): string {
  const ended = run.steps.filter((step) => step.state === 'done' || step.state === 'cached').length
  const working = run.steps.filter((step) => step.state === 'running').map((step) => step.step)
  const line = `${ended} of ${run.steps.length} steps`
  return working.length === 0 ? line : `${line} · ${working.slice(0, 2).join(', ')}${working.length > 2 ? ' …' : ''}`
}

/** How far a run is, from 0 to 1. */
export function progressShare(run: RunDetail): number {
  if (run.steps.length === 0) return 0
  const done = run.steps.reduce((sum, step) => {
    if (step.state === 'done' || step.state === 'cached') return sum + 1
    return step.state === 'running' ? sum + (step.progress ?? 0) : sum
  }, 0)
  return done / run.steps.length
}

/** `2 problems`, `1 warning`, `No problems`. */
export function problemLine(problems: readonly Problem[]): string {
  const wrong = problems.filter((problem) => !problem.isWarning).length
  const warnings = problems.length - wrong
  if (wrong > 0) return plural(wrong, 'problem')
  return warnings > 0 ? plural(warnings, 'warning') : 'No problems'
}
