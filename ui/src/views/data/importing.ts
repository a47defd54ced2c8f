// Bringing data in: what it was is said, a suggested target taken, and its page opens. The one way for
// drops, dialogs, paths typed by hand, files opened with the app, addresses and databases.

import type { JobRef } from '../../host/bindings'
import { call, runJob, toFailure } from '../../host/host'
import { imported, type Imported } from '../../host/results'
import { plural } from '../../lib/format'
import { looksLikeFolder } from '../../lib/origin'
import { href, navigate } from '../../lib/router'
import { rememberSource } from '../../lib/sources'
import { toast, toastFailure } from '../../parts/toast.svelte'

/** Imports one after the other; the page of the last one opens. `onfolder` is offered where a folder is not read by itself. */
export async function importFiles(paths: string[], onfolder: (path: string) => void = () => undefined): Promise<void> {
  for (const path of paths) await importPath(path, onfolder)
}

/** Imports a file or folder as it seems to be. */
async function importPath(path: string, onfolder: (path: string) => void): Promise<void> {
  const name = fileName(path)
  let done = (): void => undefined
  try {
    const ref = await call('dataset.import', { project: null, path, name: null, options: null })
    done = toast({ title: `Importing ${name}…`, jobId: ref.jobId, stay: null, testid: 'toast-importing' })
    await finishImport(ref, name, path)
  } catch (thrown) {
    const failure = toFailure(thrown)
    if (failure.code === 'cancelled') toast({ title: `Import of ${name} cancelled` })
    else if (looksLikeFolder(path)) toast({ title: `Could not import ${name}`, failure, tone: 'danger', testid: 'toast-import-failed', action: { label: 'Choose the files…', run: () => onfolder(path) } })
    else toastFailure(`Could not import ${name}`, failure, 'toast-import-failed')
  } finally {
    done()
  }
}

/** Waits for an import, says what came of it and opens its page. Throws its failure. */
export async function finishImport(ref: JobRef, what: string, path: string | null): Promise<void> {
  const result = imported(await runJob(ref))
  if (result === null) return
  if (path !== null) rememberSource(result.dataset, path)
  await acceptSuggestion(result.dataset)
  navigate(href('data', [result.dataset]))
  announce(what, result)
}

/** A dataset without a target gets the suggested one. It is shown on its page and can be changed. */
async function acceptSuggestion(dataset: string): Promise<void> {
  const detail = await call('dataset.show', { project: null, dataset, version: null })
  if (detail.target !== null || detail.suggestion === null) return
  const { column, task } = detail.suggestion
  await call('dataset.set_target', { project: null, dataset, target: column, task })
}

function announce(what: string, result: Imported): void {
  if (!result.isNew) {
    toast({ title: 'The same data again', detail: `${what} is already here as ${result.dataset} v${result.version}. Nothing was changed.`, testid: 'toast-same-file' })
    return
  }
  const isPartly = result.rejectedRows > 0
  const rejected = isPartly ? ` ${plural(result.rejectedRows, 'line')} could not be read.` : ''
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
  return path.replace(/[\\/]+$/, '').split(/[\\/]/).pop() ?? path
}
