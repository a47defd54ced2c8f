import { describe, expect, it } from 'vitest'

import { both, columnTitle, parseColumn, picking, PLAIN, pressed, quoted, readLook, sortedBy, writeLook } from './look'

describe('the look of the table of runs', () => {
  it('comes back from its address as it was', () => {
    const look = { ...PLAIN, experiment: 'a/b', filter: "metrics.`x y` > 0.5 and params.p = 'q&r'", order: ['metrics.auc desc'], columns: ['at(metrics.loss, 3)', 'params.`a,b`'], group: 'params.seed' }
    const params = new URLSearchParams()
    for (const [name, value] of Object.entries(writeLook(look))) if (value !== null) params.set(name, value)
    expect(readLook(Object.fromEntries(new URLSearchParams(params.toString())))).toEqual(look)
    expect(Object.values(writeLook(PLAIN)).every((value) => value === null)).toBe(true)
  })

  it('is plain where an address cannot be read', () => {
    expect(readLook({ order: 'no JSON', columns: '{"a":1}' })).toEqual(PLAIN)
    expect(readLook({ columns: '[1,"params.a"]' }).columns).toEqual(['params.a'])
  })

  it('joins conditions and leaves out those that say nothing', () => {
    expect(both('a = 1', null, ' ', 'b = 2')).toBe('a = 1 and b = 2')
    expect([quoted('x'), quoted("it's")]).toEqual(["'x'", '"it\'s"'])
  })
})

describe('a column', () => {
  it.each([
    ['metrics.auc', 'AUC', { of: 'metric', key: 'auc', pick: 'last', step: null }],
    ['min(metrics.`val loss`)', 'val loss (min)', { of: 'metric', key: 'val loss', pick: 'min', step: null }],
    ['at(metrics.loss, 100)', 'loss (at 100)', { of: 'metric', key: 'loss', pick: 'at', step: 100 }],
    ['params.model.depth', 'model.depth', { of: 'parameter', key: 'model.depth', pick: 'last', step: null }],
    ['tags."a`b"', 'a`b', { of: 'tag', key: 'a`b', pick: 'last', step: null }],
    ['duration', 'Time', { of: 'attribute', key: 'duration', pick: 'last', step: null }],
  ])('%s is called %s', (text, title, parts) => {
    expect(columnTitle(text)).toBe(title)
    expect(parseColumn(text)).toEqual(parts)
  })

  it('shows another value of the same metric', () => {
    expect(picking('metrics.loss', 'best', null)).toBe('best(metrics.loss)')
    expect(picking('best(metrics.loss)', 'at', 7)).toBe('at(metrics.loss, 7)')
    expect(picking('at(metrics.`a, b`, 7)', 'last', null)).toBe('metrics.`a, b`')
  })

  it('is sorted one way, the other way, and no more', () => {
    const once = pressed([], 'metrics.auc', false)
    expect(once).toEqual(['metrics.auc desc'])
    const twice = pressed(once, 'metrics.auc', false)
    expect(twice).toEqual(['metrics.auc asc'])
    expect(pressed(twice, 'metrics.auc', false)).toEqual([])
    expect(pressed([], 'params.depth', false)).toEqual(['params.depth asc'])
  })

  it('joins the columns before it when asked to', () => {
    const order = pressed(['metrics.auc desc'], 'params.depth', true)
    expect(order).toEqual(['metrics.auc desc', 'params.depth asc'])
    expect(sortedBy(order, 'params.depth')).toEqual({ isDescending: false, place: 2 })
    expect(pressed(order, 'metrics.auc', true)).toEqual(['metrics.auc asc', 'params.depth asc'])
    expect(pressed(['a asc', 'b asc', 'c asc', 'd asc'], 'e', true)).toHaveLength(4)
  })
})
