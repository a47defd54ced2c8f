// The order of the steps in the file, which is that of the outline among steps that could run in any.

import type { PipelineDoc } from '../../host/bindings'
import { topological } from './doc'
import { done, refused, type Outcome } from './wiring'

/** Moves a step one row up or down in the outline, as far as what feeds what allows. */
export function moveInOrder(doc: PipelineDoc, id: string, by: 1 | -1): Outcome {
  const rows = topological(doc)
  const at = rows.indexOf(id)
  const other = rows[at + by]
  const step = doc.steps.find((one) => one.id === id)
  if (at < 0 || step === undefined) return refused('no step is selected')
  if (other === undefined) return refused(by < 0 ? `\`${id}\` is the first step` : `\`${id}\` is the last step`)
  // The file in the order of the outline first, so that a row is a place in it.
  const wanted = [...rows]
  wanted.splice(at, 1)
  wanted.splice(at + by, 0, id)
  const steps = new Map(doc.steps.map((one) => [one.id, one]))
  const next = { ...doc, steps: wanted.flatMap((one) => steps.get(one) ?? []) }
  if (topological(next).indexOf(id) === at) {
    return refused(by < 0 ? `\`${id}\` runs after \`${other}\`: a wire says so` : `\`${other}\` runs after \`${id}\`: a wire says so`)
  }
  return done(`Move ${id} ${by < 0 ? 'before' : 'after'} ${other}`, next)
}
