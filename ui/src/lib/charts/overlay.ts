// Figures of several models laid over each other: one line a model.

import type { Figure, Series } from '../../host/bindings'

/** The figures that are lines and can be laid over each other. */
export type LineFigure = Extract<Figure, { type: 'roc' | 'precision_recall' | 'calibration' }>

/** A model's name with its figures. */
export interface NamedFigures {
  name: string
  figures: readonly Figure[]
}

/** The figure of this type, if the model has one. */
export function lineFigure(figures: readonly Figure[], type: LineFigure['type']): LineFigure | null {
  for (const figure of figures) if (isLineFigure(figure) && figure.type === type) return figure
  return null
}

function isLineFigure(figure: Figure): figure is LineFigure {
  return figure.type === 'roc' || figure.type === 'precision_recall' || figure.type === 'calibration'
}

/** Classes that any of the models has a line for, in the order they come up. */
export function overlayClasses(models: readonly NamedFigures[], type: LineFigure['type']): string[] {
  const names = models.flatMap((model) => lineFigure(model.figures, type)?.series.map((line) => line.name) ?? [])
  return [...new Set(names)]
}

/**
 * One figure with one line a model, for the given class. A model that was scored with a single line
 * (a binary target) shows it whatever the class. Null if no model has the figure.
 */
export function overlay(models: readonly NamedFigures[], type: LineFigure['type'], className: string | null): LineFigure | null {
  const series = models.flatMap((model) => {
    const line = lineOf(lineFigure(model.figures, type), className)
    return line ? [{ ...line, name: model.name }] : []
  })
  return series.length === 0 ? null : { type, series }
}

function lineOf(figure: LineFigure | null, className: string | null): Series | undefined {
  if (!figure) return undefined
  if (figure.series.length === 1 || className === null) return figure.series[0]
  return figure.series.find((line) => line.name === className)
}

/** A feature with its importance in every model; null where a model does not have it. */
export interface ImportanceRow {
  feature: string
  values: (number | null)[]
}

/** Importances side by side, the feature that matters most to any model first. */
export function importanceRows(models: readonly NamedFigures[], limit: number): ImportanceRow[] {
  const bars = models.map((model) => {
    const figure = model.figures.find((one) => one.type === 'importance')
    return new Map(figure?.type === 'importance' ? figure.bars.map((bar) => [bar.name, bar.value]) : [])
  })
  const features = [...new Set(bars.flatMap((one) => [...one.keys()]))]
  const rows = features.map((feature) => ({ feature, values: bars.map((one) => one.get(feature) ?? null) }))
  const largest = (row: ImportanceRow) => Math.max(...row.values.map((value) => value ?? 0))
  return rows.sort((a, b) => largest(b) - largest(a) || a.feature.localeCompare(b.feature)).slice(0, limit)
}
