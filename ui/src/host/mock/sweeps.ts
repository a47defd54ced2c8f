// Sweeps in memory: one that is done, one that works and goes on trial by trial, one that was paused.

import type { SweepSpec, SweepSummary, SweepView, TrialView } from '../bindings'
import { perWorld } from './state'
import { failure, randomness, wait, type Answers, type World } from './world'

type Kept = { summary: SweepSummary; text: string; trials: TrialView[]; next: () => number }

const id = (number: number): string => `5${number.toString(16).padStart(3, '0')}`.padStart(32, '0')

/** A bowl with its best at a rate of 0.06 and 31 leaves, with some noise. */
function tryOut(number: number, next: () => number): TrialView {
  const pull = Math.min(0.7, number / 50)
  const toward = (value: number, best: number): number => value * (1 - pull) + best * pull
  const rate = 10 ** toward(-2 + 1.48 * next(), Math.log10(0.06))
  const leaves = Math.round(2 ** toward(2.8 + 4.2 * next(), Math.log2(31)))
  const l2 = Number(toward(10 * next(), 2).toPrecision(3))
  const loss = 0.052 + 0.09 * (Math.log10(rate / 0.06)) ** 2 + 0.012 * (Math.log2(leaves / 31)) ** 2 + 0.0004 * (l2 - 2) ** 2 + 0.006 * next()
  const isFailed = number % 23 === 17
  const isPruned = !isFailed && number > 8 && loss > 0.1
  return {
    number, params: { 'boosting.learning_rate': Number(rate.toPrecision(3)), 'boosting.leaves': leaves, 'boosting.l2': l2, 'encode.method': next() < 0.6 ? 'one_hot' : 'ordinal' },
    state: isFailed ? 'failed' : isPruned ? 'pruned' : 'done', value: isFailed ? null : Number(loss.toFixed(5)), rounds: isFailed ? 0 : isPruned ? 9 + Math.floor(next() * 20) : 120 + Math.floor(next() * 80), runId: isFailed ? null : 'a0f0'.padStart(32, '0'),
    error: isFailed ? failure('step_failed', 'step `boosting` needs more memory than the 2 GiB it may take', 'raise its limit') : null,
  }
}

function settled(kept: Kept): Kept {
  const done = kept.trials.filter((trial) => trial.state === 'done' && trial.value !== null)
  const best = [...done].sort((a, b) => (a.value ?? 0) - (b.value ?? 0))[0]
  kept.summary = { ...kept.summary, ended: kept.trials.filter((trial) => trial.state !== 'running').length, best: best?.number ?? null, bestValue: best?.value ?? null }
  return kept
}

function make(number: number, name: string, state: SweepSummary['state'], trials: number, tried: number, spec: Partial<SweepSpec> = {}): Kept {
  const next = randomness(number * 77)
  const text = `format = 1\nname = "${name}"\npipeline = "${spec.pipeline ?? 'species'}"\nmetric = "${spec.metric ?? 'log_loss'}"\non = "validation"\nmethod = "${spec.method ?? 'tpe'}"\ntrials = ${trials}\nparallel = ${spec.parallel ?? 1}\nstop = "${spec.stop ?? 'median'}"\nseed = 1\n\n[params]\n${Object.entries(spec.params ?? { 'boosting.learning_rate': '0.01..0.3:log', 'boosting.leaves': '7..127:log', 'boosting.l2': '0.0..10.0', 'encode.method': 'one_hot|ordinal' }).map(([path, range]) => `"${path}" = "${range}"`).join('\n')}\n`
  const kept: Kept = {
    summary: { name, pipeline: spec.pipeline ?? 'species', runId: id(number), number, state, metric: spec.metric ?? 'log_loss', largerIsBetter: false, trials, ended: 0, best: null, bestValue: null },
    text, next, trials: Array.from({ length: tried }, (_, index) => tryOut(index, next)),
  }
  if (state === 'running') kept.trials.push({ ...tryOut(tried, next), state: 'running', value: null, rounds: 34, error: null })
  return settled(kept)
}

const stateOf = perWorld(() => ({ sweeps: [make(239, 'species', 'running', 60, 41), make(212, 'leaves-and-rate', 'done', 50, 50), make(188, 'coarse', 'paused', 30, 6)] }))

function find(world: World, wanted: string): Kept {
  const found = stateOf(world).sweeps.find((one) => one.summary.name === wanted || one.summary.runId === wanted || String(one.summary.number) === wanted)
  if (found === undefined) throw failure('not_found', `there is no sweep \`${wanted}\``, 'see the list of sweeps')
  return found
}

// In a test the sweep stands still, so that what a test looks at is what it has put there.
async function work(world: World, kept: Kept): Promise<void> {
  while (world.pace > 0 && kept.summary.state === 'running' && kept.trials.length < kept.summary.trials) {
    await wait(2_000 * world.pace)
    if (kept.summary.state !== 'running') return
    const number = kept.trials.filter((trial) => trial.state !== 'running').length
    kept.trials = [...kept.trials.filter((trial) => trial.state !== 'running'), tryOut(number, kept.next), { ...tryOut(number + 1, kept.next), state: 'running', value: null, rounds: 12, error: null }]
    settled(kept)
    world.changed('runs')
  }
}

export const answers: Answers = {
  'sweep.list': (_, world) => stateOf(world).sweeps.map((one) => one.summary),
  'sweep.show': ({ sweep }, world): SweepView => {
    const { summary, text, trials } = find(world, sweep)
    const shares = [['boosting.learning_rate', 0.58], ['boosting.leaves', 0.21], ['boosting.l2', 0.06], ['encode.method', 0.01]] as const
    return { summary, text, trials, importance: summary.ended < 8 ? [] : shares.map(([name, share]) => ({ name, share })) }
  },
  'sweep.start': ({ name, spec }, world) => {
    if (spec === null) throw failure('invalid_input', 'a sweep needs parameters')
    const kept = make(250 + stateOf(world).sweeps.length, name ?? spec.pipeline, 'running', spec.trials ?? 50, 0, spec)
    stateOf(world).sweeps = [kept, ...stateOf(world).sweeps]
    void work(world, kept)
    world.changed('runs')
    return { runId: kept.summary.runId, jobId: world.id() }
  },
  'sweep.pause': ({ sweep }, world) => {
    const kept = find(world, sweep)
    kept.summary = { ...kept.summary, state: 'paused' }
    world.changed('runs')
    return null
  },
  'sweep.resume': ({ sweep }, world) => {
    const kept = find(world, sweep)
    kept.summary = { ...kept.summary, state: 'running' }
    void work(world, kept)
    world.changed('runs')
    return { runId: kept.summary.runId, jobId: world.id() }
  },
  'sweep.apply': ({ sweep, trial }, world) => {
    const { summary, trials } = find(world, sweep)
    const chosen = trials.find((one) => one.number === (trial ?? summary.best))
    if (chosen === undefined) throw failure('not_found', `sweep \`${sweep}\` has measured nothing yet`, 'wait for its first trial')
    return { pipeline: summary.pipeline, trial: chosen.number, params: chosen.params, value: chosen.value }
  },
}
