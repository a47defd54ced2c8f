// Repeating a run: the job that works, how it ended. Outlives the tab that shows it.

import type { Failure } from '../../host/bindings'
import { call, runJob, toFailure } from '../../host/host'
import { toast } from '../../parts/toast.svelte'

export class Repeating {
  /** The job while it works. */
  jobId = $state<string | null>(null)
  /** Why the last try came to nothing. */
  failure = $state.raw<Failure | null>(null)
  readonly #run: string

  constructor(run: string) {
    this.#run = run
  }

  async start(): Promise<void> {
    if (this.jobId !== null) return
    this.failure = null
    try {
      const ref = await call('run.reproduce', { run: this.#run, threads: null })
      this.jobId = ref.jobId
      await runJob(ref)
      toast({ title: 'The run was repeated', detail: 'Its receipt is there.', tone: 'success' })
    } catch (thrown) {
      const failure = toFailure(thrown)
      if (failure.code !== 'cancelled') this.failure = failure
    } finally {
      this.jobId = null
    }
  }
}
