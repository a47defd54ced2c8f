import { expect, it } from 'vitest'

import { lineOf, lineSpan } from './lines'

it('the line of a message is found where it names one', () => {
  expect([lineOf('line 7: no such kind'), lineOf('at line 12 of the file'), lineOf('in line'), lineOf('')]).toEqual([7, 12, null, null])
})

it('a line knows where it begins and ends', () => {
  const text = 'format = 1\n\n[[test]]'
  expect([lineSpan(text, 1), lineSpan(text, 2), lineSpan(text, 3), lineSpan(text, 4), lineSpan(text, 0)]).toEqual([[0, 10], [11, 11], [12, 20], null, null])
})
