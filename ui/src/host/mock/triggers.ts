// Triggers in memory: by the clock, on new data, after another pipeline, on an alarm, and one in trouble.

import type { TriggerAdd, TriggerEventView, TriggerView } from '../bindings'
import { perWorld } from './state'
import { failure, type Answers, type World } from './world'

const HOUR = 3_600_000
const run = (number: number): TriggerEventView['run'] => ({ id: `a${number.toString(16).padStart(3, '0')}`.padStart(32, '0'), number })

/** The next working mornings at six. */
function mornings(count: number): number[] {
  const next = new Date()
  next.setHours(6, 0, 0, 0)
  return Array.from({ length: count }, () => {
    do next.setDate(next.getDate() + 1)
    while (next.getDay() % 6 === 0)
    return next.getTime()
  })
}

type Kept = { view: TriggerView; events: TriggerEventView[] }

function make(name: string, pipeline: string, when: string, rest: Partial<TriggerView>, events: [number, string, string, number | null][]): Kept {
  const told = events.map(([hours, why, outcome, number]): TriggerEventView => ({ at: Date.now() - hours * HOUR, why, outcome, run: number === null ? null : run(number) }))
  return { view: { name, pipeline, when, retrains: null, isPaused: false, next: [], pending: null, isChanging: false, last: told[0] ?? null, trouble: null, ...rest }, events: told }
}

const stateOf = perWorld(() => ({
  triggers: [
    make('nightly', 'species', 'at 0 6 * * 1-5 (Europe/Berlin)', { next: mornings(3) }, [
      [20, 'it was 06:00 on Wed 25 Nov', 'started', 241], [44, 'it was 06:00 on Tue 24 Nov', 'started', 238],
      [68, 'it was 06:00 on Mon 23 Nov and 2 times before that while Fettle did not run: one run makes up for them', 'started', 233], [140, 'it was 06:00 on Fri 20 Nov', 'pipeline `species` has a problem: step `encode` has no input', null],
    ]),
    make('species-penguins', 'species', 'on a new version of penguins', {}, [[3, '`penguins` has a new version, v2', 'started', 240]]),
    make('incoming', 'body-mass', 'when /srv/field-station/incoming changes', { isChanging: true }, [[90, '3 files changed in `/srv/field-station/incoming`', 'started', 225]]),
    make('retrain', 'species', 'on an alert of species', { isPaused: true }, [[200, 'the monitor of `species` raised: `bill_length_mm` has drifted', 'started', 190]]),
  ],
}))

function find(world: World, name: string): Kept {
  const found = stateOf(world).triggers.find((one) => one.view.name === name)
  if (found === undefined) throw failure('not_found', `there is no trigger \`${name}\``, 'see the list of triggers')
  return found
}
const words = ({ dataset, path, schedule, zone, after, drift }: TriggerAdd): string =>
  dataset !== null ? `on a new version of ${dataset}` : path !== null ? `when ${path} changes` : schedule !== null ? `at ${schedule} (${zone ?? 'UTC'})` : after !== null ? `after a run of ${after}` : `on an alert of ${drift ?? ''}`

function setPaused(world: World, name: string, isPaused: boolean): null {
  const kept = find(world, name)
  kept.view = { ...kept.view, isPaused, next: isPaused || !kept.view.when.startsWith('at ') ? [] : mornings(3) }
  world.changed('pipelines')
  return null
}

export const answers: Answers = {
  'trigger.list': (_, world) => stateOf(world).triggers.map((one) => one.view),
  'trigger.history': ({ trigger }, world) => find(world, trigger).events,
  'trigger.add': (wanted, world) => {
    const kept = make(wanted.name, wanted.pipeline, words(wanted), { next: wanted.schedule === null ? [] : mornings(3), retrains: wanted.retrain === null ? null : wanted.deploys ? `deploys it to ${wanted.retrain}` : `proposes it for ${wanted.retrain}` }, [])
    stateOf(world).triggers = [...stateOf(world).triggers.filter((one) => one.view.name !== wanted.name), kept]
    world.changed('pipelines')
    return kept.view
  },
  'trigger.pause': ({ trigger }, world) => setPaused(world, trigger, true),
  'trigger.resume': ({ trigger }, world) => setPaused(world, trigger, false),
  'trigger.remove': ({ trigger }, world) => {
    const kept = find(world, trigger)
    stateOf(world).triggers = stateOf(world).triggers.filter((one) => one !== kept)
    world.changed('pipelines')
    return null
  },
}
