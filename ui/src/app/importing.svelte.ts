// Bringing a file in: at once and with what was sniffed, then its page opens. The one way for
// drops, dialogs, paths typed by hand and files opened with the app.

import type { ParseOptions } from '../host/bindings'
import { call, platform, runJob, toFailure } from '../host/host'
import { imported, type Imported } from '../host/results'
import { plural } from '../lib/format'
import { href, navigate } from '../lib/router'
import { rememberSource, TABLE_FILES } from '../lib/sources'
import { toast, toastFailure } from '../parts/toast.svelte'

/** True while the field for a path is open: a plain browser knows no paths. */
let isAskingForPath = $state(false)

export const importDialog = {
  get isOpen() {
    return isAskingForPath
  },
  toggle(isOpen: boolean) {
    isAskingForPath = isOpen
  },
}

/** Asks for files in the way this platform has, and imports them. */
export async function askAndImport(): Promise<void> {
  if (!platform.isDesktop) {
    importDialog.toggle(true)
    return
  }
  const paths = await platform.openFiles({ title: 'Import data', many: true, extensions: TABLE_FILES })
  await importFiles(paths)
}

/** Imports one after the other; the page of the last one opens. */
export async function importFiles(paths: string[]): Promise<void> {
  for (const path of paths) await importFile(path)
}

export async function importFile(path: string, options: ParseOptions | null = null): Promise<void> {
  const name = fileName(path)
  let done = (): void => undefined
  try {
    const ref = await call('dataset.import', { project: null, path, name: null, options })
    done = toast({ title: `Importing ${name}…`, jobId: ref.jobId, stay: null, testid: 'toast-importing' })
    const job = await runJob(ref)
    const result = imported(job)
    if (result === null) return
    rememberSource(result.dataset, path)
    await acceptSuggestion(result.dataset)
    navigate(href('data', [result.dataset]))
    announce(name, result)
  } catch (thrown) {
    const failure = toFailure(thrown)
    if (failure.code === 'cancelled') toast({ title: `Import of ${name} cancelled` })
    else toastFailure(`Could not import ${name}`, failure, 'toast-import-failed')
  } finally {
    done()
  }
}

/** A dataset without a target gets the suggested one. It is shown on its page and can be changed. */
async function acceptSuggestion(dataset: string): Promise<void> {
  const detail = await call('dataset.show', { project: null, dataset, version: null })
  if (detail.target !== null || detail.suggestion === null) return
  const { column, task } = detail.suggestion
  await call('dataset.set_target', { project: null, dataset, target: column, task })
}

function announce(name: string, result: Imported): void {
  if (!result.isNew) {
    toast({ title: 'Same file again', detail: `${name} is already here as ${result.dataset} v${result.version}. Nothing was changed.`, testid: 'toast-same-file' })
    return
  }
  const isPartly = result.rejectedRows > 0
  const rejected = isPartly ? ` ${plural(result.rejectedRows, 'line')} of the file could not be read.` : ''
  const failing = result.failedChecks > 0 ? ` ${plural(result.failedChecks, 'quality check')} failed.` : ''
  const show = (label: string, params: Record<string, string>): { action: { label: string; run: () => void } } => ({ action: { label, run: () => navigate(href('data', [result.dataset], params)) } })
  toast({
    title: `${result.dataset} v${result.version} imported`,
    detail: `${plural(result.rows, 'row')}, ${plural(result.columns, 'column')}.${rejected}${failing}`,
    tone: isPartly || failing !== '' ? 'warning' : 'success',
    testid: 'toast-imported',
    ...(failing !== '' ? show('Show the checks', { tab: 'quality' }) : isPartly ? show('Show these lines', { sheet: 'rejected' }) : {}),
  })
}

export function fileName(path: string): string {
  return path.split(/[\\/]/).pop() ?? path
}
