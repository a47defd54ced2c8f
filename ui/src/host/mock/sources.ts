// Where data comes from beside a file: what a version keeps, an address, two databases, and the pictures of pets.

import type { ConnectionView } from '../bindings'
import { find, importInto, nameOf, options as usual, page, sniff, tableOf, type Dataset } from './data'
import { perWorld } from './state'
import { failure, type Answers, type World } from './world'

const CONNECTIONS: ConnectionView[] = [
  { name: 'shop', kind: 'postgres', host: 'db.example.org', port: 5432, database: 'shop', user: 'reader', tls: 'verified', passwordVariable: 'FETTLE_CONNECTION_SHOP_PASSWORD' },
  { name: 'warehouse', kind: 'postgres', host: 'localhost', port: 5433, database: 'dwh', user: 'me', tls: 'off', passwordVariable: 'FETTLE_CONNECTION_WAREHOUSE_PASSWORD' },
]
const connections = perWorld<ConnectionView[]>(() => [...CONNECTIONS])

function known(world: World, name: string): ConnectionView {
  const found = connections(world).find((one) => one.name === name)
  if (found === undefined) throw failure('not_found', `there is no connection \`${name}\``, 'make one with `fettle connection add`')
  return found
}

function refuseQuery(query: string): void {
  if (!/^\s*(select|with)\b/i.test(query)) throw failure('invalid_input', 'the database refuses the query', 'write one that only reads', ['syntax error'])
}

const result = (dataset: Dataset, version: number, isNew: boolean) => ({
  dataset: dataset.name, version, versionId: 'f'.repeat(32), isNew, rows: tableOf(dataset.name).rows, columns: tableOf(dataset.name).columns.length, rejectedRows: 0, warnings: [], checks: [],
})

/** One version more, of the same rows. */
function next(dataset: Dataset): { version: number } {
  const newest = dataset.versions[0]
  if (newest === undefined) throw failure('internal', `dataset \`${dataset.name}\` has no version`)
  dataset.versions.unshift({ ...newest, number: newest.number + 1, id: (newest.number + 1).toString(16).padStart(32, 'f'), tags: [], createdAt: Date.now() })
  return { version: newest.number + 1 }
}

const picture = (row: number): string => `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="480"><rect width="640" height="480" fill="hsl(${(row * 47) % 360} 45% 55%)"/><circle cx="320" cy="240" r="${90 + (row % 5) * 20}" fill="hsl(${(row * 47 + 40) % 360} 60% 80%)"/></svg>`

export const answers: Answers = {
  'dataset.sniff_kept': ({ dataset, options }) => {
    const found = find(dataset)
    return { ...sniff(`${dataset}.csv`, options ?? found.options ?? usual), suggestedName: dataset }
  },
  'dataset.reread': ({ dataset, options }, world) =>
    world.start({
      kind: 'dataset.import', title: `Importing ${dataset}`, subject: { dataset }, stages: ['reading', 'profiling', 'storing'], ms: 700,
      finish: () => {
        const found = find(dataset)
        found.options = options
        world.changed('datasets', 'audit')
        return result(found, next(found).version, true)
      },
    }),
  'dataset.fetch': ({ url, name }, world) =>
    world.start({
      kind: 'dataset.import', title: `Importing ${name ?? nameOf(url)}`, subject: { dataset: name ?? nameOf(url) }, stages: ['downloading', 'storing', 'profiling'], ms: 2500,
      finish: () => {
        if (/missing/.test(url)) throw failure('not_found', `cannot import \`${url}\``, 'check the address', ['the server does not have it (status 404)'])
        if (/broken/.test(url)) throw failure('unavailable', `cannot fetch \`${url}\``, 'import it again: it goes on where it stopped, if the server can', ['the connection broke'])
        const { dataset, version, isNew } = importInto(name ?? nameOf(url.replace(/[?#].*$/, '')), url)
        dataset.origin = { kind: 'address', url: url.replaceAll(/(key|token|sig)=[^&]*/g, '$1=…'), etag: '"7"', at: Date.now() }
        world.changed('datasets', 'audit')
        return result(dataset, version, isNew)
      },
    }),
  'dataset.ask': ({ connection, query, name }, world) => {
    known(world, connection)
    return world.start({
      kind: 'dataset.import', title: `Importing ${name}`, subject: { dataset: name }, stages: ['asking', 'reading rows', 'profiling'], ms: 1500,
      finish: () => {
        refuseQuery(query)
        const { dataset, version, isNew } = importInto(name, name)
        const number = isNew ? version : next(dataset).version
        dataset.origin = { kind: 'query', connection, query, at: Date.now() }
        world.changed('datasets', 'audit')
        return result(dataset, number, true)
      },
    })
  },
  'dataset.file': ({ dataset, path }) => {
    const table = tableOf(find(dataset).name)
    const row = Array.from({ length: table.rows }, (_, at) => at).find((at) => table.cell(at, 0) === path)
    if (row === undefined) throw failure('not_found', `there is no file \`${path}\` in version 1`)
    const sizeBytes = Number(table.cell(row, 1))
    return { sizeBytes, base64: btoa(picture(row)) }
  },
  'connection.list': (_, world) => connections(world),
  'connection.add': ({ name, kind, host, port, database, user, tls, password }, world) => {
    if (!/^[a-z][a-z0-9_]*$/.test(name)) throw failure('invalid_input', `\`${name}\` cannot be the name of a connection`, 'use lower-case letters, digits and `_`, starting with a letter')
    const connection: ConnectionView = { name, kind, host, port: port ?? 5432, database, user, tls: tls ?? (host === 'localhost' ? 'off' : 'verified'), passwordVariable: `FETTLE_CONNECTION_${name.toUpperCase()}_PASSWORD` }
    const all = connections(world)
    all.splice(0, all.length, ...[...all.filter((one) => one.name !== name), connection].sort((a, b) => a.name.localeCompare(b.name)))
    world.changed('settings', 'audit')
    return { connection, trouble: password === 'no keychain' ? 'there is no keychain: set `FETTLE_CONNECTION_X_PASSWORD` where Fettle runs' : null }
  },
  'connection.test': ({ name }, world) => {
    const { host } = known(world, name)
    return world.start({
      kind: 'connection.test', title: `Testing ${name}`, subject: { connection: name }, stages: ['connecting'], ms: 500,
      finish: () => {
        if (host === 'nowhere') throw failure('unavailable', 'the database `dwh` on `nowhere` cannot be reached', 'check the server and its port')
        return { server: 'PostgreSQL 16.4' }
      },
    })
  },
  'connection.preview': ({ name, query }, world) => {
    known(world, name)
    return world.start({
      kind: 'connection.preview', title: `Asking ${name}`, subject: { connection: name }, stages: ['asking'], ms: 500,
      finish: () => {
        refuseQuery(query)
        return page(tableOf('orders'), 0, 50, null)
      },
    })
  },
  'connection.remove': ({ name }, world) => {
    const all = connections(world)
    all.splice(0, all.length, ...all.filter((one) => one.name !== name))
    world.changed('settings', 'audit')
    return null
  },
}
