// Wires drawn by hand: from a port to another, or by an end that is taken off its port with Ctrl held.
// Svelte Flow follows the pointer; the document changes once, at the end.

import type { Connection, OnConnectEnd, OnConnectStart, useStore } from '@xyflow/svelte'
import { XYHandle } from '@xyflow/system'

import type { PipelineDoc } from '../../../host/bindings'
import { platform } from '../../../host/host'
import { wireId, wiresOf, type End, type Wire } from '../../../lib/graph/doc'
import { nearerSide, wireOn, type Held } from '../../../lib/graph/ends'
import { snap, STEP_WIDTH, type Place } from '../../../lib/graph/geometry'
import { kindOf } from '../../../lib/graph/kinds'
import { bestInput, bestOutput } from '../../../lib/graph/rules'
import { connect, disconnect, reconnect, type Outcome } from '../../../lib/graph/wiring'
import type { Editor } from '../editor/editor.svelte'
import { quickForWire } from './adding'
import type { Board, Wiring } from './board.svelte'
import { isOver, stepAt } from './hits'

type Point = { x: number; y: number }
/** What it needs of the canvas. */
export type Surface = {
  store: () => ReturnType<typeof useStore>
  frame: () => HTMLElement | undefined
  /** Where a step stands whose middle is at a point of the window. */
  placeAt: (at: Point) => Place
  /** A point of the window on the canvas. */
  toFlow: (at: Point) => Place
}
type Ends = { source: string; sourceHandle?: string | null; target: string; targetHandle?: string | null }

export class Connecting {
  readonly #editor: Editor
  readonly #board: Board
  readonly #surface: Surface

  constructor(editor: Editor, board: Board, surface: Surface) {
    this.#editor = editor
    this.#board = board
    this.#surface = surface
  }

  /** True if a wire may go there. */
  readonly isValid = (connection: Ends): boolean => this.#board.judge(wireOf(connection)).isAllowed

  // Nothing is returned: the wire comes from the document once the command has put it there. What was
  // given up meanwhile is not drawn, though Svelte Flow may still think so.
  readonly connect = (connection: Connection): void => {
    if (this.#board.wiring !== null) this.#draw(wireOf(connection), this.#board.wiring.loose)
  }

  readonly start: OnConnectStart = (_, { nodeId, handleId, handleType }) => {
    if (nodeId !== null && handleId !== null) this.#board.startWiring({ step: nodeId, port: handleId }, handleType === 'source')
  }

  readonly end: OnConnectEnd = (event, state) => {
    const wiring = this.#board.wiring
    const base = this.#board.base
    this.#board.wiring = null
    if (wiring === null || state.toHandle !== null) return
    const at = 'clientX' in event ? event : event.changedTouches[0]
    if (at === undefined || !isOver(this.#surface.frame(), at.clientX, at.clientY)) return
    const under = stepAt(at.clientX, at.clientY)
    if (under !== null && under !== wiring.end.step) this.#drawTo(under, base, wiring)
    else if (under === null && wiring.loose !== null) this.#editor.document.run(disconnect(this.#editor.doc, [wiring.loose]))
    else if (under === null) this.#ask(wiring, { x: at.clientX, y: at.clientY })
  }

  /** With Ctrl, on a Mac the Command key, an end of a wire comes off its port and follows the pointer. */
  grab(event: MouseEvent): void {
    const isAsked = platform.isMac ? event.metaKey : event.ctrlKey
    const held = isAsked && event.button === 0 ? this.#heldAt(event) : null
    const frame = this.#surface.frame()
    if (held === null || frame === undefined) return
    event.stopPropagation()
    const { wire, side } = held
    const fixed = side === 'to' ? wire.from : wire.to
    const store = this.#surface.store()
    XYHandle.onPointerDown(event, {
      autoPanOnConnect: store.autoPanOnConnect, connectionMode: store.connectionMode, connectionRadius: store.connectionRadius, domNode: store.domNode,
      nodeId: fixed.step, handleId: fixed.port, isTarget: side === 'from', edgeUpdaterType: side === 'to' ? 'source' : 'target', handleDomNode: frame,
      nodeLookup: store.nodeLookup, lib: 'svelte', flowId: store.flowId, panBy: store.panBy, dragThreshold: DRAG_PX,
      updateConnection: store.updateConnection, cancelConnection: store.cancelConnection,
      getTransform: () => [store.viewport.x, store.viewport.y, store.viewport.zoom], getFromHandle: () => store.connection.fromHandle,
      isValidConnection: this.isValid, onConnect: this.connect, onConnectEnd: this.end,
      onConnectStart: () => this.#board.startWiring(fixed, side === 'to', wire),
    })
  }

  /** Gives up the wire on its way: one whose end was held is where it was. */
  cancel(): void {
    this.#board.wiring = null
    const store = this.#surface.store()
    store.clickConnectStartHandle = null
    store.cancelConnection()
  }

  #heldAt({ target, clientX, clientY }: MouseEvent): Held | null {
    if (!(target instanceof Element)) return null
    const { doc, kinds, document: here } = this.#editor
    const handle = target.closest('.svelte-flow__handle')
    if (handle !== null) {
      const side = handle.classList.contains('source') ? 'from' : 'to'
      const port = { step: handle.getAttribute('data-nodeid') ?? '', port: handle.getAttribute('data-handleid') ?? '' }
      const wire = wireOn(doc, port, side, here.selection.wires)
      return wire === null ? null : { wire, side }
    }
    const id = target.closest('.svelte-flow__edge')?.getAttribute('data-id')
    const wire = wiresOf(doc).find((one) => wireId(one) === id)
    return wire === undefined ? null : { wire, side: nearerSide(doc, kinds, wire, this.#surface.toFlow({ x: clientX, y: clientY })) }
  }

  #draw(wire: Wire, loose: Wire | null): void {
    const { doc, kinds, document: here } = this.#editor
    const outcome: Outcome = loose === null ? connect(doc, kinds, wire) : reconnect(doc, kinds, loose, wire)
    here.run(outcome)
  }

  // Let go on a step and not on a port: the port that fits is taken.
  #drawTo(step: string, base: PipelineDoc, { end, isFromOutput, loose }: Wiring): void {
    const { kinds } = this.#editor
    const port = isFromOutput ? bestInput(base, kinds, end, step) : bestOutput(base, kinds, step, end)
    const other: End = { step, port: port?.name ?? kindOf(base, kinds, step)?.[isFromOutput ? 'inputs' : 'outputs'][0]?.name ?? '' }
    this.#draw(isFromOutput ? { from: end, to: other } : { from: other, to: end }, loose)
  }

  // Let go on nothing: what could be there is asked.
  #ask({ end, isFromOutput }: Wiring, at: Point): void {
    const [x, y] = this.#surface.placeAt(at)
    this.#board.quick = quickForWire(this.#editor, end, isFromOutput, at, snap([x + (isFromOutput ? STEP_WIDTH / 2 : -STEP_WIDTH / 2), y]))
  }
}

/** A press that moves less is a click, which selects the wire. */
const DRAG_PX = 3

function wireOf(connection: Ends): Wire {
  return {
    from: { step: connection.source, port: connection.sourceHandle ?? '' },
    to: { step: connection.target, port: connection.targetHandle ?? '' },
  }
}
