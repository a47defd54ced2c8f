import { describe, expect, it } from 'vitest'
import type { PipelineDoc, StepDoc } from '../../host/bindings'
import { fitGraph, nameLines, wirePath, wires } from './graph'

const step = (id: string, x: number, inputs: StepDoc['inputs']): StepDoc => ({ id, kind: 'k', position: [x, 0], params: {}, inputs })

it('draws one line between two steps however many ports they share', () => {
  const doc: PipelineDoc = { name: 'p', steps: [step('a', 0, {}), step('b', 300, { table: ['a.table'], other: ['a.report', 'gone.table'] })] }
  expect(wires(doc)).toEqual([{ id: 'a b', from: [0, 0], to: [300, 0] }])
})

it('leaves at the right edge and arrives at the left one', () => {
  expect(wirePath([0, 0], [300, 100])).toBe('M200 36C250 36 250 136 300 136')
})

describe('the size of the graph', () => {
  it('is the natural one where there is room, and never larger', () => {
    expect(fitGraph(3000, 1000)).toEqual({ scale: 1, name: 16, letters: 17, hasWords: true, isWider: false })
  })

  it('shrinks to the room, and no name ever gets smaller than nine pixels', () => {
    for (let room = 100; room <= 2300; room += 50) {
      const fit = fitGraph(room, 2300)
      expect(fit.scale * fit.name).toBeGreaterThanOrEqual(9 - 1e-9)
      expect(fit.letters).toBeGreaterThanOrEqual(8)
      if (!fit.isWider) expect(fit.scale * 2300).toBeLessThanOrEqual(room + 1e-6)
    }
    expect(fitGraph(1140, 2300)).toMatchObject({ hasWords: false, isWider: false })
  })

  it('goes beyond the room once the names would not fit into their steps', () => {
    expect(fitGraph(700, 2300)).toMatchObject({ scale: 0.38, isWider: true })
  })
})

describe('the name of a step', () => {
  it('breaks where a word ends', () => {
    expect(nameLines('evaluate_boosting', 10, 2)).toEqual(['evaluate_', 'boosting'])
    expect(nameLines('split', 10, 2)).toEqual(['split'])
  })

  it('breaks anywhere if it must, and is cut at the end of the last line', () => {
    expect(nameLines('transformations', 10, 2)).toEqual(['transforma', 'tions'])
    expect(nameLines('evaluate_transformations', 10, 2)).toEqual(['evaluate_', 'transform…'])
    expect(nameLines('evaluate_boosting', 10, 1)).toEqual(['evaluate_…'])
  })
})
