// A job that a part of a screen starts and waits for: how it stands, why it failed, what it came to.

import type { JobRef, JobView } from '../host/bindings'
import { call, runJob, toFailure, type CallError } from '../host/host'

export type Running = {
  /** The job while it runs; null otherwise. */
  readonly jobId: string | null
  readonly isBusy: boolean
  /** Why the last one failed; null if it did not, or was stopped. */
  readonly failure: CallError | null
  /** True if the last one was stopped. */
  readonly isStopped: boolean
  run(): Promise<void>
}

/** Starts a job when asked. One that is still running is stopped first: only the last one counts. */
export function running(start: () => Promise<JobRef>, done: (job: JobView) => void): Running {
  let jobId = $state<string | null>(null)
  let isBusy = $state(false)
  let isStopped = $state(false)
  let failure = $state.raw<CallError | null>(null)
  let turn = 0

  async function run(): Promise<void> {
    const mine = (turn += 1)
    // What is stopped here is of no more use; that it may have ended meanwhile is fine.
    if (jobId !== null) call('job.cancel', { jobId }).catch(() => undefined)
    isBusy = true
    isStopped = false
    failure = null
    jobId = null
    try {
      const ref = await start()
      if (mine !== turn) return
      jobId = ref.jobId
      const job = await runJob(ref)
      if (mine === turn) done(job)
    } catch (thrown) {
      if (mine !== turn) return
      const found = toFailure(thrown)
      if (found.code === 'cancelled') isStopped = true
      else failure = found
    } finally {
      if (mine === turn) {
        jobId = null
        isBusy = false
      }
    }
  }

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
    get isStopped() {
      return isStopped
    },
    run,
  }
}
