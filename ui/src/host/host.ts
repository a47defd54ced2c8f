// The one way from the pages to the backend and the desktop.

import type { Commands, Event, JobRef, JobView, RunStarted } from './bindings'
import { http } from './http'
import { isTauri, tauri } from './tauri'
import { CallError, toFailure, type Platform, type Transport } from './transport'

export { query, type Query } from './query.svelte'
export { CallError, toFailure }
export type { DaemonState, Platform } from './transport'

const POLL_MS = 1000

let transport: Transport = isTauri() ? tauri : lazily(http)

/** Whoever brings a transport of their own must not open a connection first. */
function lazily(make: () => Transport): Transport {
  let made: Transport | null = null
  const get = (): Transport => (made ??= make())
  return {
    call: (name, payload) => get().call(name, payload),
    onEvent: (handler) => get().onEvent(handler),
    get platform() {
      return get().platform
    },
  }
}

/** Puts another transport in place, before anything is asked: the mock, in tests and previews. */
export function useTransport(other: Transport): void {
  transport = other
}

/** Calls a command. Throws a `CallError`, which is a `Failure`. */
export async function call<K extends keyof Commands>(name: K, payload: Commands[K][0]): Promise<Commands[K][1]> {
  try {
    return (await transport.call(name, payload)) as Commands[K][1]
  } catch (thrown) {
    throw toFailure(thrown)
  }
}

/** Hears every event of the backend until the returned function is called. */
export function onEvent(handler: (event: Event) => void): () => void {
  return transport.onEvent(handler)
}

/** The job once it is done. Throws its failure if it came to one. */
export function runJob(ref: JobRef | RunStarted): Promise<JobView> {
  return new Promise((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const stop = onEvent((event) => {
      if (event.type === 'job' && event.job.id === ref.jobId) look(event.job)
    })
    const end = (finish: () => void): void => {
      stop()
      clearTimeout(timer)
      finish()
    }
    const look = (job: JobView): void => {
      if (job.state === 'queued' || job.state === 'running') return
      if (job.state === 'done') end(() => resolve(job))
      else end(() => reject(toFailure(job.error ?? stopped(job))))
    }
    // Events are hints and may be lost: asking now and then tells the truth.
    const poll = (): void => {
      call('job.show', { jobId: ref.jobId }).then(
        (job) => {
          timer = setTimeout(poll, POLL_MS)
          look(job)
        },
        (thrown: unknown) => {
          const failure = toFailure(thrown)
          if (failure.code === 'unavailable') timer = setTimeout(poll, POLL_MS)
          else end(() => reject(failure))
        },
      )
    }
    poll()
  })
}

function stopped(job: JobView): CallError {
  const message = `\`${job.title}\` was ${job.state}`
  return new CallError({ code: 'cancelled', message, hint: 'start it again when you like', causes: [] })
}

/** Dialogs, clipboard, notifications and what else the desktop or the browser offers. */
export const platform: Platform = {
  get isDesktop() {
    return transport.platform.isDesktop
  },
  get isMac() {
    return transport.platform.isMac
  },
  openFiles: (options) => transport.platform.openFiles(options),
  saveFile: (options) => transport.platform.saveFile(options),
  onFileDrop: (handler) => transport.platform.onFileDrop(handler),
  reveal: (path) => transport.platform.reveal(path),
  openUrl: (url) => transport.platform.openUrl(url),
  copy: (text) => transport.platform.copy(text),
  onDaemon: (handler) => transport.platform.onDaemon(handler),
  onOpenFiles: (handler) => transport.platform.onOpenFiles(handler),
  onCommand: (handler) => transport.platform.onCommand(handler),
  notify: (title, body) => transport.platform.notify(title, body),
  setZoom: (pct) => transport.platform.setZoom(pct),
  setTheme: (theme) => transport.platform.setTheme(theme),
  setProgress: (pct) => transport.platform.setProgress(pct),
}
