// Where data comes from, as users meet it: kept bytes, folders, addresses, databases.

import { fireEvent, render, screen, waitFor } from '@testing-library/svelte'
import { beforeEach, describe, expect, it } from 'vitest'

import { useTransport } from '../../host/host'
import { mock, type MockTransport } from '../../host/mock'
import { failure, type Answers } from '../../host/mock/world'
import type { Platform } from '../../host/transport'
import { forgetPassword, passwordOf } from '../../lib/passwords'
import { parseRoute } from '../../lib/router'
import { dismiss, toasts } from '../../parts/toast.svelte'
import { violations } from '../../test/axe'
import Data from './Data.svelte'
import FilePicture from './FilePicture.svelte'
import type { SourceKind, Start } from './sources/kinds'
import ImportData from './sources/ImportData.svelte'

/** Whether the sheet of this test was closed: an earlier one may still be at work. */
let closed = { is: false }

function prepare(answers: Answers, platform: Partial<Platform>): MockTransport {
  const transport = mock(answers, platform)
  transport.world.pace = 0
  useTransport(transport)
  return transport
}
function openPage(address: string, answers: Answers = {}, platform: Partial<Platform> = {}): MockTransport {
  const transport = prepare(answers, platform)
  const target = document.body.appendChild(document.createElement('main'))
  render(Data, { target, props: { route: parseRoute(address) } })
  return transport
}
function openSheet(source: SourceKind, start: Start = {}, answers: Answers = {}, platform: Partial<Platform> = {}): MockTransport {
  const transport = prepare(answers, platform)
  const mine = closed
  render(ImportData, { source, start, onclose: () => (mine.is = true) })
  return transport
}
const sent = ({ calls }: MockTransport, name: string): unknown[] => calls.filter((one) => one.name === name).map(({ payload }) => payload)
async function type(testid: string, value: string): Promise<void> {
  await fireEvent.input(await screen.findByTestId(testid), { target: { value } })
}
async function choose(testid: string, value: string): Promise<void> {
  await fireEvent.change(await screen.findByTestId(testid), { target: { value } })
}
async function press(testid: string): Promise<void> {
  const button = await screen.findByTestId(testid)
  await waitFor(() => expect(button.hasAttribute('disabled')).toBe(false))
  button.click()
}

beforeEach(() => {
  document.body.innerHTML = ''
  sessionStorage.clear()
  location.hash = ''
  closed = { is: false }
  toasts().forEach(({ id }) => dismiss(id))
})

describe('reading a version again', () => {
  it('takes the bytes that are kept and makes the next version of them', async () => {
    const host = openPage('#/data/flights?sheet=import')
    const again = await screen.findByTestId('import-again')
    await screen.findByTestId('sniff-table')
    expect(again.hasAttribute('disabled'), 'as long as nothing is changed there is nothing to do').toBe(true)
    await choose('option-decimal', ',')
    await press('import-again')
    await waitFor(() => expect(sent(host, 'dataset.reread')).toMatchObject([{ dataset: 'flights', version: 1, options: { decimal: ',' } }]))
    await waitFor(() => expect(toasts().map(({ title }) => title)).toEqual(['flights v2 imported']))
    expect(sent(host, 'dataset.import')).toEqual([])
  })

  it('asks for the file only where the bytes are gone', async () => {
    const host = openPage('#/data/penguins?sheet=import', { 'dataset.sniff_kept': () => { throw failure('corrupt', 'an object is missing') } })
    await screen.findByText(/does not hold the bytes/)
    expect(screen.queryByTestId('import-again')).toBeNull()
    screen.getByTestId('import-sheet-other').click()
    await type('import-sheet-path', '/tmp/penguins.csv')
    await press('import-sheet-read')
    await press('import-again')
    await waitFor(() => expect(sent(host, 'dataset.import')).toMatchObject([{ path: '/tmp/penguins.csv', name: 'penguins' }]))
  })

  it('says why it cannot be read that way, and keeps what was set', async () => {
    openPage('#/data/penguins?sheet=import', {
      'dataset.sniff_kept': ({ options }) => {
        if (options !== null) throw failure('invalid_input', 'line 3 is no row', 'choose another delimiter')
        return mock().answers['dataset.sniff']?.({ path: '/x.csv', options: null }, mock().world) ?? Promise.reject(new Error('the mock has an answer'))
      },
    })
    await choose('option-delimiter', '|')
    expect((await screen.findByTestId('error')).textContent).toContain('Line 3 is no row.')
    expect(screen.getByTestId<HTMLSelectElement>('option-delimiter').value).toBe('|')
    expect(screen.getByTestId('import-again').hasAttribute('disabled')).toBe(true)
  })

  it('has nothing to correct where each file is a row', async () => {
    const host = openPage('#/data/pets?sheet=import')
    await screen.findByTestId('import-files')
    expect(sent(host, 'dataset.sniff_kept')).toEqual([])
    expect(await violations()).toEqual([])
  })
})

describe('a folder', () => {
  it('is looked into, narrowed down, and imported as one table', async () => {
    const host = openSheet('folder', {}, {}, { isDesktop: true, openFiles: () => Promise.resolve(['/data/parts']) })
    await press('import-browse-folder')
    expect((await screen.findByTestId('folder-notes')).textContent).toContain('The rows of 3 files are one table.')
    expect(screen.getByTestId('folder-notes').textContent).toContain('season')
    expect(screen.getByTestId('sniff-table').textContent).toContain('season')
    await choose('folder-only', '*.csv')
    await choose('folder-path-column', 'file')
    await waitFor(() => expect(sent(host, 'dataset.sniff').at(-1)).toEqual({ path: '/data/parts', options: null, folder: { asFiles: false, only: '*.csv', pathColumn: 'file', partitions: true } }))
    await waitFor(() => expect(screen.getByTestId('sniff-table').textContent).toContain('season=2007/part.csv'))
    expect(await violations()).toEqual([])
    await type('import-name', 'seasons')
    await press('import-folder')
    await waitFor(() => expect(sent(host, 'dataset.import')).toEqual([{ project: null, path: '/data/parts', name: 'seasons', options: null, folder: { asFiles: false, only: '*.csv', pathColumn: 'file', partitions: true } }]))
    await waitFor(() => expect(closed.is).toBe(true))
    expect(location.hash).toBe('#/data/seasons')
  })

  it('of pictures becomes a row for each of them', async () => {
    const host = openSheet('folder', { place: '/data/photos' })
    expect((await screen.findByTestId<HTMLSelectElement>('folder-shape')).value).toBe('files')
    expect(screen.queryByTestId('folder-partitions')).toBeNull()
    expect((await screen.findByTestId('folder-notes')).textContent).toContain('Each of 240 files is a row.')
    await press('import-folder')
    await waitFor(() => expect(sent(host, 'dataset.import')).toEqual([{ project: null, path: '/data/photos', name: null, options: null }]))
  })

  it('whose files do not fit each other says which one, and stays open', async () => {
    openSheet('folder', { place: '/data/parts' }, {
      'dataset.import': (_, world) => world.start({ kind: 'dataset.import', title: 'Import', finish: () => { throw failure('invalid_input', '`notes.csv` does not fit the files before it', 'say which files are meant, such as `*.csv`') } }),
    })
    await press('import-folder')
    expect((await screen.findByTestId('import-failed')).textContent).toContain('notes.csv does not fit')
    expect(closed.is).toBe(false)
  })

  it('without a file of that pattern can be asked again', async () => {
    openSheet('folder', { place: '/data/parts' })
    await screen.findByTestId('folder-notes')
    await choose('folder-only', 'x.csv')
    expect((await screen.findByTestId('import-folder-error')).textContent).toContain('file in /data/parts is x.csv')
    expect(screen.getByTestId('import-folder').hasAttribute('disabled')).toBe(true)
    await choose('folder-only', '*.csv')
    await waitFor(() => expect(screen.queryByTestId('import-folder-error')).toBeNull())
  })
})

describe('an address', () => {
  it('is fetched when the button is pressed, and never before', async () => {
    const host = openSheet('address')
    expect((await screen.findByTestId('import-fetch')).hasAttribute('disabled')).toBe(true)
    await type('import-url', 'example.org/a.csv')
    await screen.findByText(/begins with https/)
    await type('import-url', 'https://example.org/rates.csv')
    expect(screen.getByTestId<HTMLInputElement>('import-name').placeholder).toBe('rates')
    expect(host.calls.length).toBe(0)
    expect(await violations()).toEqual([])
    await press('import-fetch')
    await waitFor(() => expect(sent(host, 'dataset.fetch')).toEqual([{ project: null, url: 'https://example.org/rates.csv', name: null, options: null, maxBytes: null }]))
    await waitFor(() => expect(location.hash).toBe('#/data/rates'))
  })

  it('shows the bytes that came, and can be stopped', async () => {
    const host = openSheet('address')
    host.world.pace = 1
    host.answers['dataset.fetch'] = (_, world) => {
      const ref = world.start({ kind: 'dataset.import', title: 'Fetching', ms: 600_000, stages: ['downloading'] })
      queueMicrotask(() => world.put({ ...world.job(ref.jobId), stage: 'downloading', done: 12_000_000, total: 45_000_000 }))
      setTimeout(() => world.put({ ...world.job(ref.jobId), stage: 'downloading', done: 12_000_000, total: 45_000_000 }), 50)
      return ref
    }
    await type('import-url', 'https://example.org/large.csv')
    await press('import-fetch')
    await screen.findByText('12 MB of 45 MB')
    ;(await screen.findByTestId('toast-cancel')).click()
    await waitFor(() => expect(screen.getByTestId('import-fetch').hasAttribute('disabled')).toBe(false))
    expect(screen.queryByTestId('import-failed')).toBeNull()
    expect(closed.is).toBe(false)
  })

  it('that broke off is gone on with', async () => {
    const host = openSheet('address')
    await type('import-url', 'https://example.org/broken.csv')
    await press('import-fetch')
    expect((await screen.findByTestId('import-failed')).textContent).toContain('it goes on where it stopped')
    screen.getByTestId('import-failed-retry').click()
    await waitFor(() => expect(sent(host, 'dataset.fetch').length).toBe(2))
  })

  it('whose key was not kept wants it again', async () => {
    const origin = { kind: 'address', url: 'https://example.org/a.csv?sig=…', etag: null, at: 0 } as const
    openSheet('address', { dataset: 'rates', origin })
    await screen.findByText(/Keys are not kept/)
    expect(screen.getByTestId('import-fetch').hasAttribute('disabled')).toBe(true)
    await type('import-url', 'https://example.org/a.csv?sig=1')
    await waitFor(() => expect(screen.getByTestId('import-fetch').hasAttribute('disabled')).toBe(false))
  })
})

describe('a database', () => {
  it('is asked for a look, and then for the dataset', async () => {
    const host = openSheet('database')
    await type('import-sql', 'select * from orders')
    await press('import-preview')
    expect((await screen.findByTestId('import-answer')).textContent).toContain('customer')
    expect(sent(host, 'connection.preview')).toEqual([{ name: 'shop', query: 'select * from orders', password: null }])
    expect(await violations()).toEqual([])
    await type('import-name', 'shop_orders')
    await press('import-ask')
    await waitFor(() => expect(sent(host, 'dataset.ask')).toMatchObject([{ connection: 'shop', query: 'select * from orders', name: 'shop_orders', password: null }]))
    await waitFor(() => expect(location.hash).toBe('#/data/shop_orders'))
  })

  it('says what is wrong with a query, which stays', async () => {
    openSheet('database')
    await type('import-sql', 'delete from orders')
    await press('import-preview')
    expect((await screen.findByTestId('preview-failed')).textContent).toContain('refuses the query')
    expect(screen.getByTestId<HTMLTextAreaElement>('import-sql').value).toBe('delete from orders')
  })

  it('is added with a password that only the keychain gets, and is tried', async () => {
    const host = openSheet('database', {}, {})
    await press('connection-add')
    expect((await screen.findByTestId<HTMLInputElement>('connection-password')).type).toBe('password')
    expect(await violations()).toEqual([])
    for (const [field, value] of Object.entries({ name: 'books', host: 'db.example.org', database: 'books', user: 'me', password: 'secret' })) await type(`connection-${field}`, value)
    await press('connection-save')
    await waitFor(() => expect(sent(host, 'connection.add')).toEqual([{ name: 'books', kind: 'postgres', host: 'db.example.org', port: 5432, database: 'books', user: 'me', tls: null, password: 'secret' }]))
    await waitFor(() => expect(screen.getByTestId<HTMLSelectElement>('connection-pick').value).toBe('books'))
    expect(passwordOf('books')).toBeNull()
    await press('connection-test')
    expect((await screen.findByTestId('connection-server')).textContent).toBe('PostgreSQL 16.4')
  })

  it('on a machine without a keychain has its password until the window closes', async () => {
    const host = openSheet('database', {}, { 'connection.list': () => [] })
    for (const [field, value] of Object.entries({ name: 'bare', host: 'h', database: 'd', user: 'u', password: 'no keychain' })) await type(`connection-${field}`, value)
    await press('connection-save')
    await waitFor(() => expect(toasts().map(({ detail }) => detail)).toEqual(['there is no keychain: set `FETTLE_CONNECTION_X_PASSWORD` where Fettle runs']))
    expect([passwordOf('bare'), sent(host, 'connection.add').length]).toEqual(['no keychain', 1])
    forgetPassword('bare')
  })

  it('that does not answer says why', async () => {
    openSheet('database', {}, { 'connection.test': ({ name }, world) => world.start({ kind: 'connection.test', title: name, finish: () => { throw failure('unavailable', 'the database cannot be reached', 'check the server and its port') } }) })
    await press('connection-test')
    expect((await screen.findByTestId('connection-failed')).textContent).toContain('Check the server and its port')
  })

  it('is removed only after the name was confirmed', async () => {
    const host = openSheet('database')
    await press('connection-more')
    await press('connection-remove')
    await screen.findByTestId('connection-remove-dialog')
    expect(sent(host, 'connection.remove')).toEqual([])
    await press('connection-remove-yes')
    await waitFor(() => expect(screen.getByTestId<HTMLSelectElement>('connection-pick').value).toBe('warehouse'))
  })
})

describe('a dataset that came from elsewhere', () => {
  it('says so, and is asked again for its next version', async () => {
    const host = openPage('#/data/orders')
    expect((await screen.findByTestId('data-origin-words')).textContent).toBe('asked of shop 3 h ago')
    await press('data-more')
    await press('data-again')
    await waitFor(() => expect(sent(host, 'dataset.ask')).toMatchObject([{ connection: 'shop', name: 'orders' }]))
    await waitFor(() => expect(toasts().map(({ title }) => title)).toEqual(['orders v2 imported']))
  })

  it('offers its form where it cannot be asked as it was', async () => {
    openPage('#/data/orders', { 'dataset.ask': () => { throw failure('not_found', 'there is no connection `shop`', 'make one') } })
    await press('data-more')
    await press('data-again')
    await waitFor(() => expect(toasts()[0]?.action?.label).toBe('Change it…'))
    toasts()[0]?.action?.run()
    expect(location.hash).toBe('#/data/orders?sheet=origin')
  })

  it('has its query in the form, and its name', async () => {
    openPage('#/data/orders?sheet=origin')
    expect((await screen.findByTestId<HTMLTextAreaElement>('import-sql')).value).toContain('order by id')
    expect(screen.getByTestId<HTMLInputElement>('import-name').disabled).toBe(true)
    expect(screen.getByTestId('import-ask').textContent).toContain('Ask again')
    expect(await violations()).toEqual([])
  })
})

describe('a dataset of files', () => {
  it('shows the picture of each row', async () => {
    const host = openPage('#/data/pets')
    await waitFor(() => expect(screen.getAllByTestId('thumb').length).toBeGreaterThan(3))
    expect(sent(host, 'dataset.file')[0]).toEqual({ project: null, dataset: 'pets', version: 1, path: 'cat/0000.svg' })
    expect(screen.getAllByTestId('thumb')[0]?.getAttribute('src')).toMatch(/^data:image\/svg\+xml;base64,/)
    expect(await violations()).toEqual([])
  })

  it('shows the whole picture of a row that is opened, or says why there is none', async () => {
    const { answers, world } = mock()
    const columns = (await answers['dataset.show']?.({ project: null, dataset: 'pets', version: null }, world))?.columns ?? []
    const cells = (...changed: [number, string][]): (string | null)[] => {
      const all: (string | null)[] = ['dog/1.png', '4000000', 'image/png', '2026-03-01 10:00', '6400', '4800', 'dog', 'f00']
      changed.forEach(([at, cell]) => (all[at] = cell))
      return all
    }
    const loaded: string[] = []
    const pictures = { load: (path: string) => { loaded.push(path); return Promise.resolve(path.includes('gone') ? null : `data:image/png;base64,${path}`) } }
    const { rerender } = render(FilePicture, { columns, cells: cells(), pictures })
    const figure = screen.getByTestId('row-picture')
    await waitFor(() => expect(figure.querySelector('img')?.alt).toBe('dog/1.png'))
    expect(figure.textContent).toContain('6,400 × 4,800 pixels, 4.0 MB, image/png')
    expect(await violations()).toEqual([])
    await rerender({ cells: cells([0, 'dog/gone.png']) })
    await waitFor(() => expect(figure.textContent).toContain('The picture cannot be drawn'))
    await rerender({ cells: cells([0, 'notes.txt'], [2, 'text/plain']) })
    await waitFor(() => expect(figure.textContent).toContain('Not a picture'))
    expect(loaded).toEqual(['dog/1.png', 'dog/gone.png'])
  })

  it('has a glyph where there is no picture, or one too large for a table', async () => {
    const host = openPage("#/data/pets?where=media_type%20%3D%20'text%2Fplain'")
    await screen.findByTestId('data-grid')
    await new Promise((go) => setTimeout(go, 300))
    expect([screen.queryAllByTestId('thumb').length, sent(host, 'dataset.file').length]).toEqual([0, 0])
  })

  it('comes out again as a folder of files', async () => {
    const host = openPage('#/data/pets', {}, { isDesktop: true, openFiles: (options) => Promise.resolve(options?.folder === true ? ['/out'] : []) })
    await press('data-more')
    expect((await screen.findByTestId('data-export-original')).textContent).toContain('Export the files…')
    screen.getByTestId('data-export-original').click()
    await waitFor(() => expect(sent(host, 'dataset.export')).toEqual([{ project: null, dataset: 'pets', version: 1, format: 'original', to: '/out/pets-v1' }]))
  })
})
