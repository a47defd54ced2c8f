import { describe, expect, it } from 'vitest'

import { href, parseRoute } from './router'

describe('routes', () => {
  it('an address comes back as it was made', () => {
    const address = href('data', ['a/b c?#', 'ü'], { version: 2, tab: 'query' })
    expect(parseRoute(address)).toEqual({
      section: 'data',
      path: ['a/b c?#', 'ü'],
      params: { version: '2', tab: 'query' },
    })
  })

  it('params that are null are left out', () => {
    expect(href('runs', [], { state: null })).toBe('#/runs')
  })

  it('an unknown section leads home', () => {
    expect(parseRoute('#/nowhere/x').section).toBe('home')
    expect(parseRoute('').section).toBe('home')
  })

  it('an address that cannot be decoded is taken as it stands', () => {
    expect(parseRoute('#/data/100%').path).toEqual(['100%'])
  })
})
