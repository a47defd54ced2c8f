import { describe, expect, it } from 'vitest'

import { CallError, toFailure } from './transport'

describe('whatever was thrown becomes a failure', () => {
  it('keeps what the daemon says', () => {
    const failure = { code: 'not_found', message: 'there is no run', hint: 'look at the list', causes: ['row 7'] }
    expect(toFailure(failure)).toMatchObject(failure)
  })

  it('fills in the hint and the causes that the window leaves out', () => {
    expect(toFailure({ code: 'not_found', message: 'there is no run' })).toMatchObject({ hint: null, causes: [] })
  })

  it('takes anything else by its words', () => {
    expect(toFailure(new TypeError('x is undefined'))).toMatchObject({ code: 'internal', message: 'x is undefined', causes: [] })
    expect(toFailure('gone')).toMatchObject({ code: 'internal', message: 'gone' })
    const failure = new CallError({ code: 'invalid_input', message: 'no', hint: null, causes: [] })
    expect(toFailure(failure)).toBe(failure)
  })
})
