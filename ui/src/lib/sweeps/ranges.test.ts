import { describe, expect, it } from 'vitest'

import type { PipelineDoc } from '../../host/bindings'
import { kinds as declared } from '../../host/mock/kinds'
import { indexKinds } from '../graph/kinds'
import { measuringSteps, rangeProblem, rangeText, suggest, tunables, type Range } from './ranges'

const kinds = indexKinds(declared)
const doc: PipelineDoc = {
  name: 'p',
  steps: [
    { id: 'split', kind: 'split', position: [0, 0], params: {}, inputs: {} },
    { id: 'encode', kind: 'encode', position: [0, 0], params: {}, inputs: {} },
    { id: 'boosting', kind: 'train_boosting', position: [0, 0], params: { learning_rate: 0.05 }, inputs: {} },
    { id: 'judge', kind: 'evaluate', position: [0, 0], params: {}, inputs: {} },
    { id: 'best', kind: 'compare', position: [0, 0], params: {}, inputs: {} },
  ],
}
const found = tunables(doc, kinds)
const tunable = (path: string) => {
  const one = found.find((candidate) => candidate.path === path)
  if (one === undefined) throw new Error(`${path} cannot be tried`)
  return one
}
const between = (rest: Partial<Extract<Range, { type: 'between' }>>): Range => ({ type: 'between', low: '0.01', high: '0.3', isInteger: false, isLog: false, ...rest })

describe('what can be tried', () => {
  it('numbers, choices and switches of every step, but no seed', () => {
    const paths = found.map((one) => one.path)
    expect(paths).toEqual(expect.arrayContaining(['boosting.learning_rate', 'encode.method', 'split.stratify']))
    expect(paths.filter((path) => path.endsWith('.seed'))).toEqual([])
  })

  it('holds the value that is set, or else the default', () => {
    expect(tunable('boosting.learning_rate').value).toBe(0.05)
    expect(tunable('boosting.rounds').value).toBe(200)
  })

  it('starts from the ends people use, on the scale that fits', () => {
    expect(suggest(tunable('boosting.learning_rate'))).toEqual({ type: 'between', low: '0.01', high: '0.3', isInteger: false, isLog: true })
    expect(suggest(tunable('boosting.max_depth'))).toEqual({ type: 'between', low: '2', high: '12', isInteger: true, isLog: false })
    expect(suggest(tunable('encode.method'))).toEqual({ type: 'choice', choices: 'one_hot | ordinal' })
    expect(suggest(tunable('split.stratify'))).toEqual({ type: 'choice', choices: 'true | false' })
  })

  it('every suggestion lies within the limits of its field and is right', () => {
    for (const one of found) expect([one.path, rangeProblem(suggest(one))]).toEqual([one.path, null])
  })

  it('a step that measures is none that only compares or checks', () => {
    expect(measuringSteps(doc, kinds)).toEqual(['judge'])
  })
})

describe('a range in words', () => {
  it('of numbers keeps a point, of whole numbers has none', () => {
    expect(rangeText(between({ low: '1', high: '10' }))).toBe('1.0..10.0')
    expect(rangeText(between({ low: '1', high: '10', isInteger: true, isLog: true }))).toBe('1..10:log')
    expect(rangeText(between({ low: '1e-7', high: '0.5', isLog: true }))).toBe('1e-7..0.5:log')
  })

  it('of choices has no blanks', () => {
    expect(rangeText({ type: 'choice', choices: ' a | b |' })).toBe('a|b')
  })
})

it.each([
  [between({}), null],
  [between({ low: '' }), 'Both ends must be numbers.'],
  [between({ low: '1.5', high: '3', isInteger: true }), 'Both ends must be whole numbers.'],
  [between({ low: '3', high: '3' }), 'The lower end must be below the upper one.'],
  [between({ low: '0', isLog: true }), 'A logarithmic range lies above 0.'],
  [{ type: 'choice', choices: 'only' }, 'Give two values or more, with | between them.'],
] satisfies [Range, string | null][])('says what is wrong with a range: %o', (range, problem) => {
  expect(rangeProblem(range)).toBe(problem)
})
