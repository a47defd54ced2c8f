import { fireEvent, render, screen, within } from '@testing-library/svelte'
import { beforeEach, expect, it } from 'vitest'
import type { RunDetail, RunFileView, RunRow, ScriptRunView } from '../../host/bindings'
import { useTransport } from '../../host/host'
import { mock } from '../../host/mock'
import type { Answers } from '../../host/mock/world'
import { parseRoute } from '../../lib/router'
import { violations } from '../../test/axe'
import '../../test/patience'
import Runs from './Runs.svelte'

const SCRIPT: ScriptRunView = {
  experiment: 'fraud/nightly',
  user: 'ada',
  parent: 'b'.repeat(32),
  metrics: [{ key: 'loss', value: 0.25, step: 9, points: 10 }, { key: 'gap', value: null, step: 0, points: 1 }],
  params: [['depth', '3']],
  tags: [['team', 'a'], ['mlflow.source.name', 'train.py'], ['mlflow.user', 'ada']],
  datasets: [{ name: 'rows', digest: 'abc', context: 'train' }, { name: 'rows', digest: 'def', context: 'train' }],
  models: [],
}

const SUMMARY: RunDetail['summary'] = {
  id: 'a'.repeat(32), number: 7, pipeline: '', name: 'first try', experiment: 'fraud/nightly', state: 'running', startedAt: 1, durationMs: null,
  cached: 0, steps: 0, metrics: { loss: 0.25 }, bestStep: null, datasets: [], models: [], note: null,
}

const ROW: RunRow = {
  id: SUMMARY.id, number: 7, name: 'first try', pipeline: '', experiment: 'fraud/nightly', state: 'running', startedAt: 1, durationMs: null,
  note: '', parent: null, children: 0, isStarred: false, color: null, cells: [],
}

const FILES: Record<string, RunFileView[]> = {
  '': [{ name: 'model', path: 'model', sizeBytes: null }, { name: 'notes.txt', path: 'notes.txt', sizeBytes: 5 }],
  model: [{ name: 'MLmodel', path: 'model/MLmodel', sizeBytes: 9 }, { name: 'model.pkl', path: 'model/model.pkl', sizeBytes: 9 }],
}

const answers: Answers = {
  'run.files': ({ folder }) => FILES[folder ?? ''] ?? [],
  'run.file': ({ path }) => ({ sizeBytes: 5, base64: btoa(path === 'notes.txt' ? 'hello' : 'other') }),
  'run.table': ({ look }) => ({ total: 1, rows: [{ ...ROW, cells: look.columns.map(() => null) }] }),
  'run.show': () => ({ summary: SUMMARY, steps: [], doc: { name: '', steps: [] }, error: null, environment: {}, models: [], script: SCRIPT }),
  'run.curves': () => ({ curves: [{ step: '', metric: 'loss', points: [[0, 1, null], [9, 0.25, null]] }] }),
}

function open(hash: string): void {
  location.hash = hash
  const transport = mock(answers)
  transport.world.pace = 0
  useTransport(transport)
  render(Runs, { route: parseRoute(hash) })
}

// jsdom lays nothing out: a height makes the table show rows.
beforeEach(() => {
  Object.defineProperty(HTMLElement.prototype, 'clientHeight', { configurable: true, get: () => 400 })
})

it('is listed under its experiment and its name', async () => {
  open('#/runs')
  const [row] = await screen.findAllByTestId('runs-row')
  expect(row?.textContent).toContain('fraud/nightly')
  expect(row?.textContent).toContain('first try')
})

it('shows what the script logged and nothing of a pipeline', async () => {
  open(`#/runs/${SUMMARY.id}`)
  const page = await screen.findByTestId('run-script')
  for (const text of ['loss', 'not a number', 'depth', 'train.py', 'rows (abc) for train, rows (def) for train']) expect(page.textContent).toContain(text)
  expect(page.textContent).not.toContain('mlflow.user')
  expect(screen.queryByTestId('run-pipeline')).toBeNull()
  expect(screen.queryByTestId('run-cancel')).toBeNull()
  expect(await violations()).toEqual([])
})

it('opens its files, folder by folder, and never one that can run code', async () => {
  open(`#/runs/${SUMMARY.id}`)
  const files = await screen.findByTestId('run-files')
  await fireEvent.click(await within(files).findByText('notes.txt'))
  expect((await screen.findByTestId('run-file-text')).textContent).toBe('hello')
  expect(screen.getByTestId('run-files-save').textContent).toContain('Save file…')
  await fireEvent.click(within(files).getByText('model'))
  expect(screen.queryByTestId('run-file')).toBeNull()
  await fireEvent.click(await within(files).findByText('model.pkl'))
  expect((await screen.findByTestId('run-file')).textContent).toContain('can run code')
  expect(screen.queryByTestId('run-file-text')).toBeNull()
  expect(await violations()).toEqual([])
  await fireEvent.click(within(files).getByText('Files', { selector: 'button' }))
  expect(await within(files).findByText('notes.txt')).toBeTruthy()
})

it('shows what the machine did in a tab of its own, if that is known', async () => {
  const metrics = [...SCRIPT.metrics, { key: 'system/cpu_utilization_percentage', value: 40, step: 9, points: 10 }, { key: 'system/exit_code', value: 0, step: 0, points: 1 }]
  const transport = mock({
    ...answers,
    'run.show': () => ({ summary: SUMMARY, steps: [], doc: { name: '', steps: [] }, error: null, environment: {}, models: [], script: { ...SCRIPT, metrics } }),
    'run.curve': ({ runs }) => ({ lines: [{ run: runs[0] ?? '', points: 2, notFinite: 0, reach: [0, 9_000], x: [0, 9_000], least: [1, 2], greatest: [1, 2], mean: [1, 2], count: [1, 1] }] }),
  })
  useTransport(transport)
  location.hash = `#/runs/${SUMMARY.id}?tab=system`
  render(Runs, { route: parseRoute(location.hash) })
  const page = await screen.findByTestId('run-system')
  expect(await within(page).findByText('CPU utilization, %')).toBeTruthy()
  expect(screen.getByTestId('run-system-facts').textContent).toContain('Exit code')
  expect(transport.calls.find(({ name }) => name === 'run.curve')?.payload).toMatchObject({ metric: 'system/cpu_utilization_percentage', along: 'relative' })
  expect(await violations()).toEqual([])
})
