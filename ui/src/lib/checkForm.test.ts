import { describe, expect, it } from 'vitest'

import type { CheckKindView } from '../host/bindings'
import { checkFields, entryOf, isList, kindOfColumn, list, scalar, type CheckDraft } from './checkForm'

// As the backend declares them.
const range: CheckKindView = {
  kind: 'range', title: 'Range', summary: '', doc: '', example: '', isAboutRows: true,
  params: {
    type: 'object',
    properties: {
      column: { type: 'string', default: '', 'x-column': true },
      min: { anyOf: [{ $ref: '#/$defs/Bound' }, { type: 'null' }], default: null },
      max: { anyOf: [{ $ref: '#/$defs/Bound' }, { type: 'null' }], default: null },
      values: { type: 'array', items: { $ref: '#/$defs/Bound' }, default: [] },
      columns: { type: 'array', items: { type: 'string' }, default: [], 'x-columns': true },
    },
    $defs: { Bound: { anyOf: [{ type: 'number' }, { type: 'string' }] } },
  },
}
const fields = checkFields(range)
const draft = (params: CheckDraft['params'], more: Partial<CheckDraft> = {}): CheckDraft => ({ kind: 'range', params, name: '', isError: true, maxShare: null, ...more })

it('every parameter of a kind has a field that fits it', () => {
  expect(fields.map(({ name, editor }) => `${name}: ${editor.type}`)).toEqual(['column: column', 'min: json', 'max: json', 'values: json', 'columns: columns'])
  expect(fields.filter(isList).map(({ name }) => name)).toEqual(['values'])
})

it('the entry says what was set and leaves out the rest', () => {
  expect(entryOf(draft({ column: 'age', min: 0, max: null, values: [] }), fields)).toBe('kind = "range"\ncolumn = "age"\nmin = 0')
  expect(entryOf(draft({ column: '', columns: ['a', 'b'] }, { isError: false, name: ' plausible ', maxShare: 0.05 }), fields)).toBe('kind = "range"\ncolumns = ["a", "b"]\nmax_share = 0.05\nseverity = "warn"\nname = "plausible"')
})

it.each([
  ['plain', '"plain"'],
  ['say "so"', '"say \\"so\\""'],
  ['[A-Z]{2}-\\d+', "'[A-Z]{2}-\\d+'"],
  ["it's \\d", '"it\'s \\\\d"'],
  ['two\nlines', '"two\\nlines"'],
  ['del\u007f', '"del\\u007f"'],
])('the text `%s` is written as TOML reads it', (text, written) => {
  expect(entryOf(draft({ column: text }), fields)).toBe(`kind = "range"\ncolumn = ${written}`)
})

describe('a value', () => {
  it('is a text in a column of texts, and elsewhere what it looks like', () => {
    expect([scalar('5', 'text'), scalar('5', 'integer'), scalar(' 1.5 ', null), scalar('true', 'boolean'), scalar('2026-11-23', 'time'), scalar('', 'integer'), scalar('1e400', null)]).toEqual(['5', 5, 1.5, true, '2026-11-23', '', '1e400'])
  })

  it('of several stands between commas, or in quotes if it has one itself', () => {
    expect(list('a, "b, c" ,, "say ""so"""', 'text')).toEqual(['a', 'b, c', 'say "so"'])
    expect(list('1, 2', 'integer')).toEqual([1, 2])
    expect(list(' ', null)).toEqual([])
  })

  it('is of the kind of the column that was chosen', () => {
    const columns = [{ name: 'age', kind: 'integer' as const }]
    expect([kindOfColumn(draft({ column: 'age' }), columns), kindOfColumn(draft({ column: 'gone' }), columns), kindOfColumn(draft({}), columns)]).toEqual(['integer', null, null])
  })
})
