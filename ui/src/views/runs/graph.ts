// The wires of a pipeline as lines between steps.

import type { PipelineDoc } from '../../host/bindings'
import { STEP_HEIGHT, STEP_WIDTH, type Place } from '../../lib/graph/geometry'

/** A line from one step to another. */
export interface Wire {
  id: string
  from: Place
  to: Place
}

/** One line a pair of steps, however many ports it connects; sources that are gone are left out. */
export function wires(doc: PipelineDoc): Wire[] {
  const places = new Map(doc.steps.map((step) => [step.id, step.position]))
  const found = new Map<string, Wire>()
  for (const step of doc.steps) {
    for (const source of Object.values(step.inputs).flat()) {
      const id = source.split('.')[0] ?? ''
      const from = places.get(id)
      if (from) found.set(`${id} ${step.id}`, { id: `${id} ${step.id}`, from, to: step.position })
    }
  }
  return [...found.values()]
}

/** A curve that leaves to the right and arrives from the left. */
export function wirePath(from: Place, to: Place): string {
  const [x1, y1] = [from[0] + STEP_WIDTH, from[1] + STEP_HEIGHT / 2]
  const [x2, y2] = [to[0], to[1] + STEP_HEIGHT / 2]
  const bend = Math.max(24, Math.abs(x2 - x1) / 2)
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`
}
