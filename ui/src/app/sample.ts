// The sample: real data with a pipeline that is already trained, so that every screen shows something.

import { call, runJob } from '../host/host'
import { href, navigate } from '../lib/router'
import { toast, toastFailure } from '../parts/toast.svelte'

export async function openSample(): Promise<void> {
  let done = (): void => undefined
  try {
    const ref = await call('sample.open', {})
    done = toast({ title: 'Opening the sample project…', detail: 'On the first time its pipeline is trained and its model deployed', jobId: ref.jobId, stay: null })
    await runJob(ref)
    navigate(href('home'))
  } catch (thrown) {
    toastFailure('Could not open the sample', thrown)
  } finally {
    done()
  }
}
