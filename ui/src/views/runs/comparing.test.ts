import { fireEvent, render, screen, waitFor, within } from '@testing-library/svelte'
import { expect, it } from 'vitest'
import type { Commands, RunsBeside } from '../../host/bindings'
import { useTransport } from '../../host/host'
import { mock, type MockTransport } from '../../host/mock'
import { failure, type Answers } from '../../host/mock/world'
import { parseRoute } from '../../lib/router'
import { violations } from '../../test/axe'
import '../../test/patience'
import Runs from './Runs.svelte'

const id = (number: number): string => `s${number}`.padEnd(32, '0')
const RUNS = [301, 302, 305].map(id)

function open(tab: string | null, answers: Answers = {}, runs: readonly string[] = RUNS): MockTransport {
  location.hash = `#/runs/compare?runs=${runs.join(',')}${tab === null ? '' : `&tab=${tab}`}`
  const transport = mock({ 'run.compare': () => ({ models: [], metrics: [], params: {}, by: 'auc' }), ...answers })
  transport.world.pace = 0
  useTransport(transport)
  render(Runs, { route: parseRoute(location.hash) })
  return transport
}
const asked = <K extends keyof Commands>(host: MockTransport, name: K) => host.calls.filter((one) => one.name === name).map((one) => one.payload)
const EMPTY: Omit<RunsBeside, 'runs'> = { params: [], metrics: [], curves: [], environment: [], packages: [], files: [] }

it('of scripts begins with curves, asked for in as many buckets as the screen can show', async () => {
  const host = open(null)
  await waitFor(() => expect(screen.getAllByTestId('curve-card')).toHaveLength(2))
  expect(asked(host, 'run.curve')[0]).toMatchObject({ runs: RUNS, metric: 'accuracy', along: 'step', from: null, to: null, buckets: 600 })
  expect(screen.getAllByTestId('curves-run')).toHaveLength(3)
  expect(await violations()).toEqual([])
})

it('asks anew for a part of the curves, and for all of them when the axis changes', async () => {
  const host = open('curves')
  const chart = (await screen.findAllByTestId('curve-chart'))[0] ?? document.body
  await fireEvent.keyDown(chart, { key: '+' })
  await waitFor(() => expect(asked(host, 'run.curve').at(-1)).toMatchObject({ from: 249_999.75, to: 749_999.25 }))
  await fireEvent.keyDown(chart, { key: 'ArrowRight', shiftKey: true })
  await waitFor(() => expect(asked(host, 'run.curve').at(-1)).toMatchObject({ from: 374_999.625 }))
  await fireEvent.change(screen.getByTestId('curves-along'), { target: { value: 'relative' } })
  await waitFor(() => expect(asked(host, 'run.curve').at(-1)).toMatchObject({ along: 'relative', from: null }))
})

it('shows curves as a table, adds charts and takes them away', async () => {
  open('curves')
  await screen.findAllByTestId('curve-chart')
  await fireEvent.click(screen.getAllByTestId('curve-menu')[0] ?? document.body)
  await fireEvent.click(await screen.findByTestId('curve-as-table'))
  expect((await screen.findByRole('group', { name: 'Curves of accuracy as a table' })).textContent).toContain('#301 depth 3, seed 1')
  await fireEvent.change(screen.getByTestId('curves-add'), { target: { value: 'system/cpu_utilization_percentage' } })
  await waitFor(() => expect(screen.getAllByTestId('curve-card')).toHaveLength(3))
  await fireEvent.click(screen.getAllByTestId('curves-remove')[0] ?? document.body)
  await waitFor(() => expect(screen.getAllByTestId('curve-card')).toHaveLength(2))
})

it('puts the runs that are pressed in the legend in colour, by keyboard too', async () => {
  open('curves')
  const [first, second] = await screen.findAllByTestId('curves-run')
  first?.focus()
  await fireEvent.keyDown(first ?? document.body, { key: 'ArrowRight' })
  expect(document.activeElement).toBe(second)
  await fireEvent.click(second ?? document.body)
  await waitFor(() => expect(first?.classList.contains('off')).toBe(true))
  expect(second?.getAttribute('aria-pressed')).toBe('true')
  await fireEvent.click(screen.getByTestId('curves-clear'))
  await waitFor(() => expect(first?.classList.contains('off')).toBe(false))
})

it('shows what differs and marks the best', async () => {
  open('values')
  const params = await screen.findByTestId('compare-run-params')
  expect(params.textContent).toContain('depth')
  expect(within(screen.getByTestId('compare-run-metrics')).getAllByText(', best').length).toBeGreaterThan(0)
  await fireEvent.input(screen.getByTestId('compare-find'), { target: { value: 'seed' } })
  await waitFor(() => expect(within(screen.getByTestId('compare-run-params')).getAllByRole('rowheader').map((cell) => cell.textContent)).toEqual(['seed']))
  expect(await violations()).toEqual([])
})

it('keeps the runs that go through a mark, and leaves out axes on which all are the same', async () => {
  open('parallel', {}, [301, 302, 303].map(id))
  await screen.findByTestId('parallel')
  expect(screen.queryByTestId('axis-params.depth')).toBeNull()
  const axis = screen.getByTestId('axis-params.seed')
  await fireEvent.keyDown(axis, { key: 'ArrowUp' })
  await waitFor(() => expect(within(screen.getByTestId('parallel-runs')).getAllByRole('row')).toHaveLength(2))
  expect(await violations()).toEqual([])
  await fireEvent.click(screen.getByTestId('parallel-clear'))
  await waitFor(() => expect(within(screen.getByTestId('parallel-runs')).getAllByRole('row')).toHaveLength(4))
})

it('puts two values against each other, with the same in numbers', async () => {
  open('scatter')
  const x = await screen.findByTestId('scatter-x')
  await fireEvent.change(x, { target: { value: 'params.seed' } })
  await fireEvent.change(screen.getByTestId('scatter-color'), { target: { value: 'params.depth' } })
  await waitFor(() => expect(screen.getByText('#305 depth 6, seed 1')).toBeTruthy())
  expect(await violations()).toEqual([])
})

it('shows the difference of the code, and packages that came or changed', async () => {
  const host = open('code')
  const diff = await screen.findByTestId('code-diff')
  expect(diff.textContent).toContain('depth = 9')
  expect(asked(host, 'run.code')[0]).toEqual({ from: RUNS[0], to: RUNS[1] })
  const packages = screen.getByTestId('compare-packages').textContent
  for (const word of ['added', 'changed']) expect(packages).toContain(word)
  expect(packages).not.toContain('python')
  expect(await violations()).toEqual([])
})

it('shows a picture of each run that has it, or two over each other', async () => {
  open('files', { 'run.file': () => ({ sizeBytes: 5, base64: btoa('<svg xmlns="http://www.w3.org/2000/svg"/>') }) })
  await waitFor(() => expect(within(screen.getByTestId('pictures')).getAllByRole('img')).toHaveLength(3))
  await fireEvent.change(screen.getByTestId('picture-way'), { target: { value: 'over' } })
  await waitFor(() => expect(within(screen.getByTestId('picture-two')).getAllByRole('img')).toHaveLength(2))
  expect(await violations()).toEqual([])
})

it('says that there is nothing, and why it cannot compare', async () => {
  open(null, { 'run.beside': () => ({ ...EMPTY, runs: [] }) })
  expect(await screen.findByText('These runs have nothing to compare')).toBeTruthy()
  document.body.innerHTML = ''
  open(null, { 'run.beside': () => { throw failure('not_found', 'there is no run `gone`', 'see the list') } })
  expect((await screen.findByRole('alert')).textContent).toContain('There is no run')
  expect(screen.getByText('All runs')).toBeTruthy()
})
