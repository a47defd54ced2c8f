import { expect, it } from 'vitest'

import type { ChangeView, ExplainedStep } from '../../host/bindings'
import { whyOf } from './why'

const change = (what: ChangeView['what'], rest: Partial<ChangeView>): ChangeView => ({ what, name: '', before: null, after: null, isCause: true, text: '', ...rest })
const step = (rest: Partial<ExplainedStep>): ExplainedStep => ({ step: 'boosting', action: 'run', changes: [], reasons: [], waitsFor: [], lastRun: null, ...rest })

it('a parameter and a dataset stand with both values', () => {
  const { causes } = whyOf(step({ changes: [change('parameter', { name: 'method', before: '"mean"', after: '"median"' }), change('dataset', { name: 'penguins', before: '1', after: '2' })] }))
  expect(causes).toEqual([
    { type: 'values', name: 'method', before: 'mean', after: 'median' },
    { type: 'values', name: 'penguins', before: 'v1', after: 'v2' },
  ])
})

it('a parameter that was not there before was not set', () => {
  expect(whyOf(step({ changes: [change('parameter', { name: 'l2', after: '3' })] })).causes).toEqual([{ type: 'values', name: 'l2', before: 'not set', after: '3' }])
})

it('the hashes of an input are left to the sentence', () => {
  const { causes } = whyOf(step({ changes: [change('input', { name: 'table', before: 'a1b2', after: 'c3d4', text: 'its input `table` is another' })] }))
  expect(causes).toEqual([{ type: 'words', text: 'its input `table` is another' }])
})

it('what only explains stands apart from what causes', () => {
  const { causes, others } = whyOf(step({ changes: [change('dataset', { name: 'penguins', before: '1', after: '2' }), change('column', { isCause: false, text: 'column `year` came' })] }))
  expect(causes).toHaveLength(1)
  expect(others).toEqual([{ type: 'words', text: 'column `year` came' }])
})

it('says what would happen', () => {
  expect(whyOf(step({ action: 'cached' })).title).toContain('nothing to run')
  expect(whyOf(step({ action: 'pending' })).title).toBe('May run')
})
