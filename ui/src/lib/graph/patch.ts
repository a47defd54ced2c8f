// The difference of two documents, small enough to keep two hundred of them. The name of a pipeline
// is no part of it: a rename is a command of its own and never undone by taking back an edit.

import type { PipelineDoc, StepDoc } from '../../host/bindings'
import { hasSamePorts, isSameStep } from './doc'
import { framesOf, hasSameFrames, withFrames, type Frame } from './sheet'

/** What turns one document into another. */
export interface Patch {
  /** Ids in their new order; null if the order stays. */
  order: string[] | null
  /** Steps by id as they become; null for one that goes. */
  steps: Record<string, StepDoc | null>
  /** The frames as they become; null if they stay. */
  frames: readonly Frame[] | null
  /** What it declares for others as it becomes; null if that stays. */
  ports: Ports | null
}

/** What a pipeline declares for those that use it as a step. */
export type Ports = Pick<PipelineDoc, 'inputs' | 'outputs'>

/** What turns `from` into `to`. */
export function difference(from: PipelineDoc, to: PipelineDoc): Patch {
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
  return { order: isOrderSame ? null : order, steps, frames: hasSameFrames(from, to) ? null : framesOf(to), ports: hasSamePorts(from, to) ? null : portsOf(to) }
}

/** True if the patch changes nothing. */
export function isEmpty(patch: Patch): boolean {
  return patch.order === null && patch.frames === null && patch.ports === null && Object.keys(patch.steps).length === 0
}

/** The document with the patch applied. */
export function patched(doc: PipelineDoc, patch: Patch): PipelineDoc {
  const steps = new Map(doc.steps.map((step) => [step.id, step]))
  for (const [id, step] of Object.entries(patch.steps)) {
    if (step === null) steps.delete(id)
    else steps.set(id, step)
  }
  const order = patch.order ?? doc.steps.map((step) => step.id)
  const { inputs: _inputs, outputs: _outputs, ...rest } = doc
  const next = {
    ...(patch.ports === null ? doc : { ...rest, ...patch.ports }),
    steps: order.flatMap((id) => {
      const step = steps.get(id)
      return step === undefined ? [] : [step]
    }),
  }
  return patch.frames === null ? next : withFrames(next, patch.frames)
}

function portsOf({ inputs, outputs }: PipelineDoc): Ports {
  return { ...(inputs === undefined ? {} : { inputs }), ...(outputs === undefined ? {} : { outputs }) }
}
