import { expect, it } from 'vitest'
import { confusionTable } from './confusion'

it('gives shares of each actual class, recall and precision', () => {
  const table = confusionTable(['Adelie', 'Gentoo'], [[8, 2], [0, 10]])
  expect(table.rows[0]?.cells[1]?.rowShare).toBe(0.2)
  expect(table.rows[0]?.recall).toBe(0.8)
  expect(table.precision[1]).toBeCloseTo(10 / 12)
  expect([table.total, table.hits]).toEqual([20, 18])
})

it('says nothing about a class without rows instead of dividing by zero', () => {
  const table = confusionTable(['a', 'b'], [[0, 0], [0, 3]])
  expect(table.rows[0]?.recall).toBeNull()
  expect(table.precision[0]).toBeNull()
  expect(table.rows[0]?.cells[0]?.rowShare).toBe(0)
})
