import { describe, expect, it } from 'vitest'

import { pieces, plain, sentence } from './sentence'

describe('messages', () => {
  it('become sentences', () => {
    expect(sentence('cannot read `iris`: line 7 has 4 fields')).toBe('Cannot read `iris`: line 7 has 4 fields.')
    expect(sentence('try again!')).toBe('Try again!')
  })

  it('a name at the start stays as it is written', () => {
    expect(sentence('bill_length_mm has drifted')).toBe('bill_length_mm has drifted.')
    expect(sentence('`a` is gone')).toBe('`a` is gone.')
  })

  it('what stands in backticks is code', () => {
    expect(pieces('no column `x` here')).toEqual([
      { text: 'no column ', isCode: false },
      { text: 'x', isCode: true },
      { text: ' here', isCode: false },
    ])
  })

  it('lose their marks where nothing can be set as code', () => {
    expect(plain('no column `x` here')).toBe('no column x here')
    expect(plain('5` long')).toBe('5` long')
  })

  it('a lone backtick is a backtick', () => {
    expect(pieces('5` long')).toEqual([{ text: '5` long', isCode: false }])
  })
})
