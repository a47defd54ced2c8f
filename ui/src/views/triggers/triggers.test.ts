import { fireEvent, render, screen, waitFor, within } from '@testing-library/svelte'
import { beforeEach, describe, expect, it } from 'vitest'

import type { Commands } from '../../host/bindings'
import { useTransport } from '../../host/host'
import { mock, type MockTransport } from '../../host/mock'
import { failure, type Answers } from '../../host/mock/world'
import { runCommand } from '../../lib/keys'
import { parseRoute } from '../../lib/router'
import { violations } from '../../test/axe'
import '../../test/patience'
import Triggers from './Triggers.svelte'

function open(hash: string, answers: Answers = {}): MockTransport {
  location.hash = hash
  const transport = mock(answers)
  transport.world.pace = 0
  useTransport(transport)
  const target = document.body.appendChild(document.createElement('main'))
  render(Triggers, { target, props: { route: parseRoute(hash) } })
  return transport
}
const asked = <K extends keyof Commands>(host: MockTransport, name: K): unknown[] => host.calls.filter((one) => one.name === name).map((one) => one.payload)
const card = async (name: string): Promise<ReturnType<typeof within>> => within(await screen.findByTestId(`trigger-${name}`))

beforeEach(() => {
  document.body.innerHTML = ''
})

describe('the triggers', () => {
  it('say in sentences when they run what, and what comes next', async () => {
    open('#/triggers')
    const nightly = await card('nightly')
    expect(nightly.getByText('At 06:00 from Monday to Friday, Berlin time')).toBeTruthy()
    expect(nightly.getByTestId('trigger-next').children).toHaveLength(3)
    expect(screen.getByTestId('triggers-coming').children).toHaveLength(3)
    expect((await card('incoming')).getByTestId('trigger-state').textContent).toContain('Settling')
    expect((await card('retrain')).getByText('Not until it is resumed')).toBeTruthy()
    expect(await violations()).toEqual([])
  })

  it('show what they did, with the run and with what went wrong', async () => {
    open('#/triggers')
    const nightly = await card('nightly')
    await fireEvent.click(nightly.getByTestId('trigger-history'))
    const events = await nightly.findByTestId('trigger-events')
    await waitFor(() => expect(events.textContent).toContain('one run makes up for them'))
    expect(events.textContent).toContain('Pipeline species has a problem')
    expect(within(events).getAllByTestId('chip-run').map((chip) => chip.textContent?.trim())).toEqual(['#241', '#238', '#233'])
    expect(await violations()).toEqual([])
  })

  it('are paused, resumed and, after a question, removed', async () => {
    const host = open('#/triggers')
    const nightly = await card('nightly')
    await fireEvent.click(nightly.getByTestId('trigger-toggle'))
    await waitFor(() => expect(nightly.getByTestId('trigger-state').textContent).toContain('Paused'))
    await fireEvent.click(nightly.getByTestId('trigger-toggle'))
    await waitFor(() => expect(nightly.getByTestId('trigger-state').textContent).toContain('On'))
    await fireEvent.click(nightly.getByTestId('trigger-menu'))
    await fireEvent.click(screen.getByTestId('trigger-remove'))
    expect(asked(host, 'trigger.remove')).toEqual([])
    await fireEvent.click(screen.getByTestId('trigger-remove-do'))
    await waitFor(() => expect(screen.queryByTestId('trigger-nightly')).toBeNull())
  })

  it('of one pipeline are shown alone', async () => {
    open('#/triggers?pipeline=body-mass')
    await card('incoming')
    expect(screen.queryByTestId('trigger-nightly')).toBeNull()
  })

  it('say what is wrong with a file that cannot be used', async () => {
    open('#/triggers', { 'trigger.list': () => [{ name: 'odd', pipeline: '', when: '', retrains: null, isPaused: false, next: [], pending: null, isChanging: false, last: null, trouble: 'trigger `odd` must look at exactly one thing' }] })
    const odd = await card('odd')
    expect(odd.getByRole('alert').textContent).toContain('must look at exactly one thing')
    expect(odd.getByTestId('trigger-state').textContent).toContain('Cannot work')
    expect(await violations()).toEqual([])
  })

  it('remind that they work only while Fettle runs', async () => {
    open('#/triggers', { 'settings.get': () => ({ theme: 'system', zoomPct: 100, keepRunning: false, notify: true, cacheLimitBytes: 1, threads: 0, isWelcomed: true }) })
    expect((await screen.findByTestId('triggers-note')).textContent).toContain('keep it running in the background')
  })

  it('teach when there are none, and say why they cannot be shown', async () => {
    open('#/triggers', { 'trigger.list': () => [] })
    expect((await screen.findByTestId('triggers-empty')).textContent).toContain('a monitor raises an alarm')
    expect(await violations()).toEqual([])
    document.body.innerHTML = ''
    open('#/triggers', { 'trigger.list': () => { throw failure('unavailable', 'the daemon does not answer', 'start it again') } })
    expect((await screen.findByRole('alert')).textContent).toContain('Start it again')
  })
})

describe('a new trigger', () => {
  it('by the clock reads the schedule out and keeps the zone and what was missed', async () => {
    const host = open('#/triggers?new=species')
    const cron = await screen.findByTestId('trigger-cron')
    await fireEvent.input(cron, { target: { value: '30 7,19 * * *' } })
    await waitFor(() => expect(screen.getByTestId('trigger-sheet').textContent).toContain('At 07:30 and 19:30 every day'))
    await fireEvent.change(screen.getByTestId('trigger-zone'), { target: { value: 'Europe/Berlin' } })
    await fireEvent.change(screen.getByTestId('trigger-missed'), { target: { value: 'skip' } })
    expect(await violations()).toEqual([])
    await fireEvent.click(screen.getByTestId('trigger-add'))
    await waitFor(() => expect(asked(host, 'trigger.add')).toEqual([
      { project: null, name: 'species-schedule', pipeline: 'species', dataset: null, path: null, schedule: '30 7,19 * * *', zone: 'Europe/Berlin', after: null, drift: null, retrain: null, deploys: false, skipsMissed: true, settleSeconds: null },
    ]))
    await waitFor(() => expect(location.hash).toBe('#/triggers'))
  })

  it('with a schedule that means nothing says why and cannot be added', async () => {
    open('#/triggers?new=species')
    await fireEvent.input(await screen.findByTestId('trigger-cron'), { target: { value: '0 25 * * *' } })
    await waitFor(() => expect(screen.getByTestId('trigger-sheet').textContent).toContain('25 is no hour.'))
    expect(screen.getByTestId('trigger-add')).toHaveProperty('disabled', true)
  })

  it('on a folder waits until nothing more happens', async () => {
    const host = open('#/triggers?new=species')
    await fireEvent.click(await screen.findByTestId('cause-path'))
    expect(screen.getByTestId('trigger-add')).toHaveProperty('disabled', true)
    await fireEvent.input(screen.getByTestId('trigger-path'), { target: { value: '/data/in' } })
    await fireEvent.change(screen.getByTestId('trigger-settle'), { target: { value: '30' } })
    await fireEvent.click(screen.getByTestId('trigger-add'))
    await waitFor(() => expect(asked(host, 'trigger.add')[0]).toMatchObject({ name: 'species-files', path: '/data/in', settleSeconds: 30, schedule: null, zone: null }))
  })

  it.each([
    ['dataset', { dataset: 'penguins', name: 'species-penguins-2' }],
    ['after', { after: 'body-mass' }],
    ['drift', { drift: 'species', name: 'species-drift' }],
  ] as const)('on %s names just that', async (cause, expected) => {
    const host = open('#/triggers?new=species')
    await fireEvent.click(await screen.findByTestId(`cause-${cause}`))
    await waitFor(() => expect(screen.getByTestId('trigger-add')).toHaveProperty('disabled', false))
    await fireEvent.click(screen.getByTestId('trigger-add'))
    await waitFor(() => expect(asked(host, 'trigger.add')[0]).toMatchObject({ pipeline: 'species', schedule: null, path: null, ...expected }))
  })

  it('may be for a deployment, whose new version is proposed or deployed', async () => {
    const host = open('#/triggers?new=species')
    const pick = await screen.findByTestId('trigger-for')
    await waitFor(() => expect(pick.textContent).toContain('what species serves'))
    await fireEvent.change(pick, { target: { value: 'species' } })
    await fireEvent.change(screen.getByTestId('trigger-then'), { target: { value: 'deploy' } })
    await fireEvent.click(screen.getByTestId('trigger-add'))
    await waitFor(() => expect(asked(host, 'trigger.add')[0]).toMatchObject({ retrain: 'species', deploys: true }))
    expect(await screen.findByText('deploys it to species')).toBeTruthy()
  })

  it('stays open with the reason when the backend refuses', async () => {
    open('#/triggers?new=species', { 'trigger.add': () => { throw failure('invalid_input', '`species` and `body-mass` would start each other for ever', 'remove the other trigger first') } })
    await screen.findByTestId('trigger-cron')
    await fireEvent.click(screen.getByTestId('trigger-add'))
    expect((await screen.findByRole('alert')).textContent).toContain('Remove the other trigger first')
  })

  it('is begun by a command', async () => {
    open('#/triggers')
    await card('nightly')
    expect(runCommand('trigger.new')).toBe(true)
    await waitFor(() => expect(location.hash).toBe('#/triggers?new='))
  })
})
