// The difference of two documents, small enough to keep two hundred of them. The name of a pipeline
// is no part of it: a rename is a command of its own and never undone by taking back an edit.

import type { StepDoc } from '../../host/bindings'
import { isSameStep } from './doc'
import { besideOf, isSameBeside, withBeside, type Beside, type Sheet } from './sheet'

/** What turns one document into another. */
export interface Patch {
  /** Ids in their new order; null if the order stays. */
  order: string[] | null
  /** Steps by id as they become; null for one that goes. */
  steps: Record<string, StepDoc | null>
  /** What is beside the steps as it becomes; null if it stays. */
  beside: Beside | null
}

/** What turns `from` into `to`. */
export function difference(from: Sheet, to: Sheet): Patch {
  const before = new Map(from.steps.map((step) => [step.id, step]))
  const steps: Record<string, StepDoc | null> = {}
  for (const step of to.steps) {
    const old = before.get(step.id)
    if (old === undefined || !isSameStep(old, step)) steps[step.id] = step
    before.delete(step.id)
  }
  for (const id of before.keys()) steps[id] = null
  const order = to.steps.map((step) => step.id)
  const isOrderSame = order.length === from.steps.length && from.steps.every((step, i) => step.id === order[i])
  const beside = besideOf(to)
  return { order: isOrderSame ? null : order, steps, beside: isSameBeside(besideOf(from), beside) ? null : beside }
}

/** True if the patch changes nothing. */
export function isEmpty(patch: Patch): boolean {
  return patch.order === null && patch.beside === null && Object.keys(patch.steps).length === 0
}

/** The document with the patch applied. */
export function patched(doc: Sheet, patch: Patch): Sheet {
  const steps = new Map(doc.steps.map((step) => [step.id, step]))
  for (const [id, step] of Object.entries(patch.steps)) {
    if (step === null) steps.delete(id)
    else steps.set(id, step)
  }
  const order = patch.order ?? doc.steps.map((step) => step.id)
  const next = {
    ...doc,
    steps: order.flatMap((id) => {
      const step = steps.get(id)
      return step === undefined ? [] : [step]
    }),
  }
  return patch.beside === null ? next : withBeside(next, patch.beside)
}
