// Pipelines in memory: drafts, commits, what is wrong with a graph, and its file as text.

import type { ColumnView, CommitView, FrameDoc, JsonValue, PipelineDoc, PipelineView, PortView, Problem, StepDoc, StepPorts, Validation } from '../bindings'
import { page, tableOf } from './data'
import { kinds } from './kinds'
import { statesDocs } from './states'
import { lastRunOf, planFor, startRun } from './training'
import { toFailure } from '../transport'
import { failure, wait, type Answers, type World } from './world'

type Kept = { doc: PipelineDoc; text?: string; committed: PipelineDoc | null; commit: CommitView | null }

const step = (id: string, kind: string, position: [number, number], params: StepDoc['params'], inputs: StepDoc['inputs']): StepDoc => ({ id, kind, position, params, inputs })

/** Split, prepare, three trainers, compare, check, register: as the backend builds it. */
export function template(name: string, dataset: string): PipelineDoc {
  const trainers = ['linear', 'forest', 'boosting']
  return {
    name,
    steps: [
      step('penguins', 'dataset', [40, 160], { dataset, target: 'species' }, {}),
      step('split', 'split', [300, 160], { stratify: true }, { table: ['penguins.table'] }),
      step('impute', 'impute', [560, 160], {}, { table: ['split.table'] }),
      step('encode', 'encode', [820, 160], {}, { table: ['impute.table'] }),
      ...trainers.map((one, index) => step(one, `train_${one}`, [1080, 40 + 120 * index], {}, { table: ['encode.table'] })),
      ...trainers.map((one, index) => step(`evaluate_${one}`, 'evaluate', [1340, 40 + 120 * index], {}, { model: [`${one}.model`], table: ['split.table'] })),
      step('best', 'compare', [1600, 160], {}, { models: trainers.map((one) => `evaluate_${one}.model`) }),
      step('good_enough', 'check', [1860, 100], { metric: 'roc_auc', at_least: 0.7 }, { metrics: ['best.metrics'] }),
      step('register', 'register', [2120, 160], { model: 'species' }, { model: ['best.best'], checks: ['good_enough.passed'] }),
    ],
  }
}

const commit: CommitView = { id: '3fa91c02de', message: 'Add gradient boosting', author: 'Ada', at: Date.now() - 26 * 3_600_000 }
const broken: PipelineDoc = {
  name: 'body-mass',
  steps: [
    step('penguins', 'dataset', [40, 100], { dataset: 'penguins', target: 'body_mass_g' }, {}),
    step('adults', 'filter', [300, 100], { expression: 'bill_lenght_mm > 30' }, { table: ['penguins.table'] }),
    step('forest', 'train_forest', [560, 100], { trees: 500 }, { table: ['adults.table'] }),
    step('evaluate', 'evaluate', [820, 100], {}, { model: ['forest.model'] }),
  ],
}
const large = (count: number): PipelineDoc => ({
  name: `large-${count}`,
  steps: Array.from({ length: count }, (_, at) => {
    const [column, row] = [Math.floor(at / 10), at % 10]
    const source = column === 0 ? 'data' : `s${at - 10}`
    return at === 0 ? step('data', 'dataset', [0, 0], { dataset: 'penguins' }, {}) : step(`s${at}`, at % 3 === 0 ? 'scale' : at % 3 === 1 ? 'impute' : 'encode', [column * 260, row * 120], {}, { table: [`${source === 's0' ? 'data' : source}.table`] })
  }),
})

/** What others use as a step: it declares what it takes and gives. */
const prepare: PipelineDoc = {
  name: 'prepare',
  steps: [
    step('impute', 'impute', [40, 40], {}, {}),
    step('encode', 'encode', [300, 40], {}, { table: ['impute.table'] }),
    step('scale', 'scale', [560, 40], {}, { table: ['encode.table'] }),
  ],
  inputs: [{ name: 'rows', to: ['impute.table'] }],
  outputs: [{ name: 'ready', from: 'scale.table' }],
}
const user: PipelineDoc = {
  name: 'with-component',
  steps: [
    step('penguins', 'dataset', [40, 100], { dataset: 'penguins', target: 'species' }, {}),
    step('split', 'split', [300, 100], {}, { table: ['penguins.table'] }),
    step('ready', 'component', [560, 100], { pipeline: 'prepare', set: { scale: { method: 'robust' } } }, { rows: ['split.table'] }),
    step('forest', 'train_forest', [820, 100], {}, { table: ['ready.ready'] }),
    step('evaluate', 'evaluate', [1080, 100], {}, { model: ['forest.model'], table: ['split.table'] }),
  ],
}

const pipelines = new Map<string, Kept>([
  ['species', { doc: template('species', 'penguins'), committed: null, commit }],
  ['body-mass', { doc: broken, committed: null, commit: null }],
  ['large-200', { doc: large(200), committed: null, commit: null }],
  ['large-1000', { doc: large(1_000), committed: null, commit: null }],
  ...statesDocs.map((doc): [string, Kept] => [doc.name, { doc, committed: null, commit: null }]),
  ['prepare', { doc: prepare, committed: null, commit: null }],
  ['with-component', { doc: user, committed: null, commit: null }],
])

function find(name: string): Kept {
  const found = pipelines.get(name)
  if (found === undefined) throw failure('not_found', `there is no pipeline \`${name}\``, 'see the list of pipelines')
  return found
}

/** The graph of a pipeline as it is kept. */
export const docOf = (name: string): PipelineDoc => find(name).doc

/** Takes a graph in as a draft. */
export function adopt(world: World, doc: PipelineDoc): PipelineDoc {
  pipelines.set(doc.name, { doc, committed: null, commit: null })
  world.changed('pipelines')
  return doc
}

const view = ({ doc, text, committed, commit: last }: Kept): PipelineView => ({
  doc, text: text ?? toText(doc), isChanged: last === null || (committed !== null && JSON.stringify(committed) !== JSON.stringify(doc)), commit: last, lastRun: lastRunOf(doc.name),
})

function save(world: World, name: string, doc: PipelineDoc, text?: string): PipelineView {
  const kept = find(name)
  kept.committed ??= kept.commit === null ? null : kept.doc
  kept.doc = { ...doc, name }
  kept.text = text
  world.changed('pipelines')
  return view(kept)
}

/** The document as its file; values of TOML that we write are those of JSON. */
export function toText(doc: PipelineDoc): string {
  const section = (name: string, entries: [string, JsonValue][]): string => (entries.length === 0 ? '' : `\n[step.${name}]\n${entries.map(([key, value]) => `${key} = ${JSON.stringify(value)}`).join('\n')}\n`)
  const steps = doc.steps.map((one) => {
    const wires = Object.entries(one.inputs).map(([name, from]): [string, JsonValue] => [name, from.length === 1 ? (from[0] ?? '') : from])
    return `[[step]]\nid = "${one.id}"\nkind = "${one.kind}"\n${one.skip === true ? 'skip = true\n' : ''}position = [${one.position.join(', ')}]\n${section('params', Object.entries(one.params).filter(([, value]) => value !== null))}${section('inputs', wires)}`
  })
  const frames = (doc.frames ?? []).map(({ id, title, note, tone, box }) => `\n[[frame]]\nid = "${id}"\ntitle = ${JSON.stringify(title)}\nnote = ${JSON.stringify(note)}\ntone = "${tone}"\nbox = [${box.join(', ')}]\n`)
  const ports = [
    ...(doc.inputs ?? []).map(({ name, to }) => `\n[[input]]\nname = "${name}"\nto = ${JSON.stringify(to)}\n`),
    ...(doc.outputs ?? []).map(({ name, from }) => `\n[[output]]\nname = "${name}"\nfrom = "${from}"\n`),
  ]
  const format = frames.length + ports.length > 0 || doc.steps.some((one) => one.skip === true) ? 2 : 1
  return `format = ${format}\nname = "${doc.name}"\n\n${steps.join('\n')}${frames.join('')}${ports.join('')}`
}

function fromText(text: string): Omit<PipelineDoc, 'name'> {
  const inputs: { name: string; to: string[] }[] = []
  const outputs: { name: string; from: string }[] = []
  let beside: object | undefined
  const steps: StepDoc[] = []
  const frames: FrameDoc[] = []
  let place: 'top' | 'step' | 'params' | 'inputs' | 'beside' = 'top'
  text.split('\n').forEach((raw, index) => {
    const line = raw.trim().replace(/\s+#[^"]*$/, '')
    const refuse = (why: string): never => { throw failure('invalid_input', `cannot read the pipeline: line ${index + 1}: ${why}`, 'mend the line and save again') }
    const last = steps.at(-1)
    if (line === '' || line.startsWith('#')) return
    if (line === '[[step]]') { steps.push(step('', '', [0, 0], {}, {})); place = 'step'; return }
    if (line === '[[frame]]') { frames.push({ id: '', title: '', note: '', tone: 'grey', box: [0, 0, 1, 1] }); beside = frames.at(-1); place = 'beside'; return }
    if (line === '[[input]]') { inputs.push({ name: '', to: [] }); beside = inputs.at(-1); place = 'beside'; return }
    if (line === '[[output]]') { outputs.push({ name: '', from: '' }); beside = outputs.at(-1); place = 'beside'; return }
    if (line === '[step.params]' || line === '[step.inputs]') { place = line === '[step.params]' ? 'params' : 'inputs'; return }
    const found = /^([a-z_]+) = (.+)$/.exec(line)
    if (found === null) return refuse('expected `name = value`')
    let value: JsonValue = null
    try { value = JSON.parse(found[2] ?? '') as JsonValue } catch { return refuse(`\`${found[2]}\` is not a value`) }
    const key = found[1] ?? ''
    if (place === 'beside' && beside !== undefined) return void Object.assign(beside, { [key]: value })
    if (place === 'top' || last === undefined) return
    if (place === 'params') last.params[key] = value
    else if (place === 'inputs') last.inputs[key] = (Array.isArray(value) ? value : [value]).map(String)
    else if (key === 'id') last.id = String(value)
    else if (key === 'kind') kinds.some((one) => one.kind === value) ? (last.kind = String(value)) : refuse(`there is no kind of step \`${String(value)}\``)
    else if (key === 'skip') last.skip = value === true
    else if (key === 'position') last.position = value as [number, number]
  })
  return { steps, ...(frames.length > 0 ? { frames } : {}), ...(inputs.length > 0 ? { inputs } : {}), ...(outputs.length > 0 ? { outputs } : {}) }
}

const PENGUINS: ColumnView[] = [
  { name: 'species', kind: 'text' }, { name: 'island', kind: 'text' }, { name: 'bill_length_mm', kind: 'number' }, { name: 'bill_depth_mm', kind: 'number' },
  { name: 'flipper_length_mm', kind: 'integer' }, { name: 'body_mass_g', kind: 'integer' }, { name: 'sex', kind: 'text' }, { name: 'year', kind: 'integer' },
]

function examine(doc: PipelineDoc): Validation {
  const problems: Problem[] = []
  const columns: { [key in string]: ColumnView[] } = {}
  const ports: { [key in string]: StepPorts } = {}
  const tell = (id: string, rest: Partial<Problem>): void => void problems.push({ step: id, param: null, port: null, isWarning: false, message: '', hint: null, fixes: [], ...rest })
  for (const one of doc.steps.filter((step) => step.skip !== true)) {
    const declared = kinds.find((known) => known.kind === one.kind)
    const own = one.kind === 'component' ? portsOf(one) : null
    if (own !== null) ports[one.id] = own
    else if (one.kind === 'component') tell(one.id, { param: 'pipeline', message: one.params.pipeline ? `pipeline \`${String(one.params.pipeline)}\` declares no output` : 'no pipeline is chosen', hint: 'name one that declares an output' })
    const kind = declared === undefined || own === null ? declared : { ...declared, ...own }
    for (const input of kind?.inputs ?? []) {
      if (!input.isOptional && (one.inputs[input.name] ?? []).length === 0) tell(one.id, { port: input.name, message: `\`${one.id}\` needs a ${input.type} at \`${input.name}\``, hint: 'connect a step to it' })
    }
    if (one.kind === 'dataset' && !one.params.dataset) tell(one.id, { param: 'dataset', message: 'no dataset is chosen', hint: 'choose one, or drop a file into the window' })
    const incoming = columns[one.inputs.table?.[0] ?? ''] ?? PENGUINS
    const isKnown = (name: string): boolean => incoming.some((column) => column.name === name)
    const chosen = Array.isArray(one.params.columns) ? one.params.columns.map(String) : []
    const absent = chosen.find((name) => !isKnown(name))
    if (absent !== undefined) tell(one.id, { param: 'columns', message: `there is no column \`${absent}\``, hint: 'choose one of the columns of the step before' })
    const expression = one.params.expression
    if (one.kind === 'filter' && !expression) tell(one.id, { param: 'expression', message: 'the expression is empty', hint: 'write a condition, such as `age >= 18`' })
    if (typeof expression === 'string') {
      const words = expression.replaceAll(/'[^']*'/g, '').match(/[a-z_][a-z0-9_]+/g) ?? []
      const unknown = words.find((word) => !['and', 'or', 'not', 'is', 'null', 'in', 'abs', 'round', 'like'].includes(word) && !isKnown(word))
      if (unknown !== undefined) tell(one.id, { param: 'expression', message: `there is no column \`${unknown}\``, hint: unknown.startsWith('bill_') ? 'did you mean `bill_length_mm`?' : 'choose one of the columns of the step before' })
    }
    if (one.kind === 'split' && Number(one.params.train ?? 0.6) > 0.9) tell(one.id, { param: 'train', isWarning: true, message: 'few rows are left to judge the model by' })
    for (const output of kind?.outputs ?? []) if (output.type === 'table') columns[`${one.id}.${output.name}`] = one.kind === 'select' && chosen.length > 0 ? incoming.filter((column) => chosen.includes(column.name) === (one.params.mode !== 'drop')) : incoming
  }
  return { problems, columns, ports }
}

// As the backend does: each declared port is like the one that it leads to.
function portsOf(one: StepDoc): StepPorts | null {
  const part = typeof one.params.pipeline === 'string' ? pipelines.get(one.params.pipeline)?.doc : undefined
  if (part?.outputs === undefined) return null
  const at = (text: string, side: 'inputs' | 'outputs'): PortView | undefined => {
    const [id, port] = text.split('.')
    return kinds.find((known) => known.kind === part.steps.find((inner) => inner.id === id)?.kind)?.[side].find(({ name }) => name === port)
  }
  const named = (name: string, port: PortView | undefined): PortView[] => (port === undefined ? [] : [{ ...port, name }])
  return { inputs: (part.inputs ?? []).flatMap(({ name, to }) => named(name, at(to[0] ?? '', 'inputs'))), outputs: part.outputs.flatMap(({ name, from }) => named(name, at(from, 'outputs'))) }
}

export const answers: Answers = {
  'pipeline.kinds': () => kinds,
  'pipeline.list': () =>
    [...pipelines.values()].map((kept) => {
      const { doc, isChanged, lastRun } = view(kept)
      const datasets = doc.steps.flatMap((one) => (one.kind === 'dataset' && typeof one.params.dataset === 'string' ? [one.params.dataset] : []))
      return { name: doc.name, steps: doc.steps.length, isChanged, datasets, lastRun }
    }),
  'pipeline.show': ({ pipeline }) => view(find(pipeline)),
  'pipeline.log': ({ pipeline }) => {
    const { commit: last } = find(pipeline)
    return last === null ? [] : [last]
  },
  'pipeline.at': ({ pipeline }) => {
    const { doc, committed, commit: last } = find(pipeline)
    if (last === null) throw failure('not_found', `pipeline \`${pipeline}\` was never committed`, 'commit it first')
    const then = committed ?? doc
    return { doc: then, text: toText(then), commit: last }
  },
  'pipeline.parse': ({ text }) => {
    try {
      const doc = { name: /name = "([^"]*)"/.exec(text)?.[1] ?? '', ...fromText(text) }
      return { doc, problems: examine(doc).problems.map((problem) => ({ line: null, column: null, ...problem })) }
    } catch (thrown) {
      const { message, hint } = toFailure(thrown)
      const line = Number(/line (\d+)/.exec(message)?.[1] ?? 1)
      return { doc: null, problems: [{ line, column: 1, step: null, param: null, port: null, isWarning: false, message, hint, fixes: [] }] }
    }
  },
  'pipeline.validate': ({ pipeline, doc }) => examine(doc ?? find(pipeline).doc),
  'pipeline.preview': ({ rows }) => {
    const table = tableOf('penguins')
    return { page: page(table, 0, Math.min(rows ?? 1000, table.rows), null), isSample: table.rows > (rows ?? 1000) }
  },
  'pipeline.plan': ({ pipeline, doc }) => planFor(doc ?? find(pipeline).doc),
  'pipeline.layout': ({ doc }) => {
    const depth = new Map<string, number>()
    const rows = new Map<number, number>()
    const of = (id: string): number => {
      const known = depth.get(id)
      if (known !== undefined) return known
      depth.set(id, 0)
      const sources = Object.values(doc.steps.find((one) => one.id === id)?.inputs ?? {}).flat().map((source) => of(source.split('.')[0] ?? '') + 1)
      const found = Math.max(0, ...sources)
      depth.set(id, found)
      return found
    }
    const positions: { [key in string]: [number, number] } = {}
    for (const one of doc.steps) {
      const column = of(one.id)
      const row = rows.get(column) ?? 0
      rows.set(column, row + 1)
      positions[one.id] = [40 + 260 * column, 40 + 120 * row]
    }
    return { positions }
  },
  'pipeline.new': ({ name, dataset }, world) => {
    const wanted = name ?? dataset ?? 'pipeline'
    if (pipelines.has(wanted)) throw failure('already_exists', `there is a pipeline \`${wanted}\` already`, 'choose another name')
    const kept: Kept = { doc: dataset === null ? { name: wanted, steps: [] } : template(wanted, dataset), committed: null, commit: null }
    pipelines.set(wanted, kept)
    world.changed('pipelines')
    return view(kept)
  },
  'pipeline.save': async ({ pipeline, doc }, world) => {
    await wait(60 * world.pace)
    return save(world, pipeline, doc)
  },
  'pipeline.add_step': ({ pipeline, step, kind, template, params, inputs }, world) => {
    const kept = find(pipeline)
    const id = step ?? template ?? kind ?? 'step'
    const added = { id, kind: kind ?? 'command', position: [40, 40] as [number, number], params, inputs }
    return save(world, pipeline, { ...kept.doc, steps: [...kept.doc.steps, added] })
  },
  'pipeline.save_text': ({ pipeline, text }, world) => save(world, pipeline, { name: pipeline, ...fromText(text) }, text),
  'pipeline.commit': ({ pipeline, message }, world) => {
    const kept = find(pipeline)
    kept.committed = kept.doc
    kept.commit = { id: '91be0c77a1', message: message ?? `Change ${pipeline}`, author: 'Ada', at: Date.now() }
    world.changed('pipelines')
    return kept.commit
  },
  'pipeline.revert': ({ pipeline }, world) => {
    const kept = find(pipeline)
    kept.doc = kept.committed ?? kept.doc
    kept.text = undefined
    world.changed('pipelines')
    return view(kept)
  },
  'pipeline.rename': ({ pipeline, to }, world) => {
    if (pipelines.has(to)) throw failure('already_exists', `there is a pipeline \`${to}\` already`, 'choose another name')
    const kept = find(pipeline)
    kept.doc = { ...kept.doc, name: to }
    kept.text = undefined
    pipelines.delete(pipeline)
    pipelines.set(to, kept)
    world.changed('pipelines')
    return view(kept)
  },
  'pipeline.delete': ({ pipeline }, world) => {
    pipelines.delete(pipeline)
    world.changed('pipelines')
    return null
  },
  'pipeline.run': ({ pipeline, doc, to, force }, world) => startRun(world, doc ?? find(pipeline).doc, to, force),
}
