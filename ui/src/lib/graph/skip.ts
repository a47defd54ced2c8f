// Skipping steps: they stay on the canvas, and a run goes past them where the types allow it. The
// backend does so; here it is foreseen, to refuse what could not run.

import type { PipelineDoc } from '../../host/bindings'
import { dissolveSteps } from './commands'
import { kindOf, type Kinds } from './kinds'
import { skippedOf, withSkipped } from './sheet'
import { done, refused, type Outcome } from './wiring'

/** The pipeline as it runs: without its skipped steps. */
export function runnable(doc: PipelineDoc, kinds: Kinds): PipelineDoc {
  const skipped = skippedOf(doc)
  return skipped.length === 0 ? doc : (dissolveSteps(doc, kinds, skipped).change?.doc ?? doc)
}

/** Skips steps, or takes them in again if all of them are skipped. */
export function toggleSkip(doc: PipelineDoc, kinds: Kinds, ids: readonly string[]): Outcome {
  const skipped = skippedOf(doc)
  if (ids.length === 0) return refused('no step is selected')
  const isBack = ids.every((id) => skipped.includes(id))
  const after = withSkipped(doc, isBack ? skipped.filter((id) => !ids.includes(id)) : [...skipped, ...ids])
  const starved = isBack ? null : starvedStep(doc, after, kinds)
  if (starved !== null) return refused(`\`${starved.step}\` would be left without \`${starved.port}\`: skip it too, or connect it elsewhere`)
  const name = ids.length === 1 ? ids.join() : `${ids.length} steps`
  return done(isBack ? `Take ${name} in again` : `Skip ${name}`, after)
}

// A step that has all it needs now and would not have it then.
function starvedStep(before: PipelineDoc, after: PipelineDoc, kinds: Kinds): { step: string; port: string } | null {
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
