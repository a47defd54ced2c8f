import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { Autosave, type SaveState } from './autosave'

function setUp(save: (value: number) => Promise<void>) {
  const states: SaveState[] = []
  const autosave = new Autosave<number>({ save, delayMs: 500, onState: (state) => states.push(state) })
  return { autosave, states }
}

describe('autosave', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('waits for a pause and saves only the newest value', async () => {
    const saved: number[] = []
    const { autosave, states } = setUp(async (value) => void saved.push(value))
    autosave.change(1)
    await vi.advanceTimersByTimeAsync(400)
    autosave.change(2)
    await vi.advanceTimersByTimeAsync(499)
    expect(saved).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(saved).toEqual([2])
    expect(states).toEqual(['waiting', 'waiting', 'saving', 'saved'])
    expect(autosave.isDirty).toBe(false)
  })

  it('never saves two values at once, and the last one wins', async () => {
    const saved: number[] = []
    let open = 0
    let most = 0
    const { autosave } = setUp(async (value) => {
      open += 1
      most = Math.max(most, open)
      await new Promise((resolve) => setTimeout(resolve, 1_000))
      open -= 1
      saved.push(value)
    })
    autosave.change(1)
    await vi.advanceTimersByTimeAsync(600)
    autosave.change(2)
    autosave.change(3)
    await vi.advanceTimersByTimeAsync(5_000)
    expect(saved).toEqual([1, 3])
    expect(most).toBe(1)
  })

  it('flush saves at once and waits until it is done', async () => {
    const saved: number[] = []
    const { autosave } = setUp(async (value) => void saved.push(value))
    autosave.change(7)
    await autosave.flush()
    expect(saved).toEqual([7])
  })

  it('keeps what failed and saves it with the next try', async () => {
    const saved: number[] = []
    let isDown = true
    const { autosave, states } = setUp(async (value) => {
      if (isDown) throw new Error('down')
      saved.push(value)
    })
    autosave.change(5)
    await autosave.flush()
    expect(states.at(-1)).toBe('failed')
    expect(autosave.isDirty).toBe(true)
    isDown = false
    await autosave.flush()
    expect(saved).toEqual([5])
  })
})
