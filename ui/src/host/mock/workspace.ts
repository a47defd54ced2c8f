// The workspace: projects, settings, home, audit log, jobs.

import type { AuditEntry, ProjectSummary, Settings } from '../bindings'
import { deployments, runs } from './basics'
import { failure, type Answers } from './world'

const HOUR = 3_600_000
const now = Date.now()

let settings: Settings = {
  theme: new URLSearchParams(globalThis.location?.search ?? '').get('theme') ?? 'system', zoomPct: 100, keepRunning: true, notify: true, cacheLimitBytes: 5_000_000_000, threads: 0, isWelcomed: true,
}
let current = 'penguins'
const projects: ProjectSummary[] = [
  { slug: 'penguins', name: 'Penguins', createdAt: now - 30 * HOUR, datasets: 2, pipelines: 1, models: 1 },
  { slug: 'churn', name: 'Customer churn', createdAt: now - 300 * HOUR, datasets: 0, pipelines: 0, models: 0 },
]
const subjects: [string, string][] = [
  ['deployment.switch', 'species: species v1'],
  ['deployment.create', 'species'],
  ['model.promote', 'species v1 to production'],
  ['model.register', 'species'],
  ['pipeline.run', 'species'],
  ['pipeline.commit', 'species: add gradient boosting'],
  ['dataset.set_target', 'penguins: species'],
  ['dataset.import', 'penguins'],
  ['project.new', 'Penguins'],
]
const audit: AuditEntry[] = Array.from({ length: 260 }, (_, index) => {
  const [action = '', subject = ''] = subjects[index % subjects.length] ?? []
  return { id: 260 - index, at: now - (index + 1) * 0.7 * HOUR, action, subject }
})

export const answers: Answers = {
  'workspace.info': () => ({
    root: '/home/me/fettle', version: '0.1.0', pid: 4711, indexBytes: 1_400_000, objectsBytes: 18_300_000, cacheBytes: 212_000_000, currentProject: current,
  }),
  'workspace.check': ({ full }, world) =>
    world.start({
      kind: 'workspace.check', title: 'Check the workspace', stages: ['index', 'objects'], ms: 1500,
      finish: () => ({ isClean: true, findings: [], objects: 1_204, bytes: full ? 18_300_000 : 0 }),
    }),
  'workspace.gc': ({ dryRun }, world) =>
    world.start({ kind: 'workspace.gc', title: dryRun ? 'Look for what can be freed' : 'Free what nothing needs', finish: () => ({ freedBytes: 96_400_000, objects: 312 }) }),
  'settings.get': () => settings,
  'settings.set': (next, world) => {
    settings = next
    world.changed('settings')
    return null
  },
  'audit.list': ({ before, limit }) => audit.filter((entry) => before === null || entry.id < before).slice(0, limit ?? 100),
  'sample.open': (_, world) => world.start({ kind: 'sample.open', title: 'Open the sample project', finish: () => ({ project: 'penguins' }) }),
  'project.list': () => projects,
  'project.new': ({ name }, world) => {
    if (name.trim() === '') throw failure('invalid_input', 'a project needs a name', 'type one')
    const made = { slug: name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-'), name, createdAt: Date.now(), datasets: 0, pipelines: 0, models: 0 }
    projects.unshift(made)
    current = made.slug
    world.changed('projects', 'datasets', 'pipelines', 'runs', 'models', 'deployments', 'alerts', 'audit')
    return made
  },
  'project.open': ({ project }, world) => {
    const found = projects.find(({ slug }) => slug === project)
    if (found === undefined) throw failure('not_found', `there is no project \`${project}\``)
    current = project
    world.changed('projects', 'datasets', 'pipelines', 'runs', 'models', 'deployments', 'alerts', 'audit')
    return found
  },
  'project.status': () => ({
    slug: current, name: projects.find(({ slug }) => slug === current)?.name ?? current, branch: 'main', changed: ['pipelines/species.toml'],
    commit: { id: '3fa91c02de', message: 'species: add gradient boosting', author: 'Ada', at: now - 26 * HOUR },
  }),
  'project.home': () =>
    current === 'penguins'
      ? {
          next: { type: 'watch', deployment: 'species' }, runs, deployments,
          alerts: [{ id: 7, deployment: 'species', message: 'bill_length_mm has drifted: PSI 0.31 over the limit of 0.25', level: 'alarm', at: now - 0.4 * HOUR, isAcknowledged: false }],
          audit: audit.slice(0, 8),
        }
      : { next: { type: 'import' }, runs: [], deployments: [], alerts: [], audit: audit.slice(-1) },
  'job.list': ({ active }, world) => world.jobs.filter((job) => !active || job.finishedAt === null),
  'job.show': ({ jobId }, world) => world.job(jobId),
  'job.cancel': ({ jobId }, world) => {
    world.put({ ...world.job(jobId), state: 'cancelled', finishedAt: Date.now() })
    return null
  },
}
