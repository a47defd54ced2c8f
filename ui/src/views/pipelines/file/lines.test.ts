import { describe, expect, it } from 'vitest'

import { lineOf } from './lines'

const failure = (message: string, causes: string[] = []) => ({ code: 'invalid_input' as const, message, hint: null, causes })

describe('the line of a failure', () => {
  it('is found in the message or in what lies behind it', () => {
    expect(lineOf(failure('cannot read the pipeline: line 12: expected `=`'))).toBe(12)
    expect(lineOf(failure('cannot read the pipeline', ['TOML parse error at line 7, column 3']))).toBe(7)
  })

  it('is none where nothing is said of a line', () => {
    expect(lineOf(failure('the pipeline has a baseline 4 of them'))).toBeNull()
  })
})
