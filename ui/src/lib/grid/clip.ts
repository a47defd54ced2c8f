// Cells as spreadsheets take them from the clipboard.

import type { Cell } from './source'

/** A block of cells: `to` is its last cell, which may lie before `from`. */
export type Block = { from: { row: number; column: number }; to: { row: number; column: number } }

export type Bounds = { top: number; bottom: number; left: number; right: number }

export function boundsOf({ from, to }: Block): Bounds {
  return { top: Math.min(from.row, to.row), bottom: Math.max(from.row, to.row), left: Math.min(from.column, to.column), right: Math.max(from.column, to.column) }
}

export function isInside({ top, bottom, left, right }: Bounds, row: number, column: number): boolean {
  return row >= top && row <= bottom && column >= left && column <= right
}

/** Tab-separated lines. A missing cell is empty; what would break a line is quoted. */
export function toTsv(rows: readonly (readonly (Cell | undefined)[])[]): string {
  return rows.map((row) => row.map((cell) => field(cell ?? '')).join('\t')).join('\n')
}

function field(text: string): string {
  return /[\t\n\r"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
