// Finds a text in the file.

/** Where a text stands, as offsets, whatever the case of its letters. */
export function placesOf(text: string, wanted: string): number[] {
  const needle = wanted.toLowerCase()
  if (needle === '') return []
  const hay = text.toLowerCase()
  const found: number[] = []
  for (let at = hay.indexOf(needle); at >= 0; at = hay.indexOf(needle, at + needle.length)) found.push(at)
  return found
}

/** The line of an offset, from 1. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}

/** Which of the places comes next from an offset, going round at the end; -1 if there is none. */
export function nextPlace(places: readonly number[], from: number, isBack: boolean): number {
  if (places.length === 0) return -1
  if (!isBack) return Math.max(0, places.findIndex((place) => place >= from))
  const before = places.findLastIndex((place) => place < from)
  return before < 0 ? places.length - 1 : before
}
