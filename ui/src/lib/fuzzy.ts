// How well a text answers what was typed into the palette.

/**
 * Zero if `query` does not occur in `text` in order; otherwise higher is better. Starts of words and
 * runs of letters count most, so that `impd` finds "Import data" before "simple paid".
 */
export function score(query: string, text: string): number {
  const wanted = query.toLowerCase().replaceAll(' ', '')
  if (wanted === '') return 1
  const hay = text.toLowerCase()
  let total = 0
  let at = 0
  let before = -2
  for (const letter of wanted) {
    const found = best(hay, letter, at, before)
    if (found < 0) return 0
    const isStart = found === 0 || /[\s._\-/]/.test(hay.charAt(found - 1))
    total += 1 + (found === before + 1 ? 5 : 0) + (isStart ? 4 : 0) - Math.min(3, (found - at) * 0.1)
    before = found
    at = found + 1
  }
  // Of two texts that answer alike, the shorter one says less besides.
  return total + (hay.startsWith(wanted) ? 6 : 0) + 10 / (10 + hay.length)
}

/** The next place of a letter: right behind the last one, else at the start of a word, else anywhere. */
function best(hay: string, letter: string, from: number, before: number): number {
  if (hay[before + 1] === letter && before + 1 >= from) return before + 1
  for (let at = from; at < hay.length; at += 1) {
    if (hay[at] === letter && (at === 0 || /[\s._\-/]/.test(hay.charAt(at - 1)))) return at
  }
  return hay.indexOf(letter, from)
}

/** The entries that answer, best first; entries that answer alike keep their order. */
export function rank<T>(query: string, entries: T[], textOf: (entry: T) => string): T[] {
  return entries
    .map((entry, index) => ({ entry, index, points: score(query, textOf(entry)) }))
    .filter(({ points }) => points > 0)
    .sort((a, b) => b.points - a.points || a.index - b.index)
    .map(({ entry }) => entry)
}
