// Versions of a dataset: what stands before one, and what a tag may be called.

type Numbered = { number: number }

/** The version that came before, if it is still there. */
export function versionBefore<T extends Numbered>(versions: readonly T[], number: number): T | null {
  const older = versions.filter((one) => one.number < number)
  return older.reduce<T | null>((best, one) => (best === null || one.number > best.number ? one : best), null)
}

/** How many rows came or went since the version before: `+11`, `-3`; empty if none did. */
export function rowsSince(versions: readonly (Numbered & { rows: number })[], number: number): string {
  const now = versions.find((one) => one.number === number)
  const before = versionBefore(versions, number)
  if (now === undefined || before === null || now.rows === before.rows) return ''
  const many = Math.abs(now.rows - before.rows)
  return `${now.rows > before.rows ? '+' : '-'}${new Intl.NumberFormat('en-US').format(many)}`
}
