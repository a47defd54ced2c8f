// The commands of the canvas: they hold while the keyboard is on it.

import type { Command, Gesture } from '../../../lib/keys'

/** What the commands need of the canvas. */
export type CanvasActions = {
  isHere: () => boolean
  hasSelection: () => boolean
  hasFrame: () => boolean
  openPalette: () => void
  fit: () => void
  fitSelection: () => void
  zoomBy: (factor: number) => void
  toggleMap: () => void
  /** Lets the wheel zoom, or move the canvas again. */
  toggleWheel: () => void
  /** Puts a frame around what is selected, or a note at the pointer. */
  frame: () => void
  /** Goes to the title of the selected frame. */
  rename: () => void
  move: (dx: number, dy: number) => void
  walk: (direction: 'left' | 'right' | 'up' | 'down') => void
}

/** A small step for exact work, a large one with Shift. */
const NEAR = 4
const FAR = 40

const POINTER = 'Canvas by the pointer'

/** What the pointer can do on the canvas beside what everybody tries. */
export const GESTURES: readonly Gesture[] = [
  { group: POINTER, title: 'Add a step, or put one into a wire', keys: ['Double click'] },
  { group: POINTER, title: 'Take the end of a wire off its port', keys: ['Mod+Drag'] },
  { group: POINTER, title: 'Add to what is selected', keys: ['Mod+Click'] },
  { group: POINTER, title: 'Select what is in a box', keys: ['Shift+Drag'] },
  { group: POINTER, title: 'Move a step over a wire, not into it', keys: ['Alt+Drag'] },
  { group: POINTER, title: 'Zoom', keys: ['Mod+Wheel'] },
]

export function canvasCommands(on: CanvasActions): Command[] {
  const group = 'Canvas'
  const arrows = [
    { key: 'ArrowLeft', direction: 'left', dx: -1, dy: 0 },
    { key: 'ArrowRight', direction: 'right', dx: 1, dy: 0 },
    { key: 'ArrowUp', direction: 'up', dx: 0, dy: -1 },
    { key: 'ArrowDown', direction: 'down', dx: 0, dy: 1 },
  ] as const
  const isMovable = (): boolean => on.isHere() && on.hasSelection()
  return [
    { id: 'canvas.add', title: 'Add a step…', group, keys: ['Space', 'A'], isEnabled: on.isHere, run: on.openPalette },
    { id: 'canvas.fit', title: 'Fit the canvas', group, keys: ['F'], isEnabled: on.isHere, run: on.fit },
    { id: 'canvas.fitSelection', title: 'Show what is selected', group, keys: ['Shift+F'], isEnabled: isMovable, run: on.fitSelection },
    { id: 'canvas.zoomIn', title: 'Zoom in', group, keys: ['='], isEnabled: on.isHere, run: () => on.zoomBy(1.25) },
    { id: 'canvas.zoomOut', title: 'Zoom out', group, keys: ['-'], isEnabled: on.isHere, run: () => on.zoomBy(0.8) },
    { id: 'canvas.map', title: 'Show or hide the map', group, keys: ['M'], isEnabled: on.isHere, run: on.toggleMap },
    { id: 'canvas.wheel', title: 'Wheel zooms, or moves the canvas', group, words: 'scroll pan mouse', run: on.toggleWheel },
    { id: 'canvas.frame', title: 'Frame steps, or add a note', group, keys: ['C'], words: 'comment group', isEnabled: on.isHere, run: on.frame },
    { id: 'canvas.rename', title: 'Rename the frame', group, keys: ['F2'], isEnabled: on.hasFrame, run: on.rename },
    ...arrows.flatMap(({ key, direction, dx, dy }): Command[] => [
      { id: `canvas.move.${direction}`, title: `Move ${direction}`, group, keys: [key], isInPalette: false, isEnabled: isMovable, run: () => on.move(dx * NEAR, dy * NEAR) },
      { id: `canvas.moveFar.${direction}`, title: `Move ${direction} by ${FAR}`, group, keys: [`Shift+${key}`], isInPalette: false, isEnabled: isMovable, run: () => on.move(dx * FAR, dy * FAR) },
      { id: `canvas.walk.${direction}`, title: `Go to the step ${direction}`, group, keys: [`Mod+${key}`], isInPalette: false, isEnabled: isMovable, run: () => on.walk(direction) },
    ]),
  ]
}
