// The text of a model card: headings, paragraphs, lists and comments of Markdown, with claims such as
// `{{metric.auc = 0.991}}` in them. What a card needs, and no more.

import type { ClaimView } from '../host/bindings'

/** A piece of a line: words, code, strong words, or a claim. */
export type Piece = { as: 'text' | 'code' | 'strong'; text: string } | { as: 'claim'; claim: ClaimView }

export type Block =
  | { as: 'heading'; level: number; pieces: Piece[]; line: number }
  | { as: 'text'; pieces: Piece[] }
  | { as: 'list'; items: Piece[][] }
  /** What is asked for and nobody has answered yet: a comment of the file. */
  | { as: 'prompt'; text: string; line: number }

/** The blocks of a card. The claims are those that the server found in it, in their order. */
export function blocksOf(text: string, claims: readonly ClaimView[]): Block[] {
  const left = [...claims]
  const blocks: Block[] = []
  let words: string[] = []
  let items: string[] = []
  let comment: { words: string; line: number } | null = null
  const flush = (): void => {
    if (words.length > 0) blocks.push({ as: 'text', pieces: piecesOf(words.join(' '), left) })
    if (items.length > 0) blocks.push({ as: 'list', items: items.map((item) => piecesOf(item, left)) })
    words = []
    items = []
  }
  text.split('\n').forEach((whole, at) => {
    let line = whole
    if (comment === null && line.trimStart().startsWith('<!--')) {
      flush()
      comment = { words: '', line: at + 1 }
      line = line.trimStart().slice(4)
    }
    if (comment !== null) {
      const end = line.indexOf('-->')
      comment.words += ` ${end < 0 ? line : line.slice(0, end)}`
      if (end < 0) return
      // The server counts the claims of a comment too.
      left.splice(0, comment.words.match(/\{\{.*?\}\}/g)?.length ?? 0)
      blocks.push({ as: 'prompt', text: comment.words.trim().replace(/\s+/g, ' '), line: comment.line })
      comment = null
      return
    }
    const heading = /^(#{1,6}) (.*)$/.exec(line)
    const item = /^\s*[-*] (.*)$/.exec(line)
    if (heading !== null) {
      flush()
      blocks.push({ as: 'heading', level: (heading[1] ?? '').length, pieces: piecesOf(heading[2] ?? '', left), line: at + 1 })
    } else if (item !== null) {
      if (words.length > 0) flush()
      items.push(item[1] ?? '')
    } else if (line.trim() === '') flush()
    else if (items.length > 0 && /^\s/.test(line)) items[items.length - 1] += ` ${line.trim()}`
    else {
      if (items.length > 0) flush()
      words.push(line.trim())
    }
  })
  flush()
  return blocks
}

/** A claim, alone or in code or strong words; else code or strong words. */
const MARKS = /(`|\*\*)\{\{.*?\}\}\1|\{\{.*?\}\}|`[^`]+`|\*\*[^*]+\*\*/

function piecesOf(text: string, claims: ClaimView[]): Piece[] {
  const pieces: Piece[] = []
  let rest = text
  for (let found = MARKS.exec(rest); found !== null; found = MARKS.exec(rest)) {
    if (found.index > 0) pieces.push({ as: 'text', text: rest.slice(0, found.index) })
    pieces.push(pieceOf(found[0], claims))
    rest = rest.slice(found.index + found[0].length)
  }
  return rest === '' ? pieces : [...pieces, { as: 'text', text: rest }]
}

function pieceOf(whole: string, claims: ClaimView[]): Piece {
  const claim = whole.includes('{{') ? claims.shift() : undefined
  if (claim !== undefined) return { as: 'claim', claim }
  if (whole.startsWith('**')) return { as: 'strong', text: whole.slice(2, -2) }
  return whole.startsWith('`') ? { as: 'code', text: whole.slice(1, -1) } : { as: 'text', text: whole }
}

/** A number as a card says it: to five digits; a whole number or a text as it is. */
export function saidAs(now: string): string {
  const value = Number(now)
  return Number.isFinite(value) && /[.e]/.test(now) ? String(Number(value.toPrecision(5))) : now.replaceAll('}}', '')
}

/** The card with every stale claim that has an answer brought up to date, and nothing else changed. */
export function broughtUpToDate(text: string, claims: readonly ClaimView[]): string {
  const left = [...claims]
  return text.replace(/\{\{.*?\}\}/g, (whole) => {
    const claim = left.shift()
    if (claim === undefined || !claim.isStale || claim.now === null) return whole
    return `{{${claim.query} = ${saidAs(claim.now)}}}`
  })
}
