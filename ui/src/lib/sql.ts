// Names in SQL.

const PLAIN = /^[a-z_][a-z0-9_]*$/
/** Words that SQL takes for itself; a name among them needs quotes. */
const TAKEN = new Set(['all', 'and', 'as', 'between', 'by', 'case', 'else', 'end', 'false', 'from', 'group', 'having', 'in', 'is', 'join', 'like', 'limit', 'not', 'null', 'on', 'or', 'order', 'select', 'table', 'then', 'true', 'union', 'values', 'when', 'where', 'with'])

/** The name as it has to be written: quoted where it is not plain. */
export function tableName(name: string): string {
  return PLAIN.test(name) && !TAKEN.has(name) ? name : `"${name.replaceAll('"', '""')}"`
}

/** A dataset in one version, or in its newest if `version` is null: a number or a tag. */
export type TableRef = { dataset: string; version: string | null }

export type SqlStep = { query: string; /** In the order of their names `t`, `t1`, `t2`. */ tables: TableRef[] }

const TOKENS = /'(?:[^']|'')*'|--[^\n]*|"((?:[^"]|"")*)"|([A-Za-z_][A-Za-z0-9_]*)|[.,()]/g

/**
 * A query over datasets as a query of a step: the tables it reads are called `t`, `t1` and so on there.
 * Only names after `from` and `join` are tables, and what stands before a full stop.
 */
export function toStep(sql: string, datasets: readonly string[]): SqlStep {
  const tables: TableRef[] = []
  const names = new Map<string, string>()
  let before = ''
  const words = [...sql.matchAll(TOKENS)].map((token) => {
    const [text, quoted, bare] = token
    const word = quoted?.replaceAll('""', '"') ?? bare ?? null
    const isTable = before === 'from' || before === 'join'
    if (!text.startsWith('--')) before = bare?.toLowerCase() ?? text
    const ref = isTable && word !== null && !names.has(word) ? refOf(word, datasets) : null
    if (ref !== null && word !== null) {
      names.set(word, tables.length === 0 ? 't' : `t${tables.length}`)
      tables.push(ref)
    }
    return { at: token.index, text, word, isTable }
  })
  // A name may be used before the `from` that says it is a table.
  let query = ''
  let done = 0
  for (const { at, text, word, isTable } of words) {
    const name = word === null || sql[at - 1] === '.' ? undefined : names.get(word)
    if (name === undefined || (!isTable && sql[at + text.length] !== '.')) continue
    query += sql.slice(done, at) + name
    done = at + text.length
  }
  return { query: query + sql.slice(done), tables }
}

function refOf(name: string, datasets: readonly string[]): TableRef | null {
  if (datasets.includes(name)) return { dataset: name, version: null }
  const at = name.lastIndexOf('@')
  const dataset = name.slice(0, Math.max(0, at))
  return at > 0 && datasets.includes(dataset) ? { dataset, version: name.slice(at + 1) } : null
}

type Shelf = Pick<Storage, 'getItem' | 'setItem'>
const HISTORY = 'fettle.queries'
const MOST = 20

/** The last queries, newest first. */
export function pastQueries(shelf: Shelf = localStorage): string[] {
  try {
    const known: unknown = JSON.parse(shelf.getItem(HISTORY) ?? '[]')
    return Array.isArray(known) ? known.filter((one) => typeof one === 'string').slice(0, MOST) : []
  } catch {
    return []
  }
}

/** Remembers a query; one that was asked before moves to the front. */
export function rememberQuery(sql: string, shelf: Shelf = localStorage): string[] {
  const next = [sql, ...pastQueries(shelf).filter((one) => one !== sql)].slice(0, MOST)
  try {
    shelf.setItem(HISTORY, JSON.stringify(next))
  } catch {
    // A full storage loses the history, not the query.
  }
  return next
}
