// Files of checks and tests: a head, then an entry `[[check]]` or `[[test]]` for each.

const HEAD = 'format = 1\n'

/** The file with one more entry; the first brings the head with it. */
export function withEntry(text: string, entry: string, block: string): string {
  return withAll(text, [entry], block)
}

// At once: a suggestion for a wide table has ten thousand entries.
function withAll(text: string, entries: readonly string[], block: string): string {
  if (entries.length === 0) return text
  const base = text.trim() === '' ? HEAD : `${text.trimEnd()}\n`
  return base + entries.map((entry) => `\n[[${block}]]\n${entry.trim()}\n`).join('')
}

/** The entries of a suggestion that the file has not. */
export function freshOf(text: string, suggested: string, block: string): string[] {
  const known = new Set(entriesOf(text, block))
  return entriesOf(suggested, block).filter((entry) => !known.has(entry))
}

/** The entries of a suggestion added to a file; its head is not written twice, nor an entry that is there. */
export function withEntries(text: string, suggested: string, block: string): string {
  return withAll(text, freshOf(text, suggested, block), block)
}

/** The entries of a file, without the line that begins each. */
export function entriesOf(text: string, block: string): string[] {
  return text.split(new RegExp(`^\\[\\[${block}\\]\\][ \\t]*$`, 'm')).slice(1).map((entry) => entry.trim())
}
