import { flushSync } from 'svelte'
import { beforeEach, describe, expect, it, vi } from 'vitest'

import { call, query, runJob, useTransport, type Query } from './host'
import { mock, type MockTransport } from './mock'
import { failure, type Answers } from './mock/world'

let host: MockTransport

function use(answers: Answers): void {
  host = mock(answers)
  host.world.pace = 0
  useTransport(host)
}

/** Runs the query as a component would, until `stop`. */
function mounted<T>(make: () => Query<T>): { asked: Query<T>; stop: () => void } {
  const box: { asked: Query<T> | null } = { asked: null }
  const stop = $effect.root(() => {
    box.asked = make()
  })
  flushSync()
  if (box.asked === null) throw new Error('the query was made')
  return { asked: box.asked, stop }
}
const tick = (ms = 0): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

beforeEach(() => use({}))

describe('a query', () => {
  it('asks again when what it depends on changes, and not otherwise', async () => {
    let rows = 0
    use({ 'dataset.list': () => Array.from({ length: (rows += 1) }, () => ({ name: 'x', version: 1, rows: 1, columns: 1, sizeBytes: 1, target: null, createdAt: 0 })) })
    const { asked, stop } = mounted(() => query('dataset.list', () => ({ project: null })))
    await tick()
    expect(asked.data?.length).toBe(1)
    host.world.changed('runs')
    await tick()
    expect(asked.data?.length).toBe(1)
    host.world.changed('runs', 'datasets')
    expect(asked.data?.length).toBe(1)
    await tick()
    expect(asked.data?.length).toBe(2)
    stop()
    host.world.changed('datasets')
    await tick()
    expect(rows).toBe(2)
  })

  it('many changes during an answer are one more question', async () => {
    let asks = 0
    use({
      'audit.list': async () => {
        asks += 1
        await tick(20)
        return []
      },
    })
    const { stop } = mounted(() => query('audit.list', () => ({ before: null, limit: null })))
    for (let change = 0; change < 10; change += 1) host.world.changed('audit')
    await tick(80)
    expect(asks).toBe(2)
    stop()
  })

  it('an answer to an old payload is dropped', async () => {
    use({
      'dataset.sniff': async ({ path }) => {
        await tick(path === 'slow' ? 30 : 1)
        throw failure('not_found', path)
      },
    })
    let path = $state('slow')
    const { asked, stop } = mounted(() => query('dataset.sniff', () => ({ path, options: null })))
    path = 'quick'
    flushSync()
    await tick(60)
    expect(asked.error?.message).toBe('quick')
    stop()
  })

  it('keeps its data through a failure and says so', async () => {
    let isBroken = false
    use({
      'project.list': () => {
        if (isBroken) throw failure('corrupt', 'the index is damaged')
        return []
      },
    })
    const { asked, stop } = mounted(() => query('project.list', () => ({})))
    await tick()
    isBroken = true
    asked.reload()
    await tick()
    expect(asked.data).toEqual([])
    expect(asked.error?.code).toBe('corrupt')
    stop()
  })

  it('a null payload asks nothing', async () => {
    const { asked, stop } = mounted(() => query('project.list', () => null))
    await tick()
    expect([asked.isLoading, asked.data, host.calls.length]).toEqual([false, undefined, 0])
    stop()
  })
})

describe('a job', () => {
  it('ends with its result', async () => {
    const job = await runJob(host.world.start({ kind: 'x.y', title: 'X', ms: 1, finish: () => ({ a: 1 }) }))
    expect([job.state, job.result]).toEqual(['done', { a: 1 }])
  })

  it('that fails throws its failure', async () => {
    const fail = (): never => {
      throw failure('step_failed', 'no', 'try')
    }
    await expect(runJob(host.world.start({ kind: 'x.y', title: 'X', ms: 1, finish: fail }))).rejects.toMatchObject({ code: 'step_failed', hint: 'try' })
  })

  it('that was over before anybody listened is found by asking', async () => {
    const ref = host.world.start({ kind: 'x.y', title: 'X', ms: 1 })
    await tick(60)
    vi.spyOn(host, 'onEvent').mockReturnValue(() => undefined)
    expect((await runJob(ref)).state).toBe('done')
  })

  it('that was cancelled throws cancelled', async () => {
    host.world.pace = 1
    const ref = host.world.start({ kind: 'x.y', title: 'X', ms: 60_000 })
    const end = expect(runJob(ref)).rejects.toMatchObject({ code: 'cancelled' })
    await call('job.cancel', ref)
    await end
  })
})
