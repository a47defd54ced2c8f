import { fireEvent, render, screen, waitFor, within } from '@testing-library/svelte'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Commands } from '../../host/bindings'
import { useTransport } from '../../host/host'
import { mock, type MockTransport } from '../../host/mock'
import { failure, type Answers } from '../../host/mock/world'
import type { Platform } from '../../host/transport'
import { runCommand } from '../../lib/keys'
import { parseRoute } from '../../lib/router'
import { violations } from '../../test/axe'
import '../../test/patience'
import Runs from './Runs.svelte'

function open(hash: string, answers: Answers = {}, platform: Partial<Platform> = {}): MockTransport {
  location.hash = hash
  const transport = mock(answers, platform)
  transport.world.pace = 0
  useTransport(transport)
  render(Runs, { route: parseRoute(hash) })
  return transport
}

const asked = <K extends keyof Commands>(host: MockTransport, name: K) => host.calls.filter((one) => one.name === name).map((one) => one.payload)

// jsdom lays nothing out: a height makes the table show rows.
beforeEach(() => {
  Object.defineProperty(HTMLElement.prototype, 'clientHeight', { configurable: true, get: () => 400 })
})

describe('the list of runs', () => {
  it('shows the rows that are in sight and not all of them', async () => {
    open('#/runs')
    const rows = await screen.findAllByTestId('runs-row')
    expect(rows.length).toBeGreaterThan(5)
    expect(rows.length).toBeLessThan(60)
    expect(rows[0]?.textContent).toContain('Running')
    expect(await violations()).toEqual([])
  })

  it('asks for the state and pipeline in its address', async () => {
    const host = open('#/runs?state=failed&pipeline=species')
    await screen.findAllByTestId('runs-row')
    expect(asked(host, 'run.list')[0]).toMatchObject({ state: 'failed', pipeline: 'species' })
    await fireEvent.change(screen.getByTestId('runs-filter-state'), { target: { value: 'done' } })
    await waitFor(() => expect(location.hash).toBe('#/runs?pipeline=species&state=done'))
  })

  it('takes the ticked runs to the comparison', async () => {
    open('#/runs')
    expect(await screen.findByTestId('runs-compare')).toHaveProperty('disabled', true)
    const [first, second] = await screen.findAllByTestId('runs-tick')
    if (first) await fireEvent.click(first)
    if (second) await fireEvent.click(second)
    await fireEvent.click(screen.getByTestId('runs-compare'))
    expect(parseRoute(location.hash).path).toEqual(['compare'])
    expect(parseRoute(location.hash).params.runs?.split(',')).toHaveLength(2)
  })

  it('leads on when it is empty, and out when it failed', async () => {
    open('#/runs', { 'run.list': () => ({ total: 0, runs: [] }) })
    expect(await screen.findByTestId('runs-empty')).toBeTruthy()
    expect(await violations()).toEqual([])
    document.body.innerHTML = ''
    open('#/runs', {
      'run.list': () => {
        throw failure('unavailable', 'the daemon does not answer', 'start it again')
      },
    })
    expect((await screen.findByRole('alert')).textContent).toContain('Start it again')
  })
})

describe('the page of a run', () => {
  it.each(['overview', 'models', 'figures', 'log', 'params', 'environment', 'receipts'])('has no accessibility violations on its tab %s', async (tab) => {
    open(`#/runs/%23241?tab=${tab}`)
    await screen.findByTestId('run-tabs')
    await waitFor(() => expect(screen.queryByLabelText('Loading')).toBeNull())
    expect(await violations()).toEqual([])
  })

  it('says why a step failed', async () => {
    open('#/runs/%23242')
    expect((await screen.findByTestId('run-steps')).textContent).toContain('column species has one class')
  })

  it('cancels a run that is going on', async () => {
    const host = open('#/runs/%23243')
    await fireEvent.click(await screen.findByTestId('run-cancel'))
    await waitFor(() => expect(screen.getByTestId('run-state').textContent).toContain('Cancelled'))
    expect(asked(host, 'run.cancel')).toHaveLength(1)
  })

  it('draws new points as they come and does not draw a round twice', async () => {
    const host = open('#/runs/%23243', { 'run.curves': () => ({ curves: [{ step: 'boosting', metric: 'log loss', points: [[1, 0.9, null], [2, 0.8, null]] }] }) })
    const legend = () => screen.getByTestId('figure-curves').textContent
    await screen.findByTestId('figure-curves')
    const id = (asked(host, 'run.curves')[0] as { run: string }).run
    host.world.emit({ type: 'points', runId: id, stepId: 'boosting', metric: 'log loss', points: [[2, 0.7, null], [3, 0.5, null]] })
    await waitFor(() => expect(legend()).toContain('0.5'))
    expect(screen.getByRole('slider').getAttribute('aria-valuemax')).toBe('3')
  })

  it('reads a log on while it grows', async () => {
    const pieces = ['first line\n', 'second line\n', '']
    const host = open('#/runs/%23241?tab=log', { 'run.log': ({ offset }) => ({ text: pieces[offset] ?? '', nextOffset: offset + 1, isComplete: offset >= 1 }) })
    await waitFor(() => expect(screen.getByTestId('run-log').textContent).toContain('first line\nsecond line'))
    await waitFor(() => expect(asked(host, 'run.log')).toHaveLength(3))
  })

  it('keeps a note', async () => {
    const host = open('#/runs/%23241')
    await fireEvent.click(await screen.findByTestId('run-note'))
    const input = screen.getByTestId('run-note-input')
    await fireEvent.input(input, { target: { value: 'the good one' } })
    await fireEvent.keyDown(input, { key: 'Enter' })
    await waitFor(() => expect(asked(host, 'run.note')).toHaveLength(1))
    expect(asked(host, 'run.note')[0]).toMatchObject({ note: 'the good one' })
  })

  it('says where it comes from and what went on with it', async () => {
    open('#/runs/%23242')
    const line = await screen.findByTestId('run-origin')
    expect(within(line).getByTestId('chip-trigger').getAttribute('href')).toBe('#/triggers?pipeline=species')
    expect(within(line).getByTestId('chip-run').textContent).toContain('#243')
  })

  it('a failed run is gone on with as a new run, whose page opens', async () => {
    const host = open('#/runs/%23242', { 'run.resume': () => ({ runId: 'next', jobId: 'job' }) })
    await fireEvent.click(await screen.findByTestId('run-resume'))
    await waitFor(() => expect(location.hash).toBe('#/runs/next'))
    expect(asked(host, 'run.resume')).toEqual([{ run: '#242', threads: null }])
  })

  it('a run that is done or works cannot be resumed', async () => {
    open('#/runs/%23241')
    await screen.findByTestId('run-tabs')
    expect(screen.queryByTestId('run-resume')).toBeNull()
    expect(runCommand('run.resume')).toBe(false)
  })

  it('shows the newest receipt with its first difference, and older ones on demand', async () => {
    open('#/runs/%23241?tab=receipts')
    expect((await screen.findByTestId('receipt-verdict')).textContent).toContain('The first step that is not the same is boosting')
    expect(screen.getByTestId('receipt-first').textContent).toContain('boosting')
    await fireEvent.click(screen.getByTestId('receipt-1'))
    await waitFor(() => expect(screen.getByTestId('receipt-verdict').textContent).toContain('All 12 steps came to the same bytes'))
    expect(screen.queryByTestId('receipt-first')).toBeNull()
  })

  it('repeats a run and shows the receipt that comes of it', async () => {
    const host = open('#/runs/%23240?tab=receipts')
    await screen.findByTestId('receipts-empty')
    await fireEvent.click(screen.getByTestId('run-reproduce'))
    expect((await screen.findByTestId('receipt-verdict')).textContent).toContain('Identical')
    expect(asked(host, 'run.reproduce')).toHaveLength(1)
  })

  it('copies a receipt as JSON', async () => {
    let copied = ''
    open('#/runs/%23241?tab=receipts', {}, { copy: (text) => { copied = text; return Promise.resolve() } })
    await fireEvent.click(await screen.findByTestId('receipt-copy'))
    await waitFor(() => expect(JSON.parse(copied)).toMatchObject({ isIdentical: false, firstDifference: ['boosting', expect.any(String)] }))
  })

  it('says why a run cannot be repeated', async () => {
    open('#/runs/%23240?tab=receipts', { 'run.reproduce': () => { throw failure('corrupt', 'dataset version `penguins v2` is gone', 'restore it from the trash') } })
    await fireEvent.click(await screen.findByTestId('run-reproduce'))
    expect((await screen.findByRole('alert')).textContent).toContain('Restore it from the trash')
  })

  it('offers the way back from a run that is not there', async () => {
    open('#/runs/gone')
    expect((await screen.findByRole('alert')).textContent).toContain('There is no run')
    expect(screen.getByText('All runs')).toBeTruthy()
  })
})

describe('a comparison', () => {
  it('has chosen the best model and leads to its promotion', async () => {
    open('#/runs/%23241/compare')
    expect((await screen.findByTestId('compare-selected')).textContent).toBe('Gradient boosting')
    expect(screen.getByTestId('compare-promote').getAttribute('href')).toBe('#/models/species/2?promote=production')
    expect(await violations()).toEqual([])
  })

  it('registers a model first that is not registered yet', async () => {
    const host = open('#/runs/%23241/compare')
    await screen.findByTestId('compare-selected')
    const second = screen.getAllByRole('radio', { name: 'Random forest' })[0]
    if (second) await fireEvent.click(second)
    await fireEvent.click(await screen.findByTestId('model-register'))
    await waitFor(() => expect(location.hash).toBe('#/models/species/2?promote=production'))
    expect(asked(host, 'model.register')[0]).toMatchObject({ step: 'forest', name: null })
  })

  it('marks the best of each metric and shows what differs', async () => {
    open('#/runs/%23241/compare')
    const metrics = await screen.findByTestId('compare-metrics')
    expect(within(metrics).getAllByText(', best')).toHaveLength(4)
    expect(screen.getByTestId('compare-params').textContent).toContain('learning_rate')
    expect(screen.getByTestId('compare-importance').textContent).toContain('bill_length_mm')
  })
})
