import { expect, it } from 'vitest'

import { asNumber, bestOf, changeOf, dimensions, isNumeric, runName, runStyle, shownRows } from './rows'

const texts = (name: string, ...values: (string | null)[]) => ({ name, values })
const numbers = (name: string, largerIsBetter: boolean, ...values: (number | null)[]) => ({ name, largerIsBetter, values })

it('shows the rows that differ, and those that are looked for', () => {
  const rows = [texts('depth', '3', '9'), texts('seed', '1', '1'), texts('learning_rate', '0.1', null)]
  expect(shownRows(rows, '', true).map(({ name }) => name)).toEqual(['depth', 'learning_rate'])
  expect(shownRows(rows, 'RATE learn', false).map(({ name }) => name)).toEqual(['learning_rate'])
})

it('marks the best by the direction of the metric, and nothing where all are the same', () => {
  expect(bestOf(numbers('auc', true, 0.9, 0.95, null))).toEqual([false, true, false])
  expect(bestOf(numbers('loss', false, 0.3, 0.2, 0.2))).toEqual([false, true, true])
  expect(bestOf(numbers('loss', false, 0.3, 0.3))).toEqual([false, false])
  expect(bestOf(numbers('loss', false, 0.3, null))).toEqual([false, false])
})

it('says what became of a package', () => {
  expect([changeOf('1', '1'), changeOf(null, '1'), changeOf('1', null), changeOf('1', '2')]).toEqual(['same', 'added', 'removed', 'changed'])
})

it('reads a parameter as a number only if it is one', () => {
  expect(['3', ' -1e-4 ', '.5', '1e', '', 'auto', '0x10', null].map(asNumber)).toEqual([3, -0.0001, 0.5, '1e', '', 'auto', '0x10', null])
})

it('leaves out what is the same for all runs', () => {
  const found = dimensions([texts('depth', '3', '9'), texts('seed', '1', '1'), texts('kind', 'a', '2')], [numbers('auc', true, 0.9, null)])
  expect(found.map(({ id }) => id)).toEqual(['params.depth', 'params.kind', 'metrics.auc'])
  expect(found.map(isNumeric)).toEqual([true, false, true])
})

it('calls a run by number and name, and gives it the colour that it has', () => {
  expect([runName({ number: 7, name: '' }), runName({ number: 7, name: 'first' })]).toEqual(['#7', '#7 first'])
  expect(runStyle({ color: '3' }, 1)).toMatchObject({ color: 'var(--chart-3)', dash: runStyle({ color: null }, 1).dash })
})
