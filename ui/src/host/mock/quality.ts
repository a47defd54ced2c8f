// Quality checks: three for penguins, one of which does not hold; none yet for flights.

import type { CheckKindView, CheckResultView, CheckView, ChecksView, JsonValue } from '../bindings'
import { find, page, tableOf } from './data'
import { perWorld } from './state'
import { failure, type Answers } from './world'

const COLUMN: JsonValue = { type: 'string', default: '', description: 'The column.', 'x-column': true }
/** As the backend declares an end of a range, or a value of a set: a number, a text or more. */
const DEFS: JsonValue = { Bound: { anyOf: [{ type: 'number' }, { type: 'string' }] }, Scalar: { anyOf: [{ type: 'boolean' }, { type: 'number' }, { type: 'string' }] } }
const params = (properties: { [key in string]: JsonValue }): JsonValue => ({ type: 'object', properties, $defs: DEFS })
const bound = (description: string): JsonValue => ({ anyOf: [{ $ref: '#/$defs/Bound' }, { type: 'null' }], default: null, description })

const KINDS: CheckKindView[] = [
  { kind: 'not_null', title: 'No missing values', summary: 'A column has a value in every row.', doc: 'With `max_share` some may be missing.', example: 'kind = "not_null"\ncolumn = "age"\n', isAboutRows: true, params: params({ column: COLUMN }) },
  { kind: 'unique', title: 'Unique', summary: 'No two rows have the same values in these columns.', doc: 'Rows in which one is missing do not count.', example: 'kind = "unique"\ncolumns = ["id"]\n', isAboutRows: true, params: params({ columns: { type: 'array', items: { type: 'string' }, default: [], description: 'The columns whose values, taken together, name a row.', 'x-columns': true } }) },
  { kind: 'range', title: 'Range', summary: 'Numbers lie between two limits.', doc: 'Either limit may be left out.', example: 'kind = "range"\ncolumn = "age"\nmin = 0\nmax = 120\n', isAboutRows: true, params: params({ column: COLUMN, min: bound('The smallest value allowed.'), max: bound('The largest value allowed.') }) },
  { kind: 'allowed', title: 'Allowed values', summary: 'Only values from a list occur.', doc: 'Case matters.', example: 'kind = "allowed"\ncolumn = "plan"\nvalues = ["basic", "pro"]\n', isAboutRows: true, params: params({ column: COLUMN, values: { type: 'array', items: { $ref: '#/$defs/Scalar' }, default: [], description: 'The values allowed.' } }) },
  { kind: 'type', title: 'Type', summary: 'A column has a type.', doc: '', example: 'kind = "type"\ncolumn = "age"\ntype = "integer"\n', isAboutRows: false, params: params({ column: COLUMN, type: { type: 'string', default: '', enum: ['integer', 'number', 'boolean', 'text', 'time'], description: 'The kind of its values.' } }) },
  { kind: 'expression', title: 'Condition', summary: 'A condition is true in every row.', doc: 'A row in which it is unknown passes.', example: 'kind = "expression"\nexpression = "price > 0"\n', isAboutRows: true, params: params({ expression: { type: 'string', default: '', description: 'The condition, such as `total = price * quantity`.', 'x-expression': true } }) },
  { kind: 'foreign_key', title: 'Known elsewhere', summary: 'Every value exists in a column of another dataset.', doc: '', example: 'kind = "foreign_key"\ncolumn = "customer"\ntable = "customers"\n', isAboutRows: true, params: params({ column: COLUMN, table: { type: 'string', default: '', description: 'The dataset in which its values have to exist.', 'x-dataset': true }, references: { type: 'string', default: '', description: 'The column of that dataset; one of the same name if left out.' } }) },
  { kind: 'row_count', title: 'Number of rows', summary: 'The number of rows lies between two ends.', doc: '', example: 'kind = "row_count"\nmin = 1\n', isAboutRows: false, params: params({ min: { type: ['integer', 'null'], minimum: 0, default: null, description: 'The fewest rows allowed.' }, max: { type: ['integer', 'null'], minimum: 0, default: null, description: 'The most rows allowed.' } }) },
]
const PENGUINS = `format = 1

[[check]]
kind = "not_null"
column = "species"

[[check]]
kind = "range"
column = "body_mass_g"
min = 2700
max = 6300
severity = "warn"
name = "plausible weights"

[[check]]
kind = "allowed"
column = "sex"
values = ["female", "male"]
`
const SUGGESTED = `format = 1

[[check]]
kind = "not_null"
column = "species"

[[check]]
kind = "range"
column = "flipper_length_mm"
min = 170
max = 235
severity = "warn"
`

type Kept = { text: string; ran: boolean }
const kept = perWorld<Map<string, Kept>>(() => new Map([['penguins', { text: PENGUINS, ran: true }]]))

function read(text: string): CheckView[] {
  const checks: CheckView[] = []
  let block: Record<string, string> | null = null
  const blocks: Record<string, string>[] = []
  text.split('\n').forEach((line, at) => {
    if (line.trim() === '[[check]]') blocks.push((block = {}))
    else if (line.trim() !== '' && !line.startsWith('#')) {
      const found = /^(\w+)\s*=\s*(.+)$/.exec(line)
      if (found === null) throw failure('invalid_input', `line ${at + 1}: \`${line}\` is no \`name = value\``, 'write one parameter a line')
      if (block !== null) block[found[1] ?? ''] = (found[2] ?? '').replaceAll('"', '')
      const kind = block?.kind
      if (kind !== undefined && KINDS.every((one) => one.kind !== kind)) throw failure('invalid_input', `line ${at + 1}: there is no check \`${kind}\``, 'did you mean `range`?')
    }
  })
  for (const { kind = '', column = '', columns = '', min, max, values = '', severity, name } of blocks) {
    const rule = { not_null: `\`${column}\` is never missing`, unique: `\`${columns}\` are different in every row`, range: `\`${column}\` is between ${min ?? 'any'} and ${max ?? 'any'}`, allowed: `\`${column}\` is one of ${values}` }[kind] ?? kind
    checks.push({ kind, name: name ?? null, rule, isError: severity !== 'warn' })
  }
  return checks
}

const results = (checks: CheckView[]): CheckResultView[] =>
  checks.map((check) => {
    const isBroken = check.kind === 'allowed'
    return {
      ...check, outcome: isBroken ? 'failed' : 'passed', measured: isBroken ? '11 of 344 rows have no value' : check.kind === 'range' ? 'from 2,850 to 6,050' : 'no value is missing',
      failingRows: isBroken ? 11 : 0, examples: isBroken ? [{ row: 3, cells: [['sex', null]] }] : [], error: null,
    }
  })

function view({ text, ran }: Kept): ChecksView {
  const checks = read(text)
  return { text, checks, results: ran && checks.length > 0 ? results(checks) : null, suggested: SUGGESTED, kinds: KINDS }
}

export const answers: Answers = {
  'dataset.checks': ({ dataset }, world) => {
    find(dataset)
    return view(kept(world).get(dataset) ?? { text: '', ran: false })
  },
  'dataset.set_checks': ({ dataset, text }, world) => {
    read(text)
    kept(world).set(dataset, { text, ran: false })
    world.changed('datasets', 'audit')
    return null
  },
  'dataset.check': ({ dataset, version }, world) =>
    world.start({
      kind: 'dataset.check', title: `Check ${dataset}`, subject: { dataset }, stages: ['checking'], ms: 700,
      finish: () => {
        const now = kept(world).get(dataset) ?? { text: '', ran: false }
        kept(world).set(dataset, { ...now, ran: true })
        world.changed('datasets')
        return { dataset, version: version ?? 1, isUsable: false, results: [] }
      },
    }),
  'dataset.failing': ({ dataset, offset, limit }) => {
    const table = tableOf(dataset)
    const numbers = Array.from({ length: 11 }, (_, index) => 3 + index * 31)
    const rows = { columns: table.columns, rows: numbers.length, cell: (row: number, at: number) => table.cell(numbers[row] ?? 0, at) }
    return { page: page(rows, offset, limit, null), numbers: numbers.slice(offset, offset + limit) }
  },
}
