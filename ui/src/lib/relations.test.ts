import { describe, expect, it } from 'vitest'

import type { MatrixView } from '../host/bindings'
import { closeness, pairAt, strongest } from './relations'

const matrix: MatrixView = { columns: ['a', 'b', 'c', 'd'], values: [0.9, -0.95, 0.1, 0.5, null, -0.3] }

describe('the pairs of a matrix', () => {
  it('stand row after row above the diagonal, in either order', () => {
    const table = matrix.columns.map((_, row) => matrix.columns.map((__, at) => pairAt(matrix, row, at)))
    expect(table).toEqual([[1, 0.9, -0.95, 0.1], [0.9, 1, 0.5, null], [-0.95, 0.5, 1, -0.3], [0.1, null, -0.3, 1]])
  })

  it('are told from the closest on, without those that mean little', () => {
    expect(strongest(matrix, 3).map(({ first, second }) => first + second)).toEqual(['ac', 'ab', 'bc'])
    expect(strongest(matrix, 9)).toHaveLength(4)
  })

  it('have words for what their colour says', () => {
    expect([-0.95, 0.72, 0.3, -0.2, 0.05, -0.05].map(closeness)).toEqual(['nearly the same, opposite', 'strong', 'moderate', 'weak, opposite', 'none', 'none'])
  })
})
