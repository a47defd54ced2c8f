import { describe, expect, it } from 'vitest'

import type { JsonValue, StepKindView } from '../../host/bindings'
import { accept, complete } from './expression'
import { fieldsOf, readNumber, show } from './schema'

function kind(params: JsonValue, defaults: JsonValue = {}): StepKindView {
  return {
    kind: 'k',
    title: 'K',
    category: 'train',
    summary: '',
    doc: '',
    synonyms: [],
    inputs: [],
    outputs: [],
    params,
    defaults,
    presets: [],
    namesPorts: false,
  }
}

describe('the form of a step', () => {
  it('reads what schemars writes: references, nullables, enums, marks', () => {
    const fields = fieldsOf(
      kind(
        {
          type: 'object',
          required: ['name', 'expression'],
          $defs: {
            Method: {
              description: 'How.',
              oneOf: [
                { type: 'string', const: 'one_hot', description: 'A column for each value.' },
                { type: 'string', const: 'ordinal' },
              ],
            },
            Task: { type: 'string', enum: ['binary', 'multiclass'] },
          },
          properties: {
            name: { type: 'string', description: 'The new column.' },
            expression: { type: 'string', 'x-expression': true },
            columns: { type: ['array', 'null'], items: { type: 'string' }, 'x-columns': 'text' },
            method: { $ref: '#/$defs/Method', default: 'one_hot' },
            task: { anyOf: [{ $ref: '#/$defs/Task' }, { type: 'null' }] },
            depth: { type: 'integer', format: 'uint32', minimum: 1, maximum: 64 },
            rate: { type: 'number', exclusiveMinimum: 0 },
            stratify: { type: 'boolean' },
            dataset: { type: 'string', 'x-dataset': true },
          },
        },
        { depth: 6, rate: 0.1, stratify: true },
      ),
    )
    const by = new Map(fields.map((field) => [field.name, field]))
    expect(fields.map((field) => field.name)[0]).toBe('name')
    expect(by.get('name')).toMatchObject({ isRequired: true, editor: { type: 'text' }, doc: 'The new column.' })
    expect(by.get('expression')?.editor).toEqual({ type: 'expression', isSql: false })
    expect(by.get('columns')).toMatchObject({ isNullable: true, editor: { type: 'columns' } })
    expect(by.get('method')).toMatchObject({
      fallback: 'one_hot',
      editor: {
        type: 'choice',
        choices: [{ value: 'one_hot', title: 'One hot', doc: 'A column for each value.' }, { value: 'ordinal' }],
      },
    })
    expect(by.get('task')).toMatchObject({
      isNullable: true,
      editor: { type: 'choice', choices: [{ value: 'binary' }, { value: 'multiclass' }] },
    })
    expect(by.get('depth')).toMatchObject({
      fallback: 6,
      isRequired: false,
      editor: { type: 'number', isInteger: true, min: 1, max: 64, step: 1 },
    })
    expect(by.get('rate')?.editor).toMatchObject({ isInteger: false, min: 0, isOpenMin: true })
    expect(by.get('stratify')?.editor).toEqual({ type: 'switch' })
    expect(by.get('dataset')?.editor).toEqual({ type: 'dataset' })
  })

  it('a schema that is none gives no fields', () => {
    expect(fieldsOf(kind(true))).toEqual([])
    expect(fieldsOf(kind({ type: 'object' }))).toEqual([])
  })

  it('a number is read with its limits', () => {
    const editor = { type: 'number' as const, isInteger: true, min: 1, max: 64, step: 1, isOpenMin: false }
    expect(readNumber('', editor)).toEqual({ value: undefined, problem: null })
    expect(readNumber('7', editor)).toEqual({ value: 7, problem: null })
    expect(readNumber('7.5', editor).problem).toBe('A whole number is needed.')
    expect(readNumber('0', editor).problem).toBe('The least is 1.')
    expect(readNumber('65', editor).problem).toBe('The most is 64.')
    expect(readNumber('x', editor)).toEqual({ value: undefined, problem: 'This is not a number.' })
    expect(readNumber('0', { ...editor, min: 0, isOpenMin: true }).problem).toBe('It must be more than 0.')
  })

  it('shows values as people write them', () => {
    expect(show(['a', 'b'])).toBe('a, b')
    expect(show(null)).toBe('')
    expect(show(0.1)).toBe('0.1')
  })
})

describe('completion in an expression', () => {
  const columns = [
    { name: 'bill_length_mm', kind: 'number' as const },
    { name: 'body mass', kind: 'number' as const },
    { name: 'species', kind: 'text' as const },
  ]

  it('offers columns first, then functions', () => {
    expect(complete('l', 1, columns).map((one) => one.label)).toEqual([
      'bill_length_mm',
      'least',
      'length',
      'ln',
      'log10',
      'lower',
    ])
    expect(complete('bo', 2, columns)[0]).toMatchObject({ label: 'body mass', insert: '"body mass"' })
  })

  it('offers nothing inside a text or after a finished word', () => {
    expect(complete("species = 'bi", 13, columns)).toEqual([])
    expect(complete('species ', 8, columns)).toEqual([])
  })

  it('replaces the word at the cursor and puts the cursor behind it', () => {
    const [first] = complete('abs(bi) > 2', 6, columns)
    if (first === undefined) throw new Error('nothing offered')
    expect(accept('abs(bi) > 2', 6, first)).toEqual({ text: 'abs(bill_length_mm) > 2', cursor: 18 })
    const [quoted] = complete('"bo', 3, columns)
    if (quoted === undefined) throw new Error('nothing offered')
    expect(accept('"bo"', 3, quoted).text).toBe('"body mass"')
  })
})
