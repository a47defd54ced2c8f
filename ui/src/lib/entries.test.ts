import { expect, it } from 'vitest'

import { entriesOf, freshOf, withEntries, withEntry } from './entries'

it('the first entry brings the head of the file with it', () => {
  expect(withEntry('', 'kind = "unique"\n', 'check')).toBe('format = 1\n\n[[check]]\nkind = "unique"\n')
  expect(withEntry('format = 1\n\n[[test]]\nkind = "a"\n', 'kind = "b"', 'test')).toBe('format = 1\n\n[[test]]\nkind = "a"\n\n[[test]]\nkind = "b"\n')
})

it('a suggestion is added without what is there already', () => {
  const file = withEntry('', 'kind = "a"', 'check')
  const suggested = withEntry(file, 'kind = "b"', 'check')
  expect(entriesOf(withEntries(file, suggested, 'check'), 'check')).toEqual(['kind = "a"', 'kind = "b"'])
  expect(withEntries('', suggested, 'check')).toBe(suggested)
})

it('entries of another kind of file are none of its own', () => {
  expect(entriesOf(withEntry('', 'kind = "a"', 'check'), 'test')).toEqual([])
})

it('ten thousand suggestions are added as quickly as ten', () => {
  const suggested = `format = 1\n${Array.from({ length: 10_000 }, (_, at) => `\n[[check]]\nkind = "not_null"\ncolumn = "c${at}"\n`).join('')}`
  const begun = performance.now()
  const file = withEntries(withEntry('', 'kind = "not_null"\ncolumn = "c5"', 'check'), suggested, 'check')
  expect([entriesOf(file, 'check').length, freshOf(file, suggested, 'check').length]).toEqual([10_000, 0])
  expect(performance.now() - begun, 'each entry is looked at once').toBeLessThan(2000)
})
