// Messages of the backend are written for a chain (`cannot read …`); on screen they are sentences.

/** With a capital letter and a full stop. A first word that is a name stays as it is written. */
export function sentence(message: string): string {
  const text = message.trim()
  if (text === '') return text
  const isWord = /^[a-z]+(?=[\s,.:;]|$)/.test(text)
  const start = isWord ? text.charAt(0).toUpperCase() + text.slice(1) : text
  return /[.!?…:]$/.test(start) ? start : `${start}.`
}

/** The text in pieces: what stands in backticks is code. */
export function pieces(text: string): { text: string; isCode: boolean }[] {
  const parts = text.split('`')
  // A backtick without a partner is a backtick.
  if (parts.length % 2 === 0) return [{ text, isCode: false }]
  return parts.map((part, index) => ({ text: part, isCode: index % 2 === 1 })).filter((piece) => piece.text !== '')
}

/** The same words without the marks, for where no code can stand: tooltips of the system, labels, notifications. */
export function plain(text: string): string {
  return pieces(text).map((piece) => piece.text).join('')
}
