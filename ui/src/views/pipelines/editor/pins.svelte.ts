// The pinned steps of the pipeline that is open.

import { followPins, keepPins, recallPins, togglePins } from '../../../lib/graph/pins'
import type { PipelineDocument } from './document.svelte'

export class Pins {
  #ids = $state.raw<ReadonlySet<string>>(new Set())
  readonly #document: PipelineDocument

  constructor(document: PipelineDocument) {
    this.#document = document
    this.#ids = recallPins(localStorage, document.key, document.doc)
    let before = document.doc
    $effect(() => {
      const after = document.doc
      this.#ids = followPins(this.#ids, before, after)
      before = after
    })
    // Under the name that it has by then.
    $effect(() => () => keepPins(localStorage, document.key, this.#ids))
  }

  get ids(): ReadonlySet<string> {
    return this.#ids
  }

  /** Pins steps, or lets them go if all of them are pinned. */
  toggle(ids: readonly string[]): void {
    this.#ids = togglePins(this.#ids, ids)
    keepPins(localStorage, this.#document.key, this.#ids)
  }
}
