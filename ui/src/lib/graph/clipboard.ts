// Steps as text on the clipboard, to be pasted into this pipeline, another one, or a mail.

import type { JsonValue, PipelineDoc, StepDoc } from '../../host/bindings'
import { insertCopies } from './commands'
import { boxAround, type Place } from './geometry'
import { isRecord, readStep } from './json'
import type { Kinds } from './kinds'
import { refused, type Outcome } from './wiring'

const MARK = 'fettle/steps'
/** Steps taken from one paste at most; a larger text is not ours. */
const MAX_STEPS = 1_000

/** Writes steps as text. */
export function toText(steps: readonly StepDoc[]): string {
  return JSON.stringify({ fettle: MARK, format: 1, steps }, null, 2)
}

/** Reads steps from text; null if it holds none. Whatever is not as it should be is not let in. */
export function fromText(text: string): StepDoc[] | null {
  const value = parse(text)
  if (!isRecord(value) || value.fettle !== MARK || value.format !== 1 || !Array.isArray(value.steps)) return null
  if (value.steps.length > MAX_STEPS) return null
  const steps = value.steps.map(readStep)
  const isWhole = steps.length > 0 && steps.every((step) => step !== null)
  return isWhole ? steps.filter((step) => step !== null) : null
}

/** Pastes text: the copies stand around `at`, wires among them stay, and with `isLinked` also those
 *  from steps outside that exist here. */
export function paste(doc: PipelineDoc, kinds: Kinds, text: string, at: Place, isLinked: boolean): Outcome {
  const steps = fromText(text)
  if (steps === null) return refused('the clipboard holds no steps')
  const unknown = steps.find((step) => !kinds.has(step.kind))
  if (unknown !== undefined) return refused(`there is no step kind \`${unknown.kind}\` here`)
  const box = boxAround(steps.map((step) => step.position))
  if (box === null) return refused('the clipboard holds no steps')
  const places = new Map(
    steps.map((step): [string, Place] => [
      step.id,
      [step.position[0] - box.x - box.width / 2 + at[0], step.position[1] - box.y - box.height / 2 + at[1]],
    ]),
  )
  const label = steps.length === 1 ? `Paste ${steps[0]?.id ?? 'a step'}` : `Paste ${steps.length} steps`
  return insertCopies(doc, kinds, steps, places, isLinked, label)
}

function parse(text: string): JsonValue {
  try {
    const value: JsonValue = JSON.parse(text)
    return value
  } catch {
    // Any other text may lie on the clipboard; that is no failure.
    return null
  }
}
