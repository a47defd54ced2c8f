// Where a grid gets its cells from: pages of a table far away, or rows that are here already.

import type { ColumnView, TablePage } from '../../host/bindings'
import type { Bounds } from './clip'
import type { Span } from './scroll'

export type Cell = string | null

export type GridSource = {
  readonly columns: ColumnView[]
  readonly total: number
  /** The cell; undefined while it is on its way. */
  cell(row: number, column: number): Cell | undefined
  /** Says what is in view, so that it can be fetched. */
  want(rows: Span, columns: Span): void
  /** The cells of a block, fetched if they are not here. */
  read(bounds: Bounds): Promise<Cell[][]>
  /** Hears when cells have come or could not be had. */
  onChange(listener: () => void): () => void
  /** Why the last fetch failed. */
  readonly error: unknown
}

/** A table that is all here. */
export function rowsSource(page: TablePage): GridSource {
  return {
    columns: page.columns,
    total: page.rows.length,
    cell: (row, column) => page.rows[row]?.[column],
    want: () => undefined,
    read: ({ top, bottom, left, right }) => Promise.resolve(page.rows.slice(top, bottom + 1).map((row) => row.slice(left, right + 1))),
    onChange: () => () => undefined,
    error: null,
  }
}

export type FetchPage = (offset: number, limit: number, columns: string[]) => Promise<TablePage>

type Tile = { cells: Cell[][]; usedAt: number }

const ROWS = 100
const COLUMNS = 50
/** About 10 MB of short texts. */
const MOST_TILES = 120
const AT_ONCE = 2
/** Rows of one answer, as the wire allows. */
const MOST_ROWS = 1000

/**
 * A table fetched in tiles of 100 rows and 50 columns. What has left the view before its turn came
 * is not fetched at all, so a drag over a million rows costs as much as the rows it stops at.
 */
export function pagedSource(columns: ColumnView[], total: number, fetchPage: FetchPage): GridSource {
  const tiles = new Map<string, Tile>()
  const loading = new Set<string>()
  const failed = new Map<string, unknown>()
  const listeners = new Set<() => void>()
  let wanted: { row: number; column: number }[] = []
  let clock = 0

  const keyOf = (row: number, column: number): string => `${row}:${column}`

  function pump(): void {
    const next = wanted.find(({ row, column }) => isNeeded(keyOf(row, column)))
    if (next === undefined || loading.size >= AT_ONCE) return
    void load(next.row, next.column)
    pump()
  }

  const isNeeded = (key: string): boolean => !tiles.has(key) && !loading.has(key) && !failed.has(key)

  async function load(row: number, column: number): Promise<void> {
    const key = keyOf(row, column)
    loading.add(key)
    try {
      const names = columns.slice(column * COLUMNS, (column + 1) * COLUMNS).map(({ name }) => name)
      const page = await fetchPage(row * ROWS, Math.min(ROWS, total - row * ROWS), names)
      clock += 1
      tiles.set(key, { cells: page.rows, usedAt: clock })
      evict()
    } catch (thrown) {
      failed.set(key, thrown)
    }
    loading.delete(key)
    listeners.forEach((tell) => tell())
    pump()
  }

  function evict(): void {
    if (tiles.size <= MOST_TILES) return
    const oldest = [...tiles].sort((a, b) => a[1].usedAt - b[1].usedAt)
    for (const [key] of oldest.slice(0, tiles.size - MOST_TILES)) tiles.delete(key)
  }

  return {
    columns,
    total,
    cell(row, column) {
      const tile = tiles.get(keyOf(Math.floor(row / ROWS), Math.floor(column / COLUMNS)))
      return tile?.cells[row % ROWS]?.[column % COLUMNS]
    },
    want(rows, span) {
      wanted = []
      // What failed is tried again when it is looked at again.
      failed.clear()
      for (let row = Math.floor(rows.first / ROWS); row * ROWS < rows.end; row += 1) {
        for (let column = Math.floor(span.first / COLUMNS); column * COLUMNS < span.end; column += 1) {
          const tile = tiles.get(keyOf(row, column))
          clock += 1
          if (tile === undefined) wanted.push({ row, column })
          else tile.usedAt = clock
        }
      }
      pump()
    },
    async read({ top, bottom, left, right }) {
      const names = columns.slice(left, right + 1).map(({ name }) => name)
      const cells: Cell[][] = []
      for (let row = top; row <= bottom; row += MOST_ROWS) cells.push(...(await fetchPage(row, Math.min(MOST_ROWS, bottom - row + 1), names)).rows)
      return cells
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    get error() {
      return failed.values().next().value ?? null
    },
  }
}
