// Every figure as a table: what "view as table" shows and what "copy as CSV" copies.

import type { Figure, Series } from '../../host/bindings'

/** A table of plain values. */
export interface FigureTable {
  columns: string[]
  rows: (string | number | null)[][]
}

/** The numbers of a figure in rows and columns. */
export function figureTable(figure: Figure): FigureTable {
  switch (figure.type) {
    case 'roc':
      return seriesTable(figure.series, 'false positive rate', 'true positive rate')
    case 'precision_recall':
      return seriesTable(figure.series, 'recall', 'precision')
    case 'calibration':
      return seriesTable(figure.series, 'mean predicted probability', 'observed share')
    case 'curves':
      return curvesTable(figure.metric, figure.series)
    case 'confusion':
      return {
        columns: ['actual \\ predicted', ...figure.classes],
        rows: figure.classes.map((name, index) => [name, ...(figure.counts[index] ?? [])]),
      }
    case 'importance':
      return {
        columns: ['feature', figure.measure, 'spread'],
        rows: figure.bars.map((bar) => [bar.name, bar.value, bar.spread]),
      }
    case 'residuals':
      return {
        columns: ['prediction', 'residual (actual minus predicted)'],
        rows: figure.points.map((point) => [point.x, point.y]),
      }
    case 'histogram':
      return {
        columns: [`${figure.label} from`, 'to', 'rows'],
        rows: figure.counts.map((count, index) => [figure.edges[index] ?? null, figure.edges[index + 1] ?? null, count]),
      }
    case 'drift':
      return {
        columns: [figure.column, 'share in training', 'share now'],
        rows: figure.bins.map((bin, index) => [bin, figure.baseline[index] ?? null, figure.current[index] ?? null]),
      }
  }
}

function seriesTable(series: readonly Series[], x: string, y: string): FigureTable {
  return {
    columns: ['series', x, y],
    rows: series.flatMap((line) => line.points.map((point) => [line.name, point.x, point.y])),
  }
}

// One row a round with one column a line, because the lines of a training share their rounds.
function curvesTable(metric: string, series: readonly Series[]): FigureTable {
  const rounds = [...new Set(series.flatMap((line) => line.points.map((point) => point.x)))].sort((a, b) => a - b)
  const heights = series.map((line) => new Map(line.points.map((point) => [point.x, point.y])))
  return {
    columns: ['round', ...series.map((line) => `${line.name} ${metric}`)],
    rows: rounds.map((round) => [round, ...heights.map((line) => line.get(round) ?? null)]),
  }
}

/** RFC 4180: quotes where needed, lines end with CR LF, nothing for a missing value. */
export function tableCsv(table: FigureTable): string {
  const lines = [table.columns, ...table.rows].map((row) => row.map(csvCell).join(','))
  return `${lines.join('\r\n')}\r\n`
}

function csvCell(value: string | number | null): string {
  if (value === null) return ''
  const text = String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
