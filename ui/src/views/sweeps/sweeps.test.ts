import { fireEvent, render, screen, waitFor, within } from '@testing-library/svelte'
import { beforeEach, describe, expect, it } from 'vitest'

import type { Commands } from '../../host/bindings'
import { useTransport } from '../../host/host'
import { mock, type MockTransport } from '../../host/mock'
import { failure, type Answers } from '../../host/mock/world'
import { runCommand } from '../../lib/keys'
import { parseRoute } from '../../lib/router'
import { dismiss, toasts } from '../../parts/toast.svelte'
import { violations } from '../../test/axe'
import '../../test/patience'
import Sweeps from './Sweeps.svelte'

function open(hash: string, answers: Answers = {}): MockTransport {
  location.hash = hash
  const transport = mock(answers)
  transport.world.pace = 0
  useTransport(transport)
  const target = document.body.appendChild(document.createElement('main'))
  render(Sweeps, { target, props: { route: parseRoute(hash) } })
  return transport
}
const asked = <K extends keyof Commands>(host: MockTransport, name: K) => host.calls.filter((one) => one.name === name).map((one) => one.payload)

beforeEach(() => {
  document.body.innerHTML = ''
  toasts().forEach(({ id }) => dismiss(id))
  // jsdom lays nothing out: a width makes charts draw.
  Object.defineProperty(HTMLElement.prototype, 'clientWidth', { configurable: true, get: () => 900 })
})

describe('the list of sweeps', () => {
  it('shows how far each is and the best so far', async () => {
    open('#/sweeps')
    const table = await screen.findByTestId('sweeps-table')
    expect(table.textContent).toContain('41 of 60 trials')
    expect(table.textContent).toContain('Paused')
    expect(await violations()).toEqual([])
  })

  it('of a pipeline without one leads on to the first', async () => {
    open('#/sweeps?pipeline=body-mass')
    expect((await screen.findByTestId('sweeps-none-fit')).textContent).toContain('No sweep of body-mass yet')
  })

  it('teaches when it is empty and says why it cannot be shown', async () => {
    open('#/sweeps', { 'sweep.list': () => [] })
    expect((await screen.findByTestId('sweeps-empty')).textContent).toContain('which metric decides')
    expect(await violations()).toEqual([])
    document.body.innerHTML = ''
    open('#/sweeps', { 'sweep.list': () => { throw failure('unavailable', 'the daemon does not answer', 'start it again') } })
    expect((await screen.findByRole('alert')).textContent).toContain('Start it again')
  })
})

describe('a new sweep', () => {
  it('starts with ranges for the trainer and sends them as the file says them', async () => {
    const host = open('#/sweeps?new=species')
    const rate = await screen.findByTestId('sweep-param-boosting.learning_rate')
    expect(within(rate).getByTestId('low')).toHaveProperty('value', '0.01')
    await fireEvent.input(within(rate).getByTestId('high'), { target: { value: '1' } })
    await fireEvent.change(screen.getByTestId('sweep-budget'), { target: { value: 'both' } })
    await fireEvent.change(screen.getByTestId('sweep-minutes'), { target: { value: '15' } })
    expect(await violations()).toEqual([])
    await fireEvent.click(screen.getByTestId('sweep-start'))
    await waitFor(() => expect(asked(host, 'sweep.start')).toHaveLength(1))
    expect(asked(host, 'sweep.start')[0]).toMatchObject({
      name: 'species-2',
      spec: { pipeline: 'species', params: { 'boosting.learning_rate': '0.01..1.0:log', 'boosting.rounds': '50..500' }, metric: 'auc', largerIsBetter: null, step: 'evaluate_boosting', on: 'validation', method: 'tpe', trials: 50, minutes: 15, stop: 'median' },
    })
    await waitFor(() => expect(location.hash).toMatch(/^#\/sweeps\/0+5/))
  })

  it('takes the steps that were selected', async () => {
    open('#/sweeps?new=species&steps=forest')
    expect(await screen.findByTestId('sweep-param-forest.trees')).toBeTruthy()
    expect(screen.queryByTestId('sweep-param-boosting.learning_rate')).toBeNull()
  })

  it('cannot start with a range that is wrong, and says so', async () => {
    open('#/sweeps?new=species&steps=forest')
    const trees = await screen.findByTestId('sweep-param-forest.trees')
    await fireEvent.input(within(trees).getByTestId('low'), { target: { value: '900' } })
    expect(trees.textContent).toContain('The lower end must be below the upper one.')
    await waitFor(() => expect(screen.getByTestId('sweep-start')).toHaveProperty('disabled', true))
  })

  it('asks for the direction of a metric that nobody knows', async () => {
    open('#/sweeps?new=species')
    await fireEvent.change(await screen.findByTestId('sweep-metric'), { target: { value: '…' } })
    await fireEvent.input(await screen.findByTestId('sweep-metric-name'), { target: { value: 'profit' } })
    await waitFor(() => expect(screen.getByTestId('sweep-sheet').textContent).toContain('Say whether more of profit is better.'))
    await fireEvent.change(screen.getByTestId('sweep-direction'), { target: { value: 'larger' } })
    await waitFor(() => expect(screen.getByTestId('sweep-start')).toHaveProperty('disabled', false))
  })

  it('stays open with the reason when the backend refuses', async () => {
    open('#/sweeps?new=species', { 'sweep.start': () => { throw failure('invalid_input', 'step `boosting` does not lead to `judge`', 'name another step') } })
    await screen.findByTestId('sweep-param-boosting.learning_rate')
    await fireEvent.click(screen.getByTestId('sweep-start'))
    expect((await screen.findByRole('alert')).textContent).toContain('Name another step')
  })
})

describe('the page of a sweep', () => {
  it('shows the best, what mattered and the trials, best first', async () => {
    open('#/sweeps/leaves-and-rate')
    expect((await screen.findByTestId('sweep-best')).textContent).toContain('Best Log loss 0.05')
    expect(screen.getByTestId('sweep-importance').textContent).toContain('boosting.learning_rate')
    const [first] = within(screen.getByTestId('trials')).getAllByTestId(/^trial-/)
    expect(first?.textContent).toContain('Best:')
    expect(await violations()).toEqual([])
  })

  it('is paused and gone on with', async () => {
    const host = open('#/sweeps/species')
    await fireEvent.click(await screen.findByTestId('sweep-pause'))
    await waitFor(() => expect(screen.getByTestId('sweep-state').textContent).toContain('Paused'))
    await fireEvent.click(screen.getByTestId('sweep-resume'))
    await waitFor(() => expect(screen.getByTestId('sweep-state').textContent).toContain('Running'))
    expect(asked(host, 'sweep.pause')).toHaveLength(1)
    expect(runCommand('sweep.pause')).toBe(true)
  })

  it('is stopped at once by cancelling its run', async () => {
    const host = open('#/sweeps/species', { 'run.cancel': () => null })
    await screen.findByTestId('sweep-page')
    expect(runCommand('sweep.stop')).toBe(true)
    await waitFor(() => expect(asked(host, 'run.cancel')).toHaveLength(1))
  })

  it('puts the best trial, or another, into the pipeline', async () => {
    const host = open('#/sweeps/leaves-and-rate')
    await fireEvent.click(await screen.findByTestId('sweep-apply'))
    await waitFor(() => expect(toasts().at(-1)?.title).toMatch(/species has the values of trial \d+/))
    await fireEvent.click(screen.getByTestId('apply-3'))
    await waitFor(() => expect(asked(host, 'sweep.apply')).toEqual([{ project: null, sweep: 'leaves-and-rate', trial: null }, { project: null, sweep: 'leaves-and-rate', trial: 3 }]))
  })

  it('marks on an axis, by keyboard too, leave the trials that go through them', async () => {
    open('#/sweeps/leaves-and-rate')
    const axis = await screen.findByTestId('axis-boosting.leaves')
    const all = within(screen.getByTestId('trials')).getAllByTestId(/^trial-/).length
    await fireEvent.keyDown(axis, { key: 'ArrowUp' })
    await waitFor(() => expect(within(screen.getByTestId('trials')).getAllByTestId(/^trial-/).length).toBeLessThan(all))
    expect(axis.getAttribute('aria-valuetext')).toContain('75 to 100 %')
    await fireEvent.click(screen.getByTestId('parallel-clear'))
    await waitFor(() => expect(within(screen.getByTestId('trials')).getAllByTestId(/^trial-/)).toHaveLength(all))
  })

  it('that failed says why none of its trials came to a result', async () => {
    const error = failure('invalid_input', 'step `evaluate` measures no `log_loss`', 'it measures mae, rmse')
    const trial = { number: 0, params: {}, state: 'failed' as const, value: null, rounds: 0, runId: null, error }
    open('#/sweeps/coarse', { 'sweep.show': (payload) => ({ summary: { name: 'coarse', pipeline: 'species', runId: payload.sweep, number: 7, state: 'failed', metric: 'log_loss', largerIsBetter: false, trials: 30, ended: 5, best: null, bestValue: null }, text: '', trials: [trial], importance: [] }) })
    expect((await screen.findByTestId('sweep-fault')).textContent).toContain('It measures mae, rmse')
  })

  it('without measured trials says what it waits for', async () => {
    open('#/sweeps/coarse', { 'sweep.show': (payload, world) => ({ summary: { name: 'coarse', pipeline: 'species', runId: payload.sweep, number: world.jobs.length, state: 'running', metric: 'auc', largerIsBetter: true, trials: 30, ended: 0, best: null, bestValue: null }, text: '', trials: [], importance: [] }) })
    expect((await screen.findByTestId('sweep-page')).textContent).toContain('The first trial is about to begin')
    expect(screen.getByTestId('sweep-apply')).toHaveProperty('disabled', true)
    expect(await violations()).toEqual([])
  })
})
