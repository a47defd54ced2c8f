// A table of five thousand columns: however wide it is, the page holds what is seen.

import { fireEvent, render, screen, waitFor } from '@testing-library/svelte'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import type { ColumnView } from '../../host/bindings'
import { useTransport } from '../../host/host'
import { mock, type MockTransport } from '../../host/mock'
import { parseRoute } from '../../lib/router'
import Data from './Data.svelte'

const COLUMNS = 5000
const ROWS = 2000
const columns: ColumnView[] = Array.from({ length: COLUMNS }, (_, at) => ({ name: `gene_${at}`, kind: at % 10 === 0 ? 'text' : 'number' }))
/** Of a window of 1280 × 800: about 1,000 elements are cells, headers and their pictures. */
const MOST_ELEMENTS = 2500

const elements = (): number => document.body.querySelectorAll('*').length
const headers = (): string[] => screen.getAllByTestId(/^column-gene_/).map((one) => one.dataset.testid?.replace('column-', '') ?? '')

async function open(address: string): Promise<MockTransport> {
  const { answers, world } = mock()
  const detail = await answers['dataset.show']?.({ project: null, dataset: 'penguins', version: null }, world)
  const profile = await answers['dataset.profile']?.({ project: null, dataset: 'penguins', version: null }, world)
  const [text, , number] = profile?.columns ?? []
  if (detail === undefined || profile === undefined || text === undefined || number === undefined) throw new Error('the mock has answers')
  const transport = mock({
    'dataset.show': () => ({ ...detail, columns, rows: ROWS, target: null, suggestion: null }),
    'dataset.profile': () => ({ ...profile, rows: ROWS, columns: columns.map(({ name, kind }) => ({ ...(kind === 'text' ? text : number), name, kind })) }),
    'dataset.page': ({ offset, limit, columns: names }) => ({
      total: ROWS, offset, columns: (names ?? []).map((name) => ({ name, kind: 'number' })),
      rows: Array.from({ length: Math.min(limit, ROWS - offset) }, (_, row) => (names ?? columns.map(({ name }) => name)).map((name) => `${name}:${offset + row}`)),
    }),
  })
  useTransport(transport)
  const target = document.body.appendChild(document.createElement('main'))
  render(Data, { target, props: { route: parseRoute(address) } })
  return transport
}

beforeEach(() => {
  document.body.innerHTML = ''
  vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(1280)
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(640)
})
afterEach(() => vi.restoreAllMocks())

it('the table holds the columns in view and fetches no others, wherever it is scrolled to', async () => {
  const host = await open('#/data/wide')
  const grid = await screen.findByTestId('data-grid')
  await screen.findByText('gene_3:5')
  expect(headers().length).toBeLessThan(15)
  expect(elements()).toBeLessThan(MOST_ELEMENTS)
  for (const left of [200_000, 350_000, 690_000]) {
    grid.scrollLeft = left
    await fireEvent.scroll(grid)
    await waitFor(() => expect(Number(headers()[0]?.slice(5))).toBeGreaterThan(left / 260))
    expect(headers().length).toBeLessThan(15)
    expect(elements()).toBeLessThan(MOST_ELEMENTS)
  }
  const asked = host.calls.flatMap(({ name, payload }) => (name === 'dataset.page' ? [(payload as { columns: string[] | null }).columns?.length ?? COLUMNS] : []))
  expect(Math.max(...asked)).toBeLessThanOrEqual(50)
})

it('a column is found by its name among all of them, and brought into view', async () => {
  await open('#/data/wide')
  await screen.findByTestId('data-grid')
  const field = screen.getByTestId('find-column')
  await fireEvent.input(field, { target: { value: 'gene_4321' } })
  await fireEvent.keyDown(field, { key: 'Enter' })
  await fireEvent.scroll(screen.getByTestId('data-grid'))
  await waitFor(() => expect(headers()).toContain('gene_4321'))
  expect(elements()).toBeLessThan(MOST_ELEMENTS)
})

it('a target is found by its name, not in a list of all of them', async () => {
  const host = await open('#/data/wide')
  const field = await screen.findByTestId<HTMLInputElement>('data-target')
  expect([field.tagName, field.getAttribute('role')]).toEqual(['INPUT', 'combobox'])
  await fireEvent.click(field)
  expect(screen.getAllByRole('option').length).toBeLessThan(60)
  await fireEvent.input(field, { target: { value: 'gene_4321' } })
  await waitFor(() => expect(screen.getAllByRole('option')[0]?.textContent).toContain('gene_4321'))
  await fireEvent.keyDown(field, { key: 'Escape' })
  expect([screen.queryAllByRole('option').length, field.value]).toEqual([0, ''])
  await fireEvent.input(field, { target: { value: 'gene_4321' } })
  await fireEvent.keyDown(field, { key: 'Enter' })
  await waitFor(() => expect(host.calls.find(({ name }) => name === 'dataset.set_target')?.payload).toMatchObject({ target: 'gene_4321' }))
})

it('the list of columns has the first of them and finds the others', async () => {
  await open('#/data/wide?tab=columns')
  const list = await screen.findByTestId('columns-list')
  expect(list.querySelectorAll('tbody tr').length).toBe(100)
  expect(elements()).toBeLessThan(3 * MOST_ELEMENTS)
  await fireEvent.input(screen.getByTestId('columns-search'), { target: { value: 'gene_4321' } })
  await waitFor(() => expect(screen.getByTestId('columns-list').querySelector('tbody tr')?.textContent).toContain('gene_4321'))
})
