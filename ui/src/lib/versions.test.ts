import { expect, it } from 'vitest'

import { rowsSince, versionBefore } from './versions'

const versions = [{ number: 5, rows: 1200 }, { number: 2, rows: 10 }, { number: 1, rows: 10 }]

it('the version before is the next lower one that is still there', () => {
  expect(versionBefore(versions, 5)?.number).toBe(2)
  expect(versionBefore(versions, 1)).toBeNull()
})

it('the difference in rows is told with its sign, and not at all if there is none', () => {
  expect([5, 2, 1, 9].map((number) => rowsSince(versions, number))).toEqual(['+1,190', '', '', ''])
  expect(rowsSince([{ number: 2, rows: 7 }, { number: 1, rows: 10 }], 2)).toBe('-3')
})
