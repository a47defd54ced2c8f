// Monitors: one endpoint whose penguins have changed, one with too few rows to say.

import type { AlertRule, AlertView, ColumnDrift, DriftOverTime, DriftView, DriftWindow, MonitorView, PerformanceView, ProposalView, TrafficBin } from '../bindings'
import { perWorld } from './state'
import { randomness, type Answers, type World } from './world'

const MINUTE = 60_000
const now = Date.now()

const stateOf = perWorld(() => ({
  replayed: 0,
  labelled: 600,
  channels: firstChannels,
  silencedUntil: null as number | null,
  proposal: null as ProposalView | null,
  rules: firstRules,
  alerts: firstAlerts,
}))
const firstRules: AlertRule[] = [{ metric: 'psi', threshold: 0.25, windowRows: 500, isEnabled: true }]
const firstChannels = 'format = 1\n\n[[channel]]\nname = "team"\nwebhook = "https://hooks.example.org/T0"\n'
const firstAlerts: AlertView[] = [
  { id: 7, deployment: 'species', message: 'bill_length_mm has drifted: PSI 0.412 over the limit of 0.25', level: 'alarm', at: now - 24 * MINUTE, isAcknowledged: false },
  { id: 4, deployment: 'species', message: 'island has drifted: PSI 0.27 over the limit of 0.25', level: 'alarm', at: now - 400 * MINUTE, isAcknowledged: true },
]

function numbers(column: string, from: number, to: number, shift: number, psi: number, level: DriftView['level']): DriftView {
  const width = (to - from) / 10
  const bell = (middle: number) => {
    const raw = Array.from({ length: 10 }, (_, index) => Math.exp(-((index - middle) ** 2) / 6))
    const sum = raw.reduce((total, value) => total + value, 0)
    return raw.map((value) => value / sum)
  }
  const bins = Array.from({ length: 10 }, (_, index) => `${(from + index * width).toFixed(0)} to ${(from + (index + 1) * width).toFixed(0)}`)
  return {
    column, level, psi, test: 'ks', testTitle: 'Kolmogorov-Smirnov', adjustedP: level === 'alarm' ? 1.8e-8 : level === 'warning' ? 0.02 : 1, newShare: null, outsideShare: level === 'alarm' ? 0.031 : 0, statistic: Number((psi / 1.6).toFixed(3)), pValue: level === 'alarm' ? 3.1e-9 : level === 'warning' ? 0.004 : 0.41,
    missingBaseline: 0.006, missingCurrent: level === 'alarm' ? 0.021 : 0.005, newValues: [],
    figure: { type: 'drift', column, bins, baseline: bell(4.2), current: bell(4.2 + shift), psi },
  }
}
function words(column: string, bins: string[], baseline: number[], current: number[], psi: number, level: DriftView['level'], newValues: string[]): DriftView {
  return { column, level, psi, test: 'chi_square', testTitle: 'Chi-square', adjustedP: level === 'none' ? 1 : 0.004, newShare: newValues.length > 0 ? 0.05 : 0, outsideShare: null, statistic: 14.2, pValue: level === 'none' ? 0.23 : 0.0008, missingBaseline: 0, missingCurrent: 0.012, newValues, figure: { type: 'drift', column, bins, baseline, current, psi } }
}
const features = (): DriftView[] => [
  numbers('bill_length_mm', 32, 60, 1.9, 0.412, 'alarm'),
  words('island', ['Biscoe', 'Dream', 'Torgersen', 'other'], [0.49, 0.36, 0.15, 0], [0.31, 0.44, 0.2, 0.05], 0.187, 'warning', ['Anvers']),
  numbers('flipper_length_mm', 172, 232, 0.6, 0.061, 'none'),
  numbers('body_mass_g', 2700, 6300, 0.3, 0.028, 'none'),
  words('sex', ['female', 'male', 'missing'], [0.48, 0.49, 0.03], [0.47, 0.51, 0.02], 0.009, 'none', []),
]
const prediction = (): DriftView => words('prediction', ['Adelie', 'Chinstrap', 'Gentoo'], [0.44, 0.2, 0.36], [0.33, 0.31, 0.36], 0.094, 'none', [])

function traffic(minutes: number): TrafficBin[] {
  const random = randomness(11)
  return Array.from({ length: 48 }, (_, index) => {
    const requests = Math.round(6 + 18 * (1 + Math.sin(index / 6)) * random())
    return { at: now - minutes * MINUTE + (index * minutes * MINUTE) / 48, requests, rows: requests, errors: index % 17 === 0 ? 2 : 0, latencyP95Ms: requests === 0 ? null : 1.1 + random() * 1.6 }
  })
}

function view(deployment: string, windowMinutes: number | null, world: World): MonitorView {
  const { replayed, rules, alerts } = stateOf(world)
  const isQuiet = deployment !== 'species' && replayed === 0
  const bins = isQuiet ? [] : traffic(windowMinutes ?? 1440)
  return {
    deployment, model: 'species', version: deployment === 'species' ? 1 : 2, rows: isQuiet ? 1 : 1_204 + replayed, requests: isQuiet ? 1 : 1_204 + replayed, errors: isQuiet ? 0 : 6,
    latencyP50Ms: isQuiet ? 1.4 : 1.12, latencyP95Ms: isQuiet ? 1.4 : 2.31, latencyP99Ms: isQuiet ? 1.4 : 4.87, traffic: bins,
    level: isQuiet ? 'none' : 'alarm', prediction: isQuiet ? null : prediction(), features: isQuiet ? [] : features(), rowsNeeded: 30, rules, alerts: isQuiet ? [] : alerts, deliveries: isQuiet ? [] : [{ at: now - 24 * MINUTE, alert: 7, channel: 'team', isTaken: true, said: 'hooks.example.org answered 200' }], silencedUntil: stateOf(world).silencedUntil,
  }
}

/** Sixteen windows; from the tenth on the bills are longer. */
function windows(deployment: string, minutes: number, step: number | null): DriftOverTime {
  if (deployment !== 'species') return { windows: [], tooSmall: 1, rowsNeeded: 50, baselineRows: 275, level: 'none' }
  const random = randomness(5)
  const apart = step === null ? minutes : minutes / 5
  const made = Array.from({ length: 16 }, (_, index): DriftWindow => {
    const columns = ['bill_length_mm', 'island', 'prediction'].map((column, at): ColumnDrift => {
      const psi = (at === 0 && index > 9 ? 0.06 * (index - 8) : 0.02) * (0.7 + random())
      return { column, psi, test: at === 0 ? 'ks' : 'chi_square', statistic: psi, adjustedP: psi > 0.1 ? 0.001 : 0.6, level: psi > 0.25 ? 'alarm' : psi > 0.1 ? 'warning' : 'none' }
    })
    const level = columns[0]?.level ?? 'none'
    return { from: now - (16 - index) * apart * MINUTE, to: now - (15 - index) * apart * MINUTE, rows: 60 + index, level, columns }
  })
  return { windows: made, tooSmall: 2, rowsNeeded: 50, baselineRows: 275, level: 'alarm' }
}

/** Measured until the tenth window, estimated to the end; the labels come late. */
function performance(deployment: string, labelled: number, metric: string | null): PerformanceView {
  const isQuiet = deployment !== 'species'
  const made = Array.from({ length: isQuiet ? 0 : 16 }, (_, index) => {
    const value = 0.97 - (index > 9 ? 0.03 * (index - 9) : 0.005 * (index % 3))
    const isKnown = index * 60 < labelled
    return { from: now - (16 - index) * 90 * MINUTE, to: now - (15 - index) * 90 * MINUTE, rows: 60, labelled: isKnown ? 60 : 0, value: isKnown ? value : null, estimated: { value: value + 0.01, low: value - 0.03, high: Math.min(1, value + 0.05) }, level: index > 11 ? ('alarm' as const) : ('none' as const) }
  })
  return {
    metric: metric ?? 'accuracy', metricTitle: metric === 'auc' ? 'AUC' : 'Accuracy', largerIsBetter: true, metrics: [{ name: 'auc', title: 'AUC' }, { name: 'accuracy', title: 'Accuracy' }],
    reference: 0.971, referenceRows: 69, rows: isQuiet ? 1 : 960, labelled: isQuiet ? 0 : labelled, unknownLabels: 0, value: isQuiet || labelled === 0 ? null : 0.962, estimated: isQuiet ? null : { value: 0.951, low: 0.934, high: 0.968 },
    isCalibrated: false, windows: made, tooSmall: 1, rowsNeeded: 50, level: isQuiet ? 'none' : 'alarm',
    slices: isQuiet || labelled === 0 ? [] : [{ name: '`island` is `Dream`', rows: 210, value: 0.84, isWorse: true }, { name: '`island` is `Biscoe`', rows: 290, value: 0.99, isWorse: false }],
  }
}

const proposal = (because: string): ProposalView => ({
  model: 'species', version: 3, champion: 1, because, run: null,
  comparison: { metric: 'auc', metricTitle: 'AUC', largerIsBetter: true, rows: 138, challenger: 0.981, champion: 0.842 },
  gate: {
    model: 'species', version: 3, alias: 'production', current: 1, isOpen: true,
    checks: [
      { name: 'the package loads and answers its golden row', status: 'passed', message: 'differs by 0' },
      { name: 'it is not worse than the version it replaces', status: 'passed', message: 'auc 0.981 against 0.842 of `production` v1, both over the 138 rows that were held out from this version' },
    ],
  },
})

export const answers: Answers = {
  'monitor.proposal': (_, world) => stateOf(world).proposal,
  'monitor.retrain': ({ deployment, reason }, world) =>
    world.start({
      kind: 'monitor.retrain', title: `Retrain ${deployment}`, subject: { deployment }, stages: ['taking in requests', 'training'], ms: 1800,
      finish: () => {
        stateOf(world).proposal = proposal(reason ?? 'somebody asked for it')
        world.changed('monitors', 'models')
        return { outcome: 'proposed', version: 3, run: null, rowsTaken: 600, comparison: null, gate: null }
      },
    }),
  'monitor.rehearse': ({ deployment }, world) =>
    world.start({
      kind: 'monitor.rehearse', title: `Rehearse version 3 for ${deployment}`, subject: { deployment }, stages: ['answering', 'comparing'], ms: 900,
      finish: () => ({
        candidate: 3, champion: 1, rows: 1_204, changed: 187, meanChange: 0.11, metricTitle: 'Accuracy', labelled: 600, championValue: 0.842, candidateValue: 0.981,
        moves: [{ from: 'Adelie', to: 'Chinstrap', rows: 121 }, { from: 'Gentoo', to: 'Adelie', rows: 66 }],
        groups: [{ name: '`island` is `Dream`', rows: 402, value: 0.31, isWorse: true }, { name: '`sex` is `male`', rows: 590, value: 0.14, isWorse: false }],
        flipped: [], championUs: [44, 71], candidateUs: [46, 70],
      }),
    }),
  'monitor.backtest': ({ deployment, policies, windows }, world) =>
    world.start({
      kind: 'monitor.backtest', title: `Try policies for ${deployment}`, subject: { deployment }, stages: ['training', 'comparing'], ms: 1200,
      finish: () => ({
        dataset: 'penguins', orderBy: null, metricTitle: 'Accuracy', largerIsBetter: true, firstRows: 103,
        windows: Array.from({ length: windows ?? 8 }, (_, index) => ({ from: 103 + index * 30, rows: 30 })),
        policies: policies.map((policy, at) => ({ policy, value: [0.871, 0.958, 0.955][at] ?? 0.9, worst: [0.71, 0.93, 0.93][at] ?? 0.8, values: Array.from({ length: windows ?? 8 }, (_, index) => (at === 0 ? 0.97 - index * 0.03 : 0.95 + 0.005 * (index % 3))), trainings: [1, 8, 3][at] ?? 2, trainMs: [210, 2_400, 790][at] ?? 500, promotedAfter: at === 0 ? [] : [2, 5] })),
      }),
    }),
  'monitor.accept': ({ deployment }, world) =>
    world.start({
      kind: 'monitor.accept', title: `Deploy what is proposed for ${deployment}`, subject: { deployment }, stages: ['switching'], ms: 900,
      finish: () => {
        const state = stateOf(world)
        state.proposal = null
        state.alerts = state.alerts.map((alert) => ({ ...alert, isAcknowledged: true }))
        world.changed('monitors', 'models', 'deployments', 'alerts')
        return { deploymentId: 'd1', name: deployment, url: 'http://127.0.0.1:8501', revision: 2 }
      },
    }),
  'monitor.dismiss': (_, world) => {
    stateOf(world).proposal = null
    world.changed('monitors')
    return null
  },
  'monitor.performance': ({ deployment, metric }, world) => performance(deployment, stateOf(world).labelled, metric),
  'monitor.label': ({ path }, world) =>
    world.start({
      kind: 'monitor.label', title: `Look what became of requests, in ${path ?? 'a dataset'}`, stages: ['reading the labels'], ms: 700,
      finish: () => {
        stateOf(world).labelled += 300
        world.changed('monitors')
        return { labelled: 300, unmatched: 12, ambiguous: 0 }
      },
    }),
  'monitor.status': ({ deployment, windowMinutes }, world) => view(deployment, windowMinutes, world),
  'monitor.windows': ({ deployment, size, unit, step }) => windows(deployment, unit === 'rows' ? size / 20 : size, step),
  'monitor.replay': ({ deployment, path }, world) =>
    world.start({
      kind: 'monitor.replay', title: `Replay ${path ?? 'the validation data'} through ${deployment}`, subject: { deployment }, stages: ['scoring'], ms: 1500,
      finish: () => {
        stateOf(world).replayed += 69
        world.changed('monitors', 'deployments', 'alerts')
        return { rows: 69 }
      },
    }),
  'monitor.check': ({ path }, world) =>
    world.start({
      kind: 'monitor.check', title: `Compare ${path} with the training data`, stages: ['reading', 'scoring', 'comparing'], ms: 900,
      finish: () => structuredClone({ rows: 344, level: 'alarm' as const, prediction: prediction(), features: features() }),
    }),
  'monitor.report': ({ to }, world) => world.start({ kind: 'monitor.report', title: `Write ${to}`, stages: ['comparing'], ms: 600, finish: () => ({ path: to, bytes: 84_000, level: 'alarm' as const }) }),
  'monitor.silence': ({ minutes }, world) => {
    stateOf(world).silencedUntil = minutes === 0 ? null : Date.now() + minutes * MINUTE
    world.changed('monitors')
    return null
  },
  'alert.channels': (_, world) => {
    const text = stateOf(world).channels
    const channels = [...text.matchAll(/^name = "(.+)"$/gm)].map(([, name]) => ({ name: name ?? '', way: 'webhook at hooks.example.org', deployments: [] }))
    return { text, channels, trouble: null }
  },
  'alert.set_channels': ({ text }, world) => {
    stateOf(world).channels = text
    world.changed('monitors')
    return null
  },
  'alert.try': ({ channel }, world) => world.start({ kind: 'alert.try', title: `Try the channel ${channel}`, stages: ['sending'], ms: 300, finish: () => ({ said: 'hooks.example.org answered 200' }) }),
  'monitor.set_rules': ({ rules: next }, world) => {
    stateOf(world).rules = next
    world.changed('monitors')
    return null
  },
  'alert.acknowledge': ({ id }, world) => {
    const state = stateOf(world)
    state.alerts = state.alerts.map((alert) => (alert.id === id ? { ...alert, isAcknowledged: true } : alert))
    world.changed('alerts', 'monitors')
    return null
  },
}
