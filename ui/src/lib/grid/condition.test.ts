import { describe, expect, it } from 'vitest'

import type { ColumnView } from '../../host/bindings'
import { added, clauses, inBin, isWhole, literal, onlyValue, removed, withoutValue } from './condition'

const column = (name: string, kind: ColumnView['kind']): ColumnView => ({ name, kind })

describe('a condition from a cell', () => {
  it.each([
    [column('plan', 'text'), 'basic', "plan = 'basic'"],
    [column('plan', 'text'), "it's", "plan = 'it''s'"],
    [column('age', 'integer'), '42', 'age = 42'],
    [column('paid', 'boolean'), 'true', 'paid = true'],
    [column('Day of birth', 'time'), '2013-01-01', `"Day of birth" = '2013-01-01'`],
    [column('order', 'number'), null, '"order" is null'],
    [column('end', 'text'), '', `"end" = ''`],
  ])('%o holds %s: %s', (one, cell, expected) => {
    expect(onlyValue(one, cell)).toBe(expected)
  })

  it('without a value keeps the rows in which it is missing', () => {
    expect(withoutValue(column('plan', 'text'), 'basic')).toBe("(plan <> 'basic' or plan is null)")
    expect(withoutValue(column('plan', 'text'), null)).toBe('plan is not null')
  })

  it('text in a column of numbers is quoted rather than read as code', () => {
    expect(literal('number', '1 or true')).toBe("'1 or true'")
  })

  it('a cell that was cut on its way is not asked for', () => {
    expect([isWhole('short'), isWhole(null), isWhole('x'.repeat(120))]).toEqual([true, true, false])
  })
})

it('the outer bars of a histogram are open, as they count what lies beyond', () => {
  const age = column('age', 'integer')
  const edges = [0, 10, 20, 30]
  expect([0, 1, 2].map((bin) => inBin(age, edges, bin))).toEqual(['age < 10', 'age >= 10 and age < 20', 'age >= 20'])
  expect(inBin(age, [5, 5], 0)).toBe('age is not null')
  expect(inBin(column('at', 'time'), [0, 86_400_000, 172_800_000], 1)).toBe("at >= '1970-01-02 00:00:00'")
})

describe('the parts of a condition', () => {
  it.each([
    ['', []],
    ["age > 18 and plan = 'basic'", ['age > 18', "plan = 'basic'"]],
    ["note = 'this and that' AND age > 1", ["note = 'this and that'", 'age > 1']],
    ['"a and b" = 1 and (x = 1 or x is null)', ['"a and b" = 1', '(x = 1 or x is null)']],
    ['age between 1 and 5 and paid', ['age between 1 and 5', 'paid']],
    ['case when a and b then c else d end and e', ['case when a and b then c else d end', 'e']],
    ['a and b or c', ['a and b or c']],
    ['brand = 1', ['brand = 1']],
  ])('of %s are %o', (text, expected) => {
    expect(clauses(text)).toEqual(expected)
  })

  it('one more is joined with and, and one that is there is not repeated', () => {
    expect(added('', 'age > 1')).toBe('age > 1')
    expect(added('age > 1', 'b = 2')).toBe('age > 1 and b = 2')
    expect(added('age > 1 and b = 2', 'b = 2')).toBe('age > 1 and b = 2')
    expect(added('a or b', 'c')).toBe('(a or b) and c')
  })

  it('one can be taken away', () => {
    expect(removed('a and b and c', 1)).toBe('a and c')
    expect(removed('a', 0)).toBe('')
  })
})
