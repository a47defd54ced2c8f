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
    expect(asked(host, 'run.table')[0]).toMatchObject({ look: { filter: "pipeline = 'species' and state = 'failed'" } })
    await fireEvent.change(screen.getByTestId('runs-filter-state'), { target: { value: 'done' } })
    await waitFor(() => expect(location.hash).toBe('#/runs?pipeline=species&state=done'))
  })

  it('takes the ticked runs to the comparison', async () => {
    open('#/runs')
    const [first, second] = await screen.findAllByTestId('runs-tick')
    expect(screen.queryByTestId('runs-compare')).toBeNull()
    if (first) await fireEvent.click(first)
    if (second) await fireEvent.click(second)
    await fireEvent.click(await screen.findByTestId('runs-compare'))
    expect(parseRoute(location.hash).path).toEqual(['compare'])
    expect(parseRoute(location.hash).params.runs?.split(',')).toHaveLength(2)
  })

  it('sorts by a column, and by a second one with Shift', async () => {
    open('#/runs')
    await fireEvent.click(await screen.findByTestId('runs-sort-metrics.auc'))
    expect(parseRoute(location.hash).params.order).toBe('["metrics.auc desc"]')
    document.body.innerHTML = ''
    open('#/runs?order=["metrics.auc desc"]')
    await fireEvent.click(await screen.findByTestId('runs-sort-state'), { shiftKey: true })
    expect(parseRoute(location.hash).params.order).toBe('["metrics.auc desc","state asc"]')
  })

  it('keeps the width of a column', async () => {
    open('#/runs')
    const header = await screen.findByTestId('runs-sort-state')
    const width = () => Number.parseInt(header.parentElement?.style.width ?? '')
    const before = width()
    await fireEvent.keyDown(header, { key: 'ArrowRight', shiftKey: true })
    await waitFor(() => expect(width()).toBe(before + 16))
    expect(localStorage.getItem('fettle.runs.widths')).toContain('state')
  })

  it('shows what is nested under a run once it is opened', async () => {
    open('#/runs?experiment=vision')
    const rows = await screen.findAllByTestId('runs-row')
    expect(rows).toHaveLength(1)
    await fireEvent.click(screen.getByTestId('runs-opener'))
    await waitFor(() => expect(screen.getAllByTestId('runs-row')).toHaveLength(13))
    expect(screen.getAllByTestId('runs-row')[1]?.getAttribute('aria-level')).toBe('2')
    await fireEvent.keyDown(screen.getByTestId('runs-table'), { key: 'ArrowLeft' })
    await waitFor(() => expect(screen.getAllByTestId('runs-row')).toHaveLength(1))
  })

  it('is used by keys alone', async () => {
    const host = open('#/runs')
    await screen.findAllByTestId('runs-row')
    const table = screen.getByTestId('runs-table')
    await fireEvent.keyDown(table, { key: 'ArrowDown' })
    await fireEvent.keyDown(table, { key: ' ' })
    await waitFor(() => expect(screen.getAllByTestId('runs-row')[1]?.getAttribute('aria-selected')).toBe('true'))
    await fireEvent.keyDown(table, { key: 's' })
    await waitFor(() => expect(asked(host, 'run.mark')).toHaveLength(1))
    await waitFor(() => expect(screen.getAllByTestId('runs-star')[1]?.getAttribute('aria-pressed')).toBe('true'))
    await fireEvent.keyDown(table, { key: 'Enter' })
    expect(parseRoute(location.hash).path).toHaveLength(1)
  })

  it('groups runs with mean and deviation, and opens a group', async () => {
    open('#/runs?group=params.depth&columns=["metrics.auc","params.seed"]&filter=params.seed > 0')
    const groups = await screen.findAllByTestId('runs-group')
    expect(groups.map((group) => group.textContent).join()).toContain('0.918 ± 0.0013')
    await fireEvent.click(within(groups[0] ?? document.body).getByTestId('runs-opener'))
    await waitFor(() => expect(screen.getAllByTestId('runs-row')).toHaveLength(4))
    expect(await violations()).toEqual([])
  })

  it('chooses columns, which value of a metric, and groups', async () => {
    open('#/runs')
    await fireEvent.click(await screen.findByTestId('runs-columns'))
    await fireEvent.input(await screen.findByTestId('runs-columns-find'), { target: { value: 'seed' } })
    await fireEvent.click(await screen.findByTestId('runs-group-by'))
    expect(parseRoute(location.hash).params.group).toBe('params.seed')
    const [pick] = screen.getAllByTestId('runs-pick')
    if (pick) await fireEvent.change(pick, { target: { value: 'best' } })
    expect(parseRoute(location.hash).params.columns).toContain('best(metrics.auc)')
  })

  it('narrows to a folder of experiments', async () => {
    open('#/runs')
    const folders = await screen.findAllByTestId('runs-folder')
    expect(folders.map((one) => one.textContent?.trim())).toEqual(['All experiments 256', 'Default 243', 'vision 13'].map((text) => expect.stringContaining(text.split(' ')[0] ?? '')))
    await fireEvent.click(screen.getByTestId('runs-folder-twist'))
    await waitFor(() => expect(screen.getAllByTestId('runs-folder')).toHaveLength(4))
    await fireEvent.click(screen.getAllByTestId('runs-folder')[3] ?? document.body)
    expect(parseRoute(location.hash).params.experiment).toBe('vision/nets')
  })

  it('offers what may come next in a filter and says where it is wrong', async () => {
    open('#/runs')
    const field = await screen.findByTestId('runs-filter')
    await fireEvent.focus(field)
    await fireEvent.input(field, { target: { value: 'acc' } })
    await waitFor(() => expect(screen.getByTestId('runs-filter-options').textContent).toContain('metrics.accuracy'))
    await fireEvent.keyDown(field, { key: 'ArrowDown' })
    await fireEvent.keyDown(field, { key: 'Enter' })
    expect(field).toHaveProperty('value', 'metrics.accuracy ')
    await fireEvent.input(field, { target: { value: 'metrics.accuracy or so' } })
    await waitFor(() => expect(screen.queryByTestId('runs-filter-options')).toBeNull())
    await fireEvent.keyDown(field, { key: 'Enter' })
    expect((await screen.findByRole('status')).textContent).toContain('Invalid clause(s)')
    await fireEvent.input(field, { target: { value: 'metrics.accuracy > 0.5' } })
    await waitFor(async () => {
      await fireEvent.keyDown(field, { key: 'Enter' })
      expect(parseRoute(location.hash).params.filter).toBe('metrics.accuracy > 0.5')
    })
  })

  it('saves a view, shows it and removes it', async () => {
    const host = open('#/runs?filter=metrics.auc > 0.9')
    await screen.findAllByTestId('runs-row')
    await fireEvent.click(screen.getByTestId('runs-views'))
    await fireEvent.click(await screen.findByTestId('runs-view-save'))
    await fireEvent.input(await screen.findByTestId('runs-view-name'), { target: { value: 'good' } })
    await fireEvent.click(screen.getByTestId('runs-view-confirm'))
    await waitFor(() => expect(parseRoute(location.hash).params.view).toBe('good'))
    expect(asked(host, 'run.save_view')[0]).toMatchObject({ name: 'good', look: { filter: 'metrics.auc > 0.9' } })
  })

  it('moves runs to the trash and says how to bring them back', async () => {
    const host = open('#/runs')
    await fireEvent.click(await screen.findByTestId('runs-tick-all'))
    await fireEvent.click(await screen.findByTestId('runs-delete'))
    await waitFor(() => expect(asked(host, 'run.delete')).toHaveLength(1))
    expect((asked(host, 'run.delete')[0] as { runs: string[] }).runs.length).toBe(244)
    expect(await screen.findByTestId('runs-empty')).toBeTruthy()
  })

  it('leads on when it is empty, and out when it failed', async () => {
    open('#/runs', { 'run.table': () => ({ total: 0, rows: [] }) })
    expect(await screen.findByTestId('runs-empty')).toBeTruthy()
    expect(await violations()).toEqual([])
    document.body.innerHTML = ''
    open('#/runs', {
      'run.table': () => {
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
