// Metrics by name: what people call them, and in which order they matter.

const TITLES: Record<string, string> = {
  auc: 'AUC',
  accuracy: 'Accuracy',
  f1: 'F1',
  log_loss: 'Log loss',
  balanced_accuracy: 'Balanced accuracy',
  average_precision: 'Average precision',
  precision: 'Precision',
  recall: 'Recall',
  brier: 'Brier score',
  f1_micro: 'F1, micro',
  r2: 'R2',
  rmse: 'RMSE',
  mae: 'MAE',
  mape: 'MAPE',
  auc_low: 'AUC, lower end',
  auc_high: 'AUC, upper end',
}
const ORDER = Object.keys(TITLES)
// The ends of an interval say nothing without the value between them.
const SIDE = new Set(['auc_low', 'auc_high'])

/** The metric's name for people. */
export function metricTitle(name: string): string {
  return TITLES[name] ?? name
}

/** Names in the order they matter; unknown ones come last, by name. */
export function sortedMetrics(names: Iterable<string>): string[] {
  const place = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length)
  return [...new Set(names)].sort((a, b) => place(a) - place(b) || a.localeCompare(b))
}

/**
 * The few metrics worth a column: first those that give every row a number, then the important ones.
 * Without the former, runs of a regression would have none beside many of a classification.
 */
export function metricColumns(rows: readonly { metrics: Record<string, number> }[], limit: number): string[] {
  const names = sortedMetrics(rows.flatMap((row) => Object.keys(row.metrics)).filter((name) => !SIDE.has(name)))
  const chosen = new Set<string>()
  for (const row of rows) {
    const known = names.filter((name) => name in row.metrics)
    if (known[0] !== undefined && !known.some((name) => chosen.has(name))) chosen.add(known[0])
  }
  for (const name of names) if (chosen.size < limit) chosen.add(name)
  return sortedMetrics(chosen).slice(0, limit)
}
