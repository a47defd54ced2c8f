// A question to the backend that keeps its answer fresh. Use it while a component is set up.

import { queryTopics, type Commands, type Topic } from './bindings'
import { call, onEvent, type CallError } from './host'

export type Query<T> = {
  /** The last answer; kept while a newer one is on its way. */
  readonly data: T | undefined
  /** Why the last try failed; null once one succeeds. */
  readonly error: CallError | null
  /** True until the first answer to the present payload. */
  readonly isLoading: boolean
  reload(): void
}

/**
 * Asks whenever the payload changes or an event says that what it depends on did. A null payload
 * asks nothing.
 */
export function query<K extends keyof Commands>(name: K, payload: () => Commands[K][0] | null): Query<Commands[K][1]> {
  let data = $state.raw<Commands[K][1] | undefined>(undefined)
  let error = $state.raw<CallError | null>(null)
  let isLoading = $state(false)
  let asked: string | null = null
  let current: Commands[K][0] | null = null
  let isBusy = false
  let isStale = false

  async function ask(): Promise<void> {
    if (isBusy) {
      isStale = true
      return
    }
    isBusy = true
    do {
      isStale = false
      await once()
    } while (isStale)
    isBusy = false
  }

  async function once(): Promise<void> {
    const mine = asked
    if (current === null) return
    try {
      const answer = await call(name, current)
      if (mine !== asked) return
      data = answer
      error = null
    } catch (failure) {
      if (mine !== asked) return
      error = failure as CallError
    }
    isLoading = false
  }

  $effect(() => {
    const next = payload()
    const key = next === null ? null : JSON.stringify(next)
    if (key === asked) return
    asked = key
    current = next
    isLoading = next !== null
    if (next === null) {
      data = undefined
      error = null
    } else void ask()
  })

  $effect(() => {
    const topics: readonly Topic[] = queryTopics[name] ?? []
    return onEvent((event) => {
      if (event.type === 'changed' && event.topics.some((topic) => topics.includes(topic))) void ask()
    })
  })

  return {
    get data() {
      return data
    },
    get error() {
      return error
    },
    get isLoading() {
      return isLoading
    },
    reload: () => void ask(),
  }
}
