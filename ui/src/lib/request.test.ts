import { expect, it } from 'vitest'
import type { FieldView } from '../host/bindings'
import { answerOf, formFields, rowOf, sampleTexts } from './request'

const fields: FieldView[] = [
  { name: 'island', kind: 'text' },
  { name: 'mass', kind: 'integer' },
  { name: 'bill', kind: 'number' },
  { name: 'tagged', kind: 'boolean' },
]

it('brings a sample row through the form unchanged', () => {
  const sample = { island: 'Biscoe', mass: 4500, bill: 46.1, tagged: false }
  expect(rowOf(fields, sampleTexts(fields, sample))).toEqual({ inputs: sample, problems: {} })
})

it('sends an empty field as a missing value', () => {
  expect(rowOf(fields, { island: '', mass: ' ', bill: '', tagged: '' }).inputs).toEqual({ island: null, mass: null, bill: null, tagged: null })
})

it('says what is wrong instead of sending it', () => {
  const row = rowOf(fields, { island: 'x', mass: '4.5', bill: 'wide', tagged: 'yes' })
  expect(Object.keys(row.problems)).toEqual(['mass', 'bill', 'tagged'])
  expect(row.inputs).toEqual({ island: 'x' })
})

it('takes the types from the sample where there is no signature', () => {
  expect(formFields(undefined, { a: 1, b: 'x', c: true }).map((field) => field.kind)).toEqual(['number', 'text', 'boolean'])
})

it('reads an answer alone and as a column, likeliest class first', () => {
  const answer = answerOf({ label: ['Gentoo'], probability_Adelie: [0.1], probability_Gentoo: [0.9] })
  expect(answer).toEqual({ headline: 'Gentoo', shares: [{ name: 'Gentoo', share: 0.9 }, { name: 'Adelie', share: 0.1 }] })
  expect(answerOf({ prediction: 3912.5 })).toEqual({ headline: '3912.5', shares: [] })
  expect(answerOf({}).headline).toBeNull()
})
