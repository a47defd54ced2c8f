// The next version of a dataset from a file, announced like any import.

import { call, runJob } from '../../host/host'
import { imported } from '../../host/results'
import { plural } from '../../lib/format'
import { href, navigate } from '../../lib/router'
import { toast, toastFailure } from '../../parts/toast.svelte'

export async function importVersion(dataset: string, path: string): Promise<void> {
  try {
    const result = imported(await runJob(await call('dataset.import', { project: null, path, name: dataset, options: null })))
    if (result === null) return
    if (!result.isNew) {
      toast({ title: 'Nothing changed', detail: `The file is ${dataset} v${result.version}, which is here already.` })
      return
    }
    const failing = result.failedChecks
    toast({
      title: `${dataset} v${result.version} imported`, detail: failing > 0 ? `${plural(failing, 'quality check')} failed.` : plural(result.rows, 'row'), tone: failing > 0 ? 'warning' : 'success',
      ...(failing > 0 ? { action: { label: 'Show the checks', run: () => navigate(href('data', [dataset], { tab: 'quality' })) } } : {}),
    })
  } catch (thrown) {
    toastFailure(`Could not import ${path}`, thrown)
  }
}
