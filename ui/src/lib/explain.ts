// Why a model answers as it does, made ready to be shown: columns that matter, rows taken apart.

import type { ExplainedOutput } from '../host/bindings'

/** A contribution of a column to the answer for one row, placed in a lane. */
export type Dot = { /** The contribution. */ x: number; /** Steps from the middle of the lane. */ step: number; /** Where the row's value stands among all, from 0 to 1; null for what has no order. */ share: number | null }

/** Where each value stands among all of them, from 0 (smallest) to 1; null for texts and missing ones. Equal values stand at the same place. */
export function shares(values: readonly unknown[]): (number | null)[] {
  const asNumber = (value: unknown): number | null => (typeof value === 'number' ? value : typeof value === 'boolean' ? Number(value) : null)
  const distinct = [...new Set(values.map(asNumber).filter((value) => value !== null))].sort((a, b) => a - b)
  const places = new Map(distinct.map((value, at) => [value, distinct.length < 2 ? 0.5 : at / (distinct.length - 1)]))
  return values.map((value) => places.get(asNumber(value) ?? NaN) ?? null)
}

/** Dots of a lane: those that would lie on one another are put beside the middle, by turns above and below. */
export function swarm(added: readonly number[], values: readonly unknown[], domain: readonly [number, number], lanes: number): Dot[] {
  const span = domain[1] - domain[0]
  const taken = new Map<number, number>()
  const where = shares(values)
  return added.map((x, at) => {
    const bin = span > 0 ? Math.round(((x - domain[0]) / span) * 120) : 0
    const before = taken.get(bin) ?? 0
    taken.set(bin, before + 1)
    const turn = Math.min(lanes, Math.ceil(before / 2))
    return { x, step: before % 2 === 0 ? turn : -turn, share: where[at] ?? null }
  })
}

/** What larger values of a column do to the answer, where that is clear: Pearson's correlation of places and contributions beyond one half. */
export function direction(added: readonly number[], values: readonly unknown[]): 'raises' | 'lowers' | null {
  const pairs = shares(values).flatMap((share, at): [number, number][] => (share === null ? [] : [[share, added[at] ?? 0]]))
  if (pairs.length < 3) return null
  const mean = (of: (pair: [number, number]) => number): number => pairs.reduce((sum, pair) => sum + of(pair), 0) / pairs.length
  const [mx, my] = [mean(([x]) => x), mean(([, y]) => y)]
  const [xx, yy, xy] = [mean(([x]) => (x - mx) ** 2), mean(([, y]) => (y - my) ** 2), mean(([x, y]) => (x - mx) * (y - my))]
  if (xx === 0 || yy === 0) return null
  const correlation = xy / Math.sqrt(xx * yy)
  return correlation > 0.5 ? 'raises' : correlation < -0.5 ? 'lowers' : null
}

/** What a column adds to the answer for a row as it was, and for the changed one. */
export type Moved = { column: string; before: number; after: number }

/** Contributions of both rows side by side, those that matter most first. */
export function moved(before: ExplainedOutput | undefined, after: ExplainedOutput | undefined): Moved[] {
  const [first, second] = [new Map(before?.contributions), new Map(after?.contributions)]
  const names = [...new Set([...second.keys(), ...first.keys()])]
  const size = ({ before: a, after: b }: Moved): number => Math.max(Math.abs(a), Math.abs(b))
  return names.map((column) => ({ column, before: first.get(column) ?? 0, after: second.get(column) ?? 0 })).sort((a, b) => size(b) - size(a))
}

const SCALES: Record<string, string> = { number: 'units of the target', probability: 'probability', log_odds: 'log odds', log_probability: 'log probability, not scaled' }

/** What contributions add up to, in words. */
export function scaleWords(scale: string | null): string {
  return scale === null ? '' : (SCALES[scale] ?? scale)
}

/** A number with its sign, so that what raises and what lowers is told by more than a colour. */
export function signed(value: number): string {
  if (!Number.isFinite(value) || value === 0) return '0'
  const size = Math.abs(value)
  const text = size < 0.0005 ? '<0.001' : size < 100 ? size.toFixed(3) : String(Math.round(size))
  return `${value < 0 ? '−' : '+'}${text}`
}
