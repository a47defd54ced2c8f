// The lines of a table whose rows can be opened. Only a page of the rows is here, and a row that was opened
// may have left it: where it stood and how much hangs on it is known all the same.

import type { RunGroup, RunRow } from '../../host/bindings'

export type Line =
  | { kind: 'run'; key: string; row: RunRow; depth: number; isOpen: boolean }
  | { kind: 'group'; key: string; group: RunGroup; isOpen: boolean }
  /** What is said below rows that were opened: that there are more, or why there are none. */
  | { kind: 'note'; key: string; text: string; depth: number }
  | { kind: 'waiting'; key: string }

/** What hangs on a row that was opened; null while it is on its way. */
export type Block = { rows: RunRow[]; total: number; failure: string | null } | null

/** A row of the first level: a run, or a group. */
export type Top = { key: string; run: RunRow; group: null } | { key: string; run: null; group: RunGroup }

export const topOfRun = (run: RunRow): Top => ({ key: run.id, run, group: null })
export const topOfGroup = (group: RunGroup): Top => ({ key: group.value === null ? 'group' : `group:${group.value}`, run: null, group })

/** The lines under a row that was opened, and under those of them that were opened too. */
export function inner(key: string, blocks: ReadonlyMap<string, Block>, depth: number): Line[] {
  const block = blocks.get(key)
  if (block === undefined) return []
  if (block === null) return [{ kind: 'note', key: `${key}/waiting`, text: '…', depth }]
  if (block.failure !== null) return [{ kind: 'note', key: `${key}/failure`, text: block.failure, depth }]
  const lines = block.rows.flatMap((row): Line[] => [
    { kind: 'run', key: `${key}/${row.id}`, row, depth, isOpen: blocks.has(row.id) },
    // A run that is nested under itself by way of others would have no end.
    ...(depth < DEEPEST ? inner(row.id, blocks, depth + 1) : []),
  ])
  if (block.rows.length < block.total) lines.push({ kind: 'note', key: `${key}/more`, text: `${block.rows.length} of ${block.total} shown: filter to see the others`, depth })
  return lines
}

const DEEPEST = 12

export type Opened = { at: number; lines: Line[] }

/** How many lines there are. */
export function lineCount(total: number, opened: readonly Opened[]): number {
  return opened.reduce((sum, one) => sum + one.lines.length, total)
}

/** The line at a place. `opened` is in order; `top` tells the row of the first level, if it is here. */
export function lineAt(place: number, opened: readonly Opened[], top: (index: number) => Top | undefined, isOpen: (key: string) => boolean): Line {
  let before = 0
  for (const one of opened) {
    const first = one.at + 1 + before
    if (place < first) break
    const line = one.lines[place - first]
    if (line !== undefined) return line
    before += one.lines.length
  }
  const found = top(place - before)
  if (found === undefined) return { kind: 'waiting', key: `waiting:${place}` }
  if (found.run !== null) return { kind: 'run', key: found.key, row: found.run, depth: 0, isOpen: isOpen(found.key) }
  return { kind: 'group', key: found.key, group: found.group, isOpen: isOpen(found.key) }
}

/** The rows of the first level that the lines from `first` to `end` reach into. */
export function topRange(first: number, end: number, opened: readonly Opened[]): { first: number; end: number } {
  const index = (place: number): number => {
    let before = 0
    for (const one of opened) {
      const first = one.at + 1 + before
      if (place <= first) break
      before += Math.min(one.lines.length, place - first)
    }
    return place - before
  }
  return { first: index(first), end: index(end) }
}
