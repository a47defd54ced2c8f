// Components as a person meets them: into one and back, one put in place of steps, and its steps in its
// place. The outline is the same for the keyboard as the canvas is for the pointer.

import { fireEvent, render, screen, waitFor, within } from '@testing-library/svelte'
import { beforeEach, expect, it } from 'vitest'

import App from '../../app/App.svelte'
import { useTransport } from '../../host/host'
import { mock, type MockTransport } from '../../host/mock'
import { runCommand } from '../../lib/keys'
import { shell } from '../../parts/shell.svelte'
import { dismiss, toasts } from '../../parts/toast.svelte'
import { violations } from '../../test/axe'
import '../../test/patience'
import './Pipelines.svelte'


beforeEach(() => {
  document.body.innerHTML = ''
  localStorage.clear()
  toasts().forEach(({ id }) => dismiss(id))
  shell.toggleInspector(true)
  shell.toggleDrawer(false)
})

async function open(address: string): Promise<MockTransport> {
  const host = mock()
  host.world.pace = 0
  useTransport(host)
  location.hash = address
  await new Promise((resolve) => setTimeout(resolve, 20))
  render(App)
  return host
}
const rows = (): string[] => [...document.querySelectorAll('[data-row]')].map((row) => row.getAttribute('data-row') ?? '')
const choose = async (id: string): Promise<void> => {
  await fireEvent.click(await screen.findByTestId(`row-${id}`))
  await screen.findByTestId('inspector-id')
}

it('Enter on a component opens what it stands for, and the way back selects it again', async () => {
  await open('#/pipelines/with-component?view=outline')
  await choose('ready')
  const row = screen.getByTestId('row-ready')
  expect(row.textContent).toContain('prepare')
  await fireEvent.keyDown(row, { key: 'Enter' })
  await waitFor(() => expect(rows()).toEqual(['impute', 'encode', 'scale']))
  expect(location.hash).toBe('#/pipelines/prepare?view=outline&in=with-component.ready')
  expect(screen.getByTestId('editor-name').textContent).toBe('prepare')
  // What it declares comes from outside; that nothing is wired to it here is no fault of it.
  await waitFor(() => expect(screen.getByTestId('editor-problems').textContent).toContain('1 note'))
  expect(screen.getByTestId('row-impute').textContent).not.toContain('Draft')
  expect(screen.getByTestId('editor-run')).toHaveProperty('disabled', true)
  expect(await violations()).toEqual([])
  await fireEvent.click(screen.getByTestId('crumb-with-component'))
  await waitFor(() => expect(rows()).toContain('ready'))
  await waitFor(() => expect(screen.getByTestId('inspector-id')).toHaveProperty('value', 'ready'))
})

it('U goes back to the pipeline around, and is not there where there is none', async () => {
  await open('#/pipelines/prepare?view=outline&in=with-component.ready')
  await screen.findByTestId('row-impute')
  expect(runCommand('component.leave')).toBe(true)
  await waitFor(() => expect(rows()).toContain('ready'))
  expect(runCommand('component.leave')).toBe(false)
})

it('the steps of a component come in its place, and one undo brings it back', async () => {
  await open('#/pipelines/with-component?view=outline')
  await choose('ready')
  await fireEvent.click(screen.getByTestId('component-expand'))
  await waitFor(() => expect(rows()).toEqual(['penguins', 'split', 'impute', 'encode', 'scale', 'forest', 'evaluate']))
  expect(runCommand('edit.undo')).toBe(true)
  await waitFor(() => expect(rows()).toContain('ready'))
  expect(rows()).not.toContain('impute')
})

it('selected steps become a component after its name was given, and one undo brings them back', async () => {
  const host = await open('#/pipelines/species?view=outline')
  await choose('impute')
  await fireEvent.click(screen.getByTestId('row-encode'), { ctrlKey: true })
  expect(runCommand('component.collapse')).toBe(true)
  const dialog = within(await screen.findByTestId('component-new'))
  expect(dialog.getByText('Takes').parentElement?.textContent).toContain('table')
  expect(await violations()).toEqual([])
  const name = dialog.getByTestId('component-name')
  await fireEvent.input(name, { target: { value: 'species' } })
  expect((await dialog.findByText('A pipeline of this name is there already.'))).toBeTruthy()
  expect(dialog.getByTestId('component-make')).toHaveProperty('disabled', true)
  await fireEvent.input(name, { target: { value: 'made-here' } })
  await fireEvent.click(dialog.getByTestId('component-make'))
  await waitFor(() => expect(rows()).toContain('made_here'))
  expect(rows()).not.toContain('impute')
  const saved = host.calls.find((call) => call.name === 'pipeline.save')?.payload
  expect(saved).toMatchObject({ pipeline: 'made-here', doc: { inputs: [{ name: 'table', to: ['impute.table'] }], outputs: [{ name: 'table', from: 'encode.table' }] } })
  await waitFor(() => expect(screen.queryByTestId('component-new')).toBeNull())
  expect(runCommand('edit.undo')).toBe(true)
  await waitFor(() => expect(rows()).toContain('impute'))
  expect(rows()).not.toContain('made_here')
})

it('what a pipeline declares is named, added and taken away where nothing is selected', async () => {
  const host = await open('#/pipelines/prepare?view=outline')
  const ports = within(await screen.findByTestId('inspector-ports'))
  await fireEvent.change(ports.getByTestId('declared-output-ready'), { target: { value: 'rows' } })
  await fireEvent.change(ports.getByTestId('declare-output'), { target: { value: 'encode.table' } })
  await ports.findByTestId('declared-output-table')
  await fireEvent.click(ports.getByTestId('undeclare-input-rows'))
  await waitFor(() => expect(host.calls.filter((call) => call.name === 'pipeline.save').at(-1)?.payload).toMatchObject({ doc: { inputs: [], outputs: [{ name: 'rows', from: 'scale.table' }, { name: 'table', from: 'encode.table' }] } }))
  expect(await violations()).toEqual([])
})

it('a pipeline is offered as a step of others, and what feeds it goes to the port that it declares', async () => {
  const host = await open('#/pipelines/species?view=outline')
  await choose('split')
  const adder = screen.getByTestId('outline-add')
  await waitFor(() => expect(adder.querySelector('option[value="component#prepare"]')).not.toBeNull())
  expect(adder.querySelector('option[value="component#species"]')).toBeNull()
  await fireEvent.change(adder, { target: { value: 'component#prepare' } })
  await waitFor(() => expect(rows()).toContain('prepare'))
  const added = (): unknown => host.calls.filter((call) => call.name === 'pipeline.save').at(-1)?.payload
  await waitFor(() => expect(added()).toMatchObject({ doc: { steps: expect.arrayContaining([expect.objectContaining({ id: 'prepare', params: { pipeline: 'prepare' }, inputs: { rows: ['split.table'] } })]) } }))
})
