// Every screen of the shell, data, home, welcome and settings: it shows its faces, and axe finds nothing.

import { render, screen, waitFor } from '@testing-library/svelte'
import { beforeEach, describe, expect, it } from 'vitest'

import type { Answers } from '../host/mock/world'
import { mock, type MockTransport } from '../host/mock'
import { useTransport } from '../host/host'
import { parseRoute } from '../lib/router'
import { violations } from '../test/axe'
import Data from './data/Data.svelte'
import Home from './home/Home.svelte'
import Audit from './settings/Audit.svelte'
import SettingsPage from './settings/Settings.svelte'
import Welcome from './welcome/Welcome.svelte'

const views = { data: Data, home: Home, audit: Audit, settings: SettingsPage, welcome: Welcome }

function open(view: keyof typeof views, address: string, answers: Answers = {}): MockTransport {
  const transport = mock(answers)
  transport.world.pace = 0
  useTransport(transport)
  // As in the frame, where every screen is inside `main`.
  const target = document.body.appendChild(document.createElement('main'))
  render(views[view], { target, props: { route: parseRoute(address) } })
  return transport
}

async function expectAccessible(): Promise<void> {
  expect(await violations()).toEqual([])
}

const refuse = (): never => {
  throw { code: 'corrupt', message: 'the index is damaged', hint: 'run `fettle workspace repair`', causes: ['page 7'] }
}

beforeEach(async () => {
  // The datasets of the mock are shared by all tests of this file.
  const { answers, world } = mock()
  await answers['dataset.set_target']?.({ project: null, dataset: 'flights', target: null, task: null }, world)
  document.body.innerHTML = ''
  sessionStorage.clear()
  location.hash = ''
})

describe('screens', () => {
  const cases: [keyof typeof views, string, string][] = [
    ['data', '#/data', 'data-list'],
    ['data', '#/data/penguins', 'data-title'],
    ['data', '#/data/penguins?tab=columns', 'columns-list'],
    ['data', '#/data/penguins?tab=query', 'query-sql'],
    ['data', '#/data/penguins?sheet=rejected', 'rejected-sheet'],
    ['data', '#/data/penguins?sheet=import', 'import-sheet'],
    ['home', '#/home', 'home-next'],
    ['welcome', '#/welcome', 'welcome-recent'],
    ['settings', '#/settings', 'settings-workspace'],
    ['audit', '#/audit', 'audit-list'],
  ]
  it.each(cases)('%s at %s is accessible', async (view, address, testid) => {
    open(view, address)
    await screen.findByTestId(testid)
    await waitFor(() => expect(screen.queryByLabelText('Loading')).toBeNull())
    await expectAccessible()
  })

  it.each([
    ['data', '#/data', 'dataset.list'],
    ['data', '#/data/penguins', 'dataset.show'],
    ['home', '#/home', 'project.home'],
    ['settings', '#/settings', 'settings.get'],
    ['audit', '#/audit', 'audit.list'],
  ] as const)('%s at %s says why it cannot be shown, and tries again', async (view, address, command) => {
    let isBroken = true
    const { answers } = mock()
    const real = answers[command] as (payload: unknown, world: unknown) => unknown
    open(view, address, { [command]: (payload: unknown, world: unknown) => (isBroken ? refuse() : real(payload, world)) })
    expect((await screen.findByTestId('error')).textContent).toContain('The index is damaged.')
    await expectAccessible()
    isBroken = false
    screen.getByTestId('error-retry').click()
    await waitFor(() => expect(screen.queryByTestId('error')).toBeNull())
  })

  it('an empty project shows the next step, not an empty table', async () => {
    open('data', '#/data', { 'dataset.list': () => [] })
    await screen.findByTestId('data-empty')
    expect(screen.getAllByTestId('data-import').length).toBe(1)
    await expectAccessible()
  })
})

describe('the page of a dataset', () => {
  it('sets the target that was chosen and then offers to build a pipeline', async () => {
    const { calls } = open('data', '#/data/flights')
    const build = await screen.findByTestId('data-build-pipeline')
    expect(build.hasAttribute('disabled')).toBe(true)
    screen.getByTestId('data-accept-target').click()
    await waitFor(() => expect(screen.getByTestId('data-build-pipeline').hasAttribute('disabled')).toBe(false))
    expect(calls.find(({ name }) => name === 'dataset.set_target')?.payload).toMatchObject({ dataset: 'flights', target: 'arrival_delay_min' })
  })

  it('sets names in the words of the backend as code', async () => {
    const { answers } = mock()
    const real = answers['dataset.show']
    open('data', '#/data/flights', {
      'dataset.show': async (payload, world) => {
        const detail = await real?.(payload, world)
        if (detail === undefined) throw new Error('the mock has an answer')
        return { ...detail, suggestion: { column: 'carrier', task: 'multiclass', reason: '`carrier` is named like a target' } }
      },
    })
    const accept = await screen.findByTestId('data-accept-target')
    const line = accept.parentElement
    expect(line?.querySelector('code')?.textContent).toBe('carrier')
    expect(line?.textContent).not.toContain('`')
  })

  it('asks only for the rows in view of a table of a million', async () => {
    const { calls } = open('data', '#/data/flights')
    await screen.findByTestId('data-grid')
    await waitFor(() => expect(calls.some(({ name }) => name === 'dataset.page')).toBe(true))
    const pages = calls.filter(({ name }) => name === 'dataset.page')
    expect(pages.map(({ payload }) => payload)).toEqual([expect.objectContaining({ dataset: 'flights', version: 1, offset: 0, limit: 100 })])
    expect(document.querySelectorAll('[role=row]').length).toBeLessThan(60)
  })

  it('a new target neither fetches the rows again nor takes the user back to the first', async () => {
    const { calls } = open('data', '#/data/flights')
    await screen.findByTestId('data-accept-target')
    const jump = screen.getByTestId<HTMLInputElement>('data-jump')
    jump.value = '600000'
    jump.dispatchEvent(new Event('input', { bubbles: true }))
    jump.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }))
    await screen.findByText('600,000')
    await waitFor(() => expect(document.querySelectorAll('.coming').length).toBe(0))
    const before = calls.filter(({ name }) => name === 'dataset.page').length
    screen.getByTestId('data-accept-target').click()
    await screen.findByTestId('data-task')
    expect(screen.queryByText('600,000')).not.toBeNull()
    expect(calls.filter(({ name }) => name === 'dataset.page').length).toBe(before)
  })

  it('a query that is refused shows the hint and keeps the text', async () => {
    open('data', '#/data/penguins?tab=query')
    const field = await screen.findByTestId<HTMLTextAreaElement>('query-sql')
    field.value = 'select specis from penguins'
    field.dispatchEvent(new Event('input', { bubbles: true }))
    screen.getByTestId('query-run').click()
    expect((await screen.findByTestId('query-error')).textContent).toContain('Did you mean species?')
    expect(field.value).toBe('select specis from penguins')
  })

  it('a change of the import options is looked at again at once', async () => {
    const { calls } = open('data', '#/data/penguins?sheet=import')
    const delimiter = await screen.findByTestId<HTMLSelectElement>('option-delimiter')
    delimiter.value = ';'
    delimiter.dispatchEvent(new Event('change', { bubbles: true }))
    await screen.findByText(/delimiter is probably another/)
    const sniffs = calls.filter(({ name }) => name === 'dataset.sniff_kept')
    expect(sniffs.at(-1)?.payload).toMatchObject({ dataset: 'penguins', version: 2, options: { delimiter: ';' } })
    expect(calls.some(({ name }) => name === 'dataset.sniff')).toBe(false)
    await expectAccessible()
  })

  it('a file of another kind is not read as the one before was', async () => {
    sessionStorage.setItem('fettle.sources', JSON.stringify({ penguins: '/tmp/penguins.xlsx' }))
    const { calls } = open('data', '#/data/penguins?sheet=import')
    ;(await screen.findByTestId('import-sheet-other')).click()
    ;(await screen.findByTestId('import-sheet-read')).click()
    expect((await screen.findByTestId<HTMLSelectElement>('option-table')).value).toBe('2007')
    expect(calls.find(({ name }) => name === 'dataset.sniff')?.payload).toMatchObject({ path: '/tmp/penguins.xlsx', options: null })
  })

  it.each([
    ['escape', '\\', { escape: '\\' }],
    ['thousands', "'", { thousands: "'" }],
    ['date-order', 'day_first', { dateOrder: 'day_first' }],
    ['trim', 'on', { trim: true }],
    ['quoted-nulls', 'on', { quotedNulls: true }],
  ])('the import option %s can be corrected', async (option, value, expected) => {
    const { calls } = open('data', '#/data/penguins?sheet=import')
    const field = await screen.findByTestId<HTMLInputElement | HTMLSelectElement>(`option-${option}`)
    if (field instanceof HTMLInputElement) field.click()
    else {
      field.value = value
      field.dispatchEvent(new Event('change', { bubbles: true }))
    }
    await waitFor(() => expect(calls.findLast(({ name }) => name === 'dataset.sniff_kept')?.payload).toMatchObject({ options: expected }))
  })
})

describe('settings', () => {
  it('a change is sent with all the others as they were', async () => {
    const { calls } = open('settings', '#/settings')
    const theme = await screen.findByTestId<HTMLSelectElement>('settings-theme')
    theme.value = 'dark'
    theme.dispatchEvent(new Event('change', { bubbles: true }))
    await waitFor(() => expect(calls.find(({ name }) => name === 'settings.set')?.payload).toMatchObject({ theme: 'dark', keepRunning: true }))
  })

  it('the check of the workspace tells what it found', async () => {
    open('settings', '#/settings')
    ;(await screen.findByTestId('workspace-check')).click()
    expect((await screen.findByTestId('workspace-outcome')).textContent).toContain('1,204 objects')
  })
})

it('Home says what happened in words, and leaves the names of actions to the audit log', async () => {
  open('home', '#/home')
  const feed = (await screen.findByTestId('home-audit')).textContent
  expect(feed).toContain('Set the target of penguins to species')
  expect(feed).not.toContain('dataset.set_target')
})

describe('runs of MLflow', () => {
  const type = (testid: string, text: string): void => {
    const field = screen.getByTestId<HTMLInputElement>(testid)
    field.value = text
    field.dispatchEvent(new Event('input', { bubbles: true }))
  }

  it('come in and are told in numbers, with what stayed as it is', async () => {
    const { calls } = open('settings', '#/settings')
    await screen.findByTestId('mlflow-path')
    type('mlflow-path', '/home/me/mlflow.db')
    type('mlflow-artifacts', '/mnt/files')
    await waitFor(() => expect(screen.getByTestId<HTMLButtonElement>('mlflow-import').disabled).toBe(false))
    screen.getByTestId('mlflow-import').click()
    const outcome = await screen.findByTestId('mlflow-outcome')
    expect(calls.find(({ name }) => name === 'tracking.import')?.payload).toEqual({ path: '/home/me/mlflow.db', artifacts: ['/mnt/files'] })
    expect(screen.getByTestId('mlflow-counts').textContent).toContain('1,204')
    expect(outcome.textContent).toContain('it is here with other parameters')
    expect(outcome.textContent).toContain('Files that stay where they are: 1')
    await expectAccessible()
  })

  it('that are dropped on the page come in', async () => {
    const { calls } = open('settings', '#/settings')
    await screen.findByTestId('mlflow-path')
    const drop = new CustomEvent('file-drop', { detail: { paths: ['/home/me/mlruns'] }, cancelable: true })
    globalThis.dispatchEvent(drop)
    expect(drop.defaultPrevented).toBe(true)
    await waitFor(() => expect(calls.find(({ name }) => name === 'tracking.import')?.payload).toEqual({ path: '/home/me/mlruns' }))
  })

  it('go out into a folder', async () => {
    const { calls } = open('settings', '#/settings')
    await screen.findByTestId('mlflow-to')
    type('mlflow-to', '/out/mlruns')
    await waitFor(() => expect(screen.getByTestId<HTMLButtonElement>('mlflow-export').disabled).toBe(false))
    screen.getByTestId('mlflow-export').click()
    expect((await screen.findByTestId('mlflow-outcome')).textContent).toContain('Written to /out/mlruns')
    expect(calls.find(({ name }) => name === 'tracking.export')?.payload).toEqual({ to: '/out/mlruns' })
  })

  it('that cannot be read say why and what to do', async () => {
    open('settings', '#/settings', { 'tracking.import': refuse })
    await screen.findByTestId('mlflow-path')
    type('mlflow-path', '/home/me/broken.db')
    await waitFor(() => expect(screen.getByTestId<HTMLButtonElement>('mlflow-import').disabled).toBe(false))
    screen.getByTestId('mlflow-import').click()
    const failure = await screen.findByTestId('mlflow-failure')
    expect(failure.textContent).toContain('The index is damaged')
    expect(failure.textContent).toContain('fettle workspace repair')
  })
})

describe('the audit log', () => {
  it('has the name of the action beside the words', async () => {
    open('audit', '#/audit')
    const row = (await screen.findByTestId('audit-list')).querySelector('tbody tr')
    expect(row?.textContent).toContain('Switched species to v1')
    expect(row?.querySelector('code')?.textContent).toBe('deployment.switch')
  })

  it('goes back to older entries page by page', async () => {
    open('audit', '#/audit')
    await screen.findByTestId('audit-list')
    expect(document.querySelectorAll('tbody tr').length).toBe(100)
    screen.getByTestId('audit-more').click()
    await waitFor(() => expect(document.querySelectorAll('tbody tr').length).toBe(200))
    screen.getByTestId('audit-more').click()
    await waitFor(() => expect(document.querySelectorAll('tbody tr').length).toBe(260))
    expect(screen.queryByTestId('audit-more')).toBeNull()
  })
})
