// Step kinds and documents for tests, and a random source that repeats.

import type { PipelineDoc, PortType, PortView, StepDoc, StepKindView } from '../../host/bindings'
import { indexKinds, type Kinds } from './kinds'

function port(name: string, type: PortType, rest: Partial<PortView> = {}): PortView {
  return { name, type, isMany: false, isOptional: false, doc: '', ...rest }
}

function kind(
  name: string,
  title: string,
  category: string,
  inputs: PortView[],
  outputs: PortView[],
  more: Partial<StepKindView> = {},
): StepKindView {
  return {
    kind: name,
    title,
    category,
    summary: `${title} does it.`,
    doc: '',
    synonyms: [],
    inputs,
    outputs,
    params: {},
    defaults: {},
    presets: [],
    namesPorts: false,
    ...more,
  }
}

/** A small but complete set of kinds: one wire, many wires, optional ones, four types. */
export const KINDS: Kinds = indexKinds([
  kind('dataset', 'Dataset', 'data', [], [port('table', 'table')], { synonyms: ['source', 'csv'] }),
  kind('filter', 'Filter rows', 'clean', [port('table', 'table')], [port('table', 'table')], {
    synonyms: ['where', 'subset'],
  }),
  kind('impute', 'Fill missing', 'clean', [port('table', 'table')], [port('table', 'table')], {
    synonyms: ['nan', 'median'],
  }),
  kind('encode', 'Encode', 'prepare', [port('table', 'table')], [port('table', 'table')], {
    synonyms: ['one-hot', 'get_dummies'],
  }),
  kind(
    'train_forest',
    'Random forest',
    'train',
    [port('table', 'table')],
    [port('model', 'model'), port('report', 'report')],
    {
      synonyms: ['bagging'],
    },
  ),
  kind(
    'evaluate',
    'Evaluate',
    'evaluate',
    [port('model', 'model'), port('table', 'table')],
    [port('model', 'model'), port('metrics', 'metrics')],
  ),
  kind('compare', 'Compare', 'evaluate', [port('models', 'model', { isMany: true })], [port('best', 'model')]),
  kind(
    'register',
    'Register',
    'release',
    [port('model', 'model'), port('checks', 'metrics', { isMany: true, isOptional: true })],
    [port('report', 'report')],
  ),
])

/** A step: `step("split", "filter", { table: ["data.table"] })`. */
export function step(
  id: string,
  kindName: string,
  inputs: StepDoc['inputs'] = {},
  position: [number, number] = [0, 0],
): StepDoc {
  return { id, kind: kindName, position, params: {}, inputs }
}

/** A document of steps. */
export function doc(...steps: StepDoc[]): PipelineDoc {
  return { name: 'test', steps }
}

/** Data, filter, impute, forest in a row. */
export function chain(): PipelineDoc {
  return doc(
    step('data', 'dataset', {}, [0, 0]),
    step('filter', 'filter', { table: ['data.table'] }, [264, 0]),
    step('impute', 'impute', { table: ['filter.table'] }, [528, 0]),
    step('forest', 'train_forest', { table: ['impute.table'] }, [792, 0]),
  )
}

/** A random source that gives the same numbers for the same seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
