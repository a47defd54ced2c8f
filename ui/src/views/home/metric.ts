// The one number of a run that fits into a table.

import { metric } from '../../lib/format'

/** Which of a model's metrics says most, in this order, with its short name. */
const PREFERRED: [string, string][] = [
  ['roc_auc', 'AUC'],
  ['accuracy', 'Accuracy'],
  ['r2', 'R²'],
  ['rmse', 'RMSE'],
]

export function bestMetric(metrics: Record<string, number>): string {
  for (const [name, title] of PREFERRED) {
    const value = metrics[name]
    if (value !== undefined) return `${title} ${metric(value)}`
  }
  const [first] = Object.entries(metrics)
  return first === undefined ? '' : `${first[0]} ${metric(first[1])}`
}
