// Four datasets: penguins (344 rows, two versions), flights (1,200,000 rows made as they are asked for), orders
// (the answer of a query) and pets (a folder of pictures).

import type {
  ColumnKind, ColumnProfileView, ColumnView, DatasetDetail, DatasetSummary, DatasetVersionView, FolderOptions, MatrixView, Origin, ParseOptions, ProfileView, SniffView, TablePage, TargetSuggestion, TaskView, TogetherView,
} from '../bindings'
import { sifted } from './sift'
import { failure, randomness, type Answers } from './world'

export type Cell = string | null
export type Table = { columns: ColumnView[]; rows: number; cell: (row: number, column: number) => Cell }
export type Dataset = { name: string; target: string | null; task: TaskView | null; suggestion: TargetSuggestion | null; versions: DatasetVersionView[]; rejected: number; pipelines: string[]; options?: ParseOptions; origin?: Origin }

const now = Date.now()
export const options: ParseOptions = {
  encoding: 'UTF-8', delimiter: ',', quote: '"', escape: null, skipLines: 0, hasHeader: true, comment: null, decimal: '.', thousands: null, trim: false,
  nulls: ['NA', 'N/A', 'null'], quotedNulls: false, dateOrder: 'month_first', kinds: {}, format: 'delimited', pack: 'none', table: null, range: null, records: null, headerRows: 1, mergeDelimiters: false,
}

export const column = (name: string, kind: ColumnKind): ColumnView => ({ name, kind })

function penguins(): Table {
  const next = randomness(11)
  const columns = [
    column('species', 'text'), column('island', 'text'), column('bill_length_mm', 'number'), column('bill_depth_mm', 'number'),
    column('flipper_length_mm', 'integer'), column('body_mass_g', 'integer'), column('sex', 'text'), column('year', 'integer'),
  ]
  const kinds = [['Adelie', 152, 38.8, 18.3, 190, 3700], ['Gentoo', 124, 47.5, 15, 217, 5080], ['Chinstrap', 68, 48.8, 18.4, 196, 3730]] as const
  const islands = { Adelie: ['Torgersen', 'Biscoe', 'Dream'], Gentoo: ['Biscoe'], Chinstrap: ['Dream'] }
  const rows = kinds.flatMap(([species, many, length, depth, flipper, mass]) =>
    Array.from({ length: many }, (_, index): Cell[] => {
      const about = (centre: number, spread: number): number => centre + (next() + next() + next() - 1.5) * spread
      const homes = islands[species]
      const gone = index === 3
      return [
        species, homes[Math.floor(next() * homes.length)] ?? '', gone ? null : about(length, 5).toFixed(1), gone ? null : about(depth, 2.2).toFixed(1),
        gone ? null : String(Math.round(about(flipper, 12))), gone ? null : String(Math.round(about(mass, 900) / 25) * 25), index % 31 === 3 ? null : next() < 0.5 ? 'female' : 'male', String(2007 + (index % 3)),
      ]
    }))
  return { columns, rows: rows.length, cell: (row, at) => rows[row]?.[at] ?? null }
}

function flights(): Table {
  const columns = [
    column('departed_at', 'time'), column('carrier', 'text'), column('flight', 'integer'), column('origin', 'text'), column('destination', 'text'), column('distance_km', 'integer'),
    column('departure_delay_min', 'number'), column('arrival_delay_min', 'number'), column('temperature_c', 'number'), column('wind_kmh', 'number'), column('visibility_km', 'number'), column('is_weekend', 'boolean'),
    ...Array.from({ length: 8 }, (_, index) => column(`sensor_${index + 1}`, 'number')),
  ]
  const carriers = ['UA', 'B6', 'EV', 'DL', 'AA', 'MQ', 'US']
  const airports = ['EWR', 'JFK', 'LGA', 'ORD', 'ATL', 'LAX', 'BOS', 'MCO']
  return {
    columns,
    rows: 1_200_000,
    cell(row, at) {
      const value = randomness(row * 31 + at * 7919 + 5)
      value()
      const share = value()
      if (at > 5 && share < 0.006) return null
      switch (at) {
        case 0: return new Date(Date.UTC(2013, 0, 1) + row * 26_000).toISOString().slice(0, 16).replace('T', ' ')
        case 1: return carriers[Math.floor(share * carriers.length)] ?? null
        case 2: return String(1 + Math.floor(share * 6000))
        case 3: return airports[Math.floor(share * 3)] ?? null
        case 4: return airports[3 + Math.floor(share * 5)] ?? null
        case 5: return String(150 + Math.floor(share * 3800))
        case 11: return share < 0.28 ? 'true' : 'false'
        default: return (share * 60 - 12).toFixed(1)
      }
    },
  }
}

function orders(): Table {
  const columns = [column('id', 'integer'), column('customer', 'text'), column('plan', 'text'), column('total', 'number'), column('ordered_at', 'time')]
  return {
    columns, rows: 1_840,
    cell: (row, at) => [String(1000 + row), ['Aalto', 'Bergmann', 'Costa', 'Dumont'][row % 4] ?? '', ['basic', 'pro'][row % 2] ?? '', (12 + ((row * 37) % 900) / 10).toFixed(2), `2026-0${1 + (row % 9)}-1${row % 9} 08:30`][at] ?? null,
  }
}

function pets(): Table {
  const columns = [column('path', 'text'), column('size', 'integer'), column('media_type', 'text'), column('modified', 'time'), column('width', 'integer'), column('height', 'integer'), column('label', 'text'), column('blake3', 'text')]
  return {
    columns, rows: 240,
    cell(row, at) {
      const isText = row % 40 === 39
      const label = ['cat', 'dog', 'eel'][row % 3] ?? 'cat'
      const size = isText ? 412 : row % 17 === 16 ? 3_400_000 : 18_000 + row * 131
      return [`${label}/${String(row).padStart(4, '0')}.${isText ? 'txt' : 'svg'}`, String(size), isText ? 'text/plain' : 'image/svg+xml', '2026-03-01 10:00', isText ? null : '640', isText ? null : '480', label, row.toString(16).padStart(64, 'a')][at] ?? null
    },
  }
}

const tables: Record<string, Table> = { penguins: penguins(), flights: flights(), orders: orders(), pets: pets() }
const version = (number: number, table: Table, sizeBytes: number, sourceName: string, hoursAgo: number): DatasetVersionView => ({
  number, id: number.toString(16).padStart(32, 'f'), rows: table.rows, columns: table.columns.length, sizeBytes, sourceName, tags: [], createdAt: now - hoursAgo * 3_600_000,
})

export const datasets: Dataset[] = [
  {
    name: 'penguins', target: 'species', task: 'multiclass', suggestion: { column: 'species', task: 'multiclass', reason: 'text with 3 values, named like a class' }, rejected: 2, pipelines: ['species'],
    versions: [{ ...version(2, tables.penguins ?? penguins(), 15_241, 'penguins.csv', 2), tags: ['clean'] }, { ...version(1, tables.penguins ?? penguins(), 14_870, 'penguins.csv', 30), rows: 333 }],
  },
  {
    name: 'flights', target: null, task: null, suggestion: { column: 'arrival_delay_min', task: 'regression', reason: 'a number that is known only afterwards' }, rejected: 0, pipelines: [],
    versions: [version(1, tables.flights ?? flights(), 131_204_551, 'flights.csv', 400)],
  },
  {
    name: 'orders', target: null, task: null, suggestion: null, rejected: 0, pipelines: [], options: { ...options, format: 'arrow' },
    origin: { kind: 'query', connection: 'shop', query: 'select * from orders where year = 2026 order by id', at: now - 3 * 3_600_000 },
    versions: [version(1, tables.orders ?? orders(), 84_300, 'query of shop', 3)],
  },
  {
    name: 'pets', target: 'label', task: 'multiclass', suggestion: null, rejected: 0, pipelines: [], options: { ...options, folder: { asFiles: true, only: null, pathColumn: null, partitions: true } },
    versions: [version(1, tables.pets ?? pets(), 31_400_000, 'pets', 5)],
  },
]

export function find(name: string): Dataset {
  const found = datasets.find((dataset) => dataset.name === name)
  if (found === undefined) throw failure('not_found', `there is no dataset \`${name}\``, 'look at the list of datasets')
  return found
}
export const tableOf = (name: string): Table => tables[name] ?? tables.penguins ?? penguins()

function summary({ name, versions, target }: Dataset): DatasetSummary {
  const newest = versions[0]
  if (newest === undefined) throw failure('internal', `dataset \`${name}\` has no version`)
  return { name, version: newest.number, rows: newest.rows, columns: newest.columns, sizeBytes: newest.sizeBytes, target, createdAt: newest.createdAt }
}

function detail(dataset: Dataset, number: number | null): DatasetDetail {
  const shown = dataset.versions.find((one) => number === null || one.number === number)
  if (shown === undefined) throw failure('not_found', `\`${dataset.name}\` has no version ${number}`)
  const { name, target, task, suggestion, versions, pipelines } = dataset
  return {
    name, version: shown.number, versionId: shown.id, rows: shown.rows, columns: tableOf(name).columns, sizeBytes: shown.sizeBytes, rejectedRows: dataset.rejected,
    options: dataset.options ?? options, target, task, suggestion, versions, pipelines, ...(dataset.origin === undefined ? {} : { origin: dataset.origin }),
  }
}

export function page(table: Table, offset: number, limit: number, names: string[] | null): TablePage {
  const wanted = names === null ? table.columns.map((_, at) => at) : names.map((name) => table.columns.findIndex((one) => one.name === name))
  const end = Math.min(offset + limit, table.rows)
  return {
    total: table.rows, offset, columns: wanted.flatMap((at) => table.columns[at] ?? []),
    rows: Array.from({ length: Math.max(0, end - offset) }, (_, row) => wanted.map((at) => table.cell(offset + row, at))),
  }
}

/** As the backend tells: penguins weigh no e-mail addresses, but origins are places. */
function meant(name: string, kind: ColumnKind, known: string[], missing: number): Pick<ColumnProfileView, 'meaning' | 'isPersonal' | 'isUnique' | 'zeros' | 'lengths'> {
  const lengths = known.map((cell) => cell.length)
  const mean = lengths.reduce((sum, one) => sum + one, 0) / Math.max(1, lengths.length)
  return {
    meaning: name === 'sex' ? 'genders' : name === 'origin' ? 'airport codes' : null, isPersonal: name === 'sex', isUnique: missing === 0 && new Set(known).size === known.length,
    zeros: kind === 'integer' || kind === 'number' ? known.filter((cell) => Number(cell) === 0).length : 0,
    lengths: kind === 'text' && lengths.length > 0 ? [Math.min(...lengths.slice(0, 1000)), mean, Math.max(...lengths.slice(0, 1000))] : null,
  }
}

function together(table: Table): TogetherView {
  const numbers = table.columns.filter(({ kind }) => kind === 'integer' || kind === 'number').slice(0, 12).map(({ name }) => name)
  const texts = table.columns.filter(({ kind }) => kind === 'text' || kind === 'boolean').map(({ name }) => name)
  const matrix = (columns: string[], seed: number, low: number): MatrixView => {
    const next = randomness(seed)
    const pairs = (columns.length * (columns.length - 1)) / 2
    const values = Array.from({ length: pairs }, () => low + next() * (1 - low) * 0.95)
    return { columns, values }
  }
  return {
    duplicateRows: table.rows < 1_000_000 ? 0 : null, completeRows: table.rows < 1_000_000 ? 333 : null,
    missing: table.rows < 1_000_000 ? [{ columns: ['sex'], rows: 8 }, { columns: ['bill_length_mm', 'bill_depth_mm', 'flipper_length_mm', 'body_mass_g', 'sex'], rows: 3 }] : [],
    pearson: matrix(numbers, 5, -0.9), spearman: matrix(numbers, 9, -0.9), cramersV: matrix(texts, 3, 0),
  }
}

function profileOf(table: Table, { name, kind }: ColumnView, at: number): ColumnProfileView {
  const step = Math.max(1, Math.floor(table.rows / 4000))
  const cells = Array.from({ length: Math.floor(table.rows / step) }, (_, index) => table.cell(index * step, at))
  const known = cells.flatMap((cell) => cell ?? [])
  const missing = Math.round(((cells.length - known.length) / cells.length) * table.rows)
  const counts = new Map<string, number>()
  for (const cell of known) counts.set(cell, (counts.get(cell) ?? 0) + step)
  const base = { name, kind, count: table.rows - missing, missing, distinct: counts.size, distinctIsExact: step === 1, ...meant(name, kind, known, missing) }
  if (kind === 'text' || kind === 'boolean') {
    const top = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 10).map(([value, count]) => ({ value, count }))
    return { ...base, numbers: null, top, other: base.count - top.reduce((sum, { count }) => sum + count, 0) }
  }
  const values = known.map((cell) => (kind === 'time' ? Date.parse(`${cell.replace(' ', 'T')}Z`) : Number(cell))).sort((a, b) => a - b)
  const at_ = (share: number): number => values[Math.min(values.length - 1, Math.floor(share * values.length))] ?? 0
  const [min, max] = [at_(0), values[values.length - 1] ?? 0]
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1))
  const bins = Array.from({ length: 20 }, () => 0)
  for (const value of values) {
    const bin = Math.min(19, Math.floor(((value - min) / (max - min || 1)) * 20))
    bins[bin] = (bins[bin] ?? 0) + step
  }
  const edges = Array.from({ length: 21 }, (_, index) => min + ((max - min) * index) / 20)
  return { ...base, top: [], other: 0, numbers: { min, max, mean, std, quantiles: [at_(0.01), at_(0.05), at_(0.25), at_(0.5), at_(0.75), at_(0.95), at_(0.99)], edges, counts: bins } }
}

const profiles = new Map<string, ProfileView>()
export function profile(name: string): ProfileView {
  const known = profiles.get(name)
  if (known !== undefined) return known
  const table = tableOf(name)
  const made: ProfileView = {
    rows: table.rows, isExact: table.rows < 1_000_000, columns: table.columns.map((one, at) => profileOf(table, one, at)),
    together: together(table),
    warnings: name === 'penguins' ? ['`species` is uneven: 44 % Adelie, 20 % Chinstrap'] : [],
  }
  profiles.set(name, made)
  return made
}

export const nameOf = (path: string): string => (path.split(/[\\/]/).pop() ?? path).replace(/\.[^.]*$/, '').toLowerCase().replaceAll(/[^a-z0-9_]+/g, '_')

export function importInto(name: string, path: string): { version: number; isNew: boolean; dataset: Dataset } {
  const known = datasets.find((dataset) => dataset.name === name)
  if (known !== undefined) return { version: known.versions[0]?.number ?? 1, isNew: false, dataset: known }
  const table = penguins()
  tables[name] = table
  const made: Dataset = {
    name, target: null, task: null, suggestion: { column: 'species', task: 'multiclass', reason: 'text with 3 values, named like a class' }, rejected: 0, pipelines: [],
    versions: [version(1, table, 15_241, path.split(/[\\/]/).pop() ?? path, 0)],
  }
  datasets.unshift(made)
  return { version: 1, isNew: true, dataset: made }
}

const PARTS: FolderOptions = { asFiles: false, only: null, pathColumn: null, partitions: true }

/** A folder of three parts, in folders that are called by their years; one of them fits no other. */
function sniffFolder(path: string, folder: FolderOptions): SniffView {
  if (folder.only !== null && !folder.only.includes('*')) throw failure('invalid_input', `no file in \`${path}\` is \`${folder.only}\``, 'write a pattern such as `*.csv`')
  const read = { ...options, folder }
  if (folder.asFiles) {
    const { columns, cell } = pets()
    return { options: read, columns, rows: Array.from({ length: 20 }, (_, row) => columns.map((_, at) => cell(row, at))), warnings: ['each of 240 files is a row'], rejected: [], sizeBytes: 31_400_000, suggestedName: nameOf(path), tables: [] }
  }
  const table = penguins()
  const more = [...(folder.partitions ? [column('season', 'integer')] : []), ...(folder.pathColumn === null ? [] : [column(folder.pathColumn, 'text')])]
  const place = (row: number): Cell[] => [...(folder.partitions ? [String(2007 + (row % 3))] : []), ...(folder.pathColumn === null ? [] : [`season=${2007 + (row % 3)}/part.csv`])]
  return {
    options: read, columns: [...table.columns, ...more], rows: Array.from({ length: 20 }, (_, row) => [...table.columns.map((_, at) => table.cell(row, at)), ...place(row)]),
    warnings: ['the rows of 3 files are one table', ...(folder.partitions ? ['the names of folders make the column `season`'] : [])],
    rejected: [{ file: 'season=2008/part.csv', line: 17, reason: '7 fields, expected 8', excerpt: 'Adelie,Dream,39.2' }], sizeBytes: 45_700, suggestedName: nameOf(path), tables: [],
  }
}

export function sniff(path: string, given: ParseOptions | null, folder?: FolderOptions): SniffView {
  const inside = folder ?? given?.folder ?? (/parts|photos|odd$/.test(path) ? { ...PARTS, asFiles: path.includes('photos') } : undefined)
  if (inside !== undefined) return sniffFolder(path, inside)
  const read: ParseOptions = given ?? (path.endsWith('.xlsx') ? { ...options, format: 'excel', table: '2007' } : options)
  const table = penguins()
  const isRight = read.delimiter === ','
  const columns = isRight ? table.columns.map((one) => ({ ...one, kind: read.kinds[one.name] ?? one.kind })) : [column('species,island,bill_length_mm', 'text')]
  return {
    options: read, columns, rows: Array.from({ length: 20 }, (_, row) => (isRight ? columns.map((_, at) => table.cell(row, at)) : [columns.map((_, at) => table.cell(row, at)).join(',')])),
    warnings: isRight ? [] : ['every line has one field: the delimiter is probably another'],
    rejected: isRight ? [{ line: 120, reason: '7 fields, expected 8', excerpt: 'Adelie,Dream,39.2,21.1,196,4150,male' }] : [], sizeBytes: 15_241, suggestedName: nameOf(path),
    tables: read.format === 'excel' ? ['2007', '2008', '2009'] : [],
  }
}

export const answers: Answers = {
  'dataset.list': () => datasets.map(summary),
  'dataset.show': ({ dataset, version }) => detail(find(dataset), version),
  'dataset.page': ({ dataset, version, offset, limit, columns, condition, order }) => {
    const rows = detail(find(dataset), version).rows
    return page(sifted({ ...tableOf(dataset), rows }, condition, order), offset, limit, columns)
  },
  'dataset.profile': ({ dataset }) => profile(find(dataset).name),
  'dataset.rejected': ({ dataset }) =>
    find(dataset).rejected === 0
      ? []
      : [
          { line: 120, reason: '7 fields, expected 8', excerpt: 'Adelie,Dream,39.2,21.1,196,4150,male' },
          { line: 287, reason: 'quote opened and never closed', excerpt: 'Chinstrap,"Dream,49.7,18.6,195,3600,male,2008' },
        ],
  'dataset.query': ({ sql, limit }) => {
    if (!/^\s*select\b/i.test(sql)) throw failure('invalid_input', 'only `select` can be asked', 'start the query with select')
    if (/\bspecis\b/.test(sql)) throw failure('invalid_input', 'there is no column `specis` in `penguins`', 'did you mean `species`?')
    return page(tableOf(/flights/.test(sql) ? 'flights' : 'penguins'), 0, Math.min(limit ?? 1000, 1000), null)
  },
  'dataset.set_target': ({ dataset, target, task }, world) => {
    const found = find(dataset)
    found.target = target
    const kind = tableOf(dataset).columns.find(({ name }) => name === target)?.kind
    found.task = target === null ? null : (task ?? (kind === 'number' ? 'regression' : 'multiclass'))
    world.changed('datasets', 'audit')
    return null
  },
  'dataset.sniff': ({ path, options: given, folder }) => sniff(path, given, folder),
  'dataset.import': ({ path, name }, world) =>
    world.start({
      kind: 'dataset.import', title: `Import ${path.split(/[\\/]/).pop() ?? path}`, subject: { dataset: name ?? nameOf(path) }, stages: ['reading', 'profiling', 'storing'], ms: 900,
      finish: () => {
        if (path.endsWith('/odd')) throw failure('invalid_input', '`notes.csv` does not fit the files before it: it has the columns `a`, and `1.csv` has `b`', 'say which files are meant, such as `*.csv`, or how they are read')
        if (/\.png$/.test(path)) throw failure('invalid_input', `\`${path}\` is a PNG picture, not a table`, 'choose a CSV or TSV file')
        const { version: number, isNew, dataset } = importInto(name ?? nameOf(path), path)
        world.changed('datasets', 'audit')
        return { dataset: dataset.name, version: number, versionId: 'f'.repeat(32), isNew, rows: 344, columns: 8, rejectedRows: dataset.rejected, warnings: [], checks: [] }
      },
    }),
  'dataset.export': ({ dataset, to }, world) => world.start({ kind: 'dataset.export', title: `Export ${dataset}`, subject: { dataset }, finish: () => ({ path: to }) }),
}
