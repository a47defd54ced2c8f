// What a trigger looks at: the sentence of the backend taken apart, for its icon and for people.

import type { TriggerEventView, TriggerView } from '../host/bindings'
import { readCron } from './cron'

/** The five things a trigger can look at. */
export type Cause = 'dataset' | 'path' | 'schedule' | 'after' | 'drift'

const FORMS: readonly { cause: Cause; form: RegExp }[] = [
  { cause: 'dataset', form: /^on a new version of (.+)$/ },
  { cause: 'schedule', form: /^at (.+) \(([^)]+)\)$/ },
  { cause: 'path', form: /^when (.+) changes$/ },
  { cause: 'after', form: /^after a run of (.+)$/ },
  { cause: 'drift', form: /^on an alert of (.+)$/ },
]

/** What a trigger looks at; null for words that are not known here. */
export function causeOf(when: string): { cause: Cause; what: string; zone: string | null } | null {
  for (const { cause, form } of FORMS) {
    const [, what, zone] = form.exec(when) ?? []
    if (what !== undefined) return { cause, what, zone: zone ?? null }
  }
  return null
}

/** When it runs, as a sentence: a schedule is read out, with its zone. */
export function whenWords(when: string): string {
  const found = causeOf(when)
  if (found?.cause === 'schedule') {
    const { sentence } = readCron(found.what)
    if (sentence !== null) return `${sentence}, ${zoneWords(found.zone)}`
  }
  return when.slice(0, 1).toUpperCase() + when.slice(1)
}

/** `Europe/Berlin` as people say it. */
export function zoneWords(zone: string | null): string {
  return zone === null || zone === 'UTC' ? 'UTC' : `${zone.split('/').at(-1)?.replaceAll('_', ' ') ?? zone} time`
}

/** Where a trigger stands: the state of its badge and the word on it. */
export function triggerState(trigger: TriggerView): { state: string; word: string } {
  if (trigger.trouble !== null) return { state: 'failed', word: 'Cannot work' }
  if (trigger.isPaused) return { state: 'paused', word: 'Paused' }
  if (trigger.pending !== null) return { state: 'queued', word: 'About to run' }
  return trigger.isChanging ? { state: 'running', word: 'Settling' } : { state: 'healthy', word: 'On' }
}

/** What came of it when a trigger acted: a run, times left out, or a failure in the backend's words. */
export function outcomeOf({ outcome }: TriggerEventView): { state: string; word: string; detail: string | null } {
  if (outcome === 'started') return { state: 'done', word: 'Started', detail: null }
  if (outcome === 'skipped') return { state: 'skipped', word: 'Left out', detail: null }
  return { state: 'failed', word: 'Could not start', detail: outcome }
}

/** The times at which anything runs by the clock, soonest first. */
export function upcoming(triggers: readonly TriggerView[], most: number): { at: number; trigger: TriggerView }[] {
  return triggers
    .flatMap((trigger) => (trigger.isPaused ? [] : trigger.next.map((at) => ({ at, trigger }))))
    .sort((a, b) => a.at - b.at || a.trigger.name.localeCompare(b.trigger.name))
    .slice(0, most)
}

/** A name for a trigger that nobody has named, which is not taken. */
export function nameFor(pipeline: string, cause: Cause, what: string, taken: readonly string[]): string {
  const words = { dataset: what, path: 'files', schedule: 'schedule', after: `after-${what}`, drift: 'drift' }[cause]
  const base = `${pipeline}-${words}`.toLowerCase().replaceAll(/[^a-z0-9_-]+/g, '-').replaceAll(/^[^a-z0-9]+|-+$/g, '').slice(0, 56)
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? base : `${base}-${count}`
    if (!taken.includes(name)) return name
  }
}
