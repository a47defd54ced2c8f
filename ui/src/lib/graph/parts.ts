// A component stands on the canvas as one step, while a run knows those that take its place: what
// becomes of them, said of the one.

import type { PlanStep, StepRunView, StepState } from '../../host/bindings'

/** The kind of such a step. */
export const COMPONENT = 'component'
/** Between a component's id and that of a step within it. */
const BETWEEN = '__'
/** What says most of a run that did not end well, first. */
const WORST: readonly StepState[] = ['failed', 'interrupted', 'cancelled', 'blocked']

/** The id that a step within a component has in a run. */
export function within(component: string, id: string): string {
  return component + BETWEEN + id
}

/** True for the id that a step within some component has in a run. */
export function isPart(id: string): boolean {
  return id.includes(BETWEEN)
}

/** True if a step of this id takes the component's place. */
export function isPartOf(component: string, id: string): boolean {
  return id.startsWith(within(component, ''))
}

/** How the steps of a component ran, as if they were one; undefined if none of them took part. */
export function ranAsOne(component: string, steps: readonly StepRunView[]): StepRunView | undefined {
  const parts = steps.filter(({ step }) => isPartOf(component, step))
  const last = parts.at(-1)
  if (last === undefined) return undefined
  const worst = WORST.map((state) => parts.find((part) => part.state === state)).find((part) => part !== undefined)
  if (worst !== undefined) return { ...worst, step: component }
  const ended = parts.filter(({ state }) => state === 'done' || state === 'cached')
  if (ended.length === parts.length) return { ...last, step: component, state: parts.every(({ state }) => state === 'cached') ? 'cached' : 'done' }
  const busy = parts.find(({ state }) => state === 'running')
  if (busy === undefined && ended.length === 0) return { ...last, step: component }
  return { ...(busy ?? last), step: component, state: 'running', progress: ended.length / parts.length }
}

/** What a run would do with the steps of a component, as if they were one. */
export function plannedAsOne(component: string, steps: readonly PlanStep[]): PlanStep | undefined {
  const parts = steps.filter(({ step }) => isPartOf(component, step))
  const [first] = parts
  const says = parts.find(({ action }) => action === 'run') ?? parts.find(({ action }) => action === 'pending') ?? first
  return says === undefined ? undefined : { ...says, step: component }
}
