// The run on show: started here or the last one. Steps, live curves, how it ended.

import { untrack } from 'svelte'

import type { Failure, RunDetail, StepCurve } from '../../../host/bindings'
import { call, onEvent, query, runJob, toFailure, type Query } from '../../../host/host'
import { withPoints } from '../../../lib/charts/curves'
import { isLive } from '../../../lib/graph/faces'

/** Events come in bursts; the screen follows at most this often. */
const FOLLOW_MS = 300

export class Running {
  /** The run on show; null if the pipeline never ran. */
  runId = $state<string | null>(null)
  /** True from the press on Run until the backend has taken it. */
  isStarting = $state(false)
  /** Why the last press on Run came to nothing. */
  failure = $state.raw<Failure | null>(null)
  /** True once a run that was started here has ended, until its card is closed. */
  isEnded = $state(false)
  #curves = $state.raw<StepCurve[]>([])
  #run: Query<RunDetail>
  #jobId: string | null = null
  #fresh = new Map<string, StepCurve>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #isTold = false
  #lastSeen: string | null = null

  constructor(lastRun: () => string | null) {
    $effect(() => {
      const last = lastRun()
      if (last === null || last === this.#lastSeen) return
      this.#lastSeen = last
      // A run started elsewhere is shown too, but never in place of one that works.
      if (untrack(() => !this.isLive && !this.isStarting)) this.runId = last
    })
    this.#run = query('run.show', () => (this.runId === null ? null : { run: this.runId }))
    const curves = query('run.curves', () => (this.runId === null ? null : { run: this.runId }))
    $effect(() => {
      if (curves.data !== undefined) this.#merge(curves.data.curves)
    })
    $effect(() => {
      const stop = onEvent((event) => {
        if (event.type === 'points' && event.runId === this.runId) this.#addPoints(event.stepId, event.metric, event.points)
        if (event.type === 'job' && event.job.id === this.#jobId) this.#soon(true)
      })
      return () => {
        stop()
        clearTimeout(this.#timer)
      }
    })
  }

  /** The run on show; null while its answer is on its way. */
  get run(): RunDetail | null {
    const run = this.#run.data
    return run !== undefined && run.summary.id === this.runId ? run : null
  }
  get error(): Failure | null {
    return this.#run.error
  }
  get isLive(): boolean {
    return isLive(this.run)
  }
  /** Training curves by step, live ones included. */
  get curves(): StepCurve[] {
    return this.#curves
  }

  /** Starts a run: of the whole pipeline, or of what one step needs. */
  async start(payload: Parameters<typeof call<'pipeline.run'>>[1]): Promise<boolean> {
    this.isStarting = true
    this.failure = null
    this.isEnded = false
    try {
      const started = await call('pipeline.run', payload)
      this.#fresh.clear()
      this.#curves = []
      this.#jobId = started.jobId
      this.runId = started.runId
      void runJob(started).then(
        () => this.#end(null),
        (failure: unknown) => this.#end(toFailure(failure)),
      )
      return true
    } catch (failure) {
      this.failure = toFailure(failure)
      return false
    } finally {
      this.isStarting = false
    }
  }

  async cancel(): Promise<void> {
    if (this.runId === null) return
    try {
      await call('run.cancel', { run: this.runId })
      this.#run.reload()
    } catch (failure) {
      this.failure = toFailure(failure)
    }
  }

  #end(failure: Failure | null): void {
    this.isEnded = true
    // A failed step is on the canvas and on the card; what the run itself says would be a third time.
    if (failure !== null && failure.code !== 'step_failed' && failure.code !== 'cancelled') this.failure = failure
    this.#run.reload()
  }

  #addPoints(step: string, metric: string, points: StepCurve['points']): void {
    const before = this.#fresh.get(step) ?? this.#curves.find((curve) => curve.step === step)
    this.#fresh.set(step, withPoints(before ?? { step, metric, points: [] }, points))
    this.#soon(false)
  }

  // The answer of the backend may be older than the points that came since: the longer curve is the newer.
  #merge(curves: StepCurve[]): void {
    const merged = new Map(curves.map((curve) => [curve.step, curve]))
    for (const [step, curve] of this.#fresh) {
      const told = merged.get(step)
      if (told === undefined || told.points.length < curve.points.length) merged.set(step, curve)
    }
    this.#curves = [...merged.values()]
  }

  #soon(isRunToo: boolean): void {
    this.#isTold ||= isRunToo
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      if (this.#fresh.size > 0) this.#merge(this.#curves)
      if (this.#isTold) this.#run.reload()
      this.#isTold = false
    }, FOLLOW_MS)
  }
}
