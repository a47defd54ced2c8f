// The frame as a whole: drops, commands, jobs, what lies over the screens.

import { render, screen, waitFor } from '@testing-library/svelte'
import { beforeEach, describe, expect, it, vi } from 'vitest'

import type { Settings } from '../host/bindings'
import { useTransport } from '../host/host'
import { mock, type MockTransport } from '../host/mock'
import type { Answers } from '../host/mock/world'
import type { DaemonState, FileDropHandler, Platform } from '../host/transport'
import { runCommand } from '../lib/keys'
import { dismiss, toasts } from '../parts/toast.svelte'
import { violations } from '../test/axe'
import App from './App.svelte'
import { importDialog } from './importing.svelte'
import { overlays } from './overlays.svelte'

let drop: FileDropHandler = () => undefined
let tellDaemon: (state: DaemonState) => void = () => undefined

async function open(hash = '#/data', answers: Answers = {}, platform: Partial<Platform> = {}): Promise<MockTransport> {
  location.hash = hash
  const transport = mock(answers, {
    onFileDrop(handler) {
      drop = handler
      return () => undefined
    },
    onDaemon(handler) {
      tellDaemon = handler
      handler({ state: 'ready' })
      return () => undefined
    },
    ...platform,
  })
  transport.world.pace = 0
  useTransport(transport)
  render(App)
  await screen.findByTestId('rail-data')
  return transport
}

const press = (key: string, held: KeyboardEventInit = {}): boolean => window.dispatchEvent(new KeyboardEvent('keydown', { key, cancelable: true, ...held }))
const called = ({ calls }: MockTransport, name: string): unknown[] => calls.filter((one) => one.name === name).map(({ payload }) => payload)

beforeEach(() => {
  document.body.innerHTML = ''
  sessionStorage.clear()
  toasts().forEach(({ id }) => dismiss(id))
  overlays.togglePalette(false)
  overlays.toggleShortcuts(false)
  importDialog.close()
})

describe('a dropped file', () => {
  it('is imported at once, gets the suggested target, and its page opens', async () => {
    const host = await open()
    drop('over', ['/home/me/New data.csv'], { x: 10, y: 10 })
    expect((await screen.findByTestId('drop-overlay')).textContent).toContain('New data.csv')
    drop('drop', ['/home/me/New data.csv'], { x: 10, y: 10 })
    await waitFor(() => expect(location.hash).toBe('#/data/new_data'))
    expect(called(host, 'dataset.import')).toEqual([{ project: null, path: '/home/me/New data.csv', name: null, options: null }])
    expect(called(host, 'dataset.set_target')).toEqual([{ project: null, dataset: 'new_data', target: 'species', task: 'multiclass' }])
    await screen.findByTestId('toast-imported')
    expect(screen.queryByTestId('drop-overlay')).toBeNull()
  })

  it('that is here already changes nothing and says so', async () => {
    const host = await open()
    drop('drop', ['/home/me/penguins.csv'], { x: 0, y: 0 })
    expect((await screen.findByTestId('toast-same-file')).textContent).toContain('penguins v2')
    expect(called(host, 'dataset.set_target')).toEqual([])
  })

  it('that is no table is refused with the way out', async () => {
    await open()
    drop('drop', ['/home/me/cat.png'], { x: 0, y: 0 })
    const refusal = await screen.findByTestId('toast-import-failed')
    expect(refusal.textContent).toContain('is a PNG picture')
    expect(refusal.textContent).toContain('Choose a CSV')
    expect(location.hash).toBe('#/data')
  })

  it('may be a folder, whose files are chosen where they do not fit each other', async () => {
    const host = await open()
    drop('drop', ['/home/me/odd'], { x: 0, y: 0 })
    const refusal = await screen.findByTestId('toast-import-failed')
    expect(called(host, 'dataset.import')).toEqual([{ project: null, path: '/home/me/odd', name: null, options: null }])
    expect(refusal.textContent).toContain('notes.csv does not fit')
    refusal.querySelector<HTMLElement>('[data-testid=toast-action]')?.click()
    await screen.findByTestId('folder-only')
    await waitFor(() => expect(called(host, 'dataset.sniff')).toEqual([{ path: '/home/me/odd', options: null }]))
  })

  it('belongs to a screen that takes it', async () => {
    const host = await open()
    const take = vi.fn((event: Event) => event.preventDefault())
    window.addEventListener('file-drop', take, { once: true })
    drop('drop', ['/x.csv'], { x: 0, y: 0 })
    expect(take).toHaveBeenCalledOnce()
    expect(called(host, 'dataset.import')).toEqual([])
  })
})

describe('commands', () => {
  it('the palette finds an object by a few letters and opens it', async () => {
    await open('#/home')
    press('k', { ctrlKey: true })
    const field = await screen.findByTestId<HTMLInputElement>('palette-input')
    await waitFor(() => expect(screen.getAllByTestId('palette-entry').length).toBeGreaterThan(10))
    field.value = 'peng'
    field.dispatchEvent(new Event('input', { bubbles: true }))
    await waitFor(() => expect(screen.getAllByTestId('palette-entry')[0]?.textContent).toContain('penguins'))
    expect(await violations()).toEqual([])
    field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }))
    await waitFor(() => expect(location.hash).toBe('#/data/penguins'))
    expect(screen.queryByTestId('palette')).toBeNull()
  })

  it('the numbers of the sections work with Mod', async () => {
    await open('#/home')
    press('2', { ctrlKey: true })
    await waitFor(() => expect(location.hash).toBe('#/data'))
  })

  it('the shortcut sheet lists what works', async () => {
    await open()
    press('?')
    expect((await screen.findByTestId('shortcut-sheet')).textContent).toContain('Ctrl+K')
    expect(await violations()).toEqual([])
  })

  it('a browser, which knows no paths, asks for one', async () => {
    const host = await open()
    runCommand('file.import')
    const field = await screen.findByTestId<HTMLInputElement>('import-path')
    expect(await violations()).toEqual([])
    field.value = ' /tmp/penguins.csv '
    field.dispatchEvent(new Event('input', { bubbles: true }))
    ;(await waitFor(() => screen.getByTestId('import-submit'))).click()
    await waitFor(() => expect(called(host, 'dataset.import')).toEqual([{ project: null, path: '/tmp/penguins.csv', name: null, options: null }]))
  })
})

describe('the frame', () => {
  it('is accessible with the list of jobs open, and stops a job', async () => {
    const host = await open()
    host.world.pace = 1
    host.world.start({ kind: 'dataset.import', title: 'Import large.csv', ms: 60_000, stages: ['reading'] })
    ;(await screen.findByText('1 job')).click()
    await screen.findByTestId('job-row')
    expect(await violations()).toEqual([])
    screen.getByTestId('job-cancel').click()
    await waitFor(() => expect(screen.getByTestId('job-row').dataset.state).toBe('cancelled'))
  })

  it('says that a run has ended while another screen is open, and leads there', async () => {
    const host = await open('#/home')
    host.world.start({ kind: 'pipeline.run', title: 'Run species', subject: { run: 'r7', pipeline: 'species' }, ms: 1 })
    const told = await screen.findByTestId('toast-ended')
    expect(told.textContent).toContain('Run finished')
    told.querySelector<HTMLElement>('[data-testid=toast-action]')?.click()
    await waitFor(() => expect(location.hash).toBe('#/runs/r7'))
  })

  it('an alert is told once, with a notification, and those of yesterday are not', async () => {
    const notify = vi.fn(() => Promise.resolve())
    const { answers } = mock()
    const view = await answers['project.home']?.({ project: null }, mock().world)
    if (view === undefined) throw new Error('the mock has a home')
    let alerts = view.alerts
    const host = await open('#/data', { 'project.home': () => ({ ...view, alerts }) }, { notify })
    await waitFor(() => expect(screen.getByTestId('rail-monitor').textContent).toContain('1'))
    expect(screen.queryByTestId('toast-alert')).toBeNull()
    alerts = [...view.alerts, { id: 99, deployment: 'species', message: 'error rate over 5 %', level: 'warning', at: 0, isAcknowledged: false }]
    host.world.changed('alerts')
    host.world.changed('alerts')
    expect((await screen.findByTestId('toast-alert')).textContent).toContain('Error rate over 5 %')
    expect(screen.getAllByTestId('toast-alert').length).toBe(1)
    expect(notify).toHaveBeenCalledOnce()
  })

  it('says when the background process is gone, and stops saying so', async () => {
    await open()
    tellDaemon({ state: 'lost', error: null })
    expect((await screen.findByTestId('connection-banner')).textContent).toContain('being started again')
    tellDaemon({ state: 'ready' })
    await waitFor(() => expect(screen.queryByTestId('connection-banner')).toBeNull())
  })

  describe('on the first start', () => {
    async function start(answers: Answers): Promise<[MockTransport, Settings]> {
      const settings = await mock().answers['settings.get']?.({}, mock().world)
      if (settings === undefined) throw new Error('the mock has settings')
      location.hash = ''
      const host = mock({ 'settings.get': () => ({ ...settings, isWelcomed: false }), 'settings.set': () => null, ...answers })
      useTransport(host)
      render(App)
      return [host, settings]
    }

    it('opens on Welcome and remembers that it was seen', async () => {
      const [host, settings] = await start({ 'project.list': () => [] })
      await screen.findByTestId('welcome')
      expect(called(host, 'settings.set')).toEqual([{ ...settings, isWelcomed: true }])
    })

    it('opens on Home if there is something in the workspace', async () => {
      const [host] = await start({})
      await screen.findByTestId('home-next')
      await waitFor(() => expect(called(host, 'project.list')).not.toEqual([]))
      expect(screen.queryByTestId('welcome')).toBeNull()
      expect(called(host, 'settings.set')).toEqual([])
    })
  })
})
