// What is done with versions: tags, the trash, files that are followed, exports.

import type { FollowView, TrashPick, TrashView } from '../bindings'
import { datasets, find, type Dataset } from './data'
import { perWorld } from './state'
import { failure, type Answers } from './world'

type Thrown = { view: TrashView; restore: () => void }
const HOUR = 3_600_000

const trash = perWorld<Thrown[]>(() => [
  { view: { kind: 'run', id: 'old-run', name: 'species run 0', deletedAt: Date.now() - 50 * HOUR, sizeBytes: 3_120_000 }, restore: () => undefined },
  { view: { kind: 'dataset', id: 'old-data', name: 'measurements', deletedAt: Date.now() - 3 * HOUR, sizeBytes: 48_700_000 }, restore: () => undefined },
])
const follows = perWorld<FollowView[]>(() => [
  { dataset: 'flights', path: '/home/me/exports/flights.csv', mode: 'proposal', isWaiting: true, trouble: null },
])

function remove(name: string, number: number | null): Omit<TrashView, 'deletedAt'> & { restore: () => void } {
  const dataset = find(name)
  if (number === null) {
    const at = datasets.indexOf(dataset)
    datasets.splice(at, 1)
    return { kind: 'dataset', id: `dataset-${name}`, name, sizeBytes: dataset.versions.reduce((sum, one) => sum + one.sizeBytes, 0), restore: () => void datasets.splice(at, 0, dataset) }
  }
  const gone = dataset.versions.find((one) => one.number === number)
  if (gone === undefined) throw failure('not_found', `\`${name}\` has no version ${number}`)
  if (dataset.versions.length === 1) throw failure('conflict', `version ${number} is the only one of \`${name}\``, 'delete the whole dataset')
  const before = dataset.versions
  dataset.versions = before.filter((one) => one !== gone)
  return { kind: 'version', id: `version-${name}-${number}`, name: `${name} v${number}`, sizeBytes: gone.sizeBytes, restore: () => (dataset.versions = before) }
}

const retag = (dataset: Dataset, tag: string, number: number | null): void => {
  dataset.versions = dataset.versions.map((one) => ({ ...one, tags: [...one.tags.filter((other) => other !== tag), ...(one.number === number ? [tag] : [])].sort() }))
}

function take(kept: Thrown[], { kind, id }: TrashPick): Thrown {
  const at = kept.findIndex(({ view }) => view.kind === kind && view.id === id)
  const [found] = at < 0 ? [] : kept.splice(at, 1)
  if (found === undefined) throw failure('not_found', 'this is no longer in the trash', 'reload the list')
  return found
}

export const answers: Answers = {
  'dataset.tag': ({ dataset, tag, version }, world) => {
    if (!/^[a-z][a-z0-9_.-]*$/.test(tag)) throw failure('invalid_input', `\`${tag}\` is no tag`, 'use small letters, digits, `-`, `_` and `.`, and begin with a letter')
    retag(find(dataset), tag, version)
    world.changed('datasets', 'audit')
    return null
  },
  'dataset.delete': ({ dataset, version }, world) => {
    const { restore, ...view } = remove(dataset, version)
    trash(world).unshift({ view: { ...view, deletedAt: Date.now() }, restore })
    world.changed('datasets', 'audit')
    return { kind: view.kind, id: view.id }
  },
  'dataset.follow': ({ dataset, path, mode }, world) => {
    const kept = follows(world)
    const at = kept.findIndex((one) => one.dataset === dataset)
    if (at >= 0) kept.splice(at, 1)
    if (path !== null) kept.push({ dataset, path, mode, isWaiting: false, trouble: path.includes('missing') ? `\`${path}\` is not there` : null })
    world.changed('datasets', 'audit')
    return null
  },
  'dataset.following': (_, world) => follows(world),
  'dataset.query_export': ({ to }, world) => world.start({ kind: 'dataset.query_export', title: 'Export the answer', finish: () => ({ path: to }) }),
  'dataset.report': ({ dataset, to }, world) => world.start({ kind: 'dataset.report', title: `Report on ${dataset}`, subject: { dataset }, finish: () => ({ path: to }) }),
  'trash.list': (_, world) => trash(world).map(({ view }) => view),
  'trash.restore': (pick, world) => {
    take(trash(world), pick).restore()
    world.changed('datasets', 'runs', 'models', 'audit')
    return null
  },
  'trash.empty': (_, world) =>
    world.start({
      kind: 'trash.empty', title: 'Empty the trash',
      finish: () => {
        const freedBytes = trash(world).reduce((sum, { view }) => sum + view.sizeBytes, 0)
        trash(world).length = 0
        world.changed('datasets', 'runs', 'models', 'audit')
        return { freedBytes }
      },
    }),
}
