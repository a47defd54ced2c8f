// On which sides something that scrolls goes on beyond what is in sight.

export type HiddenSides = { left: boolean; right: boolean }

/** Engines round these lengths to whole pixels on their own, so one pixel is nothing. */
const SLACK = 1

export function hiddenSides(scrolled: number, room: number, content: number): HiddenSides {
  return { left: scrolled > SLACK, right: scrolled + room < content - SLACK }
}
