// Where the file of a dataset lay when it was imported, as long as the window is open. The
// workspace keeps no absolute paths, so after a restart the user is asked for the file.

const KEY = 'fettle.sources'

type Shelf = Pick<Storage, 'getItem' | 'setItem'>

function read(shelf: Shelf): Record<string, string> {
  try {
    const known: unknown = JSON.parse(shelf.getItem(KEY) ?? '{}')
    if (typeof known !== 'object' || known === null) return {}
    return Object.fromEntries(Object.entries(known).filter(([, path]) => typeof path === 'string'))
  } catch {
    return {}
  }
}

export function rememberSource(dataset: string, path: string, shelf: Shelf = sessionStorage): void {
  shelf.setItem(KEY, JSON.stringify({ ...read(shelf), [dataset]: path }))
}

export function sourceOf(dataset: string, shelf: Shelf = sessionStorage): string | null {
  return read(shelf)[dataset] ?? null
}

/** Names of files that are mostly tables. What a file is, its content says; any other can be chosen too. */
export const TABLE_FILES = [
  'csv', 'tsv', 'txt', 'tab', 'psv', 'json', 'jsonl', 'ndjson', 'parquet', 'arrow', 'feather', 'xlsx', 'xls', 'xlsm', 'ods', 'sqlite', 'db', 'gz', 'zst', 'zip', 'xz', 'bz2',
]

/** Whether two files are of one kind by their names, so that the same options of reading may fit both. */
export function isSameKind(path: string, other: string): boolean {
  const ending = (name: string): string => /\.([^./\\]+)$/.exec(name)?.[1]?.toLowerCase() ?? ''
  return ending(path) === ending(other)
}
