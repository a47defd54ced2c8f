import { expect, it } from 'vitest'
import type { ModelSummary } from '../../host/bindings'
import { nameProblem, portProblem, proposedModel, proposedTarget, proposedVersion } from './choose'

const model = (name: string, createdAt: number, aliases: Record<string, number>): ModelSummary => ({
  name, version: 3, versions: 3, aliases, metrics: {}, task: 'binary', createdAt, endpoints: [],
})

it('proposes what was asked for, then production, then the newest', () => {
  const models = [model('old', 1, { production: 2 }), model('new', 9, {})]
  expect(proposedModel(models, 'new')?.name).toBe('new')
  expect(proposedModel(models, 'gone')?.name).toBe('old')
  expect(proposedModel([model('a', 1, {}), model('b', 2, {})], null)?.name).toBe('b')
  expect(proposedModel([], null)).toBeUndefined()
})

it('proposes the version in production unless another was asked for', () => {
  expect(proposedVersion(model('m', 1, { production: 2 }), null)).toBe('2')
  expect(proposedVersion(model('m', 1, { production: 2 }), '1')).toBe('1')
  expect(proposedVersion(model('m', 1, { production: 2 }), 'production')).toBe('2')
  expect(proposedVersion(model('m', 1, {}), null)).toBe('3')
})

it('never proposes a target that cannot be used', () => {
  const target = (kind: string, unavailable: string | null) => ({ kind, title: kind, summary: '', unavailable })
  expect(proposedTarget([target('oci', 'not here'), target('local', null)])?.kind).toBe('local')
})

it('accepts an empty or a free-looking port and refuses the rest', () => {
  expect(['', ' ', '8080', '65535'].map(portProblem)).toEqual([null, null, null, null])
  for (const bad of ['80', '70000', '80.5', 'abc', '-1']) expect(portProblem(bad)).not.toBeNull()
})

it('refuses names that would not fit into an address', () => {
  expect(nameProblem('species-v2')).toBeNull()
  for (const bad of ['a b', '../x', '-a', 'ä'.repeat(3)]) expect(nameProblem(bad)).not.toBeNull()
})
