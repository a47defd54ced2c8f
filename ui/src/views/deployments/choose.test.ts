import { expect, it } from 'vitest'
import type { DeploymentSummary, ModelSummary } from '../../host/bindings'
import { isFirst, nameProblem, portProblem, proposedModel, proposedName, proposedTarget, proposedVersion, withParam } from './choose'

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
  const target = (kind: string, unavailable: string | null) => ({ kind, title: kind, summary: '', doc: '', runs: true, unavailable, params: {}, defaults: {} })
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

it('shows first what the declaration marks', () => {
  const target = { kind: 'x', title: '', summary: '', doc: '', runs: true, unavailable: null, defaults: {}, params: { properties: { a: { type: 'string', 'x-first': true }, b: { type: 'string' } } } }
  expect(['a', 'b', 'c'].map((name) => isFirst(target, name))).toEqual([true, false, false])
})

it('forgets a parameter that goes back to its default', () => {
  expect(withParam({ a: 1 }, 'b', 2)).toEqual({ a: 1, b: 2 })
  expect(withParam({ a: 1, b: 2 }, 'b', undefined)).toEqual({ a: 1 })
})

it('proposes another name where the model is already somewhere else', () => {
  const target = { kind: 'ssh', title: 'Machine over SSH', summary: '', doc: '', runs: true, unavailable: null, params: {}, defaults: {} }
  const at = (where: string): DeploymentSummary => ({
    id: 'd', name: 'm', target: where, state: 'healthy', model: { model: 'm', version: 1, aliases: [] }, url: null, requestsLastHour: 0, openAlerts: 0, createdAt: 0,
  })
  expect(proposedName([], 'm', target)).toBe('m')
  expect(proposedName([at('Machine over SSH')], 'm', target)).toBe('m')
  expect(proposedName([at('This computer')], 'm', target)).toBe('m-ssh')
})
