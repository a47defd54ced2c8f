// The table of runs: those of the pipeline, and those that a script logged with seeds and depths.

import type { CellView, RunRow, RunSummary, TableLook } from '../bindings'
import { listed } from './runs'
import { perWorld } from './state'
import { failure, type Answers, type World } from './world'

type Known = RunRow & { values: Record<string, CellView> }

const now = Date.now()
const DEPTHS = [3, 6, 9]
const SEEDS = [1, 2, 3, 4]

/** Twelve runs of a script, three depths and four seeds, nested under the run that began them. */
function scripts(): Known[] {
  const parent: Known = row({ id: 's'.padEnd(32, '0'), number: 300, name: 'depths', experiment: 'vision/nets', startedAt: now - 90 * 60_000, durationMs: 61_000, children: 12 }, {})
  const trials = DEPTHS.flatMap((depth, first) => SEEDS.map((seed, second) => {
    const number = 301 + first * SEEDS.length + second
    const auc = 0.9 + depth / 200 + seed / 1000
    return row(
      { id: `s${number}`.padEnd(32, '0'), number, name: `depth ${depth}, seed ${seed}`, experiment: 'vision/nets', startedAt: now - (120 - number / 10) * 60_000, durationMs: 4000 + 100 * number, parent: parent.id },
      { 'metrics.auc': auc, 'min(metrics.loss)': 1 - auc, 'metrics.loss': 1.02 - auc, 'params.depth': String(depth), 'params.seed': String(seed), 'tags.team': 'vision' },
    )
  }))
  return [parent, ...trials]
}

function row(known: Pick<RunRow, 'id' | 'number' | 'name' | 'experiment' | 'startedAt' | 'durationMs'> & Partial<RunRow>, values: Record<string, CellView>): Known {
  return { pipeline: '', state: 'done', note: '', parent: null, children: 0, isStarred: false, color: null, cells: [], ...known, values }
}

function ofPipeline(run: RunSummary): Known {
  const metrics = Object.fromEntries(Object.entries(run.metrics).map(([key, value]) => [`metrics.${key}`, value]))
  return row(
    { id: run.id, number: run.number, name: run.name ?? '', experiment: run.experiment ?? 'Default', startedAt: run.startedAt, durationMs: run.durationMs, pipeline: run.pipeline, state: run.state, note: run.note ?? '' },
    metrics,
  )
}

const stateOf = perWorld(() => ({ scripts: scripts(), stars: new Set<string>(), colors: new Map<string, string>(), gone: new Set<string>(), views: new Map<string, TableLook>() }))

function all(world: World): Known[] {
  const { scripts, stars, colors, gone } = stateOf(world)
  return [...listed(world).map(ofPipeline), ...scripts].filter((run) => !gone.has(run.id)).map((run) => ({ ...run, isStarred: stars.has(run.id), color: colors.get(run.id) ?? null }))
}

const OWN: Record<string, (run: Known) => CellView> = {
  state: (run) => run.state,
  pipeline: (run) => run.pipeline || null,
  experiment: (run) => run.experiment,
  name: (run) => run.name || null,
  number: (run) => run.number,
  duration: (run) => run.durationMs,
  start_time: (run) => run.startedAt,
  note: (run) => run.note || null,
}
const valueOf = (run: Known, column: string): CellView => OWN[column]?.(run) ?? run.values[column] ?? null

/** Enough of the language for a preview: names, signs, numbers and texts joined by `and`. */
function fits(run: Known, filter: string): boolean {
  return filter.split(/\s+and\s+/i).filter((clause) => clause.trim() !== '').every((clause) => {
    const [, name = '', sign = '', value = ''] = /^(\S+)\s*(>=|<=|!=|>|<|=)\s*(.+)$/.exec(clause.trim()) ?? []
    const found = valueOf(run, name)
    if (found === null) return false
    const wanted = value.replaceAll(/^['"]|['"]$/g, '')
    const order = typeof found === 'number' ? found - Number(wanted) : found.localeCompare(wanted)
    return { '=': order === 0, '!=': order !== 0, '>': order > 0, '<': order < 0, '>=': order >= 0, '<=': order <= 0 }[sign] ?? false
  })
}

function problemOf(filter: string): { at: number; message: string } | null {
  let at = 0
  for (const clause of filter.split(/\s+and\s+/i)) {
    if (clause.trim() !== '' && !/^\s*\S+\s*(>=|<=|!=|>|<|=)\s*('[^']*'|-?[\d.]+)\s*$/.test(clause)) return { at, message: `Invalid clause(s) in filter string: '${clause.trim()}'` }
    at += clause.length + 5
  }
  return null
}

function sorted(runs: Known[], order: string[]): Known[] {
  const compare = (one: CellView, other: CellView): number => {
    if (one === null || other === null) return Number(one === null) - Number(other === null)
    return typeof one === 'number' && typeof other === 'number' ? one - other : String(one).localeCompare(String(other), 'en', { numeric: true })
  }
  return [...runs].sort((one, other) => {
    for (const key of order) {
      const [column = '', way] = key.split(' ')
      const [a, b] = [valueOf(one, column), valueOf(other, column)]
      const decided = a === null || b === null ? compare(a, b) : way === 'desc' ? -compare(a, b) : compare(a, b)
      if (decided !== 0) return decided
    }
    return other.startedAt - one.startedAt
  })
}

function isIn(run: Known, folder: string | null): boolean {
  return folder === null || run.experiment === folder || run.experiment.startsWith(`${folder}/`)
}

function select(world: World, asked: { look: TableLook; place: string; under: string | null; within: { value: string | null } | null }): Known[] {
  const { look, place, under, within } = asked
  const problem = problemOf(look.filter)
  if (problem !== null) throw failure('invalid_input', problem.message, 'see what is offered while it is written')
  const runs = all(world).filter((run) => isIn(run, look.experiment) && fits(run, look.filter))
  const placed = runs.filter((run) => (under !== null ? run.parent === under : place !== 'outermost' || run.parent === null))
  return sorted(within === null ? placed : placed.filter((run) => valueOf(run, look.group ?? '') === within.value), look.order)
}

const deviation = (numbers: number[], mean: number): number | null => (numbers.length < 2 ? null : Math.sqrt(numbers.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (numbers.length - 1)))

const COLUMNS = {
  attributes: Object.keys(OWN),
  metrics: ['metrics.auc', 'metrics.accuracy', 'metrics.f1', 'metrics.log_loss', 'metrics.loss'],
  params: ['params.depth', 'params.seed'],
  tags: ['tags.team'],
  suggested: ['metrics.auc', 'metrics.accuracy', 'metrics.f1', 'params.depth'],
}

export const answers: Answers = {
  'run.table': (asked, world) => {
    const found = select(world, asked)
    const rows = found.slice(asked.offset, asked.offset + (asked.limit ?? 100))
    return { total: found.length, rows: rows.map(({ values: _, ...run }, index) => ({ ...run, cells: asked.look.columns.map((column) => valueOf(rows[index] ?? row(run, {}), column)) })) }
  },
  'run.groups': (asked, world) => {
    const by = new Map<CellView, Known[]>()
    for (const run of select(world, asked)) {
      const value = valueOf(run, asked.look.group ?? '')
      by.set(value, [...(by.get(value) ?? []), run])
    }
    const groups = [...by].map(([value, runs]) => ({
      value: value === null ? null : String(value), runs: runs.length,
      stats: asked.look.columns.map((column) => {
        const numbers = runs.map((run) => Number(valueOf(run, column) ?? NaN)).filter((one) => Number.isFinite(one))
        const mean = numbers.reduce((sum, one) => sum + one, 0) / numbers.length
        return numbers.length === 0 ? null : { mean, deviation: deviation(numbers, mean), count: numbers.length }
      }),
    }))
    groups.sort((a, b) => Number(a.value === null) - Number(b.value === null) || String(a.value).localeCompare(String(b.value), 'en', { numeric: true }))
    return { total: groups.length, groups: groups.slice(asked.offset, asked.offset + (asked.limit ?? 100)) }
  },
  'run.ids': (asked, world) => select(world, asked).map((run) => run.id),
  'run.columns': () => COLUMNS,
  'run.filter_help': ({ filter, at }) => {
    const before = filter.slice(0, at)
    const word = /\S*$/.exec(before)?.[0] ?? ''
    const known = [...COLUMNS.metrics.map((text) => ({ text, kind: 'metric' })), ...COLUMNS.params.map((text) => ({ text, kind: 'parameter' })), ...COLUMNS.attributes.map((text) => ({ text, kind: 'attribute' }))]
    return { problem: problemOf(filter), from: at - word.length, options: known.filter(({ text }) => text.includes(word)).slice(0, 50) }
  },
  'run.experiments': (_, world) => {
    const counts = new Map<string, number>()
    for (const run of all(world)) counts.set(run.experiment, (counts.get(run.experiment) ?? 0) + 1)
    return [...counts].map(([name, runs]) => ({ name, runs })).sort((a, b) => a.name.localeCompare(b.name))
  },
  'run.views': (_, world) => [...stateOf(world).views].map(([name, look]) => ({ name, look, changedAt: now })).sort((a, b) => a.name.localeCompare(b.name)),
  'run.save_view': ({ name, look }, world) => {
    stateOf(world).views.set(name, look)
    world.changed('runs')
    return null
  },
  'run.delete_view': ({ name }, world) => {
    if (!stateOf(world).views.delete(name)) throw failure('not_found', `there is no view of runs \`${name}\``, 'see the list of views')
    world.changed('runs')
    return null
  },
  'run.mark': ({ runs, star, color }, world) => {
    const { stars, colors } = stateOf(world)
    for (const run of runs) {
      if (star === true) stars.add(run)
      if (star === false) stars.delete(run)
      if (color === '') colors.delete(run)
      else if (color !== null) colors.set(run, color)
    }
    world.changed('runs')
    return null
  },
  'run.delete': ({ runs }, world) => {
    runs.forEach((run) => stateOf(world).gone.add(run))
    world.changed('runs')
    return null
  },
  'run.restore': ({ runs }, world) => {
    runs.forEach((run) => stateOf(world).gone.delete(run))
    world.changed('runs')
    return null
  },
}
