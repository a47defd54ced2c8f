import { expect, it } from 'vitest'
import type { PipelineDoc, StepDoc } from '../../host/bindings'
import { wirePath, wires } from './graph'

const step = (id: string, x: number, inputs: StepDoc['inputs']): StepDoc => ({ id, kind: 'k', position: [x, 0], params: {}, inputs })

it('draws one line between two steps however many ports they share', () => {
  const doc: PipelineDoc = { name: 'p', steps: [step('a', 0, {}), step('b', 300, { table: ['a.table'], other: ['a.report', 'gone.table'] })] }
  expect(wires(doc)).toEqual([{ id: 'a b', from: [0, 0], to: [300, 0] }])
})

it('leaves at the right edge and arrives at the left one', () => {
  expect(wirePath([0, 0], [300, 100])).toBe('M200 36C250 36 250 136 300 136')
})
