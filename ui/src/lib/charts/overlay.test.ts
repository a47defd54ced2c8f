import { expect, it } from 'vitest'
import type { Figure } from '../../host/bindings'
import { importanceRows, overlay, overlayClasses } from './overlay'

const roc = (names: string[], value: number): Figure => ({
  type: 'roc',
  series: names.map((name) => ({ name, points: [{ x: 0, y: 0 }, { x: 1, y: 1 }], value })),
})

it('names each line after its model', () => {
  const models = [
    { name: 'Forest', figures: [roc(['Adelie', 'Gentoo'], 0.9)] },
    { name: 'Linear', figures: [roc(['Adelie', 'Gentoo'], 0.8)] },
  ]
  const figure = overlay(models, 'roc', 'Gentoo')
  expect(figure?.series.map((line) => [line.name, line.value])).toEqual([['Forest', 0.9], ['Linear', 0.8]])
  expect(overlayClasses(models, 'roc')).toEqual(['Adelie', 'Gentoo'])
})

it('leaves out a model without the figure and is null if none has it', () => {
  const models = [{ name: 'Forest', figures: [roc(['yes'], 0.9)] }, { name: 'Linear', figures: [] }]
  expect(overlay(models, 'roc', 'no')?.series).toHaveLength(1)
  expect(overlay(models, 'calibration', null)).toBeNull()
})

it('puts importances side by side, with gaps, most important first', () => {
  const bars = (entries: [string, number][]): Figure => ({
    type: 'importance',
    measure: 'permutation',
    bars: entries.map(([name, value]) => ({ name, value, spread: null })),
  })
  const rows = importanceRows(
    [{ name: 'a', figures: [bars([['mass', 0.1], ['sex', 0.02]])] }, { name: 'b', figures: [bars([['bill', 0.3]])] }],
    2,
  )
  expect(rows).toEqual([
    { feature: 'bill', values: [null, 0.3] },
    { feature: 'mass', values: [0.1, null] },
  ])
})
