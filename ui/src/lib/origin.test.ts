import { expect, it } from 'vitest'

import type { Origin, ParseOptions } from '../host/bindings'
import { cameAsFolder, holdsFiles, isAddress, lacksKey, looksLikeFolder, originText, originWords, suggestedName } from './origin'

const now = 1_000_000_000_000
const address = (url: string): Origin => ({ kind: 'address', url, etag: null, at: now - 2 * 3_600_000 })
const asked: Origin = { kind: 'query', connection: 'shop', query: 'select 1', at: now - 3 * 86_400_000 }

it('an origin is said in a few words and can be read in whole', () => {
  expect(originWords(address('https://example.org:8080/a/b.csv?x=1'), now)).toMatch(/^fetched from example\.org:8080 2 h/)
  expect(originWords(asked, now)).toMatch(/^asked of shop 3 d/)
  expect([originText(asked), originText(address('https://x.org/a'))]).toEqual(['select 1', 'https://x.org/a'])
})

it('an address whose key was not kept is known by the gap', () => {
  expect([lacksKey(address('https://x.org/a?sig=…&v=1')), lacksKey(address('https://x.org/a?v=1')), lacksKey(asked)]).toEqual([true, false, false])
})

it.each([
  ['https://example.org/a.csv', true],
  [' HTTP://x ', true],
  ['/home/me/http.csv', false],
  ['https://', false],
  ['https://x y', false],
])('that `%s` is an address is %s', (text, expected) => {
  expect(isAddress(text)).toBe(expected)
})

it.each([
  ['https://example.org/files/Sales%202026.csv.gz?key=1#a', 'sales_202026_csv'],
  ['https://example.org/', 'example'],
  ['', 'data'],
  ['C:\\data\\Meine Daten\\', 'meine_daten'],
  ['/data/2026', 'data_2026'],
  ['/data/_parts_', 'parts'],
])('what comes from `%s` is called `%s`', (place, name) => {
  expect(suggestedName(place)).toBe(name)
})

it.each([['/data/parts', true], ['/data/parts/', true], ['/data/a.csv', false], ['C:\\x.y\\parts', true], ['/', false]])('that `%s` looks like a folder is %s', (path, expected) => {
  expect(looksLikeFolder(path)).toBe(expected)
})

it('a folder comes out as one, an archive as the file that it is', () => {
  const folder = { asFiles: false, only: null, pathColumn: null, partitions: true }
  const read = (part: Partial<ParseOptions>): ParseOptions => ({
    encoding: 'utf-8', delimiter: ',', quote: '"', escape: null, skipLines: 0, hasHeader: true, comment: null, decimal: '.', thousands: null, trim: false, nulls: [], quotedNulls: false,
    dateOrder: 'day_first', kinds: {}, format: 'delimited', pack: 'none', table: null, range: null, records: null, headerRows: 1, mergeDelimiters: false, ...part,
  })
  expect([cameAsFolder(read({})), cameAsFolder(read({ folder })), cameAsFolder(read({ folder, pack: 'zip' })), cameAsFolder(read({ folder, pack: 'gzip' }))]).toEqual([false, true, false, true])
  expect([holdsFiles(read({ folder })), holdsFiles(read({ folder: { ...folder, asFiles: true } })), holdsFiles(read({}))]).toEqual([false, true, false])
})
