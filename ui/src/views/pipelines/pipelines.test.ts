// The section Pipelines as a person meets it: list, editor, inspector, outline, file, drawer. The canvas
// needs a real layout and is tried in a browser; its rules are tested in lib/graph.

import { cleanup, configure, fireEvent, render, screen, waitFor, within } from '@testing-library/svelte'
import { beforeEach, describe, expect, it, vi } from 'vitest'

import App from '../../app/App.svelte'
import type { Commands } from '../../host/bindings'
import { useTransport } from '../../host/host'
import { mock, type MockTransport } from '../../host/mock'
import { failure, type Answers } from '../../host/mock/world'
import type { Platform } from '../../host/transport'
import { runCommand } from '../../lib/keys'
import { dismiss, toasts } from '../../parts/toast.svelte'
import { shell } from '../../parts/shell.svelte'
import { violations } from '../../test/axe'
// The frame loads a section when it is first opened; here it is loaded before the clock runs.
import './Pipelines.svelte'

// A machine that builds something else at the same time is slow; what is waited for comes all the same.
configure({ asyncUtilTimeout: 8_000 })
vi.setConfig({ testTimeout: 30_000 })

let names = 0

/** Goes to an address and lets its event pass, which comes later in jsdom. */
async function visit(hash: string): Promise<void> {
  location.hash = hash
  await new Promise((resolve) => setTimeout(resolve, 20))
}

/** A pipeline of its own for each test: the mock keeps what was saved. */
async function open(address: (name: string) => string, answers: Answers = {}, platform: Partial<Platform> = {}): Promise<{ host: MockTransport; name: string }> {
  names += 1
  const name = `test-${names}`
  const host = mock(answers, platform)
  host.world.pace = 0
  useTransport(host)
  await host.call('pipeline.new', { project: null, name, dataset: 'penguins' })
  host.calls.length = 0
  await visit(address(name))
  render(App)
  return { host, name }
}

const asked = <K extends keyof Commands>(host: MockTransport, name: K): unknown[] => host.calls.filter((one) => one.name === name).map((one) => one.payload)
const input = (id: string, kind = 'input'): HTMLElement => {
  const found = screen.getByTestId(id).querySelector<HTMLElement>(kind)
  if (found === null) throw new Error(`${id} has no ${kind}`)
  return found
}
async function inOutline(answers: Answers = {}): Promise<{ host: MockTransport; name: string }> {
  const opened = await open((name) => `#/pipelines/${name}?view=outline`, answers)
  await screen.findByTestId('row-boosting')
  return opened
}
const choose = async (id: string): Promise<void> => {
  await fireEvent.click(screen.getByTestId(`row-${id}`))
  await waitFor(() => expect(within(screen.getByTestId('step-inspector')).getByTestId('inspector-id')).toHaveProperty('value', id))
}

beforeEach(() => {
  document.body.innerHTML = ''
  localStorage.clear()
  toasts().forEach(({ id }) => dismiss(id))
  shell.toggleDrawer(false)
})

describe('the list', () => {
  it('shows what each pipeline reads and where its last run stands', async () => {
    const { name } = await open(() => '#/pipelines')
    const table = await screen.findByTestId('pipelines-table')
    expect(table.textContent).toContain(name)
    expect(within(table).getAllByTestId('chip-dataset').length).toBeGreaterThan(0)
    expect(await violations()).toEqual([])
  })

  it('with nothing in it says what a pipeline is and offers to make one', async () => {
    await open(() => '#/pipelines', { 'pipeline.list': () => [] })
    expect((await screen.findByTestId('pipelines-empty')).textContent).toContain('No pipeline yet')
    await fireEvent.click(screen.getByTestId('pipelines-new'))
    expect(await screen.findByTestId('pipeline-new-create')).toBeTruthy()
  })

  it('makes a pipeline for a dataset and opens it', async () => {
    const { host } = await open(() => '#/pipelines')
    await fireEvent.click(await screen.findByTestId('pipelines-new'))
    await fireEvent.input(await screen.findByTestId('pipeline-new-name'), { target: { value: 'fresh' } })
    await waitFor(() => expect(screen.getByTestId('pipeline-new-dataset')).toHaveProperty('value', 'penguins'))
    await fireEvent.click(screen.getByTestId('pipeline-new-create'))
    await waitFor(() => expect(location.hash).toBe('#/pipelines/fresh'))
    expect(asked(host, 'pipeline.new')).toEqual([{ project: null, name: 'fresh', dataset: 'penguins' }])
  })

  it('refuses a name that is taken before it asks the backend', async () => {
    const { name } = await open(() => '#/pipelines')
    await fireEvent.click(await screen.findByTestId('pipelines-new'))
    await fireEvent.input(await screen.findByTestId('pipeline-new-name'), { target: { value: name } })
    await waitFor(() => expect(screen.getByTestId('pipeline-new-create')).toHaveProperty('disabled', true))
  })
})

describe('limits and templates', () => {
  it('limits of a step are kept, and what means nothing is not passed on', async () => {
    const { host } = await inOutline()
    await choose('boosting')
    const limits = within(screen.getByTestId('inspector-limits'))
    await fireEvent.input(limits.getByTestId('limit-retries'), { target: { value: '2' } })
    await fireEvent.input(limits.getByTestId('limit-memory'), { target: { value: 'lots' } })
    expect(screen.getByTestId('inspector-limits').textContent).toContain('Write an amount')
    await fireEvent.input(limits.getByTestId('limit-timeout'), { target: { value: '10m' } })
    await waitFor(() => expect(JSON.stringify(asked(host, 'pipeline.save').at(-1))).toContain('"limits":{"retries":2,"timeout":"10m","cores":null,"memory":null}'))
    expect(screen.getByTestId('inspector-limits').textContent).toContain('tried again up to 2 times, 10m a try')
    expect(await violations()).toEqual([])
  })

  it('a template is added with its parameters and the ports they name', async () => {
    const { host } = await inOutline()
    await fireEvent.change(screen.getByTestId('outline-add'), { target: { value: 'command#r' } })
    await screen.findByTestId('row-r')
    await waitFor(() => expect(JSON.stringify(asked(host, 'pipeline.save').at(-1))).toContain('Rscript --vanilla'))
    await waitFor(() => expect(screen.getByTestId('step-inspector').textContent).toContain('fitted'))
  })
})

describe('ways in and out', () => {
  it('shows the pipeline as each kind of script, and the command that writes it', async () => {
    const { host, name } = await inOutline()
    expect(runCommand('pipeline.export')).toBe(true)
    await waitFor(() => expect(screen.getByTestId('export-text').textContent).toContain('set -eu'))
    await fireEvent.click(screen.getByTestId('export-format-make'))
    await waitFor(() => expect(screen.getByTestId('export-text').textContent).toContain('all: register'))
    await fireEvent.click(screen.getByTestId(`export-file-${name}.toml`))
    await waitFor(() => expect(screen.getByTestId('export-text').textContent).toContain('[[step]]'))
    expect(screen.getByTestId('pipeline-export').textContent).toContain(`fettle pipeline export ${name} --format make`)
    expect(asked(host, 'pipeline.export_to')).toEqual([])
    expect(await violations()).toEqual([])
  })

  it('writes the script into a folder of the desktop', async () => {
    const { host, name } = await open((one) => `#/pipelines/${one}?view=outline`, {}, { isDesktop: true, openFiles: () => Promise.resolve(['/home/me/out']) })
    await screen.findByTestId('row-boosting')
    expect(runCommand('pipeline.export')).toBe(true)
    await screen.findByTestId('export-text')
    await fireEvent.click(screen.getByTestId('export-save'))
    await waitFor(() => expect(asked(host, 'pipeline.export_to')).toEqual([{ project: null, pipeline: name, format: 'shell', to: '/home/me/out' }]))
    await waitFor(() => expect(screen.queryByTestId('pipeline-export')).toBeNull())
  })

  it('imports a pipeline of DVC and says what is not as it was', async () => {
    const { host, name } = await open(() => '#/pipelines?import=')
    await fireEvent.input(await screen.findByTestId('import-path'), { target: { value: '/projects/dvc.yaml' } })
    await fireEvent.input(screen.getByTestId('import-name'), { target: { value: name } })
    await waitFor(() => expect(screen.getByTestId('import-do')).toHaveProperty('disabled', true))
    await fireEvent.input(screen.getByTestId('import-name'), { target: { value: `${name}-dvc` } })
    await fireEvent.click(screen.getByTestId('import-do'))
    expect((await screen.findByTestId('import-notes')).textContent).toContain('make a sweep of it')
    expect(await violations()).toEqual([])
    await fireEvent.click(screen.getByTestId('import-open'))
    await waitFor(() => expect(location.hash).toBe(`#/pipelines/${name}-dvc`))
    expect(asked(host, 'pipeline.import')).toEqual([{ project: null, path: '/projects/dvc.yaml', name: `${name}-dvc` }])
  })

  it('says why a file cannot be imported', async () => {
    await open(() => '#/pipelines?import=')
    await fireEvent.input(await screen.findByTestId('import-path'), { target: { value: '/projects/notes.txt' } })
    await fireEvent.click(screen.getByTestId('import-do'))
    expect((await within(screen.getByTestId('pipeline-import')).findByRole('alert')).textContent).toContain('Choose the file of the pipeline')
  })
})

describe('a step in the inspector', () => {
  it('says why it will run, with both values of what changed', async () => {
    await inOutline({
      'pipeline.explain': ({ step }) => ({
        cached: 0, toRun: 1,
        steps: [{ step: step ?? '', action: 'run', reasons: [], waitsFor: ['encode'], lastRun: { runId: 'r7', number: 7, at: 0 }, changes: [{ what: 'parameter', name: 'rounds', before: '200', after: '300', isCause: true, text: 'parameter `rounds` changed from `200` to `300`' }] }],
      }),
    })
    await choose('boosting')
    await waitFor(() => expect(screen.getByTestId('step-why').textContent).toContain('Will run'))
    expect(screen.getByLabelText('Because').textContent).toContain('rounds200→300')
    expect(within(screen.getByTestId('step-why')).getByTestId('chip-run').getAttribute('href')).toBe('#/runs/r7?tab=log&step=boosting')
    await fireEvent.click(screen.getByTestId('why-waits-encode'))
    await waitFor(() => expect(screen.getByTestId('inspector-id')).toHaveProperty('value', 'encode'))
    expect(await violations()).toEqual([])
  })

  it('runs again from a step, by its button and by a command', async () => {
    // Nothing runs: the results of the mock are shared by all tests here.
    const { host, name } = await inOutline({ 'pipeline.run': () => { throw failure('unavailable', 'not now') } })
    await choose('encode')
    await fireEvent.click(screen.getByTestId('inspector-run-from'))
    await waitFor(() => expect(asked(host, 'pipeline.run')).toHaveLength(1))
    expect(asked(host, 'pipeline.run')[0]).toMatchObject({ pipeline: name, from: 'encode', to: null })
    await waitFor(() => expect(runCommand('pipeline.runFrom')).toBe(true))
  })

  it('shows defaults as placeholders, takes a value, and goes back to the default', async () => {
    const { host, name } = await inOutline()
    await choose('boosting')
    expect(input('param-rounds')).toHaveProperty('placeholder', '200')
    await fireEvent.input(input('param-rounds'), { target: { value: '50' } })
    await waitFor(() => expect(asked(host, 'pipeline.save').length).toBe(1))
    expect(JSON.stringify(asked(host, 'pipeline.save')[0])).toContain('"rounds":50')
    expect(asked(host, 'pipeline.save')[0]).toMatchObject({ pipeline: name })
    await fireEvent.click(screen.getByTestId('reset-rounds'))
    await waitFor(() => expect(input('param-rounds')).toHaveProperty('value', ''))
  })

  it('says what is wrong with a number and does not pass it on', async () => {
    const { host } = await inOutline()
    await choose('boosting')
    await fireEvent.input(input('param-rounds'), { target: { value: '0' } })
    expect((await screen.findByTestId('problem-rounds')).textContent).toContain('The least is 1.')
    await new Promise((resolve) => setTimeout(resolve, 700))
    expect(asked(host, 'pipeline.save')).toEqual([])
  })

  it('typing is one undo, and undo brings the placeholder back', async () => {
    await inOutline()
    await choose('boosting')
    for (const value of ['5', '50', '500']) await fireEvent.input(input('param-rounds'), { target: { value } })
    await fireEvent.blur(input('param-rounds'))
    await waitFor(() => expect(screen.getByTestId('editor-undo').getAttribute('aria-label')).toBe('Undo: Change rounds of boosting'))
    expect(runCommand('edit.undo')).toBe(true)
    await waitFor(() => expect(input('param-rounds')).toHaveProperty('value', ''))
    expect(screen.getByTestId('editor-undo')).toHaveProperty('disabled', true)
    expect(runCommand('edit.redo')).toBe(true)
    await waitFor(() => expect(input('param-rounds')).toHaveProperty('value', '500'))
  })

  it('a rename takes the wires along', async () => {
    await inOutline()
    await choose('encode')
    await fireEvent.input(screen.getByTestId('inspector-id'), { target: { value: 'numbers' } })
    await fireEvent.change(screen.getByTestId('inspector-id'))
    await waitFor(() => expect(screen.getByTestId('row-boosting').textContent).toContain('numbers.table'))
  })

  it('connects and disconnects without the pointer', async () => {
    await inOutline()
    await choose('linear')
    await fireEvent.change(screen.getByTestId('connect-table'), { target: { value: 'impute.table' } })
    await waitFor(() => expect(screen.getByTestId('row-linear').textContent).toContain('impute.table'))
    await fireEvent.click(screen.getByLabelText('Disconnect impute.table'))
    await waitFor(() => expect(screen.getByTestId('row-linear').textContent).toContain('table is missing'))
    // What is missing is told by the backend, at the port and in the count.
    await waitFor(() => expect(screen.getByTestId('editor-problems').textContent).toContain('1 problem'))
    expect(screen.getByTestId('editor-run')).toHaveProperty('disabled', true)
  })

  it('offers columns of the wired table and marks one that is not there', async () => {
    await inOutline()
    await choose('impute')
    const select = input('param-columns', 'select')
    await waitFor(() => expect(select.textContent).toContain('bill_length_mm'))
    await fireEvent.change(select, { target: { value: 'sex' } })
    await waitFor(() => expect(screen.getByLabelText('Leave out sex')).toBeTruthy())
  })
})

describe('edits', () => {
  it('are saved when the editor is left in the middle of a change', async () => {
    const { host } = await inOutline()
    await choose('boosting')
    await fireEvent.input(input('param-rounds'), { target: { value: '77' } })
    cleanup()
    await waitFor(() => expect(JSON.stringify(asked(host, 'pipeline.save'))).toContain('"rounds":77'))
  })

  it('that could not be saved are there again the next time', async () => {
    const { name } = await inOutline({ 'pipeline.save': () => { throw failure('unavailable', 'the daemon does not answer') } })
    await choose('boosting')
    await fireEvent.input(input('param-rounds'), { target: { value: '88' } })
    expect((await screen.findByTestId('editor-unsaved')).textContent).toContain('The daemon does not answer.')
    cleanup()
    document.body.innerHTML = ''
    const again = mock()
    again.world.pace = 0
    useTransport(again)
    await visit(`#/pipelines/${name}?view=outline`)
    render(App)
    await screen.findByTestId('row-boosting')
    await choose('boosting')
    expect(input('param-rounds')).toHaveProperty('value', '88')
    await waitFor(() => expect(JSON.stringify(asked(again, 'pipeline.save'))).toContain('"rounds":88'))
  })

  it('made elsewhere are taken over as a change that can be undone', async () => {
    const { host, name } = await inOutline()
    const { doc } = (await host.call('pipeline.show', { project: null, pipeline: name })) as Commands['pipeline.show'][1]
    await host.call('pipeline.save', { project: null, pipeline: name, doc: { ...doc, steps: doc.steps.filter((step) => step.id !== 'register') } })
    await waitFor(() => expect(screen.queryByTestId('row-register')).toBeNull())
    runCommand('edit.undo')
    await waitFor(() => expect(screen.getByTestId('row-register')).toBeTruthy())
  })
})

describe('the outline', () => {
  it('is a grid that axe finds nothing wrong with', async () => {
    await inOutline()
    expect(screen.getAllByRole('row').length).toBe(14)
    expect(await violations()).toEqual([])
  })

  it('moves by arrows, deletes by key, and undo brings the step back', async () => {
    await inOutline()
    const row = screen.getByTestId('row-penguins')
    row.focus()
    await fireEvent.keyDown(row, { key: 'ArrowDown' })
    await waitFor(() => expect(screen.getByTestId('row-split').getAttribute('aria-selected')).toBe('true'))
    await fireEvent.keyDown(document.activeElement ?? document.body, { key: 'Delete' })
    await waitFor(() => expect(screen.queryByTestId('row-split')).toBeNull())
    runCommand('edit.undo')
    await waitFor(() => expect(screen.getByTestId('row-impute').textContent).toContain('split.table'))
  })

  it('a deleted step leaves the offer to reconnect, and then one undo brings all of it back', async () => {
    await inOutline()
    await choose('impute')
    expect(runCommand('edit.delete')).toBe(true)
    await waitFor(() => expect(screen.getByTestId('row-encode').textContent).toContain('table is missing'))
    await fireEvent.click(await screen.findByTestId('delete-reconnect'))
    await waitFor(() => expect(screen.getByTestId('row-encode').textContent).toContain('split.table'))
    expect(screen.queryByTestId('row-impute')).toBeNull()
    runCommand('edit.undo')
    await waitFor(() => expect(screen.getByTestId('row-encode').textContent).toContain('impute.table'))
    expect(screen.getByTestId('editor-undo')).toHaveProperty('disabled', true)
  })

  it('adds a step after the selected one', async () => {
    await inOutline()
    await choose('encode')
    await fireEvent.change(screen.getByTestId('outline-add'), { target: { value: 'scale' } })
    await waitFor(() => expect(screen.getByTestId('row-scale').textContent).toContain('encode.table'))
  })
})

describe('a run', () => {
  it('goes through its states and ends with the way to compare', async () => {
    const { host } = await inOutline()
    await waitFor(() => expect(screen.getByTestId('editor-plan').textContent).toContain('13 to run'))
    await fireEvent.click(screen.getByTestId('editor-run'))
    const link = await screen.findByTestId('next-compare')
    expect(link.textContent).toContain('Compare 3 models')
    expect(link.getAttribute('href')).toMatch(/^#\/runs\/[0-9a-f]{32}\/compare$/)
    expect(screen.getByTestId('row-boosting').textContent).toContain('Done')
    expect(asked(host, 'pipeline.run')[0]).toMatchObject({ to: null, force: false })
    await waitFor(() => expect(screen.getByTestId('editor-plan').textContent).toContain('nothing to run'))
  })

  it('to a step runs only what that step needs', async () => {
    const { host } = await inOutline()
    await choose('split')
    // Another seed: nothing after it is in the cache of the runs before.
    await fireEvent.input(input('param-seed'), { target: { value: '4711' } })
    await choose('impute')
    expect(runCommand('pipeline.runTo')).toBe(true)
    await waitFor(() => expect(asked(host, 'pipeline.run')[0]).toMatchObject({ to: 'impute' }))
    await waitFor(() => expect(screen.getByTestId('row-impute').textContent).toMatch(/Done|Cached/))
    expect(screen.getByTestId('row-encode').textContent).toContain('Ready')
  })

  it('is planned before: what runs, and what changed since', async () => {
    await inOutline()
    await fireEvent.click(screen.getByTestId('editor-run'))
    await screen.findByTestId('next-compare')
    await choose('boosting')
    await fireEvent.input(input('param-learning_rate'), { target: { value: '0.2' } })
    await waitFor(() => expect(screen.getByTestId('row-boosting').textContent).toContain('learning_rate: not set → 0.2'))
    await fireEvent.click(screen.getByTestId('editor-plan'))
    const plan = await screen.findByTestId('drawer-plan')
    await waitFor(() => expect(plan.textContent).toContain('learning_rate: not set → 0.2'))
    await fireEvent.click(within(plan).getByLabelText('Only what the selected step needs'))
    await waitFor(() => expect(screen.getByTestId('plan-run').textContent).toContain('Run to boosting'))
    expect(plan.textContent).not.toContain('evaluate_boosting')
    expect(await violations()).toEqual([])
  })

  it('that fails names the step, gives the hint and leads to the log', async () => {
    await inOutline()
    await choose('penguins')
    await fireEvent.change(screen.getByTestId('outline-add'), { target: { value: 'filter' } })
    await screen.findByTestId('row-filter')
    await choose('filter')
    await fireEvent.input(input('param-expression', 'textarea'), { target: { value: "species = 'Adelie'" } })
    await choose('split')
    await fireEvent.change(screen.getByTestId('connect-table'), { target: { value: 'filter.table' } })
    await waitFor(() => expect(screen.getByTestId('editor-problems').textContent).toContain('No problems'))
    await fireEvent.click(screen.getByTestId('editor-run'))
    const card = await screen.findByTestId('next-card')
    expect(card.textContent).toContain('failed')
    expect(card.textContent).toContain('has one class in the training rows')
    expect(card.textContent).toContain('Loosen the filter')
    await fireEvent.click(screen.getByTestId('next-log'))
    await waitFor(() => expect(screen.getByTestId('drawer-log').textContent).toContain('failed'))
  })

  it('that the backend refuses says why and leaves the pipeline as it is', async () => {
    await inOutline({ 'pipeline.run': () => { throw failure('conflict', 'the pipeline runs already', 'wait, or cancel it') } })
    await waitFor(() => expect(screen.getByTestId('editor-run')).toHaveProperty('disabled', false))
    await fireEvent.click(screen.getByTestId('editor-run'))
    expect((await screen.findByTestId('editor-run-failure')).textContent).toContain('The pipeline runs already.')
  })
})

describe('the file', () => {
  it('is saved as text, and a line that is wrong is named and marked', async () => {
    const { host, name } = await open((name) => `#/pipelines/${name}?view=file`)
    const area = await screen.findByTestId('file-text')
    await waitFor(() => expect(area).toHaveProperty('value', expect.stringContaining('[[step]]')))
    const text = area instanceof HTMLTextAreaElement ? area.value : ''
    await fireEvent.input(area, { target: { value: text.replace('kind = "split"', 'kind = "spilt"') } })
    await fireEvent.click(screen.getByTestId('file-save'))
    expect((await screen.findByTestId('file-error')).textContent).toMatch(/line \d+/)
    await fireEvent.input(area, { target: { value: text.replace('id = "split"', 'id = "parts"').replaceAll('split.table', 'parts.table') } })
    await fireEvent.click(screen.getByTestId('file-save'))
    await waitFor(() => expect(screen.queryByTestId('file-save')).toBeNull())
    expect(asked(host, 'pipeline.save_text')).toHaveLength(2)
    await fireEvent.click(screen.getByTestId('editor-view-outline'))
    expect(location.hash).toBe(`#/pipelines/${name}?view=outline`)
    expect(await screen.findByTestId('row-parts')).toBeTruthy()
    runCommand('edit.undo')
    expect(await screen.findByTestId('row-split')).toBeTruthy()
  })
})

describe('without the pointer', () => {
  const type = async (text: string): Promise<HTMLElement> => {
    const field = await screen.findByTestId('chooser-text')
    await fireEvent.input(field, { target: { value: text } })
    return field
  }

  it('a step is found by what is typed, and walked on from along the wires', async () => {
    await inOutline()
    expect(runCommand('edit.find')).toBe(true)
    await fireEvent.keyDown(await type('impu'), { key: 'Enter' })
    const selected = (): string => screen.getByTestId('step-inspector').querySelector<HTMLInputElement>('[data-testid=inspector-id]')?.value ?? ''
    await waitFor(() => expect(selected()).toBe('impute'))
    expect(screen.queryByTestId('chooser')).toBeNull()
    expect(runCommand('edit.walkAfter')).toBe(true)
    await waitFor(() => expect(selected()).toBe('encode'))
    runCommand('edit.walkBefore')
    runCommand('edit.walkBefore')
    await waitFor(() => expect(selected()).toBe('split'))
  })

  it('a wire is drawn and cut', async () => {
    await inOutline()
    await choose('linear')
    expect(runCommand('edit.disconnect')).toBe(true)
    await fireEvent.keyDown(await type('encode'), { key: 'Enter' })
    await waitFor(() => expect(screen.getByTestId('row-linear').textContent).toContain('table is missing'))
    expect(runCommand('edit.connect')).toBe(true)
    await fireEvent.keyDown(await type('impute'), { key: 'Enter' })
    await waitFor(() => expect(screen.getByTestId('row-linear').textContent).toContain('impute.table'))
    expect(await violations()).toEqual([])
  })

  it('a step is added, inserted before another, and moved in the order', async () => {
    await inOutline()
    await choose('encode')
    expect(runCommand('edit.insert')).toBe(true)
    await fireEvent.keyDown(await type('scale'), { key: 'Enter' })
    await waitFor(() => expect(screen.getByTestId('row-encode').textContent).toContain('scale.table'))
    expect(screen.getByTestId('row-scale').textContent).toContain('impute.table')
    await choose('encode')
    expect(runCommand('outline.add')).toBe(true)
    await fireEvent.keyDown(await type('select'), { key: 'Enter' })
    await waitFor(() => expect(screen.getByTestId('row-select').textContent).toContain('encode.table'))
    const order = (): string[] => screen.getAllByRole('row').flatMap((row) => row.getAttribute('data-row') ?? [])
    await choose('forest')
    expect(order().indexOf('forest')).toBeGreaterThan(order().indexOf('linear'))
    expect(runCommand('edit.earlier')).toBe(true)
    await waitFor(() => expect(order().indexOf('forest')).toBeLessThan(order().indexOf('linear')))
  })

  it('several rows are selected with Shift, and their actions are a menu away', async () => {
    await inOutline()
    await choose('impute')
    const row = screen.getByTestId('row-impute')
    row.focus()
    await fireEvent.keyDown(row, { key: 'ArrowDown', shiftKey: true })
    await waitFor(() => expect(screen.getByTestId('step-inspector').textContent).toContain('2 steps'))
    expect(document.activeElement).toBe(screen.getByTestId('row-encode'))
    await choose('linear')
    await fireEvent.click(screen.getByTestId('row-menu-linear'))
    await fireEvent.click(await screen.findByTestId('menu-edit.duplicate'))
    expect(await screen.findByTestId('row-linear_2')).toBeTruthy()
  })

  it('steps are skipped and taken in again', async () => {
    const { host } = await inOutline()
    await choose('impute')
    expect(runCommand('edit.skip')).toBe(true)
    await waitFor(() => expect(screen.getByTestId('row-impute').textContent).toContain('Skipped'))
    await waitFor(() => expect(JSON.stringify(asked(host, 'pipeline.plan').at(-1))).toContain('"skip":true'))
    await fireEvent.click(screen.getByTestId('editor-run'))
    await waitFor(() => expect(JSON.stringify(asked(host, 'pipeline.run'))).toContain('"skip":true'))
    expect(JSON.stringify(asked(host, 'pipeline.save'))).toContain('"skip":true')
    await screen.findByTestId('next-compare')
    expect(runCommand('pipeline.runTo')).toBe(true)
    expect(await screen.findByText(/impute is skipped/)).toBeTruthy()
    expect(asked(host, 'pipeline.run')).toHaveLength(1)
  })
})

describe('a problem', () => {
  it('offers the nearest column, takes it in one undo, and says where the column was lost', async () => {
    await inOutline()
    await choose('split')
    await fireEvent.change(screen.getByTestId('outline-add'), { target: { value: 'filter' } })
    await choose('filter')
    await fireEvent.input(input('param-expression', 'textarea'), { target: { value: 'bill_lenght_mm > 3' } })
    const offered = await within(screen.getByTestId('param-expression')).findByText('Use bill_length_mm')
    await fireEvent.click(offered)
    await waitFor(() => expect(input('param-expression', 'textarea')).toHaveProperty('value', 'bill_length_mm > 3'))
    runCommand('edit.undo')
    await waitFor(() => expect(input('param-expression', 'textarea')).toHaveProperty('value', 'bill_lenght_mm > 3'))
    await screen.findByText('Use bill_length_mm')
    await waitFor(() => expect(runCommand('edit.fix')).toBe(true))
    await waitFor(() => expect(screen.getByTestId('editor-problems').textContent).toContain('No problems'))
  })

  it('of an open input offers the nearest step', async () => {
    await inOutline()
    await choose('linear')
    await fireEvent.click(screen.getByLabelText('Disconnect encode.table'))
    await fireEvent.click(await within(screen.getByTestId('input-table')).findByText('Connect encode.table'))
    await waitFor(() => expect(screen.getByTestId('row-linear').textContent).toContain('encode.table'))
  })
})

describe('two versions', () => {
  it('are compared with how it was at first, in words, and the list leads to the step', async () => {
    await inOutline()
    await choose('boosting')
    await fireEvent.input(input('param-rounds'), { target: { value: '300' } })
    await choose('register')
    expect(runCommand('edit.delete')).toBe(true)
    await fireEvent.click(screen.getByTestId('editor-compare'))
    await fireEvent.click(await screen.findByTestId('compare-first'))
    expect((await screen.findByTestId('compare-bar')).textContent).toContain('1 removed, 1 changed, 2 wires')
    expect(screen.getByTestId('row-boosting').textContent).toContain('rounds: 200 (default) → 300')
    await fireEvent.click(screen.getByTestId('compare-list'))
    const list = await screen.findByTestId('drawer-changes')
    expect(list.textContent).toContain('no longer there')
    await fireEvent.click(within(list).getByText('rounds: 200 (default) → 300'))
    await waitFor(() => expect(within(screen.getByTestId('step-inspector')).getByTestId('inspector-id')).toHaveProperty('value', 'boosting'))
    expect(await violations()).toEqual([])
    await fireEvent.click(screen.getByTestId('compare-stop'))
    await waitFor(() => expect(screen.queryByTestId('compare-bar')).toBeNull())
  })

  it('are compared with a run, and with the commit', async () => {
    const { host } = await inOutline()
    await fireEvent.click(screen.getByTestId('editor-run'))
    await screen.findByTestId('next-compare')
    await waitFor(() => expect(runCommand('pipeline.commit')).toBe(true))
    await fireEvent.click(await screen.findByTestId('commit-do'))
    await waitFor(() => expect(screen.queryByTestId('editor-draft')).toBeNull())
    await choose('boosting')
    await fireEvent.input(input('param-rounds'), { target: { value: '40' } })
    await fireEvent.click(screen.getByTestId('editor-compare'))
    await fireEvent.click(await screen.findByTestId('compare-commit'))
    expect((await screen.findByTestId('compare-bar')).textContent).toContain('the last commit: 1 changed')
    expect(asked(host, 'pipeline.commit')).toHaveLength(1)
    await fireEvent.click(screen.getByTestId('compare-restore'))
    await waitFor(() => expect(input('param-rounds')).toHaveProperty('value', ''))
    expect(screen.queryByTestId('compare-bar')).toBeNull()
    expect(runCommand('edit.undo')).toBe(true)
    await waitFor(() => expect(input('param-rounds')).toHaveProperty('value', '40'))
  })
})

describe('the keys of the file', () => {
  it('find and save in it, also where it is what was opened first', async () => {
    const { host } = await open((name) => `#/pipelines/${name}?view=file`)
    const area = await screen.findByTestId('file-text')
    await waitFor(() => expect(area).toHaveProperty('value', expect.stringContaining('[[step]]')))
    await fireEvent.keyDown(document.body, { key: 'f', ctrlKey: true })
    await fireEvent.input(await screen.findByTestId('file-find-text'), { target: { value: 'train_boosting' } })
    await waitFor(() => expect(screen.getByTestId('file-find').textContent).toContain('1 of 1'))
    expect(screen.getByTestId('file-line-found')).toBeTruthy()
    await fireEvent.input(area, { target: { value: '[[step]' } })
    await fireEvent.keyDown(document.body, { key: 's', ctrlKey: true })
    await screen.findByTestId('file-line-bad')
    expect(asked(host, 'pipeline.save_text')).toHaveLength(1)
    expect(screen.queryByTestId('commit')).toBeNull()
  })
})

describe('comments in the file', () => {
  it('stay when the canvas changes the pipeline', async () => {
    const { host, name } = await open((name) => `#/pipelines/${name}?view=file`)
    const area = await screen.findByTestId('file-text')
    await waitFor(() => expect(area).toHaveProperty('value', expect.stringContaining('[[step]]')))
    const text = area instanceof HTMLTextAreaElement ? area.value : ''
    await fireEvent.input(area, { target: { value: text.replace('[[step]]\nid = "split"', '# Never by time.\n[[step]]\nid = "split"') } })
    await fireEvent.click(screen.getByTestId('file-save'))
    await waitFor(() => expect(screen.queryByTestId('file-save')).toBeNull())
    await fireEvent.click(screen.getByTestId('editor-view-outline'))
    await screen.findByTestId('row-boosting')
    await choose('boosting')
    await fireEvent.input(input('param-rounds'), { target: { value: '55' } })
    await waitFor(() => expect(asked(host, 'pipeline.save_text')).toHaveLength(2))
    const view = (await host.call('pipeline.show', { project: null, pipeline: name })) as Commands['pipeline.show'][1]
    expect(view.text).toContain('# Never by time.\n[[step]]\nid = "split"')
    expect(view.text).toContain('rounds = 55')
    expect(asked(host, 'pipeline.save')).toEqual([])
  })

  it('that cannot be kept are said to be lost', async () => {
    const { host } = await open((name) => `#/pipelines/${name}?view=file`)
    const area = await screen.findByTestId('file-text')
    await waitFor(() => expect(area).toHaveProperty('value', expect.stringContaining('[[step]]')))
    const text = area instanceof HTMLTextAreaElement ? area.value : ''
    await fireEvent.input(area, { target: { value: `# Why.\n# """\n${text}` } })
    await fireEvent.click(screen.getByTestId('file-save'))
    await waitFor(() => expect(screen.queryByTestId('file-save')).toBeNull())
    await fireEvent.click(screen.getByTestId('editor-view-outline'))
    await screen.findByTestId('row-register')
    await choose('register')
    expect(runCommand('edit.delete')).toBe(true)
    await waitFor(() => expect(asked(host, 'pipeline.save')).toHaveLength(1))
    expect(await screen.findByText('The comments in the file could not be kept')).toBeTruthy()
  })
})

describe('the drawer', () => {
  it('leads from a problem to its field', async () => {
    await inOutline()
    await choose('penguins')
    await fireEvent.change(screen.getByTestId('outline-add'), { target: { value: 'filter' } })
    await waitFor(() => expect(screen.getByTestId('editor-problems').textContent).toContain('1 problem'))
    await choose('boosting')
    await fireEvent.click(screen.getByTestId('editor-problems'))
    const list = await screen.findByTestId('drawer-problems')
    await fireEvent.click(within(list).getByText(/expression is empty/))
    await waitFor(() => expect(document.activeElement).toBe(input('param-expression', 'textarea')))
  })

  it('shows what a step would give before it has run, as it is set now', async () => {
    await inOutline()
    await choose('split')
    shell.showDrawer('data')
    expect((await screen.findByTestId('drawer-preview')).textContent).toContain('as the step is set now')
    await fireEvent.change(screen.getByTestId('outline-add'), { target: { value: 'filter' } })
    expect(await screen.findByText(/has a problem/)).toBeTruthy()
    cleanup()
    useTransport(mock())
    await inOutline({ 'pipeline.preview': () => { throw failure('invalid_input', 'a model is trained when the pipeline runs') } })
    await choose('split')
    shell.showDrawer('data')
    expect((await screen.findByTestId('preview-error')).textContent).toContain('trained when the pipeline runs')
  })

  it('commits with a message', async () => {
    const { host, name } = await inOutline()
    await waitFor(() => expect(runCommand('pipeline.commit')).toBe(true))
    await fireEvent.input(await screen.findByTestId('commit-message'), { target: { value: 'First version' } })
    await fireEvent.click(screen.getByTestId('commit-do'))
    await waitFor(() => expect(asked(host, 'pipeline.commit')).toEqual([{ project: null, pipeline: name, message: 'First version' }]))
    await waitFor(() => expect(screen.queryByTestId('editor-draft')).toBeNull())
  })
})
