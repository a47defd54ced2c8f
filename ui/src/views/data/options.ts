// What the import sheet offers for each option of reading a file.

import type { ParseOptions } from '../../host/bindings'
import type { Option } from '../../parts/Select.svelte'

const ENCODINGS = ['UTF-8', 'windows-1252', 'ISO-8859-15', 'UTF-16LE', 'UTF-16BE']
const DELIMITERS = [{ value: ',', label: 'Comma  ,' }, { value: ';', label: 'Semicolon  ;' }, { value: '\t', label: 'Tab' }, { value: '|', label: 'Bar  |' }]
const QUOTES = [{ value: '"', label: 'Double  "' }, { value: "'", label: "Single  '" }, { value: '', label: 'None' }]
const ESCAPES = [{ value: '', label: 'None' }, { value: '\\', label: 'Backslash  \\' }]
const DECIMALS = [{ value: '.', label: 'Point  1.5' }, { value: ',', label: 'Comma  1,5' }]
const THOUSANDS = [
  { value: '', label: 'None' }, { value: ',', label: 'Comma  1,000' }, { value: '.', label: 'Point  1.000' }, { value: ' ', label: 'Space  1 000' }, { value: "'", label: "Apostrophe  1'000" },
]
const DATE_ORDERS = [{ value: 'day_first', label: 'Day first  31/12' }, { value: 'month_first', label: 'Month first  12/31' }]

const FORMATS: Record<ParseOptions['format'], string> = {
  delimited: 'Text with delimiters (CSV, TSV)', json: 'JSON', json_lines: 'JSON, one record a line', parquet: 'Parquet', arrow: 'Arrow or Feather', excel: 'Workbook (Excel, OpenDocument)', sqlite: 'SQLite database',
}
const PACKS: Record<ParseOptions['pack'], string> = { none: '', gzip: 'packed with gzip', zstd: 'packed with Zstandard', zip: 'in a ZIP archive', xz: 'packed with xz', bzip2: 'packed with bzip2' }

/** What the bytes are, in words. */
export function formatWords({ format, pack }: ParseOptions): string {
  return [FORMATS[format], PACKS[pack]].filter((part) => part !== '').join(', ')
}

/** What one of several tables in the file is called. */
export function tableWord({ format, pack }: ParseOptions): string {
  if (pack === 'zip') return 'File in the archive'
  return format === 'excel' ? 'Sheet' : 'Table'
}

export type OptionName = 'text' | 'numbers' | 'dates' | 'header' | 'nulls' | 'range' | 'records'

const OF_FORMAT: Record<ParseOptions['format'], OptionName[]> = {
  delimited: ['text', 'numbers', 'dates', 'header', 'nulls'],
  excel: ['numbers', 'dates', 'header', 'nulls', 'range'],
  json: ['records'],
  json_lines: [], parquet: [], arrow: [], sqlite: [],
}

/** The options that mean something for a file of this format: those of the others are not shown. */
export function optionsOf({ format }: ParseOptions): OptionName[] {
  return OF_FORMAT[format]
}

/** The choices of every option that has some. None is the empty value. */
export function choicesOf(options: ParseOptions): Record<'encodings' | 'delimiters' | 'quotes' | 'escapes' | 'decimals' | 'thousands' | 'dateOrders', Option[]> {
  const isPresent = (encoding: string): boolean => encoding.toLowerCase() === options.encoding.toLowerCase()
  return {
    encodings: withPresent(ENCODINGS.map((name) => ({ value: isPresent(name) ? options.encoding : name, label: name })), options.encoding),
    delimiters: withPresent(DELIMITERS, options.delimiter),
    quotes: withPresent(QUOTES, options.quote),
    escapes: withPresent(ESCAPES, options.escape),
    decimals: DECIMALS,
    thousands: withPresent(THOUSANDS.filter(({ value }) => value !== options.decimal), options.thousands),
    dateOrders: DATE_ORDERS,
  }
}

/** The decimal sign cannot stand between thousands too, so the two change places: 1,234.5 and 1.234,5. */
export function changeDecimal(options: ParseOptions, decimal: string): Partial<ParseOptions> {
  return options.thousands === decimal ? { decimal, thousands: options.decimal } : { decimal }
}

/** What was guessed is offered even if it is none of the usual ones. */
function withPresent(usual: Option[], value: string | null): Option[] {
  return usual.some((option) => option.value === (value ?? '')) ? usual : [...usual, { value: value ?? '', label: value ?? 'None' }]
}
