// Runs beside each other: what any of them has, and curves as long as one likes.

import type { CellView, CurveLine, RunRow, RunsBeside } from '../bindings'
import { failure, type Answers, type World } from './world'
import { answers as table } from './runTable'

const POINTS = 1_000_000
const CURVES = ['accuracy', 'loss', 'system/cpu_utilization_percentage', 'system/system_memory_usage_megabytes']
const COLUMNS = ['params.depth', 'params.seed', 'metrics.auc', 'metrics.accuracy', 'metrics.f1', 'metrics.log_loss', 'metrics.loss']

/** The height of a curve, the same whenever it is asked for. */
function height(metric: string, run: number, step: number): number {
  const noise = Math.sin(step * 12.9898 + run * 78.233) * 43_758.5453
  const jitter = (noise - Math.floor(noise)) * 0.1
  const falling = Math.exp(-step / (POINTS / (4 + (run % 7)))) + jitter
  if (metric.startsWith('system/')) return 40 + (run % 5) * 6 + 300 * jitter
  return metric === 'loss' ? falling : 1 - falling * 0.6
}

function line(run: RunRow, metric: string, asked: { along: string; from: number | null; to: number | null; buckets: number | null }): CurveLine {
  const offset = asked.along === 'wall' ? run.startedAt : 0
  const [first, last] = [offset, offset + POINTS - 1]
  const [from, to] = [Math.max(first, asked.from ?? first), Math.min(last, asked.to ?? last)]
  const buckets = Math.max(1, Math.min(asked.buckets ?? 500, Math.floor(to - from) + 1))
  const size = (to - from) / buckets
  const x = Array.from({ length: buckets }, (_, index) => (size <= 1 ? Math.round(from) + index : from + size * (index + 0.5)))
  const heights = x.map((at) => Array.from({ length: size <= 1 ? 1 : 5 }, (_, part) => height(metric, run.number, at - offset + (part * size) / 5)))
  return {
    run: run.id, points: POINTS, notFinite: 0, reach: [first, last], x,
    least: heights.map((all) => Math.min(...all)), greatest: heights.map((all) => Math.max(...all)),
    mean: heights.map((all) => all.reduce((sum, one) => sum + one, 0) / all.length), count: heights.map(() => Math.max(1, Math.round(size))),
  }
}

async function rows(world: World, runs: readonly string[]): Promise<RunRow[]> {
  const look = { experiment: null, filter: '', order: [], columns: COLUMNS, group: null, widths: {} }
  const all = await table['run.table']?.({ project: null, look, place: 'all', under: null, within: null, offset: 0, limit: 1_000 }, world)
  return runs.map((wanted) => {
    const found = all?.rows.find((row) => row.id === wanted || `#${row.number}` === wanted)
    if (found === undefined) throw failure('not_found', `There is no run \`${wanted}\``, 'see the list of runs')
    return found
  })
}

const cell = (row: RunRow, column: string): CellView => row.cells[COLUMNS.indexOf(column)] ?? null
const packages = (index: number): (string | null)[] => [index % 2 === 0 ? '2.1.0' : '2.2.1', '3.12.3', index === 0 ? null : '1.5.0']

export const answers: Answers = {
  'run.beside': async ({ runs }, world): Promise<RunsBeside> => {
    const found = await rows(world, runs)
    const scripts = found.filter((row) => row.pipeline === '')
    const of = (start: string) => COLUMNS.filter((column) => column.startsWith(start) && found.some((row) => cell(row, column) !== null))
    const number = (value: CellView): number | null => (typeof value === 'number' ? value : null)
    const text = (value: CellView): string | null => (value === null ? null : String(value))
    return {
      runs: found.map((row) => ({ ...row, cells: [] })),
      params: of('params.').map((column) => ({ name: column.slice('params.'.length), values: found.map((row) => text(cell(row, column))) })),
      metrics: of('metrics.').map((column) => ({ name: column.slice('metrics.'.length), largerIsBetter: !column.includes('loss'), values: found.map((row) => number(cell(row, column))) })),
      curves: scripts.length > 0 ? CURVES : [],
      environment: [
        { name: 'git commit', values: found.map((_, index) => (index === 0 ? '9c1f0a3be2' : '4be27d9f10')) },
        { name: 'system', values: found.map(() => 'linux x86_64') },
      ],
      packages: scripts.length > 0 ? ['numpy', 'python', 'scikit-learn'].map((name, at) => ({ name, values: found.map((_, index) => packages(index)[at] ?? null) })) : [],
      files: scripts.length > 0 ? ['plots/loss.svg', 'plots/map.svg', 'notes.txt'].map((path, at) => ({ path, sizes: found.map((_, index) => (at === 1 && index === 0 ? null : 900 + 40 * index)) })) : [],
    }
  },
  'run.curve': async ({ runs, metric, ...asked }, world) => ({ lines: CURVES.includes(metric) ? (await rows(world, runs)).filter((row) => row.pipeline === '').map((row) => line(row, metric, asked)) : [] }),
  'run.file': ({ run }) => {
    const hue = (Number(run.slice(1, 4)) * 47) % 360
    const text = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 200"><rect width="320" height="200" fill="hsl(${hue} 40% 88%)"/><path d="M10 180 Q 90 ${40 + (hue % 60)} 310 ${30 + (hue % 40)}" fill="none" stroke="hsl(${hue} 60% 35%)" stroke-width="4"/></svg>`
    return { sizeBytes: text.length, base64: btoa(text) }
  },
  'run.code': async ({ from, to }, world) => {
    const [one, other] = await rows(world, [from, to])
    if (one?.id === other?.id) return { text: '', isCut: false, notes: [] }
    const text = ['diff --git a/train.py b/train.py', 'index 1f2..3a4 100644', '--- a/train.py', '+++ b/train.py', '@@ -1,3 +1,3 @@', ' import mlflow', '-depth = 3', '+depth = 9', ' seed = 1', ''].join('\n')
    return { text, isCut: false, notes: [] }
  },
}
