// Draws what moved on its way to where it stands, picture by picture. Whoever wants no motion has none.

import { movesTo, placesAt, type Moves } from '../../../lib/graph/glide'
import type { Place } from '../../../lib/graph/geometry'
import type { PipelineDoc } from '../../../host/bindings'
import type { CanvasNode } from './nodes'

const GLIDE_MS = 220

export class Glide {
  /** Where things are drawn meanwhile; null when all is where it stands. */
  places = $state.raw<ReadonlyMap<string, Place> | null>(null)
  #frame = 0

  /** Follows the document: what is drawn elsewhere is on its way from there. What a hand holds is not. */
  follow(doc: PipelineDoc, nodes: readonly CanvasNode[]): void {
    if (nodes.some((node) => node.dragging === true) || document.hidden || matchMedia('(prefers-reduced-motion: reduce)').matches) return this.stop()
    const moves = movesTo(doc, new Map(nodes.map(({ id, position }): [string, Place] => [id, [position.x, position.y]])))
    this.stop()
    if (moves.size > 0) this.#run(moves)
  }

  /** Everything is where it stands at once. */
  stop(): void {
    cancelAnimationFrame(this.#frame)
    this.places = null
  }

  #run(moves: Moves): void {
    let start: number | null = null
    const draw = (now: number): void => {
      start ??= now
      const share = (now - start) / GLIDE_MS
      this.places = share >= 1 ? null : placesAt(moves, share)
      if (share < 1) this.#frame = requestAnimationFrame(draw)
    }
    this.places = placesAt(moves, 0)
    this.#frame = requestAnimationFrame(draw)
  }
}
