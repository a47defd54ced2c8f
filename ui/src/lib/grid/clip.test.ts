import { expect, it } from 'vitest'

import { boundsOf, isInside, toTsv } from './clip'

it('a block has the same bounds from whichever corner it was drawn', () => {
  const bounds = { top: 2, bottom: 5, left: 1, right: 3 }
  expect(boundsOf({ from: { row: 5, column: 1 }, to: { row: 2, column: 3 } })).toEqual(bounds)
  expect([isInside(bounds, 2, 3), isInside(bounds, 6, 3)]).toEqual([true, false])
})

it('cells with tabs, breaks and quotes stay one cell, and missing ones are empty', () => {
  expect(toTsv([['a', null, 'b\tc'], ['say "so"', undefined, 'x\ny']])).toBe('a\t\t"b\tc"\n"say ""so"""\t\t"x\ny"')
})
