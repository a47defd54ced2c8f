import { expect, it } from 'vitest'

import { isSameKind, rememberSource, sourceOf } from './sources'

function shelf(content: string | null = null) {
  let held = content
  return { getItem: () => held, setItem: (_: string, value: string) => void (held = value) }
}

it('the path of a dataset is known once it was imported', () => {
  const here = shelf()
  rememberSource('a', '/x/a.csv', here)
  rememberSource('b', '/x/b.csv', here)
  expect([sourceOf('a', here), sourceOf('b', here), sourceOf('c', here)]).toEqual(['/x/a.csv', '/x/b.csv', null])
})

it('what is broken on the shelf counts as nothing', () => {
  expect(sourceOf('a', shelf('{oops'))).toBeNull()
  expect(sourceOf('a', shelf('{"a": 1}'))).toBeNull()
})

it.each([
  ['/x/a.csv', 'b.CSV', true],
  ['C:\\x.y\\a', '/z/b', true],
  ['/x/a.xlsx', 'a.csv', false],
  ['/x.csv/a', 'a.csv', false],
])('that `%s` and `%s` are of one kind is %s', (path, other, expected) => {
  expect(isSameKind(path, other)).toBe(expected)
})
