// The quality checks of a dataset, made ready to be shown, and their file, edited.

import type { CheckResultView, ChecksView } from '../host/bindings'

const HEAD = 'format = 1\n'

export type QualityState = 'none' | 'never' | 'passing' | 'warning' | 'failing'

/** Where the checks of a version stand as a whole. */
export function stateOf({ checks, results }: Pick<ChecksView, 'checks' | 'results'>): QualityState {
  if (checks.length === 0) return 'none'
  if (results === null) return 'never'
  const broken = results.filter(({ outcome }) => outcome !== 'passed')
  if (broken.length === 0) return 'passing'
  return broken.some(({ isError, outcome }) => isError || outcome === 'error') ? 'failing' : 'warning'
}

export function failingCount(results: readonly CheckResultView[] | null): number {
  return (results ?? []).filter(({ outcome }) => outcome !== 'passed').length
}

/** The state that a badge shows for a check. */
export function badgeOf(result: CheckResultView | undefined): { state: string; label: string } {
  if (result === undefined) return { state: 'pending', label: 'Not run' }
  if (result.outcome === 'passed') return { state: 'passed', label: 'Holds' }
  if (result.outcome === 'error') return { state: 'failed', label: 'Could not run' }
  return result.isError ? { state: 'failed', label: 'Failed' } : { state: 'warning', label: 'Warning' }
}

/** The file with one more check. */
export function withCheck(text: string, entry: string): string {
  return withChecks(text, [entry])
}

// At once: a suggestion for a wide table has ten thousand entries.
function withChecks(text: string, entries: readonly string[]): string {
  if (entries.length === 0) return text
  const base = text.trim() === '' ? HEAD : `${text.trimEnd()}\n`
  return base + entries.map((entry) => `\n[[check]]\n${entry.trim()}\n`).join('')
}

/** The checks of a suggestion that the file has not. */
export function freshOf(text: string, suggested: string): string[] {
  const known = new Set(entriesOf(text))
  return entriesOf(suggested).filter((entry) => !known.has(entry))
}

/** The checks of a suggestion added to a file; its head is not written twice, nor a check that is there. */
export function withSuggested(text: string, suggested: string): string {
  return withChecks(text, freshOf(text, suggested))
}

/** Places of the checks that a list shows: all of them, or of very many those that do not hold and the first others. */
export function shownPlaces(view: Pick<ChecksView, 'checks' | 'results'>, most: number): number[] {
  const all = view.checks.map((_, place) => place)
  if (all.length <= most) return all
  const isBroken = (place: number): boolean => (view.results?.[place]?.outcome ?? 'passed') !== 'passed'
  return [...all.filter(isBroken), ...all.filter((place) => !isBroken(place))].slice(0, most)
}

/** The entries of a file, without the line that begins each. */
export function entriesOf(text: string): string[] {
  return text.split(/^\[\[check\]\][ \t]*$/m).slice(1).map((entry) => entry.trim())
}

/** The line that a message of the server speaks of, from 1; null if it names none. */
export function lineOf(message: string): number | null {
  const found = /\bline (\d+)\b/.exec(message)
  return found === null ? null : Number(found[1])
}
