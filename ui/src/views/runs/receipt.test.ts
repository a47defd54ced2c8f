import { expect, it } from 'vitest'

import { readReceipt, settingWords, shortHash } from './receipt'

const step = { step: 'forest', kind: 'train_forest', verdict: 'different', outputs: { model: ['aaaaaaaaaaaa', 'bbbbbbbbbbbb'] }, why: 'another version' }
const whole = {
  pipeline: 'species', pipelineDigest: 'abc', then: { program: '0.1.0', system: 'linux x86_64', threads: 2 }, now: { program: '0.1.0', system: 'linux x86_64', threads: 1 },
  datasets: { penguins: 'penguins v2' }, steps: [step], isIdentical: false, firstDifference: ['forest', 'another version'],
}

it('reads a receipt with its first difference', () => {
  const receipt = readReceipt(whole)
  expect(receipt?.firstDifference).toEqual({ step: 'forest', why: 'another version' })
  expect(receipt?.steps[0]).toEqual({ step: 'forest', kind: 'train_forest', verdict: 'different', ports: [{ port: 'model', then: 'aaaaaaaaaaaa', now: 'bbbbbbbbbbbb' }], why: 'another version' })
  expect(receipt?.datasets).toEqual([{ step: 'penguins', dataset: 'penguins v2' }])
})

it('a receipt of another form is not guessed at', () => {
  expect(readReceipt(null)).toBeNull()
  expect(readReceipt({ steps: 3 })).toBeNull()
  expect(readReceipt({ ...whole, steps: [{ ...step, verdict: 'similar' }] })).toBeNull()
})

it('a receipt without a difference has none', () => {
  expect(readReceipt({ ...whole, firstDifference: null })?.firstDifference).toBeNull()
})

it('says with what a run ran, as far as that was recorded', () => {
  expect(settingWords({ program: '0.1.0', system: 'linux x86_64', threads: 1 })).toBe('Fettle 0.1.0, linux x86_64, 1 thread')
  expect(settingWords({ program: '', system: '', threads: 0 })).toBe('not recorded')
})

it('shortens a hash and says where there is none', () => {
  expect(shortHash('0123456789abcdef')).toBe('0123456789')
  expect(shortHash('')).toBe('nothing')
})
