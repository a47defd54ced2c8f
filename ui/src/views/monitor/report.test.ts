import { expect, it } from 'vitest'
import { labelSentence, readReport, retrainedSentence } from './report'

const feature = {
  column: 'mass', level: 'alarm', psi: 0.4, test: 'ks', testTitle: 'Kolmogorov-Smirnov', statistic: 0.2, pValue: 0.001, adjustedP: 0.003, newShare: null, outsideShare: 0.01, missingBaseline: 0, missingCurrent: 0.1, newValues: [],
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

it('says how many true answers were found, and what became of the others', () => {
  expect(labelSentence({ labelled: 300, unmatched: 0, ambiguous: 0 })).toBe('True answers of 300 rows found')
  expect(labelSentence({ labelled: 1, unmatched: 12, ambiguous: 2 })).toBe('True answers of 1 row found, 12 belong to no request, 2 are not clear')
  expect(labelSentence(null)).toBe('True answers of 0 rows found')
})

it('says what became of a retraining', () => {
  expect(retrainedSentence({ outcome: 'proposed', version: 3, rowsTaken: 120 })).toEqual({ title: 'Version 3 is proposed. It learned from 120 requests too.', isGood: true })
  expect(retrainedSentence({ outcome: 'deployed', version: 3, rowsTaken: 0 }).title).toBe('Version 3 serves now.')
  expect(retrainedSentence({ outcome: 'refused', version: 3 })).toEqual({ title: 'Version 3 was refused by the gate.', isGood: false })
  expect(retrainedSentence({ outcome: 'unchanged', version: null }).isGood).toBe(false)
})
