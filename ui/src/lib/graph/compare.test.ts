import { describe, expect, it } from 'vitest'

import type { PipelineDoc } from '../../host/bindings'
import { renameStep } from './commands'
import { changesOf, compareDocs, comparisonLine } from './compare'
import { chain, doc, KINDS, step } from './testkit'
import { indexKinds } from './kinds'

const fates = (before: PipelineDoc, after: PipelineDoc): string[] => [...compareDocs(before, after, KINDS).steps.values()].map(({ id, fate, words }) => `${id} ${fate}: ${words.join('; ')}`)
const withParams = (params: PipelineDoc['steps'][number]['params']): PipelineDoc => ({ ...chain(), steps: chain().steps.map((one) => (one.id === 'impute' ? { ...one, params } : one)) })

describe('two versions', () => {
  it('that are the same have no difference', () => {
    expect(fates(chain(), chain())).toEqual([])
    expect(comparisonLine(compareDocs(chain(), chain(), KINDS))).toBe('No difference')
  })

  it('differ by parameters, in words', () => {
    expect(fates(withParams({ rate: 0.1 }), withParams({ rate: 0.2, columns: ['a', 'b'] }))).toEqual(['impute changed: rate: 0.1 → 0.2; columns: not set → a, b'])
  })

  it('differ by steps and wires that came and went', () => {
    const after = doc(...chain().steps.slice(0, 2), step('fresh', 'encode', { table: ['filter.table'] }, [528, 0]), step('forest', 'train_forest', { table: ['fresh.table'] }, [792, 0]))
    const comparison = compareDocs(chain(), after, KINDS)
    expect(fates(chain(), after)).toEqual(['fresh added: new', 'forest changed: table from fresh.table, was impute.table', 'impute removed: no longer there'])
    expect([...comparison.newWires]).toEqual(['filter.table>fresh.table', 'fresh.table>forest.table'])
    expect(comparison.gone.map((one) => one.id)).toEqual(['impute'])
    expect(comparisonLine(comparison)).toBe('1 added, 1 removed, 1 changed, 4 wires')
  })

  it('a step that was renamed is the same step', () => {
    const after = renameStep(chain(), 'filter', 'adults').change?.doc ?? chain()
    expect(fates(chain(), after)).toEqual(['adults changed: was called filter', 'impute changed: table from adults.table, was filter.table'])
  })

  it('a step that only stands elsewhere has moved', () => {
    const after = { ...chain(), steps: chain().steps.map((one) => (one.id === 'data' ? { ...one, position: [4, 4] as [number, number] } : one)) }
    expect(comparisonLine(compareDocs(chain(), after, KINDS))).toBe('1 moved')
  })

  it('a value that was the default says so, and a long one is cut', () => {
    const found = KINDS.get('impute')
    if (found === undefined) throw new Error('no kind')
    const kinds = indexKinds([{ ...found, defaults: { rounds: 200 } }])
    expect(changesOf(step('a', 'impute'), { ...step('a', 'impute'), params: { rounds: 300 } }, kinds)).toEqual(['rounds: 200 (default) → 300'])
    const [long] = changesOf(step('a', 'impute'), { ...step('a', 'impute'), params: { text: 'x'.repeat(500) } }, kinds)
    expect(long?.length).toBeLessThan(90)
  })
})
