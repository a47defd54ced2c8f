// @vitest-environment jsdom

import { expect, it } from 'vitest'
import type { Figure } from '../../host/bindings'
import { figureSvg } from './svg'

const line = { name: 'a <b> & "c"', points: [{ x: 0, y: 0 }, { x: 1, y: 1 }], value: 0.5 }
const figures: Figure[] = [
  { type: 'roc', series: [line] },
  { type: 'precision_recall', series: [line] },
  { type: 'calibration', series: [line, line] },
  { type: 'confusion', classes: ['x', 'y'], counts: [[1, 2], [3, 4]] },
  { type: 'importance', measure: 'permutation', bars: [{ name: 'mass', value: 0.2, spread: 0.01 }, { name: 'sex', value: -0.1, spread: null }] },
  { type: 'curves', metric: 'log loss', series: [line, { name: 'empty', points: [], value: null }] },
  { type: 'residuals', points: [{ x: 1, y: -1 }, { x: 2, y: 1 }] },
  { type: 'histogram', label: 'mass', edges: [0, 1, 2], counts: [4, 0] },
  { type: 'drift', column: 'island', bins: ['Biscoe', 'Dream'], baseline: [0.5, 0.5], current: [0.9, 0.1], psi: 0.87 },
]

it.each(figures)('draws $type as well-formed SVG without a hole in its numbers', (figure) => {
  const svg = figureSvg(figure)
  const parsed = new DOMParser().parseFromString(svg, 'image/svg+xml')
  expect(parsed.querySelector('parsererror')).toBeNull()
  expect(parsed.querySelectorAll('path, rect').length).toBeGreaterThan(1)
  expect(svg).not.toMatch(/NaN|Infinity|undefined/)
})

it('draws a dot where a line has one point only', () => {
  expect(figureSvg({ type: 'curves', metric: 'log loss', series: [{ name: 'train', points: [{ x: 1, y: 0.5 }], value: null }] })).toMatch(/a3 3 0 1 0 6 0/)
})

it('escapes what a series is called', () => {
  expect(figureSvg({ type: 'roc', series: [line] })).toContain('a &lt;b&gt; &amp; &quot;c&quot; 0.5')
})
