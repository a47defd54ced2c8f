// How the canvas was left: where each pipeline was scrolled to, whether the list of steps is open, what
// the wheel does.

import type { Viewport } from '@xyflow/svelte'

import { LARGEST_ZOOM, SMALLEST_ZOOM } from '../../../lib/graph/geometry'

const keyOf = (pipeline: string): string => `fettle.view.${pipeline}`

export function recallView(pipeline: string): Viewport | null {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(keyOf(pipeline)) ?? 'null')
    if (typeof value !== 'object' || value === null || !('x' in value) || !('y' in value) || !('zoom' in value)) return null
    const { x, y, zoom } = value
    if (typeof x !== 'number' || typeof y !== 'number' || typeof zoom !== 'number' || !(zoom >= SMALLEST_ZOOM && zoom <= LARGEST_ZOOM)) return null
    return { x, y, zoom }
  } catch {
    // Nothing kept, or nothing that can be read: the canvas is fitted.
    return null
  }
}

export function keepView(pipeline: string, view: Viewport): void {
  try {
    localStorage.setItem(keyOf(pipeline), JSON.stringify(view))
  } catch {
    // Storage is full or switched off: the canvas is fitted the next time.
  }
}

/** The canvas shows everything, as it will when it is opened again. */
export function forgetView(pipeline: string): void {
  try {
    localStorage.removeItem(keyOf(pipeline))
  } catch {
    // Storage is switched off: nothing is kept anyway.
  }
}

const PALETTE = 'fettle.palette.open'
/** Narrower than this the canvas needs the room more than the list does. */
const ROOMY = 1400

export function isPaletteKept(): boolean {
  try {
    const kept = localStorage.getItem(PALETTE)
    return kept === null ? window.innerWidth >= ROOMY : kept === 'true'
  } catch {
    // Storage is switched off: the width decides.
    return window.innerWidth >= ROOMY
  }
}

export function keepPalette(isOpen: boolean): void {
  try {
    localStorage.setItem(PALETTE, String(isOpen))
  } catch {
    // Storage is switched off: the width decides the next time.
  }
}

const WHEEL = 'fettle.canvas.wheel'

/** True if the wheel zooms; as a rule it moves the canvas, and zooms with Ctrl or the Mac's Command key. */
export function doesWheelZoom(): boolean {
  try {
    return localStorage.getItem(WHEEL) === 'zoom'
  } catch {
    // Storage is switched off: as a rule.
    return false
  }
}

export function keepWheel(isZoom: boolean): void {
  try {
    localStorage.setItem(WHEEL, isZoom ? 'zoom' : 'pan')
  } catch {
    // Storage is switched off: it holds as long as the canvas is open.
  }
}
