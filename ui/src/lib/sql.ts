// Names in SQL.

const PLAIN = /^[a-z_][a-z0-9_]*$/
/** Words that SQL takes for itself; a name among them needs quotes. */
const TAKEN = new Set(['all', 'and', 'as', 'by', 'case', 'end', 'from', 'group', 'having', 'in', 'is', 'join', 'limit', 'not', 'null', 'on', 'or', 'order', 'select', 'table', 'then', 'union', 'values', 'when', 'where', 'with'])

/** The name as it has to be written: quoted where it is not plain. */
export function tableName(name: string): string {
  return PLAIN.test(name) && !TAKEN.has(name) ? name : `"${name.replaceAll('"', '""')}"`
}
