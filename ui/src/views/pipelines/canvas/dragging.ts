// What happens while nodes are dragged and when they are let go: a frame takes along what is in it, a
// loose step goes into the wire it lies on. The document changes once, at the end.

import { moveSteps } from '../../../lib/graph/commands'
import type { Wire } from '../../../lib/graph/doc'
import { frameOf, moveFrame, placeFrames, stepsIn } from '../../../lib/graph/frames'
import { snap, type Place } from '../../../lib/graph/geometry'
import { splice } from '../../../lib/graph/wiring'
import type { Editor } from '../editor/editor.svelte'
import { wireForLoose } from './adding'
import type { Board } from './board.svelte'
import { wireAt } from './hits'
import { isFrame, isStep, type CanvasNode } from './nodes'

/** The nodes on show, to move those that nobody holds. */
export type NodeList = { get: () => CanvasNode[]; set: (nodes: CanvasNode[]) => void }

export class Dragging {
  readonly #editor: Editor
  readonly #board: Board
  readonly #nodes: NodeList
  /** Steps that go along with the frame being dragged, and where they were. */
  #along = new Map<string, { x: number; y: number }>()
  #from = { x: 0, y: 0 }

  constructor(editor: Editor, board: Board, nodes: NodeList) {
    this.#editor = editor
    this.#board = board
    this.#nodes = nodes
  }

  start(dragged: readonly CanvasNode[]): void {
    this.#along.clear()
    const frame = onlyFrame(dragged)
    const known = frame === null ? undefined : frameOf(this.#editor.doc, frame.id)
    if (known === undefined) return
    this.#from = { x: known.box[0], y: known.box[1] }
    const inside = new Set(stepsIn(this.#editor.doc, known))
    for (const node of this.#nodes.get()) if (inside.has(node.id)) this.#along.set(node.id, node.position)
  }

  move(dragged: readonly CanvasNode[], event: MouseEvent | TouchEvent): void {
    const frame = onlyFrame(dragged)
    if (frame !== null) return this.#carry(frame)
    const wire = this.#entered(dragged, event)
    const { entered } = this.#board
    if (wire?.from.step !== entered?.from.step || wire?.to.step !== entered?.to.step) this.#board.entered = wire
  }

  stop(dragged: readonly CanvasNode[], event: MouseEvent | TouchEvent): void {
    this.#board.entered = null
    const here = this.#editor.document
    const frame = onlyFrame(dragged)
    this.#letGo()
    if (frame !== null) return void here.run(moveFrame(this.#editor.doc, frame.id, [frame.position.x, frame.position.y]))
    const steps = dragged.filter(isStep)
    const [only] = steps
    const label = steps.length === 1 ? `Move ${only?.id ?? ''}` : `Move ${steps.length} steps`
    const moved = moveSteps(placeFrames(this.#editor.doc, placesOf(dragged.filter(isFrame))), placesOf(steps), label)
    if (moved.change === null || only === undefined) return
    // One change with the move, so that one undo takes both back.
    const wire = this.#entered(dragged, event)
    const spliced = wire === null ? null : splice(moved.change.doc, this.#editor.kinds, only.id, wire)
    here.apply(spliced?.change ?? moved.change)
  }

  // With Alt a step only comes to lie there.
  #entered(dragged: readonly CanvasNode[], event: MouseEvent | TouchEvent): Wire | null {
    const [only] = dragged
    if (only === undefined || dragged.length > 1 || event.altKey || !('clientX' in event)) return null
    return wireForLoose(this.#editor, only.id, wireAt(event.clientX, event.clientY))
  }

  #carry(frame: CanvasNode): void {
    const [dx, dy] = [frame.position.x - this.#from.x, frame.position.y - this.#from.y]
    this.#nodes.set(
      this.#nodes.get().map((node) => {
        const at = this.#along.get(node.id)
        // Marked as dragged, so that a run that reports meanwhile does not put it back.
        return at === undefined ? node : { ...node, dragging: true, position: { x: at.x + dx, y: at.y + dy } }
      }),
    )
  }

  #letGo(): void {
    if (this.#along.size === 0) return
    this.#nodes.set(this.#nodes.get().map((node) => (this.#along.has(node.id) ? { ...node, dragging: false } : node)))
    this.#along.clear()
  }
}

function onlyFrame(dragged: readonly CanvasNode[]): CanvasNode | null {
  const [only] = dragged
  return only !== undefined && dragged.length === 1 && isFrame(only) ? only : null
}

function placesOf(steps: readonly CanvasNode[]): Map<string, Place> {
  return new Map(steps.map((node) => [node.id, snap([node.position.x, node.position.y])]))
}
