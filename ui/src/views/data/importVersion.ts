// The next version of a dataset from a file, and what is said of it.

import { call, runJob } from '../../host/host'
import { imported, type Imported } from '../../host/results'
import { plural } from '../../lib/format'
import { href, navigate } from '../../lib/router'
import { toast, toastFailure } from '../../parts/toast.svelte'

export async function importVersion(dataset: string, path: string): Promise<void> {
  try {
    const result = imported(await runJob(await call('dataset.import', { project: null, path, name: dataset, options: null })))
    if (result !== null) announceVersion(result, `The file is ${dataset} v${result.version}, which is here already.`)
  } catch (thrown) {
    toastFailure(`Could not import ${path}`, thrown)
  }
}

/** Says what came in, with the way to what needs a look; `known` is said if it was there before. */
export function announceVersion({ dataset, version, isNew, rows, rejectedRows, failedChecks }: Imported, known: string): void {
  if (!isNew) {
    toast({ title: 'Nothing changed', detail: known, testid: 'toast-same-file' })
    return
  }
  const parts = [plural(rows, 'row'), ...(rejectedRows > 0 ? [`${plural(rejectedRows, 'line')} not read`] : []), ...(failedChecks > 0 ? [`${plural(failedChecks, 'quality check')} failed`] : [])]
  toast({
    title: `${dataset} v${version} imported`, detail: parts.join(', '), tone: rejectedRows > 0 || failedChecks > 0 ? 'warning' : 'success', testid: 'toast-version',
    ...(failedChecks > 0 ? { action: { label: 'Show the checks', run: () => navigate(href('data', [dataset], { tab: 'quality' })) } } : {}),
  })
}
