// The quality checks of a dataset, made ready to be shown.

import type { CheckResultView, ChecksView } from '../host/bindings'

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

/** The state that a badge shows for a check of data, or a test of a model. */
export function badgeOf(result: Pick<CheckResultView, 'outcome' | 'isError'> | undefined): { state: string; label: string } {
  if (result === undefined) return { state: 'pending', label: 'Not run' }
  if (result.outcome === 'passed') return { state: 'passed', label: 'Holds' }
  if (result.outcome === 'error') return { state: 'failed', label: 'Could not run' }
  return result.isError ? { state: 'failed', label: 'Failed' } : { state: 'warning', label: 'Warning' }
}

/** Places of the checks that a list shows: all of them, or of very many those that do not hold and the first others. */
export function shownPlaces(view: Pick<ChecksView, 'checks' | 'results'>, most: number): number[] {
  const all = view.checks.map((_, place) => place)
  if (all.length <= most) return all
  const isBroken = (place: number): boolean => (view.results?.[place]?.outcome ?? 'passed') !== 'passed'
  return [...all.filter(isBroken), ...all.filter((place) => !isBroken(place))].slice(0, most)
}
