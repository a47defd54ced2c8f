// Where the canvas looks: fitted to everything until somebody moves it, kept over visits, and never lost.

import { untrack } from 'svelte'
import type { Viewport } from '@xyflow/svelte'

import { stepOf } from '../../../lib/graph/doc'
import { contentBox } from '../../../lib/graph/frames'
import { boxAround, fittingView, isSameView, shareInView, zoomedBy, type Box } from '../../../lib/graph/geometry'
import type { Editor } from '../editor/editor.svelte'
import type { Board } from './board.svelte'
import { forgetView, keepView, recallView } from './views'

/** What the camera needs of Svelte Flow. */
export type Lens = { getViewport(): Viewport; setViewport(view: Viewport): Promise<boolean> }

export class Camera {
  width = $state(0)
  height = $state(0)
  /** The share of the steps that are in view. */
  share = $state(1)
  readonly #editor: Editor
  readonly #board: Board
  readonly #lens: Lens
  // The view that shows everything, as long as nobody moved it: it follows the size of the canvas.
  #fitted: Viewport | null = null
  #opened: Viewport | null
  #size = { width: 0, height: 0 }
  /** How large the canvas was when a part began to be looked at, nothing if it was not there; null while the whole is. */
  #whole: { width: number; height: number } | null = null
  // A move that was asked for ends later, when another view may have taken the place.
  #isGone = false

  constructor(editor: Editor, board: Board, lens: Lens) {
    this.#editor = editor
    this.#board = board
    this.#lens = lens
    // A part that is looked at already is opened with all of it.
    this.#opened = editor.focus === null ? recallView(editor.document.key) : null
    $effect(() => {
      const { focus } = editor
      untrack(() => this.#turn(focus !== null))
    })
    $effect(() => {
      void editor.shown
      if (this.width > 0) untrack(() => this.look())
    })
    $effect(() => this.#resize(this.width, this.height))
    $effect(() => () => (this.#isGone = true))
    $effect(() => {
      const wanted = editor.wanted
      if (wanted !== null) untrack(() => this.reveal(wanted.id))
    })
  }

  /** The view to open with. Asked for whenever the size changes, but decided once. */
  opening(): Viewport {
    return (this.#opened ??= this.#fitted = fittingView(contentBox(this.#editor.shown), this.width, this.height))
  }

  /** Shows everything. */
  fit(): void {
    this.#fitted = fittingView(contentBox(this.#editor.shown), this.width, this.height)
    void this.#lens.setViewport(this.#fitted).then(() => this.look())
  }

  /** Shows these steps, as near as they all fit. */
  frame(ids: readonly string[]): void {
    const steps = this.#editor.doc.steps.filter((step) => ids.includes(step.id))
    if (steps.length === 0) return this.fit()
    this.#fitted = null
    void this.#lens.setViewport(fittingView(boxAround(steps.map((step) => step.position)), this.width, this.height)).then(() => this.look())
  }

  zoomBy(factor: number): void {
    const view = zoomedBy(this.#lens.getViewport(), factor, this.width, this.height)
    void this.#lens.setViewport(view).then(() => this.look())
  }

  /** The canvas was moved, by hand or by us. */
  moved(view: Viewport): void {
    if (this.#fitted !== null && !isSameView(view, this.#fitted)) this.#fitted = null
    // A part is looked at for a while; the next visit begins with the whole.
    if (this.#editor.focus !== null) return this.look()
    if (this.#fitted === null) keepView(this.#editor.document.key, view)
    else forgetView(this.#editor.document.key)
    this.look()
  }

  /** How much can be seen: a canvas that was scrolled away looks like a lost one. */
  look(): void {
    if (this.#isGone) return
    this.#board.setZoom(this.#lens.getViewport().zoom)
    this.share = shareInView(this.#editor.shown, this.seen())
  }

  /** The part of the canvas that is on screen. */
  seen(): Box {
    const { x, y, zoom } = this.#lens.getViewport()
    return { x: -x / zoom, y: -y / zoom, width: this.width / zoom, height: this.height / zoom }
  }

  /** Brings a step into view, if it is not. */
  reveal(id: string): void {
    const step = stepOf(this.#editor.doc, id)
    const box = boxAround(step === undefined ? [] : [step.position])
    if (box === null) return
    const seen = this.seen()
    const isSeen = box.x > seen.x && box.y > seen.y && box.x + box.width < seen.x + seen.width && box.y + box.height < seen.y + seen.height
    if (isSeen) return
    const { zoom } = this.#lens.getViewport()
    const view = { x: this.width / 2 - (box.x + box.width / 2) * zoom, y: this.height / 2 - (box.y + box.height / 2) * zoom, zoom }
    void this.#lens.setViewport(view).then(() => this.look())
  }

  // A part fills the canvas. The way back leads to where the whole was looked at, as it was kept.
  #turn(isPart: boolean): void {
    const { width, height } = this
    const whole = this.#whole
    this.#whole = isPart ? (whole ?? { width, height }) : null
    if (width === 0 || (!isPart && whole === null)) return
    const kept = isPart ? null : recallView(this.#editor.document.key)
    if (kept === null || whole === null) return this.fit()
    this.#fitted = null
    // The bar of the part is still there; once it goes, the canvas grows around its middle.
    const isKnown = whole.width > 0
    const view = { x: kept.x + (isKnown ? (width - whole.width) / 2 : 0), y: kept.y + (isKnown ? (height - whole.height) / 2 : 0), zoom: kept.zoom }
    void this.#lens.setViewport(view).then(() => this.look())
  }

  // The drawer opens, a panel closes: what was in the middle stays there, and all of it if it was all.
  #resize(width: number, height: number): void {
    const before = this.#size
    this.#size = { width, height }
    if (before.width * before.height === 0 || width * height === 0) return
    untrack(() => {
      if (this.#fitted !== null) return this.fit()
      const { x, y, zoom } = this.#lens.getViewport()
      const view = { x: x + (width - before.width) / 2, y: y + (height - before.height) / 2, zoom }
      void this.#lens.setViewport(view).then(() => this.look())
    })
  }
}
