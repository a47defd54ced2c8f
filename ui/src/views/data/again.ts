// Asking once more where a dataset came from: the next version, or the news that there is none.

import type { JobRef, Origin } from '../../host/bindings'
import { call, runJob, toFailure } from '../../host/host'
import { imported } from '../../host/results'
import { originName } from '../../lib/origin'
import { passwordOf } from '../../lib/passwords'
import { toast, toastFailure } from '../../parts/toast.svelte'
import { announceVersion } from './importVersion'

/** Fetches the address, or asks the query, that the dataset came from; `onchange` is offered if that fails. */
export async function askAgain(dataset: string, origin: Origin, onchange: () => void): Promise<void> {
  const place = originName(origin)
  let done = (): void => undefined
  try {
    const ref = await start(dataset, origin)
    done = toast({ title: origin.kind === 'query' ? `Asking ${place}…` : `Fetching from ${place}…`, jobId: ref.jobId, stay: null, testid: 'toast-again' })
    const result = imported(await runJob(ref))
    if (result !== null) announceVersion(result, `What ${place} has is ${dataset} v${result.version}, which is here already.`)
  } catch (thrown) {
    const failure = toFailure(thrown)
    if (failure.code === 'cancelled') return
    const title = origin.kind === 'query' ? `Could not ask ${place}` : `Could not fetch from ${place}`
    if (failure.code === 'invalid_input' || failure.code === 'not_found' || failure.code === 'forbidden') toast({ title, failure, tone: 'danger', testid: 'toast-failure', action: { label: 'Change it…', run: onchange } })
    else toastFailure(title, failure)
  } finally {
    done()
  }
}

function start(dataset: string, origin: Origin): Promise<JobRef> {
  if (origin.kind === 'address') return call('dataset.fetch', { project: null, url: origin.url, name: dataset, options: null, maxBytes: null })
  const { connection, query } = origin
  return call('dataset.ask', { project: null, connection, query, name: dataset, kinds: null, maxBytes: null, password: passwordOf(connection) })
}
