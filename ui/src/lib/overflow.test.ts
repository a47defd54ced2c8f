import { expect, it } from 'vitest'

import { hiddenSides } from './overflow'

it('says on which sides there is more', () => {
  expect(hiddenSides(0, 500, 500)).toEqual({ left: false, right: false })
  expect(hiddenSides(0, 500, 800)).toEqual({ left: false, right: true })
  expect(hiddenSides(120, 500, 800)).toEqual({ left: true, right: true })
  expect(hiddenSides(300, 500, 800)).toEqual({ left: true, right: false })
})

it('takes no rounded pixel for more', () => {
  expect(hiddenSides(0.6, 500, 501)).toEqual({ left: false, right: false })
})
