import { expect, it } from 'vitest'
import { bestOf, policiesOf, readBacktest } from './backtest'

const result = {
  dataset: 'penguins', orderBy: 'year', metricTitle: 'Accuracy', largerIsBetter: true, firstRows: 103, windows: [{ from: 103, rows: 80 }, { from: 183, rows: 80 }],
  policies: [
    { policy: 'never', value: 0.91, worst: 0.8, values: [0.97, 0.8], trainings: 1, trainMs: 40, promotedAfter: [] },
    { policy: 'every 1', value: 0.95, worst: 0.93, values: [0.97, 0.93], trainings: 3, trainMs: 130, promotedAfter: [0, 1] },
    { policy: 'psi 0.2', value: 0.95, worst: 0.93, values: [0.97, 0.93], trainings: 2, trainMs: 90, promotedAfter: [0] },
  ],
}

it('reads a back-test as the engine writes it; of equal policies the cheaper one is better', () => {
  const read = readBacktest(result)
  expect(read).toMatchObject({ metric: 'Accuracy', orderBy: 'year', windows: 2, firstRows: 103 })
  expect(read?.policies.map((one) => [one.policy, one.promotions])).toEqual([['never', 0], ['every 1', 2], ['psi 0.2', 1]])
  expect(read && bestOf(read)?.policy).toBe('psi 0.2')
  expect(read && bestOf({ ...read, largerIsBetter: false })?.policy).toBe('never')
})

it('refuses what is none, and takes policies out of a line', () => {
  expect([readBacktest(null), readBacktest({ metricTitle: 'x' })]).toEqual([null, null])
  expect(policiesOf(' never,every 2 , ,psi 0.2')).toEqual(['never', 'every 2', 'psi 0.2'])
})
