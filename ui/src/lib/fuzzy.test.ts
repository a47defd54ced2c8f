import { describe, expect, it } from 'vitest'

import { rank, score } from './fuzzy'

const found = (query: string, texts: string[]): string[] => rank(query, texts, (text) => text)

describe('fuzzy search', () => {
  it('letters must occur in order', () => {
    expect(score('dim', 'import data')).toBe(0)
    expect(score('impd', 'Import data')).toBeGreaterThan(0)
  })

  it('starts of words beat letters in between', () => {
    expect(found('gd', ['Sagging road', 'Go to Data'])[0]).toBe('Go to Data')
  })

  it('a prefix beats a match further back', () => {
    expect(found('pen', ['Open sample', 'penguins'])[0]).toBe('penguins')
  })

  it('nothing typed keeps everything in its order', () => {
    expect(found('', ['b', 'a'])).toEqual(['b', 'a'])
  })

  it('a letter behind a start of word is found though the start leads astray', () => {
    expect(score('data', 'd a x data')).toBeGreaterThan(0)
  })
})
