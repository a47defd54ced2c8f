import { fireEvent, render, screen, within } from '@testing-library/svelte'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Figure } from '../../host/bindings'
import { useTransport } from '../../host/host'
import { mock } from '../../host/mock'
import { classifierFigures } from '../../host/mock/figures'
import { violations } from '../../test/axe'
import '../../test/patience'
import FigureView from './FigureView.svelte'

// A few points a line: axe looks at every cell of the table they become.
const short = (figure: Figure): Figure => ('series' in figure ? { ...figure, series: figure.series.map((line) => ({ ...line, points: line.points.slice(0, 4) })) } : figure)

const figures: Figure[] = [
  ...classifierFigures(0.97, 3).map(short),
  { type: 'curves', metric: 'log loss', series: [{ name: 'train', points: [{ x: 1, y: 0.6 }, { x: 2, y: 0.4 }], value: null }] },
  { type: 'residuals', points: [{ x: 3, y: -1 }, { x: 1, y: 2 }] },
  { type: 'histogram', label: 'mass', edges: [0, 10, 20], counts: [4, 6] },
  { type: 'drift', column: 'island', bins: ['Biscoe', 'Dream'], baseline: [0.5, 0.5], current: [0.9, 0.1], psi: 0.87 },
]

let copied: string[] = []
beforeEach(() => {
  copied = []
  useTransport(mock({}, { copy: (text) => (copied.push(text), Promise.resolve()) }))
})

async function choose(item: string): Promise<void> {
  await fireEvent.click(screen.getByRole('button', { name: /^More about/ }))
  await fireEvent.click(await screen.findByText(item))
}

describe.each(figures)('a figure of type $type', (figure) => {
  it('has no accessibility violations as a chart and as a table', async () => {
    render(FigureView, { figure })
    expect(await violations()).toEqual([])
    await choose('View as table')
    expect(screen.getByRole('group', { name: /as a table$/ })).toBeTruthy()
    expect(await violations()).toEqual([])
  })

  it('can be taken along as SVG and as CSV', async () => {
    render(FigureView, { figure })
    await choose('Copy as SVG')
    await choose('Copy as CSV')
    expect(copied[0]).toMatch(/^<svg /)
    expect(copied[1]?.split('\r\n').length).toBeGreaterThan(2)
  })
})

describe('the cursor of a chart', () => {
  const drift = figures.find((figure) => figure.type === 'drift')

  it('is moved by keyboard and says the values under it', async () => {
    if (!drift) throw new Error('the list above has a drift figure')
    render(FigureView, { figure: drift })
    const cursor = screen.getByRole('slider')
    await fireEvent.keyDown(cursor, { key: 'ArrowRight' })
    expect(cursor.getAttribute('aria-valuetext')).toBe('Biscoe: 50 % in training, 90 % now')
    await fireEvent.keyDown(cursor, { key: 'End' })
    expect(cursor.getAttribute('aria-valuetext')).toBe('Dream: 50 % in training, 10 % now')
    await fireEvent.keyDown(cursor, { key: 'Escape' })
    expect(cursor.getAttribute('aria-valuetext')).toContain('no place chosen')
  })

  it('puts the values of every line into the legend', async () => {
    const points = [{ x: 0, y: 0 }, { x: 1, y: 1 }]
    render(FigureView, { figure: { type: 'roc', series: [{ name: 'a', points, value: 0.5 }, { name: 'b', points, value: null }] } })
    expect(screen.getByText('AUC 0.5')).toBeTruthy()
    const cursor = screen.getByRole('slider')
    await fireEvent.keyDown(cursor, { key: 'End' })
    expect(cursor.getAttribute('aria-valuetext')).toBe('false positive rate 1: true positive rate a 1, b 1')
    expect(screen.queryByText('AUC 0.5')).toBeNull()
  })
})

it('shows a confusion matrix as counts and as shares of each actual class', async () => {
  render(FigureView, { figure: { type: 'confusion', classes: ['no', 'yes'], counts: [[8, 2], [0, 10]] } })
  const table = screen.getByRole('table')
  expect(within(table).getByText('8')).toBeTruthy()
  await fireEvent.click(screen.getByLabelText('Row %'))
  expect(within(table).getAllByText('80 %').length).toBe(2)
})

it('mounts a chart only once it comes into view', async () => {
  let seen: ((entries: { isIntersecting: boolean }[]) => void) | undefined
  vi.stubGlobal(
    'IntersectionObserver',
    class {
      constructor(handler: (entries: { isIntersecting: boolean }[]) => void) {
        seen = handler
      }
      observe(): void {}
      disconnect(): void {}
    },
  )
  render(FigureView, { figure: { type: 'confusion', classes: ['a'], counts: [[1]] } })
  expect(screen.queryByRole('table')).toBeNull()
  seen?.([{ isIntersecting: true }])
  expect(await screen.findByRole('table')).toBeTruthy()
  vi.unstubAllGlobals()
})
