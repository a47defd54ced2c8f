// The graph of a run: its wires as lines between steps, and how large it is drawn.

import type { PipelineDoc } from '../../host/bindings'
import { STEP_HEIGHT, STEP_WIDTH, type Place } from '../../lib/graph/geometry'

/** A line from one step to another. */
export interface Wire {
  id: string
  from: Place
  to: Place
}

/** One line a pair of steps, however many ports it connects; sources that are gone are left out. */
export function wires(doc: PipelineDoc): Wire[] {
  const places = new Map(doc.steps.map((step) => [step.id, step.position]))
  const found = new Map<string, Wire>()
  for (const step of doc.steps) {
    for (const source of Object.values(step.inputs).flat()) {
      const id = source.split('.')[0] ?? ''
      const from = places.get(id)
      if (from) found.set(`${id} ${step.id}`, { id: `${id} ${step.id}`, from, to: step.position })
    }
  }
  return [...found.values()]
}

/** A curve that leaves to the right and arrives from the left. */
export function wirePath(from: Place, to: Place): string {
  const [x1, y1] = [from[0] + STEP_WIDTH, from[1] + STEP_HEIGHT / 2]
  const [x2, y2] = [to[0], to[1] + STEP_HEIGHT / 2]
  const bend = Math.max(24, Math.abs(x2 - x1) / 2)
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`
}

/** How the graph is drawn in the room there is. Lengths of letters are in units of the graph. */
export interface Fit {
  /** Pixels a unit. */
  scale: number
  /** Height of a step's name. */
  name: number
  /** Letters a line of a name holds. */
  letters: number
  /** True if there is room for the word of the state; else only its icon is drawn. */
  hasWords: boolean
  /** True if the graph is wider than the room all the same. */
  isWider: boolean
}

/** Below this nobody reads a name. */
const SMALLEST_NAME_PX = 9
const USUAL_NAME = 16
/** Smaller than this the box of a step holds too few letters of nine pixels. */
const SMALLEST_SCALE = 0.38
/** Width of a bold letter as a share of its height. */
const LETTER = 0.6
/** Left and right of what stands in a step. */
const PADDING = 14

/** The whole graph if its names can be read then, with letters that grow against the scale; else wider than the room. */
export function fitGraph(roomPx: number, width: number): Fit {
  const wanted = Math.min(1, roomPx / width)
  const scale = Math.max(SMALLEST_SCALE, wanted)
  const name = Math.max(USUAL_NAME, SMALLEST_NAME_PX / scale)
  const hasWords = name === USUAL_NAME
  const icon = hasWords ? 0 : iconSize(name) + PADDING / 2
  return { scale, name, letters: Math.floor((STEP_WIDTH - 2 * PADDING - icon) / (name * LETTER)), hasWords, isWider: wanted < scale }
}

/** Side of the icon of the state beside a name of this height. */
export function iconSize(name: number): number {
  return name * 1.3
}

/** A name on at most so many lines of so many letters, broken after `_`, `-` or `.` where it can be. */
export function nameLines(name: string, letters: number, lines: number): string[] {
  if (name.length <= letters) return [name]
  if (lines === 1) return [`${name.slice(0, letters - 1)}…`]
  const seam = Math.max(...['_', '-', '.'].map((mark) => name.lastIndexOf(mark, letters - 1)))
  const end = seam > 0 ? seam + 1 : letters
  return [name.slice(0, end), ...nameLines(name.slice(end), letters, lines - 1)]
}
