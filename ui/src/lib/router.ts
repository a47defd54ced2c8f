// Addresses of the screens: `#/data/penguins?version=2`. Framework-free; App.svelte listens.

export const sections = [
  'welcome',
  'home',
  'data',
  'pipelines',
  'sweeps',
  'triggers',
  'runs',
  'models',
  'deployments',
  'monitor',
  'settings',
  'audit',
] as const

export type Section = (typeof sections)[number]

/** Where the user is. `path` holds what follows the section, decoded. */
export type Route = { section: Section; path: string[]; params: Record<string, string> }

const isSection = (word: string): word is Section => sections.some((section) => section === word)

/** Decodes what can be decoded: a hand-typed address must not throw. */
function decode(word: string): string {
  try {
    return decodeURIComponent(word)
  } catch {
    return word
  }
}

export function parseRoute(hash: string): Route {
  const [pathname = '', search = ''] = hash.replace(/^#?\/?/, '').split('?', 2)
  const [first = '', ...path] = pathname.split('/').filter((word) => word !== '').map(decode)
  const params = Object.fromEntries(new URLSearchParams(search))
  return isSection(first) ? { section: first, path, params } : { section: 'home', path: [], params: {} }
}

/** The address of a screen, for `href` and `navigate`. Params that are null are left out. */
export function href(section: Section, path: (string | number)[] = [], params: Record<string, string | number | null> = {}): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) if (value !== null) search.set(name, String(value))
  const words = [section, ...path.map((word) => encodeURIComponent(String(word)))]
  const query = search.toString()
  return `#/${words.join('/')}${query === '' ? '' : `?${query}`}`
}

/** Goes to an address made by `href`; with `replace`, Back does not return to the present one. */
export function navigate(to: string, options: { replace?: boolean } = {}): void {
  if (options.replace === true) location.replace(to)
  else location.hash = to
}
