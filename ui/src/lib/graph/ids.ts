// Step ids: what is one, and new ones that nobody has yet.

import type { PipelineDoc } from '../../host/bindings'

const VALID = /^[a-z][a-z0-9_]*$/

/** Longest id the editor lets through; it is also a folder name in a run. */
export const MAX_ID_LENGTH = 48

/** Turns any text into the form of an id. */
export function toId(text: string): string {
  const plain = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
  const id = /^[a-z]/.test(plain) ? plain : `step_${plain}`
  return id.replace(/_+$/, '').slice(0, MAX_ID_LENGTH)
}

/** An id from a kind or name that is not taken: `split`, then `split_2` …. */
export function uniqueId(wanted: string, taken: ReadonlySet<string>): string {
  const base = toId(wanted)
  if (!taken.has(base)) return base
  // `split_2` copied becomes `split_3`, not `split_2_2`.
  const stem = base.replace(/_\d+$/, '').slice(0, MAX_ID_LENGTH - 5)
  for (let number = 2; ; number += 1) {
    const id = `${stem}_${number}`
    if (!taken.has(id)) return id
  }
}

/** The ids that a document uses. */
export function idsOf(doc: PipelineDoc): Set<string> {
  return new Set(doc.steps.map((step) => step.id))
}

/** Why a text cannot become the id of a step; null if it can. */
export function idProblem(doc: PipelineDoc, from: string, to: string): string | null {
  if (to === from) return null
  if (to === '') return 'a step needs an id'
  if (to.length > MAX_ID_LENGTH) return `an id has at most ${MAX_ID_LENGTH} characters`
  if (!VALID.test(to)) return 'an id starts with a small letter and holds only a to z, 0 to 9 and _'
  if (idsOf(doc).has(to)) return `another step is already called \`${to}\``
  return null
}
