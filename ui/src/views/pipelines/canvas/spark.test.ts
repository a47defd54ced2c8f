import { describe, expect, it } from 'vitest'

import type { ColumnProfileView, StepCurve } from '../../../host/bindings'
import { call, useTransport } from '../../../host/host'
import { mock } from '../../../host/mock'
import { columnSpark, curveSpark, SPARK_HEIGHT, SPARK_WIDTH } from './spark'

async function column(name: string): Promise<ColumnProfileView> {
  useTransport(mock())
  const profile = await call('dataset.profile', { project: null, dataset: 'penguins', version: null })
  const found = profile.columns.find((one) => one.name === name)
  if (found === undefined) throw new Error(`penguins has no ${name}`)
  return found
}
const curve = (points: StepCurve['points']): StepCurve => ({ step: 'boosting', metric: 'log loss', points })
const numbersOf = (path: string): number[] => (path.match(/-?[0-9.]+/g) ?? []).map(Number)

describe('on the step of a dataset', () => {
  it('the values of a column are one path of bars, and say in words what they are', async () => {
    const spark = columnSpark(await column('species'))
    expect(spark?.isLine).toBe(false)
    expect(spark?.label).toMatch(/^species: /)
    expect(spark?.path.match(/z/g)).toHaveLength(3)
  })

  it('a column without values has no drawing', async () => {
    expect(columnSpark({ ...(await column('species')), count: 0, top: [] })).toBeNull()
  })
})

describe('on a step that trains', () => {
  it('the curve on held-out rows is drawn within its room, however long it is', () => {
    const spark = curveSpark(curve(Array.from({ length: 5_000 }, (_, at) => [at, 0.01, 1.25 - at / 5_000])))
    expect(spark?.label).toBe('log loss 0.250 on held-out rows after 5,000 rounds')
    const numbers = numbersOf(spark?.path ?? '')
    expect(numbers.length).toBeLessThan(200)
    expect(Math.max(...numbers.filter((_, at) => at % 2 === 0))).toBeLessThanOrEqual(SPARK_WIDTH)
    expect(Math.max(...numbers.filter((_, at) => at % 2 === 1))).toBeLessThanOrEqual(SPARK_HEIGHT)
  })

  it('without held-out rows it is that on training rows, and one point is no curve', () => {
    expect(curveSpark(curve([[0, 0.5, null], [1, 0.25, null]]))?.label).toBe('log loss 0.250 on training rows after 2 rounds')
    expect(curveSpark(curve([[0, 0.5, 0.6]]))).toBeNull()
    expect(curveSpark(curve([]))).toBeNull()
  })
})
