// Reads what `monitor.backtest` came to, and the policies that are typed for it.

import type { JsonValue } from '../../host/bindings'
import { isObject } from '../../lib/values'

/** What a policy would have brought. */
export interface PolicyResult {
  policy: string
  value: number
  worst: number
  values: number[]
  trainings: number
  promotions: number
  trainMs: number
}

/** What all of them would have brought. */
export interface BacktestResult {
  metric: string
  largerIsBetter: boolean
  orderBy: string | null
  windows: number
  firstRows: number
  policies: PolicyResult[]
}

/** The policies that are compared unless somebody says otherwise. */
export const USUAL_POLICIES = 'never, every 1, psi 0.2'

/** The policies in a line, one after each comma. */
export function policiesOf(line: string): string[] {
  return line.split(',').map((one) => one.trim()).filter((one) => one !== '')
}

/** The result of a back-test; null if it is none. */
export function readBacktest(value: JsonValue): BacktestResult | null {
  if (!isObject(value) || typeof value.metricTitle !== 'string' || !Array.isArray(value.policies)) return null
  const policies = value.policies.flatMap((one): PolicyResult[] => {
    if (!isObject(one) || typeof one.policy !== 'string') return []
    const values = Array.isArray(one.values) ? one.values.filter((each) => typeof each === 'number') : []
    return [{ policy: one.policy, value: amount(one.value), worst: amount(one.worst), values, trainings: amount(one.trainings), promotions: Array.isArray(one.promotedAfter) ? one.promotedAfter.length : 0, trainMs: amount(one.trainMs) }]
  })
  return {
    metric: value.metricTitle, largerIsBetter: value.largerIsBetter === true, orderBy: typeof value.orderBy === 'string' ? value.orderBy : null,
    windows: Array.isArray(value.windows) ? value.windows.length : 0, firstRows: amount(value.firstRows), policies,
  }
}

/** The policy with the best metric; of equal ones the one that trained least. */
export function bestOf(found: BacktestResult): PolicyResult | null {
  const isBetter = (one: PolicyResult, than: PolicyResult): boolean => {
    if (one.value !== than.value) return found.largerIsBetter ? one.value > than.value : one.value < than.value
    return one.trainings < than.trainings
  }
  return found.policies.reduce<PolicyResult | null>((best, one) => (best === null || isBetter(one, best) ? one : best), null)
}

function amount(value: JsonValue | undefined): number {
  return typeof value === 'number' ? value : 0
}
