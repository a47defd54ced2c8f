// A check added by hand, in a form that is made from what its kind declares.

import { fireEvent, render, screen, waitFor } from '@testing-library/svelte'
import { beforeEach, expect, it } from 'vitest'

import { useTransport } from '../../host/host'
import { mock, type MockTransport } from '../../host/mock'
import { failure, type Answers } from '../../host/mock/world'
import { parseRoute } from '../../lib/router'
import { violations } from '../../test/axe'
import Data from './Data.svelte'

async function open(dataset: string, answers: Answers = {}): Promise<MockTransport> {
  const transport = mock(answers)
  transport.world.pace = 0
  useTransport(transport)
  const target = document.body.appendChild(document.createElement('main'))
  render(Data, { target, props: { route: parseRoute(`#/data/${dataset}?tab=quality`) } })
  ;(await screen.findByTestId('quality-add')).click()
  await screen.findByTestId('check-sheet')
  return transport
}
const sent = ({ calls }: MockTransport, name: string): unknown[] => calls.filter((one) => one.name === name).map(({ payload }) => payload)
const entry = (): string => screen.getByTestId('check-entry').textContent ?? ''
async function type(testid: string, value: string): Promise<void> {
  await fireEvent.input(await screen.findByTestId(testid), { target: { value } })
}
async function choose(testid: string, value: string): Promise<void> {
  await fireEvent.change(await screen.findByTestId(testid), { target: { value } })
}

beforeEach(() => {
  document.body.innerHTML = ''
  location.hash = ''
})

it('is written as text, saved with those before it, and run', async () => {
  const host = await open('penguins')
  await fireEvent.click(screen.getByTestId('check-kind-range'))
  await choose('check-param-column', 'body_mass_g')
  await type('check-param-min', '2700')
  await type('check-param-max', '6300.5')
  await type('check-share', '2.5')
  await choose('check-severity', 'warn')
  await type('check-name', 'plausible')
  const written = 'kind = "range"\ncolumn = "body_mass_g"\nmin = 2700\nmax = 6300.5\nmax_share = 0.025\nseverity = "warn"\nname = "plausible"'
  await waitFor(() => expect(entry()).toBe(`[[check]]\n${written}`))
  expect(await violations()).toEqual([])
  screen.getByTestId('check-add').click()
  await waitFor(() => expect(sent(host, 'dataset.set_checks').length).toBe(1))
  const [{ text }] = sent(host, 'dataset.set_checks') as [{ text: string }]
  expect(text.startsWith('format = 1\n\n[[check]]\nkind = "not_null"')).toBe(true)
  expect(text.endsWith(`\n[[check]]\n${written}\n`)).toBe(true)
  await waitFor(() => expect(sent(host, 'dataset.check').length).toBe(1))
  expect(screen.queryByTestId('check-sheet')).toBeNull()
})

it('keeps the column when another kind is chosen, and nothing else of the first', async () => {
  await open('penguins')
  await fireEvent.click(screen.getByTestId('check-kind-range'))
  await choose('check-param-column', 'year')
  await type('check-param-min', '2000')
  await fireEvent.click(screen.getByTestId('check-kind-allowed'))
  await type('check-param-values', '2007, 2008')
  await waitFor(() => expect(entry()).toBe('[[check]]\nkind = "allowed"\ncolumn = "year"\nvalues = [2007, 2008]'))
  await choose('check-param-column', 'sex')
  await type('check-param-values', 'female, "a, b"')
  await waitFor(() => expect(entry()).toContain('values = ["female", "a, b"]'))
})

it('takes several columns, another dataset, and a type out of a list', async () => {
  await open('penguins')
  await fireEvent.click(screen.getByTestId('check-kind-unique'))
  await choose('check-param-columns', 'year')
  await choose('check-param-columns', 'island')
  await waitFor(() => expect(entry()).toContain('columns = ["year", "island"]'))
  await fireEvent.click(screen.getByLabelText('Leave out year'))
  await waitFor(() => expect(entry()).toContain('columns = ["island"]'))
  await fireEvent.click(screen.getByTestId('check-kind-foreign_key'))
  await waitFor(() => expect(screen.getByTestId<HTMLSelectElement>('check-param-table').options.length).toBeGreaterThan(1))
  await choose('check-param-table', 'flights')
  await waitFor(() => expect(entry()).toContain('table = "flights"'))
  await fireEvent.click(screen.getByTestId('check-kind-type'))
  await choose('check-param-type', 'integer')
  await waitFor(() => expect(entry()).toBe('[[check]]\nkind = "type"\ntype = "integer"'))
  expect(screen.queryByTestId('check-share'), 'it is not about rows').toBeNull()
})

it('that cannot be meant stays in the form with what is wrong', async () => {
  const host = await open('flights', { 'dataset.set_checks': () => { throw failure('invalid_input', 'line 4: there is no `column`', 'name a column of the table') } })
  screen.getByTestId('check-add').click()
  expect((await screen.findByTestId('check-error')).textContent).toContain('Name a column of the table')
  expect(sent(host, 'dataset.set_checks')).toEqual([{ project: null, dataset: 'flights', text: 'format = 1\n\n[[check]]\nkind = "not_null"\n' }])
  await choose('check-param-column', 'origin')
  await waitFor(() => expect(screen.queryByTestId('check-error')).toBeNull())
})

it('with a share that is none is not added', async () => {
  await open('penguins')
  await type('check-share', '120')
  await screen.findByText('A share from 0 to 100')
  expect(screen.getByTestId('check-add').hasAttribute('disabled')).toBe(true)
})
