// Where data can come from.

import type { Origin } from '../../../host/bindings'

export const SOURCES = [
  { id: 'file', label: 'File' },
  { id: 'folder', label: 'Folder' },
  { id: 'address', label: 'Address' },
  { id: 'database', label: 'Database' },
] as const

export type SourceKind = (typeof SOURCES)[number]['id']

/** The source that goes by this name; files if there is none. */
export function sourceKind(id: string): SourceKind {
  return SOURCES.find((source) => source.id === id)?.id ?? 'file'
}

/** What a form starts from. */
export type Start = {
  /** The path of a file or folder, or an address. */
  place?: string
  /** Where a dataset came from that gets its next version. */
  origin?: Origin
  /** That dataset. */
  dataset?: string
}
