// The ports of a step whose parameters name them: lines such as `scores`, `model:files`, `left?`,
// `prices=data/prices.csv`. The backend refuses what is wrong with them; this only reads what is right,
// so that wires can be drawn while a line is typed.

import type { JsonValue, PortType, PortView, StepDoc, StepKindView } from '../../host/bindings'
import { isRecord } from './json'

const TABLES = new Set(['parquet', 'csv', 'tsv', 'arrow', 'feather', 'jsonl', 'ndjson', 'xlsx'])
const TYPES: readonly PortType[] = ['table', 'model', 'metrics', 'files']
const MAX_NAME = 40
/** Outputs that every such step has besides those it names. */
const ALWAYS: readonly string[] = ['metrics', 'artifacts']

/** True if the parameters of a kind name its ports. */
export function namesPorts(kind: StepKindView): boolean {
  const { defaults } = kind
  return kind.category === 'code' && isRecord(defaults) && Array.isArray(defaults.inputs) && Array.isArray(defaults.outputs)
}

// A step is never changed, only replaced, so its ports hold as long as it does.
const known = new WeakMap<StepDoc, { of: StepKindView; own: StepKindView }>()

/** The kind as it is for one step: with the ports that its parameters name. */
export function withOwnPorts(kind: StepKindView, step: StepDoc): StepKindView {
  if (!namesPorts(kind)) return kind
  const found = known.get(step)
  if (found?.of === kind) return found.own
  const defaults = isRecord(kind.defaults) ? kind.defaults : {}
  const own: StepKindView = {
    ...kind,
    inputs: read(step.params.inputs ?? defaults.inputs, 'As `inputs` says.', true),
    outputs: [...read(step.params.outputs ?? defaults.outputs, 'As `outputs` says.', false), ...kind.outputs.filter((port) => ALWAYS.includes(port.name))],
  }
  known.set(step, { of: kind, own })
  return own
}

function read(lines: JsonValue | undefined, doc: string, isIn: boolean): PortView[] {
  const names = new Set<string>()
  return (Array.isArray(lines) ? lines : []).flatMap((line) => {
    const port = typeof line === 'string' ? readLine(line.trim(), isIn) : null
    if (port === null || names.has(port.name)) return []
    names.add(port.name)
    return [{ ...port, isMany: false, doc }]
  })
}

function readLine(line: string, isIn: boolean): { name: string; type: PortType; isOptional: boolean } | null {
  if (line === '') return null
  const at = line.indexOf('=')
  const path = at < 0 ? null : line.slice(at + 1).trim()
  const full = (at < 0 ? line : line.slice(0, at)).trim()
  const isOptional = isIn && full.endsWith('?')
  const head = isOptional ? full.slice(0, -1) : full
  const [name = '', word] = head.split(':', 2).map((part) => part.trim())
  if (path === null && word === undefined && !isName(name) && /[./]/.test(name)) return { name: nameOf(name), type: isTable(name) ? 'table' : 'files', isOptional }
  if (!isName(name)) return null
  const type = word === undefined ? (path === null || isTable(path) ? 'table' : 'files') : TYPES.find((one) => one === word)
  return type === undefined ? null : { name, type, isOptional }
}

const isName = (text: string): boolean => /^[a-z][a-z0-9_]*$/.test(text) && text.length <= MAX_NAME
const isTable = (path: string): boolean => path.includes('.') && TABLES.has(path.slice(path.lastIndexOf('.') + 1).toLowerCase())

/** A port's name for a path: that of the file without its ending. */
function nameOf(path: string): string {
  const file = path.replace(/\/+$/, '').split('/').at(-1) ?? ''
  const stem = file.startsWith('.') ? file : (file.split('.')[0] ?? file)
  const words = [...stem.toLowerCase()].slice(0, MAX_NAME).map((letter) => (/[a-z0-9]/.test(letter) ? letter : '_')).join('')
  return (/^[a-z]/.test(words) ? words : `data_${words}`).slice(0, MAX_NAME)
}
