// A plain browser: the daemon over loopback HTTP. The token comes once in the address
// (`#token=…`), is taken out of it, and lives as long as the tab.

import type { Event } from './bindings'
import { browserPlatform } from './browser'
import { CallError, everythingChanged, toEvent, toFailure, type DaemonState, type Transport } from './transport'

const TOKEN = 'fettle.token'
const RETRY_MS = [250, 500, 1000, 2000, 5000]

function takeToken(): string | null {
  const found = /(?:^#|[#&?])token=([^&]+)/.exec(location.hash)
  if (found?.[1] !== undefined) {
    sessionStorage.setItem(TOKEN, decodeURIComponent(found[1]))
    history.replaceState(null, '', location.pathname + location.search)
  }
  return sessionStorage.getItem(TOKEN)
}

const unreachable = (cause: unknown): CallError =>
  new CallError({
    code: 'unavailable',
    message: 'the background process of Fettle does not answer',
    hint: 'start it with `fettle daemon start` and open the address it prints',
    causes: [cause instanceof Error ? cause.message : String(cause)],
  })

async function post(token: string | null, name: string, payload: unknown): Promise<unknown> {
  let response: Response
  try {
    response = await fetch(`/rpc/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...authorization(token) },
      body: JSON.stringify(payload),
    })
  } catch (cause) {
    throw unreachable(cause)
  }
  const isJson = response.headers.get('content-type')?.includes('json') ?? false
  const body: unknown = isJson ? await response.json() : await response.text()
  if (!response.ok) throw isJson ? toFailure(body) : unreachable(`HTTP ${response.status}: ${String(body)}`)
  return body
}

function authorization(token: string | null): Record<string, string> {
  return token === null ? {} : { authorization: `Bearer ${token}` }
}

/**
 * Reads `/events` with fetch rather than EventSource, which cannot send the token in a header and
 * would put it into an address. Ends when the stream does.
 */
async function readEvents(token: string | null, signal: AbortSignal, tell: (event: Event) => void, opened: () => void) {
  const response = await fetch('/events', { headers: authorization(token), signal })
  if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}`)
  opened()
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    const blocks = (rest + value).replaceAll('\r\n', '\n').split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const event = parseBlock(block)
      if (event !== null) tell(event)
    }
  }
}

/** One server-sent event. Comments and names we do not know are none. */
export function parseBlock(block: string): Event | null {
  let name = 'message'
  let data = ''
  for (const line of block.split('\n')) {
    if (line.startsWith('event:')) name = line.slice(6).trim()
    else if (line.startsWith('data:')) data += line.slice(5).trim()
  }
  if (data === '') return null
  const parsed: unknown = JSON.parse(data)
  const named = name === 'message' && typeof parsed === 'object' && parsed !== null && 'type' in parsed
  return toEvent(named ? String(parsed.type) : name, parsed)
}

/** The way to the daemon that served these pages. */
export function http(): Transport {
  const token = takeToken()
  const listeners = new Set<(event: Event) => void>()
  const watchers = new Set<(state: DaemonState) => void>()
  let state: DaemonState = { state: 'starting' }
  const become = (next: DaemonState): void => {
    state = next
    watchers.forEach((watcher) => watcher(next))
  }
  void follow()

  async function follow(): Promise<void> {
    let wasOpen = false
    for (let attempt = 0; ; attempt += 1) {
      try {
        await readEvents(token, new AbortController().signal, (event) => listeners.forEach((tell) => tell(event)), () => {
          attempt = 0
          if (wasOpen) listeners.forEach((tell) => tell(everythingChanged))
          wasOpen = true
          become({ state: 'ready' })
        })
      } catch (cause) {
        become({ state: 'lost', error: unreachable(cause) })
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]))
    }
  }

  return {
    call: (name, payload) => post(token, name, payload),
    onEvent(handler) {
      listeners.add(handler)
      return () => listeners.delete(handler)
    },
    platform: {
      ...browserPlatform,
      onDaemon(handler) {
        watchers.add(handler)
        handler(state)
        return () => watchers.delete(handler)
      },
    },
  }
}
