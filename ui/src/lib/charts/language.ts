// A minimal Linux (LANG=C.UTF-8) makes WebKitGTK report the language "C", which is not one. uPlot
// hands it to Intl while it is being imported, and the whole bundle would die of a RangeError.

/** True if `Intl` takes it. */
export function isLanguage(tag: string | undefined): boolean {
  if (!tag) return false
  try {
    return Intl.getCanonicalLocales(tag).length === 1
  } catch {
    return false
  }
}

/** Makes `navigator.language` a language if it is none. */
export function repairLanguage(of: Navigator): void {
  if (isLanguage(of.language)) return
  Object.defineProperty(of, 'language', { value: 'en-US', configurable: true })
}
