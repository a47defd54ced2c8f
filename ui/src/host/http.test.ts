import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import type { Event } from './bindings'
import { http, parseBlock } from './http'
import type { DaemonState } from './transport'

/** A stream of events that the test writes to. */
function stream() {
  let push: (text: string) => void = () => undefined
  let end: () => void = () => undefined
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      push = (text) => controller.enqueue(new TextEncoder().encode(text))
      end = () => controller.close()
    },
  })
  return { response: new Response(body, { status: 200 }), push: (text: string) => push(text), end: () => end() }
}

const json = (status: number, body: unknown): Response => new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } })
const tick = (ms = 1): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)

beforeEach(() => {
  // Connections of earlier tests would come back and take what is meant for later ones.
  vi.useFakeTimers()
  sessionStorage.clear()
  history.replaceState(null, '', '/#token=abc%2B1')
})
afterEach(() => {
  vi.clearAllTimers()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

it('the token leaves the address, and is sent in a header', async () => {
  const fetched = vi.fn<(url: string, init: RequestInit) => Promise<Response>>((url) => Promise.resolve(url === '/events' ? stream().response : json(200, { ok: 1 })))
  vi.stubGlobal('fetch', fetched)
  const host = http()
  expect(location.href).not.toContain('token')
  expect(await host.call('settings.get', {})).toEqual({ ok: 1 })
  const [, init] = fetched.mock.calls.find(([url]) => url === '/rpc/settings.get') ?? []
  expect(init).toMatchObject({ method: 'POST', body: '{}', headers: { authorization: 'Bearer abc+1' } })
})

it('a failure keeps its code, hint and causes', async () => {
  const failure = { code: 'not_found', message: 'no `x`', hint: 'look', causes: ['a'] }
  vi.stubGlobal('fetch', (url: string) => Promise.resolve(url === '/events' ? stream().response : json(404, failure)))
  await expect(http().call('dataset.show', {})).rejects.toMatchObject(failure)
})

it('no daemon is a failure with a way out', async () => {
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('refused')))
  await expect(http().call('dataset.show', {})).rejects.toMatchObject({ code: 'unavailable', causes: ['refused'] })
})

it('events come out whole though they arrive in pieces, and a new connection looks at everything anew', async () => {
  const streams = [stream(), stream()]
  let opened = 0
  vi.stubGlobal('fetch', () => Promise.resolve(streams[opened++]?.response ?? json(503, {})))
  const host = http()
  const events: Event[] = []
  const states: DaemonState['state'][] = []
  host.onEvent((event) => events.push(event))
  host.platform.onDaemon(({ state }) => states.push(state))
  await tick()
  streams[0]?.push(': listening\n\nevent: changed\ndata: {"type":"changed","top')
  await tick()
  expect(events).toEqual([])
  streams[0]?.push('ics":["runs"]}\n\n')
  await tick()
  expect(events).toEqual([{ type: 'changed', topics: ['runs'] }])
  streams[0]?.end()
  await tick(300)
  expect(events.at(-1)).toMatchObject({ type: 'changed', topics: expect.arrayContaining(['datasets', 'audit']) })
  expect(states).toEqual(['starting', 'ready', 'ready'])
})

it('events with and without their name inside are read alike', () => {
  const points = { runId: 'r', stepId: 's', metric: 'log loss', points: [[1, 0.5, null]] }
  const expected = { type: 'points', ...points }
  expect(parseBlock(`event: points\ndata: ${JSON.stringify(points)}`)).toEqual(expected)
  expect(parseBlock(`data: ${JSON.stringify(expected)}`)).toEqual(expected)
  expect(parseBlock(': keep-alive')).toBeNull()
  expect(parseBlock('event: surprise\ndata: {}')).toBeNull()
})
