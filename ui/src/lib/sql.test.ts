import { expect, it } from 'vitest'

import { tableName } from './sql'

it('a plain name stays bare, any other is quoted', () => {
  expect(['penguins', 'order', 'my data', 'A', 'a"b', '2024'].map(tableName)).toEqual(['penguins', '"order"', '"my data"', '"A"', '"a""b"', '"2024"'])
})
