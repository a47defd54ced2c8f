// What is worth saying when it happens elsewhere: a run that ended, an alert that came in.

import type { AlertView, JobView, Settings } from '../host/bindings'
import { onEvent, platform } from '../host/host'
import { subjectOf } from '../host/results'
import { href, navigate, parseRoute } from '../lib/router'
import { plain } from '../parts/sentence'
import { toast } from '../parts/toast.svelte'
import { isActive, whereTo } from './job'

/** A job that took this long may have been left alone meanwhile. */
const LONG_MS = 10_000

/** Jobs whose end nobody else announces once their screen is closed, with the screens that do. */
const ANNOUNCED: Record<string, { done: string; failed: string; action: string; sections: string[] }> = {
  'pipeline.run': { done: 'Run finished', failed: 'Run failed', action: 'Open run', sections: ['pipelines', 'runs'] },
  'deployment.create': { done: 'Deployed', failed: 'Not deployed', action: 'Open endpoint', sections: ['models', 'deployments'] },
}

/** Listens while a component is set up. */
export function announce(settings: () => Settings | undefined, alerts: () => AlertView[] | undefined): void {
  const told = new Set<string>()
  let seen: Set<number> | null = null
  const notify = (title: string, body: string): void => {
    if (settings()?.notify === true) void platform.notify(title, body).catch(() => undefined)
  }

  $effect(() => onEvent((event) => {
    if (event.type === 'job' && !isActive(event.job) && !told.has(event.job.id)) {
      told.add(event.job.id)
      ended(event.job, notify)
    }
  }))

  $effect(() => {
    const now = alerts()
    if (now === undefined) return
    // Those that were open at the start are on Home already.
    const fresh = seen === null ? [] : now.filter(({ id }) => !seen?.has(id))
    seen = new Set([...(seen ?? []), ...now.map(({ id }) => id)])
    for (const alert of fresh) {
      notify(`${alert.deployment}: ${alert.level}`, plain(alert.message))
      toast({
        title: `Alert for ${alert.deployment}`, detail: alert.message, tone: alert.level === 'alarm' ? 'danger' : 'warning', testid: 'toast-alert',
        action: { label: 'Open monitor', run: () => navigate(href('monitor', [alert.deployment])) },
      })
    }
  })
}

function ended(job: JobView, notify: (title: string, body: string) => void): void {
  const isDone = job.state === 'done'
  if (job.state === 'cancelled') return
  if ((job.finishedAt ?? job.startedAt) - job.startedAt > LONG_MS) notify(isDone ? 'Done' : 'Not done', job.title)
  const words = ANNOUNCED[job.kind]
  const subject = subjectOf(job)
  const to = whereTo(subject)
  if (words === undefined || to === null || words.sections.includes(parseRoute(location.hash).section)) return
  toast({
    title: isDone ? words.done : words.failed, tone: isDone ? 'success' : 'danger', testid: 'toast-ended',
    ...(job.error === null ? { detail: subject.pipeline ?? subject.deployment ?? job.title } : { failure: job.error }),
    action: { label: words.action, run: () => navigate(to) },
  })
}
