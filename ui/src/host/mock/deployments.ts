// Endpoints: one healthy, one stopped, and whatever is deployed while the mock runs.

import type { DeploymentDetail, DeploymentSummary, RevisionView } from '../bindings'
import { perWorld } from './state'
import { failure, type Answers, type World } from './world'

const HOUR = 3_600_000
const now = Date.now()
const link = (version: number) => ({ model: 'species', version, aliases: version === 1 ? ['production'] : ['challenger'] })

const firstEndpoints: DeploymentSummary[] = [
  { id: 'd001'.padStart(32, '0'), name: 'species', target: 'This computer', state: 'healthy', model: link(1), url: 'http://127.0.0.1:8411', requestsLastHour: 412, openAlerts: 1, createdAt: now - 20 * HOUR },
  { id: 'd002'.padStart(32, '0'), name: 'species-trial', target: 'This computer', state: 'stopped', model: link(2), url: null, requestsLastHour: 0, openAlerts: 0, createdAt: now - 3 * HOUR },
]
const firstRevisions: [string, RevisionView[]][] = [
  ['species', [
    { number: 3, model: link(1), isCurrent: true, state: 'healthy', createdAt: now - HOUR, error: null },
    { number: 2, model: link(2), isCurrent: false, state: 'failed', createdAt: now - 1.2 * HOUR, error: failure('deploy_failed', 'the new revision answered the golden row with `Adelie`, expected `Gentoo`', 'revision 1 goes on serving') },
    { number: 1, model: link(1), isCurrent: false, state: 'superseded', createdAt: now - 20 * HOUR, error: null },
  ]],
  ['species-trial', [{ number: 1, model: link(2), isCurrent: true, state: 'stopped', createdAt: now - 3 * HOUR, error: null }]],
]
const stateOf = perWorld(() => ({ endpoints: firstEndpoints, revisions: new Map(firstRevisions) }))

export const sample = { island: 'Biscoe', bill_length_mm: 46.1, bill_depth_mm: 13.2, flipper_length_mm: 211, body_mass_g: 4500, sex: 'female', year: 2007 }
const body = JSON.stringify({ dataframe_records: [sample] })

function find(world: World, wanted: string): DeploymentSummary {
  const found = stateOf(world).endpoints.find((one) => one.name === wanted || one.id === wanted)
  if (!found) throw failure('not_found', `there is no endpoint \`${wanted}\``, 'see the list of endpoints')
  return found
}

function detail(world: World, wanted: string): DeploymentDetail {
  const { revisions } = stateOf(world)
  const summary = find(world, wanted)
  const url = summary.url ?? 'http://127.0.0.1:8411'
  return {
    summary, kind: 'local', runs: true, params: {}, revisions: revisions.get(summary.name) ?? [], token: 'fettle_4c1d0f7be2a94b0d8e35a6f17c20d9e8',
    curl: `curl -s ${url}/invocations \\\n  -H "Authorization: Bearer $TOKEN" \\\n  -H "Content-Type: application/json" \\\n  -d '${body}'`,
    python: `import json, urllib.request\n\nrequest = urllib.request.Request(\n    "${url}/invocations",\n    data=json.dumps({"dataframe_records": [${JSON.stringify(sample)}]}).encode(),\n    headers={"Authorization": "Bearer " + token, "Content-Type": "application/json"},\n)\nprint(json.load(urllib.request.urlopen(request)))`,
    sample, process: summary.state === 'healthy' ? { pid: 48_213, memoryBytes: 21_400_000, startedAt: now - HOUR } : null,
  }
}

function put(world: World, next: DeploymentSummary): void {
  const state = stateOf(world)
  state.endpoints = [next, ...state.endpoints.filter((one) => one.name !== next.name)]
}

const localParams = {
  params: { type: 'object', properties: {
    log_share_pct: { description: 'Of 100 answered requests, so many are recorded for the monitor.', type: 'integer', minimum: 0, maximum: 100 },
    redact: { description: 'Columns whose values are not recorded.', type: 'array', items: { type: 'string' } },
    start_at_login: { description: 'Starts the endpoint when this user signs in.', type: 'boolean', 'x-first': true },
  } },
  defaults: { log_share_pct: 100, redact: [], start_at_login: false },
}
const bundleParams = {
  params: { type: 'object', properties: {
    to: { description: "The folder to write it in; the deployment's own if left out.", type: ['string', 'null'], 'x-first': true },
    format: { description: 'How it is packed.', oneOf: [{ const: 'tar-gz', description: 'A gzipped tar, for Linux and macOS.' }, { const: 'zip', description: 'A zip, for Windows.' }, { const: 'folder', description: 'A folder.' }], 'x-first': true },
    port: { description: 'The port.', type: 'integer', minimum: 0, maximum: 65_535 },
  } },
  defaults: { to: null, format: 'tar-gz', port: 8080 },
}
const sshParams = {
  params: { type: 'object', properties: {
    host: { description: 'The machine: `user@host`, or a name of your `~/.ssh/config`.', type: 'string', 'x-first': true },
    port: { description: 'The port that it listens on there.', type: 'integer', minimum: 0, maximum: 65_535, 'x-first': true },
    folder: { description: 'The folder there in which deployments lie.', type: 'string' },
  } },
  defaults: { host: '', port: 8080, folder: '.local/share/fettle' },
}

export const answers: Answers = {
  'target.list': () => [
    { kind: 'local', title: 'This computer', summary: 'A small process that goes on when the window closes. Only this machine can reach it.', doc: '', runs: true, unavailable: null, ...localParams },
    { kind: 'bundle', title: 'Bundle', summary: 'One folder, tar.gz or zip with the server, the model and a control script; runs anywhere.', doc: '', runs: false, unavailable: null, ...bundleParams },
    { kind: 'oci', title: 'Container image', summary: 'An image that runs wherever containers run.', doc: '', runs: false, unavailable: 'There is no `fettle-serve` for Linux on this computer', params: {}, defaults: {} },
    { kind: 'ssh', title: 'Machine over SSH', summary: 'A server or a small computer that you reach by `ssh`; nothing needs to be installed there.', doc: '', runs: true, unavailable: null, ...sshParams },
  ],
  'deployment.plan': ({ target, params }) => {
    if (target === 'bundle') return { steps: ['pack the model, `fettle-serve`, a control script and a unit', 'start it from a fresh folder on this computer and ask it for the golden rows', `write \`${String(params?.to ?? '/home/ada/workspace')}/species-v2-linux-x86_64.tar.gz\``] }
    if (target === 'ssh') {
      if (!params?.host) throw failure('invalid_input', '`host` cannot be ``', 'name a machine as `user@host`, or as your `~/.ssh/config` calls it')
      return { steps: [`ask \`${String(params.host)}\` what kind of machine it is`, 'copy the server, the model and the token to `.local/share/fettle/species/revisions/1` there', 'start it there on a free port and ask it for the golden rows through a tunnel', 'turn `current` to it and start it'] }
    }
    return { steps: ['start a server for the new version on a free port of this computer', 'ask it for the golden rows, and stop it', 'let the server at port 8411 load the new version'] }
  },
  'deployment.remove': ({ deployment }, world) =>
    world.start({
      kind: 'deployment.remove', title: `Removing ${deployment}`, subject: { deployment }, ms: 300,
      finish: () => {
        const state = stateOf(world)
        const gone = find(world, deployment)
        state.endpoints = state.endpoints.filter((one) => one.id !== gone.id)
        world.changed('deployments', 'models')
        return { name: gone.name }
      },
    }),
  'deployment.score': ({ deployment }, world) =>
    world.start({
      kind: 'deployment.score', title: `Scoring for ${deployment}`, subject: { deployment }, ms: 600,
      finish: () => ({ files: 3, skipped: 12, failed: 0, rows: 4120, rowErrors: 2, output: '/home/ada/scored' }),
    }),
  'deployment.list': (_, world) => stateOf(world).endpoints,
  'deployment.show': ({ deployment }, world) => detail(world, deployment),
  'deployment.log': () => ({ text: '12:00:01 serving species v1 on 127.0.0.1:8411\n12:00:01 golden row answered as expected\n12:00:09 POST /invocations 200 1.2 ms\n12:00:14 POST /invocations 400 0.3 ms: column `island` is missing', nextOffset: 190, isComplete: true }),
  'deployment.create': ({ model, version, name }, world) => {
    const called = name || model
    const { revisions } = stateOf(world)
    return world.start({
      kind: 'deployment.create', title: `Deploy ${model} to This computer`, subject: { deployment: called }, stages: ['fetching the package', 'starting', 'asking for the golden row', 'switching'], ms: 1500,
      finish: () => {
        const model_ = link(Number(version) || 2)
        put(world, { id: world.id(), name: called, target: 'This computer', state: 'healthy', model: model_, url: 'http://127.0.0.1:8412', requestsLastHour: 0, openAlerts: 0, createdAt: Date.now() })
        const earlier = (revisions.get(called) ?? []).map((one): RevisionView => ({ ...one, isCurrent: false, state: one.isCurrent ? 'superseded' : one.state }))
        const number = earlier.length + 1
        revisions.set(called, [{ number, model: model_, isCurrent: true, state: 'healthy', createdAt: Date.now(), error: null }, ...earlier])
        world.changed('deployments', 'models', 'monitors')
        return { deploymentId: find(world, called).id, name: called, url: 'http://127.0.0.1:8412', revision: number }
      },
    })
  },
  'deployment.rollback': ({ deployment, revision }, world) =>
    world.start({
      kind: 'deployment.rollback', title: `Roll ${deployment} back`, subject: { deployment }, ms: 900,
      finish: () => {
        const found = find(world, deployment)
        const { revisions } = stateOf(world)
        revisions.set(found.name, (revisions.get(found.name) ?? []).map((one) => ({ ...one, isCurrent: one.number === revision, state: one.number === revision ? 'healthy' : one.isCurrent ? 'superseded' : one.state })))
        world.changed('deployments')
        return { name: found.name }
      },
    }),
  'deployment.stop': ({ deployment }, world) => {
    put(world, { ...find(world, deployment), state: 'stopped', url: null })
    world.changed('deployments')
    return null
  },
  'deployment.start': ({ deployment }, world) =>
    world.start({
      kind: 'deployment.start', title: `Start ${deployment}`, subject: { deployment }, ms: 700,
      finish: () => {
        put(world, { ...find(world, deployment), state: 'healthy', url: 'http://127.0.0.1:8411' })
        world.changed('deployments')
        return null
      },
    }),
  'deployment.try': ({ inputs }) => {
    if (inputs !== null && typeof inputs.bill_length_mm !== 'number') {
      return { status: 400, outputs: {}, request: JSON.stringify({ inputs }), response: '{"error":"input `bill_length_mm` must be a number"}', latencyMs: 0.4 }
    }
    const outputs = { label: 'Gentoo', probability_Adelie: 0.0031, probability_Chinstrap: 0.0012, probability_Gentoo: 0.9957 }
    return { status: 200, outputs, request: body, response: JSON.stringify({ predictions: [outputs] }), latencyMs: 1.37 }
  },
}
