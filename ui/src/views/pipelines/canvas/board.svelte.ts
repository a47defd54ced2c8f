// What the parts of the canvas share: how much of a step is drawn, the wire being drawn, the open palette.

import { getContext, setContext } from 'svelte'

import type { PipelineDoc } from '../../../host/bindings'
import type { Tie } from '../../../lib/graph/commands'
import { levelAt, type Detail } from '../../../lib/graph/detail'
import type { End, Wire } from '../../../lib/graph/doc'
import type { Place } from '../../../lib/graph/geometry'
import type { Need } from '../../../lib/graph/palette'
import { judge, sourcesFor, targetsFor, type Verdict } from '../../../lib/graph/rules'
import { withoutWires } from '../../../lib/graph/wiring'
import type { Editor } from '../editor/editor.svelte'

/** A wire on its way: the end that is fixed, where it may go, and the wire that was there, if its other
 *  end was taken off a port. */
export type Wiring = { end: End; isFromOutput: boolean; allowed: ReadonlySet<string>; loose: Wire | null }

/** The palette at the cursor: where it is on screen, where the step goes, and what it is tied to. */
export type Quick = { x: number; y: number; place: Place; tie: Tie; need: Need | null; about: string | null }

const KEY = Symbol('board')

export class Board {
  detail = $state<Detail>('full')
  /** Height of the letters of a title, before the zoom. */
  titleSize = $state(13)
  wiring = $state.raw<Wiring | null>(null)
  quick = $state.raw<Quick | null>(null)
  /** A kind being dragged out of the palette: where the pointer is. */
  carried = $state.raw<{ kind: string; x: number; y: number } | null>(null)
  /** The wire that what is being dragged would go into. */
  entered = $state.raw<Wire | null>(null)
  readonly editor: Editor

  constructor(editor: Editor) {
    this.editor = editor
  }

  setZoom(zoom: number): void {
    const { detail, titleSize } = levelAt(zoom)
    this.detail = detail
    this.titleSize = titleSize
  }

  startWiring(end: End, isFromOutput: boolean, loose: Wire | null = null): void {
    const { kinds } = this.editor
    const doc = this.#without(loose)
    const candidates = isFromOutput ? targetsFor(doc, kinds, end) : sourcesFor(doc, kinds, end)
    this.wiring = { end, isFromOutput, allowed: new Set(candidates.map((candidate) => candidate.end.step)), loose }
  }

  /** The document that a wire on its way comes into: without the one that was taken off a port. */
  get base(): PipelineDoc {
    return this.#without(this.wiring?.loose ?? null)
  }

  /** Judges where a wire on its way would go. */
  judge(wire: Wire): Verdict {
    return judge(this.base, this.editor.kinds, wire)
  }

  #without(loose: Wire | null): PipelineDoc {
    return loose === null ? this.editor.doc : withoutWires(this.editor.doc, [loose])
  }
}

export function provideBoard(board: Board): Board {
  return setContext(KEY, board)
}

export function useBoard(): Board {
  return getContext<Board>(KEY)
}
