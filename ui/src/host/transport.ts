// What a way to the backend must offer. `host.ts` picks one; nothing else knows which.

import type { Event, Failure, JsonValue } from './bindings'

/** Where the backend stands, as the connection banner shows it. */
export type DaemonState = { state: 'starting' | 'ready' } | { state: 'lost'; error: Failure | null }

/** A file dragged over the window: `position` in CSS pixels. */
export type FileDropHandler = (
  state: 'over' | 'leave' | 'drop',
  paths: string[],
  position: { x: number; y: number },
) => void

export type OpenFilesOptions = {
  title?: string
  many?: boolean
  folder?: boolean
  /** Extensions without the dot. */
  extensions?: string[]
}

export type SaveFileOptions = { title?: string; suggestedName?: string; extensions?: string[] }

/** What the host beyond the backend can do: dialogs, clipboard, notifications. */
export type Platform = {
  /** True in the window of the app, where files have paths. */
  isDesktop: boolean
  /** True on macOS, where shortcuts use the command key. */
  isMac: boolean
  /** Paths chosen in the system's dialog; empty if cancelled or there is none. */
  openFiles(options?: OpenFilesOptions): Promise<string[]>
  saveFile(options?: SaveFileOptions): Promise<string | null>
  onFileDrop(handler: FileDropHandler): () => void
  /** Shows a file in the system's file manager. */
  reveal(path: string): Promise<void>
  openUrl(url: string): Promise<void>
  copy(text: string): Promise<void>
  onDaemon(handler: (state: DaemonState) => void): () => void
  onOpenFiles(handler: (paths: string[]) => void): () => void
  /** A command of the registry chosen outside the pages, such as in the menu bar of macOS. */
  onCommand(handler: (id: string) => void): () => void
  /** Shows a desktop notification; in silence where none is allowed. */
  notify(title: string, body: string): Promise<void>
  setZoom(pct: number): Promise<void>
  setTheme(theme: 'system' | 'light' | 'dark'): Promise<void>
  /** Progress on the icon of the app; null removes it. */
  setProgress(pct: number | null): Promise<void>
}

export type Transport = {
  call(name: string, payload: unknown): Promise<unknown>
  onEvent(handler: (event: Event) => void): () => void
  platform: Platform
}

/** Told when the backend is there again: whatever was missed meanwhile is looked at anew. */
export const everythingChanged: Event = {
  type: 'changed',
  topics: ['projects', 'datasets', 'pipelines', 'runs', 'models', 'deployments', 'monitors', 'alerts', 'jobs', 'settings', 'audit'],
}

/** A failure of a call. It is a `Failure`, and an `Error` for what expects one. */
export class CallError extends Error implements Failure {
  readonly code: Failure['code']
  readonly hint: string | null
  readonly causes: string[]

  constructor(failure: Failure) {
    super(failure.message)
    this.name = 'CallError'
    this.code = failure.code
    this.hint = failure.hint
    this.causes = failure.causes
  }
}

/**
 * Makes a `Failure` of whatever was thrown. The window leaves out a hint and causes that are empty,
 * which the daemon does not.
 */
export function toFailure(thrown: unknown): CallError {
  if (thrown instanceof CallError) return thrown
  const fields = typeof thrown === 'object' && thrown !== null ? (thrown as Partial<Failure>) : {}
  if (typeof fields.code === 'string' && typeof fields.message === 'string') {
    return new CallError({ code: fields.code, message: fields.message, hint: fields.hint ?? null, causes: fields.causes ?? [] })
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new CallError({ code: 'internal', message, hint: null, causes: [] })
}

/** Reads an event as it comes over the wire: its name, and its content with or without the name. */
export function toEvent(name: string, data: unknown): Event | null {
  if (typeof data !== 'object' || data === null) return null
  const fields = data as Record<string, JsonValue>
  const event = { ...fields, type: name }
  if (name === 'changed' && Array.isArray(fields.topics)) return event as unknown as Event
  if (name === 'points' && Array.isArray(fields.points)) return event as unknown as Event
  if (name !== 'job') return null
  return ('job' in fields ? event : { type: 'job', job: fields }) as unknown as Event
}
