// Short messages in the corner, each with the next thing to do.

import type { Failure } from '../host/bindings'
import { toFailure } from '../host/host'
import type { Tone } from '../lib/states'

export type Toast = {
  title: string
  detail?: string
  /** What went wrong; shown with its hint instead of `detail`. */
  failure?: Failure
  tone?: Tone
  /** A job whose progress is shown, with a way to stop it. */
  jobId?: string
  action?: { label: string; run: () => void; testid?: string }
  /** Milliseconds until it goes by itself; null stays until it is closed. */
  stay?: number | null
  testid?: string
}

export type ShownToast = Toast & { id: number }

const MOST = 4
let next = 0
let shown = $state.raw<ShownToast[]>([])

/** The toasts on screen, oldest first. */
export function toasts(): ShownToast[] {
  return shown
}

/** Shows a message. Failures stay until they are closed. Returns how to take it away. */
export function toast(message: Toast): () => void {
  const id = (next += 1)
  shown = [...shown.slice(-MOST + 1), { ...message, id }]
  const stay = message.stay === undefined ? (message.tone === 'danger' ? null : 8000) : message.stay
  if (stay !== null) setTimeout(() => dismiss(id), stay)
  return () => dismiss(id)
}

/** Says what could not be done, why, and what to do about it. */
export function toastFailure(title: string, thrown: unknown, testid = 'toast-failure'): void {
  toast({ title, failure: toFailure(thrown), tone: 'danger', testid })
}

export function dismiss(id: number): void {
  shown = shown.filter((one) => one.id !== id)
}
