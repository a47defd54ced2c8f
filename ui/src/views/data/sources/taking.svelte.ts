// An import that was started in a form: how far it is, and why it failed.

import type { JobRef } from '../../../host/bindings'
import { toFailure } from '../../../host/host'
import { finishImport } from '../importing'

type Failure = ReturnType<typeof toFailure>

export type Taking = {
  readonly jobId: string | null
  readonly isBusy: boolean
  readonly failure: Failure | null
  /** Starts an import, and closes the form once the data is there. */
  run(what: string, path: string | null, start: () => Promise<JobRef>): Promise<void>
}

/** Use it while a component is set up. Whoever closes the form lets the import go on. */
export function taking(ondone: () => void): Taking {
  let jobId = $state<string | null>(null)
  let isBusy = $state(false)
  let failure = $state.raw<Failure | null>(null)

  return {
    get jobId() {
      return jobId
    },
    get isBusy() {
      return isBusy
    },
    get failure() {
      return failure
    },
    async run(what, path, start) {
      if (isBusy) return
      isBusy = true
      failure = null
      try {
        const ref = await start()
        jobId = ref.jobId
        await finishImport(ref, what, path)
        ondone()
      } catch (thrown) {
        const found = toFailure(thrown)
        if (found.code !== 'cancelled') failure = found
      } finally {
        jobId = null
        isBusy = false
      }
    },
  }
}
