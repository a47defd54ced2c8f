// The rows that were opened: what is nested under a run, or the runs of a group. Asked for when a row is
// opened, and again whenever runs change.

import type { RunTablePage } from '../../host/bindings'
import { onEvent, toFailure } from '../../host/host'
import type { Block } from '../../lib/runs/outline'

type Ask = (key: string) => Promise<RunTablePage>

/** Use it while a component is set up. `about` changes when what the rows show does. */
export class Opened {
  blocks = $state.raw<ReadonlyMap<string, Block>>(new Map())
  readonly #ask: Ask
  /** Answers to an older question are dropped. */
  #round = 0

  constructor(ask: Ask, about: () => string) {
    this.#ask = ask
    let before: string | null = null
    $effect(() => {
      const now = about()
      if (before !== null && now !== before) this.#again()
      before = now
    })
    $effect(() => onEvent((event) => {
      if (event.type === 'changed' && event.topics.includes('runs')) this.#again()
    }))
  }

  isOpen = (key: string): boolean => this.blocks.has(key)

  open(key: string): void {
    if (this.blocks.has(key)) return
    this.blocks = new Map(this.blocks).set(key, null)
    void this.#fetch(key, this.#round)
  }

  close(key: string): void {
    const blocks = new Map(this.blocks)
    blocks.delete(key)
    this.blocks = blocks
  }

  closeAll(): void {
    this.#round += 1
    this.blocks = new Map()
  }

  #again(): void {
    this.#round += 1
    for (const key of this.blocks.keys()) void this.#fetch(key, this.#round)
  }

  async #fetch(key: string, round: number): Promise<void> {
    let block: Block
    try {
      const { rows, total } = await this.#ask(key)
      block = { rows, total, failure: null }
    } catch (thrown) {
      block = { rows: [], total: 0, failure: toFailure(thrown).message }
    }
    // It may have been closed, or asked for anew, in between.
    if (round === this.#round && this.blocks.has(key)) this.blocks = new Map(this.blocks).set(key, block)
  }
}
