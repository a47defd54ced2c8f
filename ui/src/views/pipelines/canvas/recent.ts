// The step kinds that were added last, for the top of the palette.

const KEY = 'fettle.palette.recent'
const MOST = 6

export function recentKinds(): string[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]')
    return Array.isArray(value) ? value.filter((kind) => typeof kind === 'string') : []
  } catch {
    // Nothing kept, or nothing that can be read: nothing is recent.
    return []
  }
}

export function rememberKind(kind: string): void {
  try {
    const others = recentKinds().filter((other) => other !== kind)
    localStorage.setItem(KEY, JSON.stringify([kind, ...others].slice(0, MOST)))
  } catch {
    // Storage is full or switched off: the order of the palette is no loss.
  }
}
