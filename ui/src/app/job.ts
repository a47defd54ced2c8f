// What can be said about a job without looking at the screen.

import type { JobView } from '../host/bindings'
import { href } from '../lib/router'

export function isActive(job: JobView): boolean {
  return job.state === 'queued' || job.state === 'running'
}

/** How far it is, from 0 to 1; null while nobody knows. */
export function share(job: JobView): number | null {
  if (job.total === null || job.total === 0) return null
  return Math.min(1, job.done / job.total)
}

/** The page of what the job is about. */
export function whereTo(subject: Record<string, string>): string | null {
  if (subject.run !== undefined) return href('runs', [subject.run])
  if (subject.deployment !== undefined) return href('deployments', [subject.deployment])
  if (subject.model !== undefined) return href('models', [subject.model])
  if (subject.pipeline !== undefined) return href('pipelines', [subject.pipeline])
  if (subject.dataset !== undefined) return href('data', [subject.dataset])
  return null
}
