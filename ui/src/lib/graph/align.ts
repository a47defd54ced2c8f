// Puts selected steps in line or at even distances. Each is one entry of the history.

import type { PipelineDoc, StepDoc } from '../../host/bindings'
import { moveSteps } from './commands'
import { snap, STEP_HEIGHT, STEP_WIDTH, type Place } from './geometry'
import { refused, type Outcome } from './wiring'

/** Which edges or middles come to stand in line. */
export type Side = 'left' | 'centre' | 'right' | 'top' | 'middle' | 'bottom'
/** Along which way steps are spread. */
export type Axis = 'across' | 'down'

const WORDS: Record<Side, string> = { left: 'left edges', centre: 'centres', right: 'right edges', top: 'top edges', middle: 'middles', bottom: 'bottom edges' }

/** Puts steps in line: the outermost of them says where, for middles the mean of both ends. */
export function align(doc: PipelineDoc, ids: readonly string[], side: Side): Outcome {
  const steps = doc.steps.filter((step) => ids.includes(step.id))
  if (steps.length < 2) return refused('select at least two steps to put in line')
  const isAcross = side === 'left' || side === 'centre' || side === 'right'
  const along = steps.map(({ position }) => position[isAcross ? 0 : 1])
  const [low, high] = [Math.min(...along), Math.max(...along)]
  // All steps have one size, so what holds for an edge holds for the corner.
  const to = side === 'left' || side === 'top' ? low : side === 'right' || side === 'bottom' ? high : (low + high) / 2
  const places = new Map(steps.map((step): [string, Place] => [step.id, snap(isAcross ? [to, step.position[1]] : [step.position[0], to])]))
  return moveSteps(doc, places, `Align the ${WORDS[side]} of ${steps.length} steps`)
}

/** Spreads steps between the outermost two, with the same room between all of them. */
export function distribute(doc: PipelineDoc, ids: readonly string[], axis: Axis): Outcome {
  const at = axis === 'across' ? 0 : 1
  const size = axis === 'across' ? STEP_WIDTH : STEP_HEIGHT
  const steps = doc.steps.filter((step) => ids.includes(step.id)).sort((a, b) => a.position[at] - b.position[at])
  const [first, last] = [steps[0], steps.at(-1)]
  if (first === undefined || last === undefined || steps.length < 3) return refused('select at least three steps to spread')
  // Where they would lie on each other, the last one gives way.
  const gap = Math.max(size, (last.position[at] - first.position[at]) / (steps.length - 1))
  const places = new Map(steps.map((step, index): [string, Place] => [step.id, spread(step, at, first.position[at] + index * gap)]))
  return moveSteps(doc, places, `Spread ${steps.length} steps ${axis}`)
}

function spread({ position: [x, y] }: StepDoc, at: 0 | 1, to: number): Place {
  return snap(at === 0 ? [to, y] : [x, to])
}
