// Finds the line a failure speaks of.

import type { Failure } from '../../../host/bindings'

/** The line named by a failure of reading the file, from 1; null if it names none. */
export function lineOf(failure: Failure): number | null {
  for (const text of [failure.message, ...failure.causes, failure.hint ?? '']) {
    const found = /\bline (\d+)\b/.exec(text)
    if (found?.[1] !== undefined) return Number(found[1])
  }
  return null
}
