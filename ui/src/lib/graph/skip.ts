// Skipping steps: they stay on the canvas, and a run goes past them where the types allow it.

import type { PipelineDoc } from '../../host/bindings'
import { dissolveSteps } from './commands'
import { kindOf, type Kinds } from './kinds'
import { bare, besideOf, withBeside, type Sheet } from './sheet'
import { done, refused, type Outcome } from './wiring'

/** The pipeline without its skipped steps: what is checked, planned and run. */
export function runnable(doc: Sheet, kinds: Kinds): PipelineDoc {
  const { skipped } = besideOf(doc)
  const plain = bare(doc)
  return skipped.length === 0 ? plain : (dissolveSteps(plain, kinds, skipped).change?.doc ?? plain)
}

/** Skips steps, or takes them in again if all of them are skipped. */
export function toggleSkip(doc: Sheet, kinds: Kinds, ids: readonly string[]): Outcome {
  const { frames, skipped } = besideOf(doc)
  if (ids.length === 0) return refused('no step is selected')
  const isBack = ids.every((id) => skipped.includes(id))
  const next = isBack ? skipped.filter((id) => !ids.includes(id)) : [...new Set([...skipped, ...ids])]
  const after = withBeside(doc, { frames, skipped: next })
  const starved = isBack ? null : starvedStep(doc, after, kinds)
  if (starved !== null) return refused(`\`${starved.step}\` would be left without \`${starved.port}\`: skip it too, or connect it elsewhere`)
  const name = ids.length === 1 ? ids.join() : `${ids.length} steps`
  return done(isBack ? `Take ${name} in again` : `Skip ${name}`, after)
}

// A step that has all it needs now and would not have it then.
function starvedStep(before: Sheet, after: Sheet, kinds: Kinds): { step: string; port: string } | null {
  const then = runnable(after, kinds)
  const now = new Map(runnable(before, kinds).steps.map((step) => [step.id, step]))
  for (const step of then.steps) {
    for (const port of kindOf(then, kinds, step.id)?.inputs ?? []) {
      const had = (now.get(step.id)?.inputs[port.name] ?? []).length > 0
      if (had && !port.isOptional && (step.inputs[port.name] ?? []).length === 0) return { step: step.id, port: port.name }
    }
  }
  return null
}
