// Markdown as cards and notes need it: headings, paragraphs, lists, fenced code, comments; in a line
// code, strong and emphasised words, links to the web, and claims such as `{{metric.auc = 0.991}}`. It
// gives pieces and never HTML, so nothing that somebody wrote can become part of the page.

import type { ClaimView } from '../host/bindings'

/** A piece of a line: words, code, strong or emphasised words, a link, or a claim. */
export type Piece =
  | { as: 'text' | 'code' | 'strong' | 'emphasis'; text: string }
  /** `href` is an address of the web. */
  | { as: 'link'; text: string; href: string }
  | { as: 'claim'; claim: ClaimView }

export type Block =
  | { as: 'heading'; level: number; pieces: Piece[]; line: number }
  | { as: 'text'; pieces: Piece[] }
  | { as: 'list'; isOrdered: boolean; items: Piece[][] }
  | { as: 'code'; text: string }
  /** What is asked for and nobody has answered yet: a comment of the file. */
  | { as: 'prompt'; text: string; line: number }

/** The blocks of a text. The claims are those that the server found in it, in their order. */
export function blocksOf(text: string, claims: readonly ClaimView[] = []): Block[] {
  const reader = new Reader(claims)
  text.split('\n').forEach((line, at) => reader.read(line, at + 1))
  return reader.end()
}

/** The first line with words in it, without its marks: for where there is room for one line. */
export function firstLine(text: string): string {
  for (const block of blocksOf(text)) {
    if (block.as === 'code') return block.text.split('\n')[0] ?? ''
    const pieces = block.as === 'list' ? block.items[0] : block.as === 'prompt' ? undefined : block.pieces
    if (pieces !== undefined) return pieces.map((piece) => (piece.as === 'claim' ? piece.claim.said : piece.text)).join('')
  }
  return ''
}

class Reader {
  readonly #left: ClaimView[]
  readonly #blocks: Block[] = []
  #words: string[] = []
  #list: { isOrdered: boolean; items: string[] } | null = null
  #code: string[] | null = null
  #comment: { words: string; line: number } | null = null

  constructor(claims: readonly ClaimView[]) {
    this.#left = [...claims]
  }

  /** Reads one more line. */
  read(line: string, number: number): void {
    if (this.#comment !== null) return this.#readComment(this.#comment, line)
    if (this.#code !== null) return this.#readCode(this.#code, line)
    const trimmed = line.trim()
    if (trimmed.startsWith('<!--')) {
      this.#flush()
      this.#comment = { words: '', line: number }
      return this.#readComment(this.#comment, line.trimStart().slice(4))
    }
    if (trimmed.startsWith('```')) {
      this.#flush()
      this.#code = []
      return
    }
    this.#readWords(line, number)
  }

  /** All blocks. What was never closed counts as far as it was written; a comment does not. */
  end(): Block[] {
    if (this.#code !== null) this.#endCode(this.#code)
    this.#flush()
    return this.#blocks
  }

  #readWords(line: string, number: number): void {
    const heading = /^(#{1,6}) (.*)$/.exec(line)
    const item = /^\s*(?:[-*+]|(\d{1,9})[.)]) (.*)$/.exec(line)
    if (heading !== null) {
      this.#flush()
      this.#blocks.push({ as: 'heading', level: (heading[1] ?? '').length, pieces: this.#pieces(heading[2] ?? ''), line: number })
    } else if (item !== null) this.#addItem(item[1] !== undefined, item[2] ?? '')
    else if (line.trim() === '') this.#flush()
    else if (this.#list !== null && /^\s/.test(line)) this.#list.items.push(`${this.#list.items.pop() ?? ''} ${line.trim()}`)
    else {
      if (this.#list !== null) this.#flush()
      this.#words.push(line.trim())
    }
  }

  #addItem(isOrdered: boolean, text: string): void {
    if (this.#words.length > 0 || (this.#list !== null && this.#list.isOrdered !== isOrdered)) this.#flush()
    this.#list ??= { isOrdered, items: [] }
    this.#list.items.push(text)
  }

  #readCode(code: string[], line: string): void {
    if (line.trim() === '```') this.#endCode(code)
    else code.push(line)
  }

  #endCode(code: readonly string[]): void {
    this.#code = null
    this.#pass(code.join('\n'))
    this.#blocks.push({ as: 'code', text: code.join('\n') })
  }

  #readComment(comment: { words: string; line: number }, line: string): void {
    const end = line.indexOf('-->')
    comment.words += ` ${end < 0 ? line : line.slice(0, end)}`
    if (end < 0) return
    this.#comment = null
    this.#pass(comment.words)
    this.#blocks.push({ as: 'prompt', text: comment.words.trim().replace(/\s+/g, ' '), line: comment.line })
  }

  // The server counts the claims of what is only shown as it is, too.
  #pass(text: string): void {
    this.#left.splice(0, text.match(/\{\{.*?\}\}/g)?.length ?? 0)
  }

  #flush(): void {
    if (this.#words.length > 0) this.#blocks.push({ as: 'text', pieces: this.#pieces(this.#words.join(' ')) })
    if (this.#list !== null) this.#blocks.push({ as: 'list', isOrdered: this.#list.isOrdered, items: this.#list.items.map((item) => this.#pieces(item)) })
    this.#words = []
    this.#list = null
  }

  #pieces(text: string): Piece[] {
    const pieces: Piece[] = []
    let rest = text
    for (let found = MARKS.exec(rest); found !== null; found = MARKS.exec(rest)) {
      if (found.index > 0) pieces.push({ as: 'text', text: rest.slice(0, found.index) })
      pieces.push(this.#piece(found[0]))
      rest = rest.slice(found.index + found[0].length)
    }
    return rest === '' ? pieces : [...pieces, { as: 'text', text: rest }]
  }

  #piece(whole: string): Piece {
    const claim = whole.includes('{{') ? this.#left.shift() : undefined
    if (claim !== undefined) return { as: 'claim', claim }
    const link = LINK.exec(whole)
    if (link !== null) return { as: 'link', text: link[1] ?? '', href: link[2] ?? '' }
    if (/^https?:/.test(whole)) return { as: 'link', text: whole, href: whole }
    if (whole.startsWith('**')) return { as: 'strong', text: whole.slice(2, -2) }
    if (whole.startsWith('`')) return { as: 'code', text: whole.slice(1, -1) }
    return /^[*_]/.test(whole) ? { as: 'emphasis', text: whole.slice(1, -1) } : { as: 'text', text: whole }
  }
}

/** Only addresses of the web: whatever else an address may be, it is not followed. */
const LINK = /^\[([^\]]+)\]\((https?:\/\/[^\s()]+)\)$/

/** A claim, alone or in code or strong words; else code, strong words, a link, emphasised words. Within
 *  a word an underscore is a letter, as in the name of a column, and a star between blanks is a sign. */
const MARKS =
  /(`|\*\*)\{\{.*?\}\}\1|\{\{.*?\}\}|`[^`]+`|\*\*[^*]+\*\*|\[[^\]]+\]\(https?:\/\/[^\s()]+\)|https?:\/\/[^\s()<>]*[^\s()<>.,;:!?'"*_]|\*[^\s*](?:[^*]*[^\s*])?\*|(?<![\p{L}\p{N}_])_[^\s_](?:[^_]*[^\s_])?_(?![\p{L}\p{N}_])/u
