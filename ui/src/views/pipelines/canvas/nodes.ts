// The document as nodes and edges of Svelte Flow. What did not change keeps its object, so that only
// what did is drawn again.

import { Position, type Edge, type Node, type NodeHandle } from '@xyflow/svelte'

import type { PipelineDoc, PortView, StepDoc, StepKindView } from '../../../host/bindings'
import type { Comparison, StepChange } from '../../../lib/graph/compare'
import { wireId, wiresOf, type Wire } from '../../../lib/graph/doc'
import { portTop } from '../../../lib/graph/ends'
import type { Face } from '../../../lib/graph/faces'
import { stepsIn } from '../../../lib/graph/frames'
import { STEP_HEIGHT, STEP_WIDTH } from '../../../lib/graph/geometry'
import { kindFor, outputPort, stepTitle, type Kinds } from '../../../lib/graph/kinds'
import { framesOf, type Frame } from '../../../lib/graph/sheet'

/** What a node shows. */
export type StepData = { step: StepDoc; kind: StepKindView | null; title: string; face: Face; change: StepChange | null }
export type StepNode = Node<StepData, 'step'>
export type FrameNode = Node<{ frame: Frame; isAround: boolean }, 'frame'>
export type CanvasNode = StepNode | FrameNode
export type WireEdge = Edge

/** Width of a port's mark; its reach for the pointer is wider. */
const MARK = 10

const NO_FACE: Face = { badge: 'ready', word: 'Ready', reasons: [], summary: null }

/** The nodes; `before` gives those that stay as they are. */
export function buildNodes(
  doc: PipelineDoc,
  kinds: Kinds,
  faces: ReadonlyMap<string, Face>,
  selected: readonly string[],
  before: readonly StepNode[],
  comparison: Comparison | null = null,
): StepNode[] {
  const old = new Map(before.map((node) => [node.id, node]))
  const isSelected = new Set(selected)
  return doc.steps.map((step) => {
    const known = old.get(step.id)
    const face = faces.get(step.id) ?? NO_FACE
    const kind = kindFor(kinds, step) ?? null
    const title = stepTitle(kinds, step)
    const change = comparison?.steps.get(step.id) ?? null
    const data = known !== undefined && isSameData(known.data, step, kind, title, face) && isSameChange(known.data.change, change) ? known.data : { step, kind, title, face, change }
    // While a node is dragged the pointer decides where it is, not the document.
    const position = known?.dragging === true ? known.position : place(known, step)
    const isChosen = isSelected.has(step.id)
    if (known !== undefined && known.data === data && known.position === position && (known.selected ?? false) === isChosen) return known
    // Other ports stand elsewhere, and wires end where they stand.
    const base = known === undefined ? fresh(step, kind) : known.data.kind === kind ? known : { ...known, ...fresh(step, kind) }
    return { ...base, position, data, selected: isChosen, ariaLabel: labelOf(data) }
  })
}

const GHOST = 'gone:'
const GONE: Face = { badge: 'draft', word: 'Removed', reasons: [], summary: null }

/** Steps that are no longer there, where they stood; only to be looked at. */
export function buildGhosts(comparison: Comparison | null, kinds: Kinds): StepNode[] {
  return (comparison?.gone ?? []).map((step) => {
    const kind = kindFor(kinds, step) ?? null
    const data: StepData = { step, kind, title: stepTitle(kinds, step), face: GONE, change: comparison?.steps.get(step.id) ?? null }
    const [x, y] = step.position
    return { ...fresh(step, kind), id: GHOST + step.id, position: { x, y }, data, draggable: false, selectable: false, connectable: false, deletable: false, focusable: false, ariaLabel: `${data.title} ${step.id}, removed` }
  })
}

/** Wires that are no longer there; an end that is gone is the ghost's. */
export function buildGhostEdges(comparison: Comparison | null): WireEdge[] {
  const gone = new Set(comparison?.gone.map((step) => step.id))
  const end = (id: string): string => (gone.has(id) ? GHOST + id : id)
  return (comparison?.goneWires ?? []).map((wire) => ({
    id: GHOST + wireId(wire), source: end(wire.from.step), sourceHandle: wire.from.port, target: end(wire.to.step), targetHandle: wire.to.port,
    class: 'removed', selectable: false, focusable: false, ariaLabel: `Removed: from ${wire.from.step} to ${wire.to.step}`,
  }))
}

function isSameChange(a: StepChange | null, b: StepChange | null): boolean {
  return a === b || (a !== null && b !== null && a.fate === b.fate && a.words.join('\n') === b.words.join('\n'))
}

/** The frames, under the steps; `before` gives those that stay as they are. */
export function buildFrames(doc: PipelineDoc, selected: readonly string[], before: readonly FrameNode[]): FrameNode[] {
  const old = new Map(before.map((node) => [node.id, node]))
  return framesOf(doc).map((frame) => {
    const known = old.get(frame.id)
    const isAround = stepsIn(doc, frame).length > 0
    const isChosen = selected.includes(frame.id)
    if (known !== undefined && known.data.frame === frame && known.data.isAround === isAround && known.dragging !== true && (known.selected ?? false) === isChosen) return known
    const [x, y, width, height] = frame.box
    const position = known?.dragging === true ? known.position : { x, y }
    return { id: frame.id, type: 'frame', data: { frame, isAround }, position, width, height, measured: { width, height }, selected: isChosen, zIndex: -1, connectable: false, ariaLabel: `Frame ${frame.title}` }
  })
}

/** True for a frame. */
export function isFrame(node: CanvasNode): node is FrameNode {
  return node.type === 'frame'
}

/** True for a step. */
export function isStep(node: CanvasNode): node is StepNode {
  return node.type === 'step'
}

function place(known: StepNode | undefined, step: StepDoc): { x: number; y: number } {
  const [x, y] = step.position
  return known !== undefined && known.position.x === x && known.position.y === y ? known.position : { x, y }
}

function fresh(step: StepDoc, kind: StepKindView | null): Omit<StepNode, 'position' | 'data'> {
  const size = { width: STEP_WIDTH, height: STEP_HEIGHT }
  // Size and ports are known beforehand: nothing has to be measured, not even what is out of view.
  return { id: step.id, type: 'step', ...size, measured: size, handles: kind === null ? [] : handlesOf(kind) }
}

function handlesOf(kind: StepKindView): NodeHandle[] {
  const mark = (port: PortView, index: number, count: number, type: 'source' | 'target'): NodeHandle => ({
    id: port.name,
    type,
    position: type === 'source' ? Position.Right : Position.Left,
    x: (type === 'source' ? STEP_WIDTH : 0) - MARK / 2,
    y: portTop(index, count) - MARK / 2,
    width: MARK,
    height: MARK,
  })
  return [
    ...kind.inputs.map((port, index) => mark(port, index, kind.inputs.length, 'target')),
    ...kind.outputs.map((port, index) => mark(port, index, kind.outputs.length, 'source')),
  ]
}

function isSameData(data: StepData, step: StepDoc, kind: StepKindView | null, title: string, face: Face): boolean {
  // Its place is the node's matter.
  const isSameStep = data.step === step || (data.step.id === step.id && data.step.kind === step.kind)
  return isSameStep && data.kind === kind && data.title === title && isSameFace(data.face, face)
}

function isSameFace(a: Face, b: Face): boolean {
  return a === b || (a.badge === b.badge && a.word === b.word && a.summary === b.summary && a.progress === b.progress && a.reasons.join('\n') === b.reasons.join('\n'))
}

function labelOf({ title, step, face }: StepData): string {
  const name = title.toLowerCase() === step.id ? title : `${title} ${step.id}`
  return `${name}, ${face.word}${face.summary === null ? '' : `, ${face.summary}`}`
}

/** What marks single wires: the one that a step would go into, the one held by an end, those that are new. */
export type WireMarks = { entered: Wire | null; loose: Wire | null; comparison: Comparison | null }
const NO_MARKS: WireMarks = { entered: null, loose: null, comparison: null }

/** The edges; `before` gives those that stay as they are. */
export function buildEdges(doc: PipelineDoc, kinds: Kinds, selected: readonly string[], before: readonly WireEdge[], { entered, loose, comparison }: WireMarks = NO_MARKS): WireEdge[] {
  const old = new Map(before.map((edge) => [edge.id, edge]))
  const isSelected = new Set(selected)
  const [enteredId, looseId] = [entered, loose].map((wire) => (wire === null ? null : wireId(wire)))
  return wiresOf(doc).map((wire) => {
    const id = wireId(wire)
    const known = old.get(id)
    const type = outputPort(doc, kinds, wire.from)?.type ?? 'files'
    const look = `${type}${id === enteredId ? ' entered' : ''}${id === looseId ? ' loose' : ''}${comparison?.newWires.has(id) === true ? ' added' : ''}`
    const isChosen = isSelected.has(id)
    if (known !== undefined && known.class === look && (known.selected ?? false) === isChosen) return known
    return {
      id,
      source: wire.from.step,
      sourceHandle: wire.from.port,
      target: wire.to.step,
      targetHandle: wire.to.port,
      class: look,
      selected: isChosen,
      ariaLabel: `${type} from ${wire.from.step} to ${wire.to.step}`,
    }
  })
}

/** True if both hold the very same objects. */
export function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index])
}
