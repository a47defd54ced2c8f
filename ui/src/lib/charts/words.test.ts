import { expect, it } from 'vitest'
import { figureWords, psiLevel, psiText } from './words'

it('sums a figure up for those who cannot see it', () => {
  const roc = figureWords({ type: 'roc', series: [{ name: 'yes', points: [], value: 0.93127 }] })
  expect(roc.summary).toBe('Area under the curve: yes 0.9313.')
  const confusion = figureWords({ type: 'confusion', classes: ['a', 'b'], counts: [[9, 1], [0, 10]] })
  expect(confusion.summary).toBe('19 of 20 rows are right (95 %).')
})

it('draws the lines at 0.1 and 0.25', () => {
  expect([0.1, 0.11, 0.25, 0.26].map(psiLevel)).toEqual(['none', 'warning', 'warning', 'alarm'])
})

it('tells no one about a shift that is next to nothing', () => {
  expect([0, 7.6e-5, 0.001, 0.12345, 1.5].map(psiText)).toEqual(['0', '< 0.001', '0.001', '0.123', '1.5'])
})
