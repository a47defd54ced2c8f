// Experiments as a tree: `/` in a name makes folders, as people have named them for years.

import type { ExperimentView } from '../../host/bindings'

/** A line of the tree. */
export type Folder = {
  /** The whole name: what the table is narrowed to. */
  path: string
  /** The last part of it. */
  name: string
  depth: number
  /** Runs in it and in the folders in it. */
  runs: number
  hasFolders: boolean
  isOpen: boolean
}

type Node = { name: string; runs: number; inner: Map<string, Node> }

/** The lines that are seen: folders in an open one, in the order of their names. */
export function folderLines(experiments: readonly ExperimentView[], open: ReadonlySet<string>): Folder[] {
  const root: Node = { name: '', runs: 0, inner: new Map() }
  for (const { name, runs } of experiments) {
    let at = root
    for (const part of partsOf(name)) {
      let next = at.inner.get(part)
      if (next === undefined) at.inner.set(part, (next = { name: part, runs: 0, inner: new Map() }))
      next.runs += runs
      at = next
    }
  }
  return lines(root, '', 0, open)
}

/** A slash at the start or the end, or two in a row, are part of a name: such a folder would have none. */
function partsOf(name: string): string[] {
  const parts = name.split('/')
  return parts.some((part) => part === '') ? [name] : parts
}

function lines(node: Node, path: string, depth: number, open: ReadonlySet<string>): Folder[] {
  const inner = [...node.inner.values()].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
  return inner.flatMap((one) => {
    const whole = path === '' ? one.name : `${path}/${one.name}`
    const isOpen = open.has(whole)
    const line: Folder = { path: whole, name: one.name, depth, runs: one.runs, hasFolders: one.inner.size > 0, isOpen }
    return isOpen ? [line, ...lines(one, whole, depth + 1, open)] : [line]
  })
}

/** The folders around a path: open, they show it. */
export function around(path: string): string[] {
  const parts = partsOf(path)
  return parts.slice(0, -1).map((_, index) => parts.slice(0, index + 1).join('/'))
}
