import { describe, expect, it } from 'vitest'

import type { ParseOptions } from '../../host/bindings'
import { changeDecimal, choicesOf, formatWords, optionsOf, tableWord } from './options'

const options: ParseOptions = {
  encoding: 'UTF-8', delimiter: ',', quote: '"', escape: null, skipLines: 0, hasHeader: true, comment: null, decimal: '.', thousands: ',', trim: false,
  nulls: [], quotedNulls: false, dateOrder: 'month_first', kinds: {}, format: 'delimited', pack: 'none', table: null, range: null, records: null, headerRows: 1, mergeDelimiters: false,
}
const values = (choices: { value: string }[]): string[] => choices.map(({ value }) => value)

it('the present value is offered once, however unusual it is or is written', () => {
  expect(values(choicesOf(options).encodings).length).toBe(5)
  expect(values(choicesOf({ ...options, encoding: 'utf-8' }).encodings)).toEqual(['utf-8', 'windows-1252', 'ISO-8859-15', 'UTF-16LE', 'UTF-16BE'])
  expect(values(choicesOf({ ...options, encoding: 'Shift_JIS' }).encodings).at(-1)).toBe('Shift_JIS')
  expect(values(choicesOf({ ...options, delimiter: '~' }).delimiters)).toEqual([',', ';', '\t', '|', '~'])
})

it('what may be absent can be set to none', () => {
  const { quotes, escapes, thousands } = choicesOf(options)
  for (const choices of [quotes, escapes, thousands]) expect(values(choices)).toContain('')
})

it('the decimal sign is not offered between thousands', () => {
  expect(values(choicesOf(options).thousands)).toEqual(['', ',', ' ', "'"])
})

it('a decimal sign that stood between thousands changes places with the other', () => {
  expect(changeDecimal(options, ',')).toEqual({ decimal: ',', thousands: '.' })
  expect(changeDecimal({ ...options, thousands: ' ' }, ',')).toEqual({ decimal: ',' })
  expect(changeDecimal({ ...options, thousands: null }, ',')).toEqual({ decimal: ',' })
})

describe('the options that are shown', () => {
  it('are those that mean something for the format', () => {
    expect(optionsOf({ ...options, format: 'excel' })).toContain('range')
    expect(optionsOf({ ...options, format: 'excel' })).not.toContain('text')
    expect(optionsOf({ ...options, format: 'json' })).toEqual(['records'])
    expect(optionsOf({ ...options, format: 'parquet' })).toEqual([])
  })

  it('say what the file is and what its tables are called', () => {
    expect(formatWords({ ...options, format: 'json_lines', pack: 'gzip' })).toBe('JSON, one record a line, packed with gzip')
    expect(formatWords({ ...options, pack: 'none' })).toBe('Text with delimiters (CSV, TSV)')
    expect([tableWord({ ...options, format: 'excel', pack: 'none' }), tableWord({ ...options, pack: 'zip' }), tableWord({ ...options, format: 'sqlite', pack: 'none' })]).toEqual(['Sheet', 'File in the archive', 'Table'])
  })
})
