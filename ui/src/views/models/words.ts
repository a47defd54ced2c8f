// Words for what a model does and how exactly its package repeats the run.

import type { ParityView, TaskView } from '../../host/bindings'
import { number, plural } from '../../lib/format'

/** The task for people; null is that of a model that a script logged in another form than ONNX. */
export function taskWord(task: TaskView | null): string {
  switch (task) {
    case null:
      return 'Logged by a script'
    case 'binary':
      return 'Two classes'
    case 'multiclass':
      return 'Several classes'
    case 'regression':
      return 'Regression'
  }
}

/** Whether the package scores as the run did, as a sentence. */
export function paritySentence(parity: ParityView | null): string {
  if (parity === null) return 'Nobody has compared this package with its run yet.'
  const rows = plural(parity.rows, 'row')
  return parity.maxAbsDiff === 0
    ? `The package scores exactly as the run did over ${rows}.`
    : `The package scores as the run did: max difference ${number(parity.maxAbsDiff)} over ${rows}.`
}

/** Two versions beside each other, metric by metric. */
export interface MetricChange {
  name: string
  current: number | null
  candidate: number | null
}

/** Metrics of both versions by name; one that only one of them has is kept, with a gap. */
export function metricChanges(names: readonly string[], current: Record<string, number> | null, candidate: Record<string, number>): MetricChange[] {
  return names.map((name) => ({ name, current: current?.[name] ?? null, candidate: candidate[name] ?? null }))
}
