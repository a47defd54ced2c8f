// Which cell the keys lead to.

export type Cursor = { row: number; column: number }

type KeyLike = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey'>

/** The cell after a key was pressed; null if the key does not move. */
export function moved(cursor: Cursor, event: KeyLike, rows: number, columns: number, page: number): Cursor | null {
  const isMod = event.ctrlKey || event.metaKey
  if (event.altKey || rows === 0 || columns === 0) return null
  const { row, column } = cursor
  const to = ((): Cursor | null => {
    switch (event.key) {
      case 'ArrowDown':
        return { row: isMod ? rows - 1 : row + 1, column }
      case 'ArrowUp':
        return { row: isMod ? 0 : row - 1, column }
      case 'ArrowRight':
        return { row, column: isMod ? columns - 1 : column + 1 }
      case 'ArrowLeft':
        return { row, column: isMod ? 0 : column - 1 }
      case 'PageDown':
        return { row: row + page, column }
      case 'PageUp':
        return { row: row - page, column }
      case 'Home':
        return { row: isMod ? 0 : row, column: 0 }
      case 'End':
        return { row: isMod ? rows - 1 : row, column: columns - 1 }
      default:
        return null
    }
  })()
  if (to === null) return null
  return { row: Math.min(Math.max(0, to.row), rows - 1), column: Math.min(Math.max(0, to.column), columns - 1) }
}

/** A row number as typed, counted from 1, with or without commas and blanks; null if it is none. */
export function parseRow(text: string, rows: number): number | null {
  const digits = text.replaceAll(/[,\s_']/g, '')
  if (!/^\d+$/.test(digits) || rows === 0) return null
  return Math.min(Math.max(1, Number(digits)), rows) - 1
}
