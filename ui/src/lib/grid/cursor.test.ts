import { describe, expect, it } from 'vitest'

import { moved, parseRow } from './cursor'

const press = (key: string, ctrlKey = false) => ({ key, ctrlKey, metaKey: false, shiftKey: false, altKey: false })
const at = { row: 500, column: 3 }
const move = (key: string, ctrlKey = false) => moved(at, press(key, ctrlKey), 1_000_000, 8, 20)

describe('the cursor', () => {
  it('arrows go by one, pages by a page', () => {
    expect([move('ArrowDown'), move('PageUp')]).toEqual([{ row: 501, column: 3 }, { row: 480, column: 3 }])
  })

  it('with Mod the arrows, Home and End go to the edges', () => {
    expect(move('ArrowDown', true)).toEqual({ row: 999_999, column: 3 })
    expect(move('End', true)).toEqual({ row: 999_999, column: 7 })
    expect(move('Home')).toEqual({ row: 500, column: 0 })
  })

  it('never leaves the table', () => {
    expect(moved({ row: 0, column: 0 }, press('ArrowUp'), 5, 5, 20)).toEqual({ row: 0, column: 0 })
    expect(moved({ row: 4, column: 4 }, press('PageDown'), 5, 5, 20)).toEqual({ row: 4, column: 4 })
    expect(moved({ row: 0, column: 0 }, press('ArrowDown'), 0, 5, 20)).toBeNull()
  })

  it('other keys do not move it', () => {
    expect(move('a')).toBeNull()
  })
})

describe('a row typed by hand', () => {
  it('counts from one and may be grouped', () => {
    expect([parseRow('1', 10), parseRow('1,000,000', 2_000_000), parseRow(' 7 ', 10)]).toEqual([0, 999_999, 6])
  })

  it('beyond the end is the last, no number is none', () => {
    expect([parseRow('999', 10), parseRow('0', 10), parseRow('x', 10), parseRow('', 10)]).toEqual([9, 0, null, null])
  })
})
