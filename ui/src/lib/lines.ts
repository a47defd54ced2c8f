// Lines of a text, from 1, and what messages say of them.

/** The line that a message of the server speaks of; null if it names none. */
export function lineOf(message: string): number | null {
  const found = /\bline (\d+)\b/.exec(message)
  return found === null ? null : Number(found[1])
}

/** Where a line begins and ends; null if the text has no such line. */
export function lineSpan(text: string, line: number): [number, number] | null {
  const all = text.split('\n')
  const own = all[line - 1]
  if (own === undefined) return null
  const start = all.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0)
  return [start, start + own.length]
}
