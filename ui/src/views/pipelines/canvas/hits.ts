// What lies under the pointer on the canvas.

/** The name of the wire at a point of the window, whatever lies above it. */
export function wireAt(x: number, y: number): string | null {
  const edge = document.elementsFromPoint(x, y).map((element) => element.closest('.svelte-flow__edge')).find((found) => found !== null)
  return edge?.getAttribute('data-id') ?? null
}

/** The id of the step at a point of the window. */
export function stepAt(x: number, y: number): string | null {
  return document.elementFromPoint(x, y)?.closest('.svelte-flow__node-step')?.getAttribute('data-id') ?? null
}

/** True if the point is on the canvas and not on something that lies over it. */
export function isOver(frame: HTMLElement | undefined, x: number, y: number): boolean {
  const at = document.elementFromPoint(x, y)
  return at !== null && frame?.contains(at) === true
}
