// The sheet for bringing data in: whether it is open, at which source, and with what in it.

import { importFiles } from '../views/data/importing'
import type { SourceKind } from '../views/data/sources/kinds'

let shown = $state.raw<{ source: SourceKind; path: string } | null>(null)

export const importDialog = {
  get shown() {
    return shown
  },
  open(source: SourceKind = 'file', path = '') {
    shown = { source, path }
  },
  close() {
    shown = null
  },
}

/** Imports what was dropped or opened; a folder that is not read by itself is asked about. */
export function importDropped(paths: string[]): Promise<void> {
  return importFiles(paths, (path) => importDialog.open('folder', path))
}
