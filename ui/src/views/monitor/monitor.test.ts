import { fireEvent, render, screen, waitFor } from '@testing-library/svelte'
import { describe, expect, it } from 'vitest'
import { useTransport } from '../../host/host'
import { mock, type MockTransport } from '../../host/mock'
import { failure, type Answers } from '../../host/mock/world'
import { parseRoute } from '../../lib/router'
import { violations } from '../../test/axe'
import '../../test/patience'
import Monitor from './Monitor.svelte'

function open(hash: string, answers: Answers = {}): MockTransport {
  location.hash = hash
  const transport = mock(answers)
  transport.world.pace = 0
  useTransport(transport)
  render(Monitor, { route: parseRoute(hash) })
  return transport
}

const asked = (host: MockTransport, name: string) => host.calls.filter((one) => one.name === name).map((one) => one.payload)
const drop = (path: string): boolean => window.dispatchEvent(new CustomEvent('file-drop', { cancelable: true, detail: { paths: [path], position: { x: 0, y: 0 } } }))

describe('the list', () => {
  it('shows the level of every endpoint as a word', async () => {
    open('#/monitor')
    const cards = await screen.findAllByTestId('monitor-card')
    await waitFor(() => expect(cards.map((card) => card.textContent).join()).toContain('Alarm'))
    expect(cards.map((card) => card.textContent).join()).toContain('Too few rows')
    expect(await violations()).toEqual([])
  })

  it('leads on when it is empty', async () => {
    open('#/monitor', { 'deployment.list': () => [] })
    expect(await screen.findByTestId('monitor-empty')).toBeTruthy()
  })
})

describe('the page of an endpoint', () => {
  it('names what drifted, worst first and opened, and has no accessibility violations', async () => {
    open('#/monitor/species')
    expect((await screen.findByTestId('monitor-level')).textContent).toContain('bill_length_mm and island no longer look like the training data.')
    const toggles = screen.getByTestId('monitor-drift').querySelectorAll('[data-testid=drift-toggle]')
    expect([...toggles].map((toggle) => toggle.getAttribute('aria-expanded'))).toEqual(['true', 'false', 'false', 'false', 'false'])
    expect(screen.getAllByTestId('figure-drift')).toHaveLength(1)
    expect(await violations()).toEqual([])
  })

  it('opens the distributions of any column', async () => {
    open('#/monitor/species')
    await fireEvent.click((await screen.findAllByTestId('drift-toggle'))[0] ?? document.body)
    expect(screen.getAllByTestId('figure-drift')).toHaveLength(2)
  })

  it('does not speak of drift before there are enough rows', async () => {
    open('#/monitor/species-trial')
    expect((await screen.findByTestId('monitor-level')).textContent).toContain('Drift is computed from 30 rows on')
    expect(screen.getByTestId('monitor-few')).toBeTruthy()
    expect(screen.queryByTestId('monitor-drift')).toBeNull()
    expect(await violations()).toEqual([])
  })

  it('replays the validation data and shows the new numbers', async () => {
    const host = open('#/monitor/species')
    await fireEvent.click(await screen.findByTestId('monitor-replay'))
    await waitFor(() => expect(asked(host, 'monitor.replay')).toEqual([{ project: null, deployment: 'species', path: null }]))
    await waitFor(() => expect(screen.getByTestId('monitor-numbers').textContent).toContain('1,273'))
  })

  it('takes a dropped file for itself and compares it with the training data', async () => {
    const host = open('#/monitor/species')
    await screen.findByTestId('monitor-level')
    expect(drop('/home/me/new.csv')).toBe(false)
    expect((await screen.findByTestId('monitor-report')).textContent).toContain('new.csv beside the training data')
    expect(asked(host, 'monitor.check')).toEqual([{ project: null, deployment: 'species', path: '/home/me/new.csv' }])
    expect(await violations()).toEqual([])
    await fireEvent.click(screen.getByTestId('monitor-replay-file'))
    await waitFor(() => expect(asked(host, 'monitor.replay')).toEqual([{ project: null, deployment: 'species', path: '/home/me/new.csv' }]))
  })

  it('says what is wrong with a file that cannot be compared', async () => {
    open('#/monitor/species', {
      'monitor.check': () => {
        throw failure('invalid_input', 'cannot compare `cat.png`: it is a PNG picture', 'choose a CSV file')
      },
    })
    await screen.findByTestId('monitor-level')
    drop('/home/me/cat.png')
    expect((await screen.findByTestId('monitor-error')).textContent).toContain('Choose a CSV file')
    expect(screen.queryByTestId('monitor-report')).toBeNull()
  })

  it('acknowledges an alert', async () => {
    const host = open('#/monitor/species')
    await fireEvent.click(await screen.findByTestId('alert-acknowledge'))
    await waitFor(() => expect(asked(host, 'alert.acknowledge')).toEqual([{ id: 7 }]))
    await waitFor(() => expect(screen.queryByTestId('alert-acknowledge')).toBeNull())
  })

  it('saves a rule at once and refuses a threshold that is none', async () => {
    const host = open('#/monitor/species')
    const threshold = await screen.findByTestId('rule-threshold')
    await fireEvent.change(threshold, { target: { value: '-1' } })
    expect(screen.getByText('Above zero')).toBeTruthy()
    expect(asked(host, 'monitor.set_rules')).toEqual([])
    await fireEvent.change(threshold, { target: { value: '0.4' } })
    await waitFor(() => expect(asked(host, 'monitor.set_rules')).toEqual([{ project: null, deployment: 'species', rules: [{ metric: 'psi', threshold: 0.4, isEnabled: true }] }]))
  })
})
