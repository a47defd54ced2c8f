// A figure as a picture that leaves the app: a self-contained SVG text on white, the same for both
// themes. The screens draw their own; this is what "copy as SVG" copies.

import type { Bar, Figure, Series } from '../../host/bindings'
import { confusionTable } from './confusion'
import { seriesStyle } from './palette'
import { barsPath, dotsPath, linePath, lonePoints } from './paths'
import { number } from '../format'
import { extent, formatTick, linearScale, niceDomain, type Scale, ticks, tickStep } from './scale'
import { figureWords, psiText, type FigureWords } from './words'

const WIDTH = 520
const HEIGHT = 360
const LEFT = 64
const RIGHT = 16
const TOP = 40
const BOTTOM = 52

/** What stands beside the axes. */
type AxisWords = Pick<FigureWords, 'x' | 'y'>

/** The figure as SVG text. */
export function figureSvg(figure: Figure): string {
  return page(figureWords(figure).title, drawn(figure))
}

/** Curves over any axis as SVG text. */
export function curvesSvg(title: string, xName: string, series: readonly Series[]): string {
  return page(title, curves({ x: xName, y: title }, series))
}

function page(title: string, drawn: readonly string[]): string {
  const body = [text(LEFT, 22, title, 'start', 'bold'), ...drawn]
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11" fill="#222222"><rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>${body.join('')}</svg>`
}

function drawn(figure: Figure): string[] {
  switch (figure.type) {
    case 'roc':
      return unitLines(figure, figure.series, 'up')
    case 'calibration':
      return unitLines(figure, figure.series, 'up')
    case 'precision_recall':
      return unitLines(figure, figure.series, 'none')
    case 'curves':
      return curves(figureWords(figure), figure.series)
    case 'confusion':
      return confusion(figure.classes, figure.counts)
    case 'importance':
      return importance(figure.bars)
    case 'residuals':
      return residuals(figure)
    case 'histogram':
      return histogram(figure)
    case 'drift':
      return drift(figure)
  }
}

function scales(x: [number, number], y: [number, number]): [Scale, Scale] {
  return [linearScale(x, [LEFT, WIDTH - RIGHT]), linearScale(y, [HEIGHT - BOTTOM, TOP])]
}

function unitLines(figure: Figure, series: readonly Series[], diagonal: 'up' | 'none'): string[] {
  const [x, y] = scales([0, 1], [0, 1])
  const guide = diagonal === 'up' ? [path(linePath([{ x: 0, y: 0 }, { x: 1, y: 1 }], x, y), '#888888', '3 3')] : []
  return [...axes(figureWords(figure), x, y), ...guide, ...lines(series, x, y)]
}

function curves(words: AxisWords, series: readonly Series[]): string[] {
  const points = series.flatMap((line) => line.points)
  const [x, y] = scales(extent(points.map((point) => point.x)) ?? [0, 1], niceDomain(extent(points.map((point) => point.y)) ?? [0, 1], 5))
  return [...axes(words, x, y), ...lines(series, x, y)]
}

function lines(series: readonly Series[], x: Scale, y: Scale): string[] {
  return series.flatMap((line, index) => {
    const style = seriesStyle(index)
    const height = HEIGHT - BOTTOM - 8 - 15 * (series.length - 1 - index)
    const name = line.value === null ? line.name : `${line.name} ${number(line.value)}`
    return [
      path(linePath(line.points, x, y), style.printColor, style.dash),
      filled(dotsPath(lonePoints(line.points), x, y, 3), style.printColor),
      path(`M${WIDTH - RIGHT - 200} ${height - 4}h24`, style.printColor, style.dash),
      text(WIDTH - RIGHT - 170, height, name, 'start'),
    ]
  })
}

function residuals(figure: Extract<Figure, { type: 'residuals' }>): string[] {
  const [x, y] = scales(
    niceDomain(extent(figure.points.map((point) => point.x)) ?? [0, 1], 5),
    niceDomain(extent([0, ...figure.points.map((point) => point.y)]) ?? [-1, 1], 5),
  )
  const dots = `<path d="${dotsPath(figure.points, x, y, 2)}" fill="${seriesStyle(0).printColor}" fill-opacity="0.55"/>`
  return [...axes(figureWords(figure), x, y), path(`M${LEFT} ${y.toPixels(0)}H${WIDTH - RIGHT}`, '#888888', '3 3'), dots]
}

function histogram(figure: Extract<Figure, { type: 'histogram' }>): string[] {
  const [x, y] = scales(extent(figure.edges) ?? [0, 1], niceDomain([0, Math.max(1, ...figure.counts)], 5))
  const bars = figure.counts.map((value, index) => ({ from: figure.edges[index] ?? 0, to: figure.edges[index + 1] ?? 0, value }))
  return [...axes(figureWords(figure), x, y), filled(barsPath(bars, x, y), seriesStyle(0).printColor)]
}

function drift(figure: Extract<Figure, { type: 'drift' }>): string[] {
  const count = figure.bins.length
  const [x, y] = scales([0, Math.max(1, count)], niceDomain([0, Math.max(0.01, ...figure.baseline, ...figure.current)], 5))
  const half = (shares: readonly number[], from: number) =>
    shares.map((value, index) => ({ from: index + from, to: index + from + 0.38, value }))
  const labels = figure.bins.map((bin, index) => text(x.toPixels(index + 0.5), HEIGHT - BOTTOM + 14, bin.slice(0, Math.max(4, 80 / count)), 'middle'))
  return [
    ...frame(figureWords(figure), y),
    filled(barsPath(half(figure.baseline, 0.11), x, y), seriesStyle(0).printColor),
    filled(barsPath(half(figure.current, 0.51), x, y), seriesStyle(1).printColor),
    ...labels,
    text(WIDTH - RIGHT, TOP - 6, `training blue, now orange, PSI ${psiText(figure.psi)}`, 'end'),
  ]
}

function importance(bars: readonly Bar[]): string[] {
  const reach = bars.flatMap((bar) => [bar.value - (bar.spread ?? 0), bar.value + (bar.spread ?? 0)])
  const x = linearScale(extent([0, ...reach]) ?? [0, 1], [LEFT + 110, WIDTH - RIGHT])
  const height = (HEIGHT - TOP - 12) / Math.max(1, bars.length)
  return bars.flatMap((bar, index) => {
    const top = TOP + index * height
    const middle = top + height / 2
    const box = `M${x.toPixels(0)} ${top + height * 0.15}H${x.toPixels(bar.value)}V${top + height * 0.85}H${x.toPixels(0)}Z`
    const whisker = bar.spread === null ? [] : [path(`M${x.toPixels(bar.value - bar.spread)} ${middle}H${x.toPixels(bar.value + bar.spread)}`, '#333333', '')]
    return [filled(box, seriesStyle(0).printColor), ...whisker, text(LEFT + 102, middle + 4, bar.name.slice(0, 26), 'end')]
  })
}

function confusion(classes: readonly string[], counts: readonly (readonly number[])[]): string[] {
  const table = confusionTable(classes, counts)
  const left = LEFT + 60
  const size = Math.min((WIDTH - left - RIGHT) / classes.length, (HEIGHT - TOP - BOTTOM) / classes.length)
  const cells = table.rows.flatMap((row, actual) =>
    row.cells.flatMap((cell, predicted) => [
      `<rect x="${left + predicted * size}" y="${TOP + actual * size}" width="${size - 1}" height="${size - 1}" fill="${seriesStyle(0).printColor}" fill-opacity="${(0.06 + cell.rowShare * 0.5).toFixed(3)}"/>`,
      text(left + (predicted + 0.5) * size, TOP + (actual + 0.5) * size + 4, String(cell.count), 'middle'),
    ]),
  )
  const names = classes.flatMap((name, index) => [
    text(left - 8, TOP + (index + 0.5) * size + 4, name.slice(0, 18), 'end'),
    text(left + (index + 0.5) * size, TOP + classes.length * size + 14, name.slice(0, 14), 'middle'),
  ])
  return [...cells, ...names, text(left, TOP + classes.length * size + 32, 'columns: predicted, rows: actual', 'start')]
}

function axes(words: AxisWords, x: Scale, y: Scale): string[] {
  const step = tickStep(x.domain[1] - x.domain[0], 6)
  const labels = ticks(x.domain, 6).map((value) => text(x.toPixels(value), HEIGHT - BOTTOM + 14, formatTick(value, step), 'middle'))
  return [...frame(words, y), ...labels]
}

function frame(words: AxisWords, y: Scale): string[] {
  const step = tickStep(y.domain[1] - y.domain[0], 5)
  const grid = ticks(y.domain, 5).flatMap((value) => {
    const height = y.toPixels(value)
    return [path(`M${LEFT} ${height}H${WIDTH - RIGHT}`, '#e4e4e4', ''), text(LEFT - 6, height + 4, formatTick(value, step), 'end')]
  })
  const middle = (HEIGHT - BOTTOM + TOP) / 2
  return [
    ...grid,
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, words.x, 'middle'),
    `<g transform="rotate(-90 16 ${middle})">${text(16, middle, words.y, 'middle')}</g>`,
  ]
}

function path(d: string, color: string, dash: string): string {
  const dashes = dash === '' ? '' : ` stroke-dasharray="${dash}"`
  return `<path d="${d}" fill="none" stroke="${color}" stroke-width="1.5"${dashes}/>`
}

function filled(d: string, color: string): string {
  return `<path d="${d}" fill="${color}"/>`
}

function text(x: number, y: number, words: string, anchor: 'start' | 'middle' | 'end', weight = 'normal'): string {
  const bold = weight === 'bold' ? ' font-weight="bold" font-size="13"' : ''
  return `<text x="${Math.round(x * 10) / 10}" y="${Math.round(y * 10) / 10}" text-anchor="${anchor}"${bold}>${escape(words)}</text>`
}

function escape(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
