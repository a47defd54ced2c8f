// Finds step kinds for the palette: by title, synonym and summary, and by what a wire needs.

import type { PortType, StepKindView } from '../../host/bindings'
import { categoryRank } from './kinds'
import { fits } from './rules'

/** What a kind must have to go on the other end of a wire. */
export interface Need {
  /** `takes`: an input for this type. `gives`: an output of it. `passes`: both, to stand within a wire. */
  side: 'takes' | 'gives' | 'passes'
  type: PortType
  /** True to list nothing else; false to list the others after those that fit. */
  isStrict: boolean
  /** Category of the step at the near end, for ranking. */
  category: string
}

/** A kind that was found. */
export interface Match {
  kind: StepKindView
  score: number
  /** Indexes of the letters of the title that matched. */
  marks: number[]
  /** True if it can go on the other end of the wire, or there is none. */
  isFitting: boolean
}

/** Kinds that match, best first. With nothing typed: those used lately, then in the order of the main job. */
export function searchKinds(
  kinds: Iterable<StepKindView>,
  query: string,
  need: Need | null = null,
  recent: readonly string[] = [],
): Match[] {
  const words = query
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  const found: (Match & { order: number })[] = []
  let order = 0
  for (const kind of kinds) {
    order += 1
    const isFitting = need === null || fitsNeed(kind, need)
    if (need !== null && need.isStrict && !isFitting) continue
    const hit = scoreKind(kind, words)
    if (hit === null) continue
    const bonus = (isFitting && need !== null ? 500 : 0) + nearness(kind, need) + recency(kind, recent, words)
    found.push({ kind, score: hit.score + bonus, marks: hit.marks, isFitting, order })
  }
  found.sort((a, b) => b.score - a.score || a.order - b.order)
  return found.map(({ kind, score, marks, isFitting }) => ({ kind, score, marks, isFitting }))
}

function fitsNeed(kind: StepKindView, need: Need): boolean {
  const takes = kind.inputs.some((port) => fits(need.type, port.type))
  const gives = kind.outputs.some((port) => fits(port.type, need.type))
  if (need.side === 'passes') return takes && gives
  return need.side === 'takes' ? takes : gives
}

// A wire out of "clean" is most often followed by "prepare": the next category in the main job first.
function nearness(kind: StepKindView, need: Need | null): number {
  if (need === null) return 0
  const step = categoryRank(kind.category) - categoryRank(need.category)
  const ahead = need.side === 'gives' ? -step : step
  return ahead < 0 ? 0 : Math.max(0, 12 - 3 * ahead)
}

function recency(kind: StepKindView, recent: readonly string[], words: readonly string[]): number {
  const index = recent.indexOf(kind.kind)
  if (index < 0) return 0
  return words.length === 0 ? 30 - index : 4
}

interface Hit {
  score: number
  marks: number[]
}

function scoreKind(kind: StepKindView, words: readonly string[]): Hit | null {
  let score = 0
  const marks = new Set<number>()
  for (const word of words) {
    const title = matchText(kind.title, word, true)
    const other = Math.max(
      ...kind.synonyms.map((synonym) => 0.85 * (matchText(synonym, word, true)?.score ?? 0)),
      0.9 * (matchText(kind.kind.replaceAll('_', ' '), word, true)?.score ?? 0),
      0.45 * (matchText(kind.summary, word, false)?.score ?? 0),
      0.4 * (matchText(kind.category, word, false)?.score ?? 0),
    )
    const best = Math.max(title?.score ?? 0, other)
    // Every word must be found somewhere, or half of all kinds would match any two words.
    if (best === 0) return null
    score += best
    for (const mark of title?.marks ?? []) marks.add(mark)
  }
  return { score, marks: [...marks].sort((a, b) => a - b) }
}

/** How well a word is found in a text: at its start, at the start of a word, within, or by its letters in order. */
export function matchText(text: string, word: string, isFuzzy: boolean): Hit | null {
  const lower = text.toLowerCase()
  const flat = lower.replaceAll(/[-_]/g, ' ')
  const needle = word.replaceAll(/[-_]/g, ' ')
  if (flat === needle) return { score: 120, marks: range(0, needle.length) }
  if (flat.startsWith(needle)) return { score: 100, marks: range(0, needle.length) }
  const atWord = flat.indexOf(` ${needle}`)
  if (atWord >= 0) return { score: 85, marks: range(atWord + 1, needle.length) }
  const within = flat.indexOf(needle)
  if (within >= 0 && needle.length > 1) return { score: 60, marks: range(within, needle.length) }
  return isFuzzy ? matchLetters(flat, needle) : null
}

// Letters in order, with a price for each gap; one that starts mid-word or gaps too much is no match.
function matchLetters(text: string, needle: string): Hit | null {
  if (needle.length < 2) return null
  const marks: number[] = []
  let at = -1
  let gaps = 0
  for (const letter of needle) {
    const next = text.indexOf(letter, at + 1)
    if (next < 0) return null
    const isWordStart = next === 0 || text[next - 1] === ' '
    if (marks.length === 0 && !isWordStart) return null
    if (marks.length > 0 && next !== at + 1 && !isWordStart) gaps += 1
    marks.push(next)
    at = next
  }
  return gaps > needle.length / 2 ? null : { score: 40 - 5 * gaps, marks }
}

function range(start: number, length: number): number[] {
  return Array.from({ length }, (_, index) => start + index)
}
