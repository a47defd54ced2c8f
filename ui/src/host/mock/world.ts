// The backend in memory: events, and jobs that take their time. For tests and for `npm run dev`
// with VITE_MOCK=1; never part of a real build.

import type { Commands, Event, Failure, JobRef, JobView, JsonValue, Topic } from '../bindings'

/** Answers by command. Every file in this folder may export some as `answers`; later files win. */
export type Answers = {
  [K in keyof Commands]?: (payload: Commands[K][0], world: World) => Commands[K][1] | Promise<Commands[K][1]>
}

export type JobPlan = {
  kind: string
  title: string
  subject?: JsonValue
  stages?: string[]
  /** How long it takes in all. */
  ms?: number
  /** Called at the end; what it returns is the result. Throw a `Failure` to fail. */
  finish?: () => JsonValue
}

export class World {
  /** Zero in tests, so that a job is done at once. */
  pace = 1
  jobs: JobView[] = []
  private handlers = new Set<(event: Event) => void>()
  private nextId = 1

  onEvent(handler: (event: Event) => void): () => void {
    this.handlers.add(handler)
    return () => this.handlers.delete(handler)
  }

  emit(event: Event): void {
    this.handlers.forEach((handler) => handler(event))
  }

  changed(...topics: Topic[]): void {
    this.emit({ type: 'changed', topics })
  }

  id(): string {
    this.nextId += 1
    return this.nextId.toString(16).padStart(32, '0')
  }

  start(plan: JobPlan): JobRef {
    const job: JobView = {
      id: this.id(), kind: plan.kind, title: plan.title, state: 'running', stage: plan.stages?.[0] ?? null, done: 0, total: 100,
      startedAt: Date.now(), finishedAt: null, error: null, result: null, subject: plan.subject ?? {},
    }
    this.put(job)
    void this.work(job.id, plan)
    return { jobId: job.id }
  }

  private async work(id: string, plan: JobPlan): Promise<void> {
    const steps = 10
    for (let step = 1; step <= steps; step += 1) {
      await wait(((plan.ms ?? 1200) / steps) * this.pace)
      const job = this.job(id)
      if (job.state !== 'running') return
      const stage = plan.stages?.[Math.floor(((step - 1) / steps) * plan.stages.length)] ?? null
      this.put({ ...job, done: step * 10, stage })
    }
    try {
      const result = plan.finish?.() ?? null
      this.put({ ...this.job(id), state: 'done', stage: null, finishedAt: Date.now(), result })
    } catch (thrown) {
      this.put({ ...this.job(id), state: 'failed', stage: null, finishedAt: Date.now(), error: thrown as Failure })
    }
  }

  job(id: string): JobView {
    const found = this.jobs.find((job) => job.id === id)
    if (found === undefined) throw failure('not_found', `there is no job \`${id}\``)
    return found
  }

  put(job: JobView): void {
    this.jobs = [job, ...this.jobs.filter((other) => other.id !== job.id)]
    this.emit({ type: 'job', job })
    this.changed('jobs')
  }
}

export const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export function failure(code: Failure['code'], message: string, hint: string | null = null, causes: string[] = []): Failure {
  return { code, message, hint, causes }
}

/** A row of numbers that is the same each time: 0 up to 1. */
export function randomness(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
