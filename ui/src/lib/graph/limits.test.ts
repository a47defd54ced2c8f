import { describe, expect, it } from 'vitest'

import type { PipelineDoc } from '../../host/bindings'
import { compareDocs } from './compare'
import { isSameStep, isSameWork } from './doc'
import { readStep } from './json'
import { limitsOf, limitWords, memoryProblem, setLimits, timeoutProblem } from './limits'
import { difference, isEmpty, patched } from './patch'
import { patchText } from './toml'

const doc: PipelineDoc = { name: 'p', steps: [{ id: 'a', kind: 'command', position: [0, 0], params: { command: 'true' }, inputs: {} }] }
const limited = setLimits(doc, 'a', { retries: 2, memory: '2GiB' }).change?.doc ?? doc
const [before, after] = [doc.steps[0], limited.steps[0]]

describe('limits', () => {
  it('are set, and taken away with the last of them', () => {
    expect(after?.limits).toEqual({ retries: 2, timeout: null, cores: null, memory: '2GiB' })
    const back = setLimits(setLimits(limited, 'a', { retries: 0 }).change?.doc ?? doc, 'a', { memory: null }).change?.doc
    expect(back).toEqual(doc)
  })

  it('are a change that can be undone, but no other work', () => {
    if (before === undefined || after === undefined) throw new Error('there is a step')
    expect([isSameStep(before, after), isSameWork(before, after)]).toEqual([false, true])
    const patch = difference(doc, limited)
    expect(isEmpty(patch)).toBe(false)
    expect(patched(doc, patch)).toEqual(limited)
  })

  it('go along on the clipboard', () => {
    if (after === undefined) throw new Error('there is a step')
    expect(readStep(JSON.parse(JSON.stringify(after)))).toEqual(after)
    expect(readStep({ id: 'a', kind: 'k', position: [0, 0], params: {}, inputs: {}, limits: { retries: 'many' } })).not.toHaveProperty('limits')
  })

  it('are said in words, and in a comparison', () => {
    expect(limitWords({ retries: 1, timeout: '10m', cores: 1, memory: null })).toEqual(['tried again once', '10m a try', '1 core'])
    expect(compareDocs(doc, limited, new Map()).steps.get('a')?.words).toEqual(['limits: none → tried again up to 2 times, 2GiB of memory'])
  })

  it('stand in the file beside what was there, comments and all', () => {
    const text = 'format = 1\nname = "p"\n\n[[step]] # mine\nid = "a"\nkind = "command"\nposition = [0, 0]\n\n[step.params]\ncommand = "true"\n'
    const written = patchText(text, doc, limited)
    expect(written).toBe('format = 1\nname = "p"\n\n[[step]] # mine\nid = "a"\nkind = "command"\nposition = [0, 0]\nretries = 2\nmemory = "2GiB"\n\n[step.params]\ncommand = "true"\n')
    expect(patchText(written ?? '', limited, doc)).toBe(text)
    const more = setLimits(limited, 'a', { retries: 5 }).change?.doc ?? doc
    expect(patchText(written ?? '', limited, more)).toContain('retries = 5\n')
  })

  it.each([['', null], ['90s', null], ['1.5h', null], ['2 h', null], ['0s', 'This leaves no time.'], ['soon', 'Write a time'], ['90', 'Write a time']])('a time of `%s`: %s', (text, problem) => {
    if (problem === null) expect(timeoutProblem(text)).toBeNull()
    else expect(timeoutProblem(text)).toContain(problem)
  })

  it.each([['', null], ['512MB', null], ['2gib', null], ['1kB', 'The least is 16MiB.'], ['lots', 'Write an amount']])('memory of `%s`: %s', (text, problem) => {
    if (problem === null) expect(memoryProblem(text)).toBeNull()
    else expect(memoryProblem(text)).toContain(problem)
  })

  it('a step without limits has none', () => {
    if (before === undefined) throw new Error('there is a step')
    expect(limitsOf(before).retries).toBe(0)
  })
})
