import { describe, expect, it } from 'vitest'

import { lineAt, nextPlace, placesOf } from './find'

const TEXT = 'id = "split"\nkind = "Split"\n# splitting\n'

describe('finding in the file', () => {
  it('takes no heed of case and never counts a letter twice', () => {
    expect(placesOf(TEXT, 'split')).toEqual([6, 21, 30])
    expect(placesOf('aaaa', 'aa')).toEqual([0, 2])
    expect(placesOf(TEXT, '')).toEqual([])
  })

  it('goes on from the cursor and round at both ends', () => {
    const places = placesOf(TEXT, 'split')
    expect(nextPlace(places, 7, false)).toBe(1)
    expect(nextPlace(places, 31, false)).toBe(0)
    expect(nextPlace(places, 21, true)).toBe(0)
    expect(nextPlace(places, 0, true)).toBe(2)
    expect(nextPlace([], 0, false)).toBe(-1)
  })

  it('knows the line', () => {
    expect(lineAt(TEXT, 0)).toBe(1)
    expect(lineAt(TEXT, 21)).toBe(2)
  })
})
