import { expect, it } from 'vitest'
import { readReport } from './report'

const feature = {
  column: 'mass', level: 'alarm', psi: 0.4, test: 'ks', statistic: 0.2, pValue: 0.001, missingBaseline: 0, missingCurrent: 0.1, newValues: [],
  figure: { type: 'drift', column: 'mass', bins: ['a', 'b'], baseline: [0.5, 0.5], current: [0.9, 0.1], psi: 0.4 },
}

it('reads a report as the engine writes it', () => {
  const report = readReport({ rows: 344, level: 'alarm', prediction: null, features: [feature] })
  expect(report).toEqual({ rows: 344, level: 'alarm', prediction: null, features: [feature] })
})

it('refuses what is none and leaves out features it cannot read', () => {
  expect([readReport(null), readReport({}), readReport({ rows: 1, level: 'odd', features: [] })]).toEqual([null, null, null])
  expect(readReport({ rows: 1, level: 'none', features: [feature, { column: 7 }, 'x'] })?.features).toHaveLength(1)
})
