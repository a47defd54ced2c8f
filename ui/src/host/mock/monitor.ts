// Monitors: one endpoint whose penguins have changed, one with too few rows to say.

import type { AlertRule, AlertView, DriftView, MonitorView, TrafficBin } from '../bindings'
import { perWorld } from './state'
import { randomness, type Answers, type World } from './world'

const MINUTE = 60_000
const now = Date.now()

const stateOf = perWorld(() => ({
  replayed: 0,
  rules: firstRules,
  alerts: firstAlerts,
}))
const firstRules: AlertRule[] = [{ metric: 'psi', threshold: 0.25, isEnabled: true }]
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
    column, level, psi, test: 'ks', statistic: Number((psi / 1.6).toFixed(3)), pValue: level === 'alarm' ? 3.1e-9 : level === 'warning' ? 0.004 : 0.41,
    missingBaseline: 0.006, missingCurrent: level === 'alarm' ? 0.021 : 0.005, newValues: [],
    figure: { type: 'drift', column, bins, baseline: bell(4.2), current: bell(4.2 + shift), psi },
  }
}
function words(column: string, bins: string[], baseline: number[], current: number[], psi: number, level: DriftView['level'], newValues: string[]): DriftView {
  return { column, level, psi, test: 'chi_square', statistic: 14.2, pValue: level === 'none' ? 0.23 : 0.0008, missingBaseline: 0, missingCurrent: 0.012, newValues, figure: { type: 'drift', column, bins, baseline, current, psi } }
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
    level: isQuiet ? 'none' : 'alarm', prediction: isQuiet ? null : prediction(), features: isQuiet ? [] : features(), rowsNeeded: 30, rules, alerts: isQuiet ? [] : alerts,
  }
}

export const answers: Answers = {
  'monitor.status': ({ deployment, windowMinutes }, world) => view(deployment, windowMinutes, world),
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
