// Everything with a name and a page, for the palette.

import { query } from '../host/host'
import { href } from '../lib/router'

export type NamedObject = { kind: string; name: string; to: string }

/** Asks while a component is set up; the list grows as the answers come. */
export function objects(): { readonly all: NamedObject[] } {
  const inProject = () => ({ project: null })
  const datasets = query('dataset.list', inProject)
  const pipelines = query('pipeline.list', inProject)
  const runs = query('run.list', () => ({ project: null, pipeline: null, state: null, offset: 0, limit: 30 }))
  const models = query('model.list', inProject)
  const deployments = query('deployment.list', inProject)

  return {
    get all() {
      return [
        ...(datasets.data ?? []).map(({ name }) => ({ kind: 'Dataset', name, to: href('data', [name]) })),
        ...(pipelines.data ?? []).map(({ name }) => ({ kind: 'Pipeline', name, to: href('pipelines', [name]) })),
        ...(models.data ?? []).map(({ name }) => ({ kind: 'Model', name, to: href('models', [name]) })),
        ...(deployments.data ?? []).map(({ name }) => ({ kind: 'Endpoint', name, to: href('deployments', [name]) })),
        ...(deployments.data ?? []).map(({ name }) => ({ kind: 'Monitor', name, to: href('monitor', [name]) })),
        ...(runs.data?.runs ?? []).map(({ id, number, pipeline }) => ({ kind: 'Run', name: `#${number} ${pipeline}`, to: href('runs', [id]) })),
      ]
    },
  }
}
