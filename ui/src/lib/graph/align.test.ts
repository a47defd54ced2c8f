import { describe, expect, it } from 'vitest'

import { align, distribute, type Side } from './align'
import { stepsAlong } from './walk'
import { chain, doc, step } from './testkit'

const scattered = doc(step('a', 'filter', {}, [0, 0]), step('b', 'filter', {}, [240, 100]), step('c', 'filter', {}, [1000, 400]), step('d', 'filter', {}, [8, 8]))
const places = (outcome: ReturnType<typeof align>): unknown => outcome.change?.doc.steps.map((one) => one.position)

describe('in line', () => {
  it.each<[Side, [number, number][]]>([
    ['left', [[0, 0], [0, 100], [0, 400]]],
    ['right', [[1000, 0], [1000, 100], [1000, 400]]],
    ['centre', [[500, 0], [500, 100], [500, 400]]],
    ['top', [[0, 0], [240, 0], [1000, 0]]],
    ['middle', [[0, 200], [240, 200], [1000, 200]]],
    ['bottom', [[0, 400], [240, 400], [1000, 400]]],
  ])('by %s moves what is selected and nothing else', (side, expected) => {
    expect(places(align(scattered, ['a', 'b', 'c'], side))).toEqual([...expected, [8, 8]])
  })

  it('one step is refused', () => {
    expect(align(scattered, ['a', 'gone'], 'left').refusal).toContain('at least two')
  })
})

describe('spread', () => {
  it('leaves the same room between all, in the order they stand', () => {
    expect(places(distribute(scattered, ['c', 'a', 'b'], 'across'))).toEqual([[0, 0], [500, 100], [1000, 400], [8, 8]])
  })

  it('never puts one on another', () => {
    const crowded = doc(step('a', 'filter', {}, [0, 0]), step('b', 'filter', {}, [0, 4]), step('c', 'filter', {}, [0, 8]))
    expect(places(distribute(crowded, ['a', 'b', 'c'], 'down'))).toEqual([[0, 0], [0, 72], [0, 144]])
  })

  it('two steps are refused', () => {
    expect(distribute(scattered, ['a', 'b'], 'down').refusal).toContain('at least three')
  })
})

describe('along the wires', () => {
  it('a walk goes to what follows and what comes before, the level one first', () => {
    expect(stepsAlong(chain(), 'filter', 'after')).toEqual(['impute'])
    expect(stepsAlong(chain(), 'filter', 'before')).toEqual(['data'])
    const fork = doc(step('a', 'dataset', {}, [0, 100]), step('up', 'filter', { table: ['a.table'] }, [260, 0]), step('level', 'filter', { table: ['a.table'] }, [260, 96]))
    expect(stepsAlong(fork, 'a', 'after')).toEqual(['level', 'up'])
  })
})
