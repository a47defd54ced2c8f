import { describe, expect, it } from 'vitest'

import type { TriggerView } from '../host/bindings'
import { causeOf, nameFor, outcomeOf, triggerState, upcoming, whenWords } from './triggers'

const trigger = (rest: Partial<TriggerView>): TriggerView => ({ name: 'nightly', pipeline: 'churn', when: 'at 0 6 * * * (UTC)', retrains: null, isPaused: false, next: [], pending: null, isChanging: false, last: null, trouble: null, ...rest })

it.each([
  ['at 0 6 * * 1-5 (Europe/Berlin)', 'schedule', 'At 06:00 from Monday to Friday, Berlin time'],
  ['at @daily (UTC)', 'schedule', 'At 00:00 every day, UTC'],
  ['on a new version of penguins', 'dataset', 'On a new version of penguins'],
  ['when /data/in (old) changes', 'path', 'When /data/in (old) changes'],
  ['after a run of clean', 'after', 'After a run of clean'],
  ['on an alert of churn', 'drift', 'On an alert of churn'],
  ['by the moon', undefined, 'By the moon'],
])('%s looks at %s and reads: %s', (when, cause, words) => {
  expect(causeOf(when)?.cause).toBe(cause)
  expect(whenWords(when)).toBe(words)
})

describe('the state of a trigger', () => {
  it.each([
    [{ trouble: 'no such pipeline', isPaused: true }, 'Cannot work'],
    [{ isPaused: true, pending: 'new version' }, 'Paused'],
    [{ pending: 'a new version' }, 'About to run'],
    [{ isChanging: true }, 'Settling'],
    [{}, 'On'],
  ])('%o is: %s', (rest, word) => {
    expect(triggerState(trigger(rest)).word).toBe(word)
  })
})

it('what went wrong is told in the words of the backend', () => {
  const outcome = (text: string) => outcomeOf({ at: 0, why: '', outcome: text, run: null })
  expect(outcome('started').word).toBe('Started')
  expect(outcome('skipped').word).toBe('Left out')
  expect(outcome('there is no pipeline `churn`')).toEqual({ state: 'failed', word: 'Could not start', detail: 'there is no pipeline `churn`' })
})

it('what comes next is sorted over all triggers, without those that are paused', () => {
  const all = [trigger({ name: 'a', next: [30, 60] }), trigger({ name: 'b', next: [10, 40] }), trigger({ name: 'c', next: [5], isPaused: true })]
  expect(upcoming(all, 3).map(({ at, trigger: { name } }) => `${at} ${name}`)).toEqual(['10 b', '30 a', '40 b'])
})

it('a name is made of the pipeline and the cause, and is free', () => {
  expect(nameFor('churn', 'dataset', 'My Data', [])).toBe('churn-my-data')
  expect(nameFor('churn', 'schedule', '', ['churn-schedule'])).toBe('churn-schedule-2')
})
