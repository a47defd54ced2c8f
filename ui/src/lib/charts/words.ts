// What a figure is called, what its axes are, and one sentence that says what it shows.

import type { DriftLevel, Figure, Series } from '../../host/bindings'
import { confusionTable } from './confusion'
import { number, percent } from '../format'

/** The words around a figure. */
export interface FigureWords {
  title: string
  x: string
  y: string
  /** What the number in the legend is, such as `AUC`; empty if there is none. */
  valueName: string
  /** One sentence for those who cannot see it. */
  summary: string
}

/** The words of a figure. */
export function figureWords(figure: Figure): FigureWords {
  switch (figure.type) {
    case 'roc':
      return words('ROC curve', 'false positive rate', 'true positive rate', 'AUC', seriesSummary('Area under the curve', figure.series))
    case 'precision_recall':
      return words('Precision and recall', 'recall', 'precision', 'AP', seriesSummary('Average precision', figure.series))
    case 'calibration':
      return words('Calibration', 'mean predicted probability', 'observed share', 'Brier', seriesSummary('Brier score', figure.series))
    case 'confusion':
      return words('Confusion matrix', 'predicted', 'actual', '', confusionSummary(figure.classes, figure.counts))
    case 'importance':
      return words('Feature importance', figure.measure, 'feature', '', importanceSummary(figure.bars.map((bar) => bar.name)))
    case 'curves':
      return words('Training curves', 'round', figure.metric, '', lastSummary(figure.metric, figure.series))
    case 'residuals':
      return words('Residuals', 'prediction', 'actual minus predicted', '', `${figure.points.length} rows by prediction and residual.`)
    case 'histogram':
      return words(`Distribution of ${figure.label}`, figure.label, 'rows', '', `${figure.counts.length} bins of ${figure.label}.`)
    case 'drift':
      return words(`Drift of ${figure.column}`, figure.column, 'share of rows', '', `PSI ${psiText(figure.psi)}: ${psiWord(figure.psi)}.`)
  }
}

function words(title: string, x: string, y: string, valueName: string, summary: string): FigureWords {
  return { title, x, y, valueName, summary }
}

function seriesSummary(what: string, series: readonly Series[]): string {
  const values = series.flatMap((line) => (line.value === null ? [] : `${line.name} ${number(line.value)}`))
  return values.length === 0 ? `${series.length} lines.` : `${what}: ${values.join(', ')}.`
}

function lastSummary(metric: string, series: readonly Series[]): string {
  const ends = series.flatMap((line) => {
    const last = line.points.at(-1)
    return last ? `${line.name} ${number(last.y)} after round ${number(last.x)}` : []
  })
  return ends.length === 0 ? `No ${metric} yet.` : `${metric}: ${ends.join(', ')}.`
}

function confusionSummary(classes: readonly string[], counts: readonly (readonly number[])[]): string {
  const table = confusionTable(classes, counts)
  if (table.total === 0) return 'No rows.'
  return `${table.hits} of ${table.total} rows are right (${percent(table.hits / table.total)}).`
}

function importanceSummary(names: readonly string[]): string {
  return names.length === 0 ? 'No features.' : `Most important: ${names.slice(0, 3).join(', ')}.`
}

/** The level that a population stability index means: above 0.1 look at it, above 0.25 act. */
export function psiLevel(psi: number): DriftLevel {
  if (psi > 0.25) return 'alarm'
  return psi > 0.1 ? 'warning' : 'none'
}

/** The index to three places, as its limits are read; `< 0.001` below that, as no one acts on less. */
export function psiText(psi: number): string {
  return psi > 0 && psi < 0.001 ? '< 0.001' : number(Math.round(psi * 1000) / 1000)
}

/** The same as a word. */
export function psiWord(psi: number): string {
  const level = psiLevel(psi)
  if (level === 'alarm') return 'strong shift'
  return level === 'warning' ? 'moderate shift' : 'stable'
}
