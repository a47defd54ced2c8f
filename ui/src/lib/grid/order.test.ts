import { expect, it } from 'vitest'

import { pressed, readOrder, sortedBy, writeOrder } from './order'

const up = (column: string) => ({ column, descending: false })
const down = (column: string) => ({ column, descending: true })

it('a header goes from ascending over descending to none', () => {
  const first = pressed([], 'age', false)
  const second = pressed(first, 'age', false)
  expect([first, second, pressed(second, 'age', false)]).toEqual([[up('age')], [down('age')], []])
})

it('another header replaces the first, and with Shift comes after it', () => {
  expect(pressed([up('age')], 'plan', false)).toEqual([up('plan')])
  expect(pressed([up('age')], 'plan', true)).toEqual([up('age'), up('plan')])
  expect(pressed([up('age'), up('plan')], 'age', true)).toEqual([down('age'), up('plan')])
  expect(pressed([down('age'), up('plan')], 'age', true)).toEqual([up('plan')])
})

it('there are never more than four keys', () => {
  expect(pressed(['a', 'b', 'c', 'd'].map(up), 'e', true).map(({ column }) => column)).toEqual(['a', 'b', 'c', 'd'])
})

it('a header says its place only where there are several', () => {
  expect(sortedBy([down('age')], 'age')).toEqual({ isDescending: true, place: null })
  expect(sortedBy([down('age'), up('plan')], 'plan')).toEqual({ isDescending: false, place: 2 })
  expect(sortedBy([down('age')], 'plan')).toBeNull()
})

it('an order survives the address, however the columns are called', () => {
  const order = [down('price, net'), up('-odd'), up('back\\slash')]
  expect(readOrder(writeOrder(order) ?? '', ['price, net', '-odd', 'back\\slash'])).toEqual(order)
  expect(readOrder('+gone,-age', ['age'])).toEqual([down('age')])
  expect(readOrder(undefined, ['age'])).toEqual([])
  expect(writeOrder([])).toBeNull()
})
