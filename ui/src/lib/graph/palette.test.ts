import { describe, expect, it } from 'vitest'

import { matchText, searchKinds } from './palette'
import { KINDS } from './testkit'

const find = (query: string, ...rest: unknown[]) =>
  searchKinds(KINDS.values(), query, ...(rest as [])).map((match) => match.kind.kind)

describe('the palette', () => {
  it('finds by synonym, whatever stands between its words', () => {
    expect(find('one hot')[0]).toBe('encode')
    expect(find('dummies')[0]).toBe('encode')
    expect(find('csv')[0]).toBe('dataset')
  })

  it('finds by letters in order from the start of a word', () => {
    expect(find('rf')).toEqual(['train_forest'])
    expect(find('flt')[0]).toBe('filter')
    expect(find('xyz')).toEqual([])
  })

  it('a title beats a synonym, and every word must be found', () => {
    expect(find('filter')[0]).toBe('filter')
    expect(find('filter forest')).toEqual([])
  })

  it('lists nothing but what fits the wire when it is strict, the next of the main job first', () => {
    const need = { side: 'takes' as const, type: 'table' as const, isStrict: true, category: 'clean' }
    const kinds = searchKinds(KINDS.values(), '', need).map((match) => match.kind.kind)
    expect(kinds).toEqual(['filter', 'impute', 'encode', 'train_forest', 'evaluate'])
    const models = searchKinds(KINDS.values(), '', { side: 'takes', type: 'model', isStrict: true, category: 'train' })
    expect(models.map((match) => match.kind.kind)).toEqual(['evaluate', 'compare', 'register'])
  })

  it('for a wire lists only what takes and gives its type', () => {
    const need = { side: 'passes' as const, type: 'table' as const, isStrict: true, category: 'clean' }
    expect(searchKinds(KINDS.values(), '', need).map((match) => match.kind.kind)).toEqual(['filter', 'impute', 'encode'])
  })

  it('lists what fits first and the rest after when it is not strict', () => {
    const need = { side: 'takes' as const, type: 'metrics' as const, isStrict: false, category: 'evaluate' }
    const matches = searchKinds(KINDS.values(), '', need)
    expect(matches[0]?.kind.kind).toBe('register')
    expect(matches).toHaveLength(KINDS.size)
    expect(matches[1]?.isFitting).toBe(false)
  })

  it('with nothing typed, what was used lately comes first', () => {
    expect(
      searchKinds(KINDS.values(), '', null, ['compare', 'filter'])
        .map((match) => match.kind.kind)
        .slice(0, 2),
    ).toEqual(['compare', 'filter'])
  })

  it('marks the letters of the title that matched', () => {
    expect(matchText('Fill missing', 'miss', true)?.marks).toEqual([5, 6, 7, 8])
    expect(matchText('Random forest', 'rf', true)?.marks).toEqual([0, 7])
  })
})
