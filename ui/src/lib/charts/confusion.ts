// A confusion matrix as shares: of each actual class, and how well each class is found.

/** A cell of the matrix. */
export interface ConfusionCell {
  count: number
  /** Of the rows of this actual class; 0 if there are none. */
  rowShare: number
  isHit: boolean
}

/** A row of the matrix with the recall of its class. */
export interface ConfusionRow {
  name: string
  total: number
  /** Null if no row has this class. */
  recall: number | null
  cells: ConfusionCell[]
}

/** The whole matrix, ready to draw. */
export interface ConfusionTable {
  rows: ConfusionRow[]
  /** Share of each predicted class that is right; null if nothing was predicted so. */
  precision: (number | null)[]
  total: number
  hits: number
}

/** Counts `[actual][predicted]` as a table with shares, recall and precision. */
export function confusionTable(classes: readonly string[], counts: readonly (readonly number[])[]): ConfusionTable {
  const at = (actual: number, predicted: number) => counts[actual]?.[predicted] ?? 0
  const indexes = classes.map((_, index) => index)
  const rows = classes.map((name, actual) => {
    const total = sum(indexes.map((predicted) => at(actual, predicted)))
    const cells = indexes.map((predicted) => ({
      count: at(actual, predicted),
      rowShare: total === 0 ? 0 : at(actual, predicted) / total,
      isHit: actual === predicted,
    }))
    return { name, total, recall: total === 0 ? null : at(actual, actual) / total, cells }
  })
  const precision = indexes.map((predicted) => {
    const column = sum(indexes.map((actual) => at(actual, predicted)))
    return column === 0 ? null : at(predicted, predicted) / column
  })
  return { rows, precision, total: sum(rows.map((row) => row.total)), hits: sum(indexes.map((index) => at(index, index))) }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
