import { fireEvent, render, screen, waitFor } from '@testing-library/svelte'
import { describe, expect, it } from 'vitest'
import { useTransport } from '../../host/host'
import type { Platform } from '../../host/transport'
import { mock, type MockTransport } from '../../host/mock'
import { failure, type Answers } from '../../host/mock/world'
import { parseRoute } from '../../lib/router'
import { violations } from '../../test/axe'
import '../../test/patience'
import Monitor from './Monitor.svelte'

function open(hash: string, answers: Answers = {}, platform: Partial<Platform> = {}): MockTransport {
  location.hash = hash
  const transport = mock(answers, platform)
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

  it('shows drift window by window, by keyboard too, and compares with earlier traffic', async () => {
    const host = open('#/monitor/species')
    const bars = await screen.findAllByTestId('window-bar')
    expect(bars).toHaveLength(16)
    expect(bars.at(-1)?.getAttribute('aria-selected')).toBe('true')
    await fireEvent.keyDown(screen.getByRole('listbox', { name: 'Windows' }), { key: 'ArrowLeft' })
    expect(bars.at(-2)?.getAttribute('aria-selected')).toBe('true')
    await fireEvent.click(screen.getByTestId('windows-rebase'))
    await screen.findByTestId('windows-training')
    expect(asked(host, 'monitor.windows').at(-1)).toMatchObject({ size: 200, unit: 'rows', step: null, test: null })
    expect(asked(host, 'monitor.windows').at(-1)).toHaveProperty('baseline.to')
    expect(await violations()).toEqual([])
  })

  it('says that no window is full, and why a test cannot be made', async () => {
    open('#/monitor/species', { 'monitor.windows': () => ({ windows: [], tooSmall: 0, rowsNeeded: 50, baselineRows: 9, level: 'none' }) })
    expect(await screen.findByTestId('windows-empty')).toBeTruthy()
    document.body.replaceChildren()
    open('#/monitor/species', { 'monitor.windows': () => { throw failure('invalid_input', 'the stretch that is to be the baseline has 3 rows') } })
    expect(await screen.findByText(/has 3 rows/)).toBeTruthy()
  })

  it('shows quality measured and estimated, by group, and takes true answers from a table', async () => {
    const host = open('#/monitor/species', {}, { openFiles: () => Promise.resolve(['/home/me/truth.csv']) })
    expect((await screen.findByTestId('quality-sentence')).textContent).toBe('Accuracy 0.962 over 600 labelled rows, 0.971 on held-out rows.')
    expect(screen.getByTestId('quality-slices').textContent).toContain('island is Dream')
    await fireEvent.click(screen.getByTestId('quality-label'))
    await waitFor(() => expect(asked(host, 'monitor.label')).toEqual([{ project: null, deployment: 'species', path: '/home/me/truth.csv', dataset: null, column: null, id: null, on: [] }]))
    await waitFor(() => expect(screen.getByTestId('quality-sentence').textContent).toContain('over 900 labelled rows'))
    expect(await violations()).toEqual([])
  })

  it('says that nothing can be judged yet, and why quality cannot be shown', async () => {
    open('#/monitor/species-trial')
    expect(await screen.findByTestId('quality-empty')).toBeTruthy()
    document.body.replaceChildren()
    open('#/monitor/species', { 'monitor.performance': () => { throw failure('invalid_input', 'the request log leaves out what the model answered') } })
    expect(await screen.findByText(/leaves out what the model answered/)).toBeTruthy()
  })

  it('proposes a retraining by one click, shows both versions and deploys the new one', async () => {
    const host = open('#/monitor/species')
    await fireEvent.click(await screen.findByTestId('monitor-retrain'))
    await waitFor(() => expect(asked(host, 'monitor.retrain')).toMatchObject([{ deployment: 'species', deploy: false, traffic: 'add', reason: expect.stringContaining('bill_length_mm has drifted') }]))
    expect((await screen.findByTestId('proposal-compared')).textContent).toContain('AUC 0.981 against 0.842 of what serves, over 138 fresh rows')
    expect(await violations()).toEqual([])
    await fireEvent.click(screen.getByTestId('proposal-rehearse'))
    const rehearsed = await screen.findByTestId('proposal-rehearsed')
    expect(rehearsed.textContent).toContain('Version 3 would answer 187 of 1,204 rows otherwise')
    expect(rehearsed.textContent).toContain('island is Dream')
    expect(await violations()).toEqual([])
    await fireEvent.click(screen.getByTestId('proposal-accept'))
    await waitFor(() => expect(screen.queryByTestId('monitor-proposal')).toBeNull())
    expect(asked(host, 'monitor.accept')).toEqual([{ project: null, deployment: 'species' }])
    await waitFor(() => expect(screen.queryByTestId('alert-acknowledge')).toBeNull())
  })

  it('tries policies on history and says why it cannot', async () => {
    const host = open('#/monitor/species')
    expect(await screen.findByTestId('backtest-empty')).toBeTruthy()
    await fireEvent.click(screen.getByTestId('backtest-run'))
    const table = await screen.findByTestId('backtest-table')
    expect([...table.querySelectorAll('tbody tr')].map((row) => row.querySelector('td')?.textContent)).toEqual(['never', 'every 1', 'psi 0.2'])
    expect(table.querySelector('.best')?.textContent).toContain('every 1')
    expect(asked(host, 'monitor.backtest')).toMatchObject([{ deployment: 'species', orderBy: null, windows: 8, policies: ['never', 'every 1', 'psi 0.2'] }])
    expect(await violations()).toEqual([])
    document.body.replaceChildren()
    open('#/monitor/species', { 'monitor.backtest': () => { throw failure('invalid_input', 'each of 8 windows would have 12 rows, 50 are needed') } })
    await fireEvent.click(await screen.findByTestId('backtest-run'))
    expect(await screen.findByText(/would have 12 rows/)).toBeTruthy()
  })

  it('shows channels and what they said, tries one, changes them and silences them', async () => {
    const host = open('#/monitor/species')
    expect((await screen.findByTestId('channel-deliveries')).textContent).toContain('hooks.example.org answered 200')
    await fireEvent.click(screen.getByTestId('channel-try'))
    await waitFor(() => expect(asked(host, 'alert.try')).toEqual([{ project: null, channel: 'team' }]))
    await fireEvent.click(screen.getByTestId('channels-silence'))
    await fireEvent.click(await screen.findByTestId('channels-speak'))
    expect(asked(host, 'monitor.silence')).toMatchObject([{ deployment: 'species', minutes: 60 }, { minutes: 0 }])
    await fireEvent.click(screen.getByTestId('channels-edit'))
    await fireEvent.input(screen.getByTestId('channels-text'), { target: { value: '' } })
    expect(await violations()).toEqual([])
    await fireEvent.click(screen.getByTestId('channels-save'))
    expect(await screen.findByTestId('channels-empty')).toBeTruthy()
    expect(asked(host, 'alert.set_channels')).toEqual([{ project: null, text: '' }])
  })

  it('keeps a text of channels that is refused, with the reason', async () => {
    open('#/monitor/species', { 'alert.set_channels': () => { throw failure('invalid_input', 'cannot read `alerts.toml`: line 2: unknown field') } })
    await screen.findByTestId('channel-try')
    await fireEvent.click(screen.getByTestId('channels-edit'))
    await fireEvent.click(screen.getByTestId('channels-save'))
    expect(await screen.findByText(/unknown field/)).toBeTruthy()
    expect(screen.getByTestId('channels-text')).toBeTruthy()
  })

  it('keeps a proposal back while the gate is closed, and lets it be dismissed', async () => {
    const closed = { model: 'species', version: 3, champion: 1, because: 'drift', comparison: null, run: null, gate: { model: 'species', version: 3, alias: 'production', current: 1, isOpen: false, checks: [{ name: 'policy.toml line 3: approvals', status: 'failed' as const, message: 'nobody has approved it' }] } }
    const host = open('#/monitor/species', { 'monitor.proposal': () => closed })
    expect(await screen.findByTestId('proposal-accept')).toHaveProperty('disabled', true)
    expect(screen.getByTestId('monitor-proposal').textContent).toContain('nobody has approved it')
    await fireEvent.click(screen.getByTestId('proposal-dismiss'))
    await waitFor(() => expect(asked(host, 'monitor.dismiss')).toEqual([{ project: null, deployment: 'species' }]))
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

  it('writes a report to where the user says', async () => {
    const host = open('#/monitor/species?window=60', {}, { isDesktop: true, saveFile: () => Promise.resolve('/home/me/species.html') })
    await fireEvent.click(await screen.findByTestId('monitor-report-write'))
    await waitFor(() => expect(asked(host, 'monitor.report')).toEqual([{ project: null, deployment: 'species', windowMinutes: 60, to: '/home/me/species.html' }]))
  })

  it('lets a rule look at as many rows as somebody wants, and not at too few', async () => {
    const host = open('#/monitor/species')
    const rows = await screen.findByTestId('rule-rows')
    await fireEvent.change(rows, { target: { value: '10' } })
    expect(screen.getByText(/From 50/)).toBeTruthy()
    await fireEvent.change(rows, { target: { value: '2000' } })
    await waitFor(() => expect(asked(host, 'monitor.set_rules')).toMatchObject([{ rules: [{ windowRows: 2000 }] }]))
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
    await waitFor(() => expect(asked(host, 'monitor.set_rules')).toEqual([{ project: null, deployment: 'species', rules: [{ metric: 'psi', threshold: 0.4, windowRows: 500, isEnabled: true }] }]))
  })
})
