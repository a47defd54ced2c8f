// A query that becomes a step of a pipeline of its own.

import type { PipelineDoc, StepDoc } from '../../host/bindings'
import { call } from '../../host/host'
import { toStep } from '../../lib/sql'

/** The steps of such a pipeline: the datasets it reads, and the query over them. Null if it reads none. */
export function sqlSteps(sql: string, datasets: readonly string[]): StepDoc[] | null {
  const { query, tables } = toStep(sql, datasets)
  if (tables.length === 0) return null
  const sources = tables.map((table, at): StepDoc => ({
    id: at === 0 ? 'data' : `data_${at + 1}`, kind: 'dataset', position: [40, 40 + at * 120], inputs: {},
    params: { dataset: table.dataset, ...(table.version !== null && /^\d+$/.test(table.version) ? { version: Number(table.version) } : {}) },
  }))
  return [...sources, { id: 'sql', kind: 'sql', position: [300, 40], params: { query }, inputs: { tables: sources.map(({ id }) => `${id}.table`) } }]
}

/** Makes the pipeline under a name that is free; gives its name. */
export async function saveAsStep(dataset: string, steps: StepDoc[]): Promise<string> {
  const taken = new Set((await call('pipeline.list', { project: null })).map(({ name }) => name))
  let name = `${dataset}-sql`
  for (let at = 2; taken.has(name); at += 1) name = `${dataset}-sql-${at}`
  const made = await call('pipeline.new', { project: null, name, dataset: null })
  const doc: PipelineDoc = { name: made.doc.name, steps }
  await call('pipeline.save', { project: null, pipeline: doc.name, doc })
  return doc.name
}
