import { describe, expect, it } from 'vitest'

import type { JsonValue, PipelineDoc, StepDoc, StepKindView } from '../../host/bindings'
import { kindOf } from './kinds'
import { indexKinds } from './kinds'
import { namesPorts, withOwnPorts } from './ports'
import { repair } from './repair'
import { judge } from './rules'

const command: StepKindView = {
  kind: 'command', title: 'Command', category: 'code', summary: '', doc: '', synonyms: [], params: {}, presets: [], namesPorts: true,
  defaults: { command: '', inputs: ['table?'], outputs: ['result'] },
  inputs: [{ name: 'table', type: 'table', isMany: false, isOptional: true, doc: '' }],
  outputs: [
    { name: 'result', type: 'table', isMany: false, isOptional: false, doc: '' },
    { name: 'metrics', type: 'metrics', isMany: false, isOptional: false, doc: '' },
    { name: 'artifacts', type: 'files', isMany: false, isOptional: false, doc: '' },
  ],
}
const kinds = indexKinds([command])
const step = (id: string, params: StepDoc['params'] = {}, inputs: StepDoc['inputs'] = {}): StepDoc => ({ id, kind: 'command', position: [0, 0], params, inputs })
const inputs = (lines: JsonValue): string[] => withOwnPorts(command, step('a', { inputs: lines })).inputs.map((port) => `${port.name} ${port.type}${port.isOptional ? '?' : ''}`)
const outputs = (lines: JsonValue): string[] => withOwnPorts(command, step('a', { outputs: lines })).outputs.map((port) => `${port.name} ${port.type}`)

describe('the ports that parameters name', () => {
  it('are the defaults until somebody writes others', () => {
    const own = withOwnPorts(command, step('a'))
    expect(own.inputs.map((port) => [port.name, port.isOptional])).toEqual([['table', true]])
    expect(own.outputs.map((port) => port.name)).toEqual(['result', 'metrics', 'artifacts'])
  })

  it.each([
    [['scores', 'left?', 'm:model', 'raw:files'], ['scores table', 'left table?', 'm model', 'raw files']],
    [['prices=data/prices.csv', 'config=conf.yaml'], ['prices table', 'config files']],
    [['data/raw/Day 1.csv', 'pictures/'], ['day_1 table', 'pictures files']],
    [['Bad Name', 'x:dream', '', 'scores', 'scores'], ['scores table']],
    ['no list', []],
  ] as [JsonValue, string[]][])('%j goes in as %j', (lines, expected) => {
    expect(inputs(lines)).toEqual(expected)
  })

  it('metrics and files come out of every such step', () => {
    expect(outputs(['model.pkl', 'scores.parquet'])).toEqual(['model files', 'scores table', 'metrics metrics', 'artifacts files'])
  })

  it('a kind with ports of its own keeps them', () => {
    const plain = { ...command, category: 'clean' }
    expect(namesPorts(plain)).toBe(false)
    expect(withOwnPorts(plain, step('a', { outputs: ['other'] }))).toBe(plain)
  })
})

describe('wires of such steps', () => {
  const doc: PipelineDoc = { name: 'p', steps: [step('a', { outputs: ['fitted'] }), step('b', { inputs: ['left'] }, { left: ['a.fitted'] })] }

  it('are judged by the ports that are named', () => {
    expect(kindOf(doc, kinds, 'a')?.outputs[0]?.name).toBe('fitted')
    const open: PipelineDoc = { ...doc, steps: [doc.steps[0] ?? step('a'), step('b', { inputs: ['left'] })] }
    expect(judge(open, kinds, { from: { step: 'a', port: 'fitted' }, to: { step: 'b', port: 'left' } }).isAllowed).toBe(true)
  })

  it('stay when the pipeline is opened, also those to ports that cannot be read here', () => {
    expect(repair(doc, kinds)).toEqual({ doc, notes: [] })
    const odd: PipelineDoc = { name: 'p', steps: [step('a'), step('b', {}, { elsewhere: ['a.somewhere'] })] }
    expect(repair(odd, kinds).notes).toEqual([])
  })
})
