// The state each step shows: from the run that goes on, the last run, the plan and the problems.

import type { PipelineDoc, PlanView, Problem, RunDetail, StepDoc, StepRunView } from '../../host/bindings'
import { downstreamOf, isSameWork, stepOf } from './doc'
import { COMPONENT, isPartOf, plannedAsOne, ranAsOne } from './parts'
import { shortReason } from './planning'
import { skippedOf } from './sheet'

/** What a badge says. */
export type Badge =
  'draft' | 'ready' | 'cached' | 'queued' | 'running' | 'done' | 'failed' | 'blocked' | 'stale' | 'cancelled' | 'interrupted' | 'skipped'

/** A step's face beside its name. */
export interface Face {
  badge: Badge
  /** The word on the badge, such as `62 %` while it runs. */
  word: string
  /** Why, one sentence each; for the tooltip and the outline. */
  reasons: string[]
  /** One line from the last run, such as `344 × 8`; for a stale step why it is. */
  summary: string | null
  /** How far it is while it runs, from 0 to 1; null where that is not known. */
  progress?: number | null
}

/** What a state means where there is no reason to tell. */
const MEANINGS: Record<Badge, string> = {
  draft: 'Something is still wrong with it.',
  ready: 'Nothing of it is in the cache: the next run comes to it.',
  cached: 'Its result is in the cache, and nothing that it depends on has changed.',
  queued: 'It waits for its turn.',
  running: 'It works now.',
  done: 'It ran, and its result is that of what is on screen.',
  failed: 'It could not do its work; its log says more.',
  blocked: 'A step before it failed.',
  stale: 'Its result is that of an earlier pipeline; the next run comes to it.',
  cancelled: 'You stopped the run.',
  interrupted: 'Its process ended.',
  skipped: 'Runs go past it.',
}
/** Reasons that a tooltip has room for. */
const MOST_REASONS = 5

/** Why a step has its state, a line each: its reasons, or else what the state means. */
export function hintOf({ badge, reasons }: Face): string {
  if (reasons.length === 0) return MEANINGS[badge]
  const shown = reasons.slice(0, MOST_REASONS)
  return (reasons.length > shown.length ? [...shown, `and ${reasons.length - shown.length} more`] : shown).join('\n')
}

/** What the faces are made from. */
export interface Known {
  doc: PipelineDoc
  problems: readonly Problem[]
  plan: PlanView | null
  run: RunDetail | null
}

/** The face of a step that a run goes past. */
export const SKIPPED: Face = { badge: 'skipped', word: 'Skipped', reasons: ['Runs go past it: what comes in goes on as it is.'], summary: null }

/** True while a run works or waits. */
export function isLive(run: RunDetail | null): boolean {
  return run !== null && (run.summary.state === 'queued' || run.summary.state === 'running')
}

/** The face of every step, by id. */
export function facesOf(known: Known): Map<string, Face> {
  const planned = new Map(known.plan?.steps.map((step) => [step.step, step]))
  const ran = new Map(known.run?.steps.map((step) => [step.step, step]))
  const wrong = wrongByStep(known.problems)
  const live = isLive(known.run)
  const behind = known.plan === null && !live ? behindChanges(known) : new Set<string>()
  return new Map(
    known.doc.steps.map((step) => {
      const isOne = step.kind !== COMPONENT
      const last = isOne ? ran.get(step.id) : ranAsOne(step.id, known.run?.steps ?? [])
      const next = isOne ? planned.get(step.id) : plannedAsOne(step.id, known.plan?.steps ?? [])
      const isSameAsRun = isUnchanged(step, known.run)
      if (live && last !== undefined) return [step.id, runFace(last)]
      const face = restFace(wrong.get(step.id) ?? [], next, last, isSameAsRun)
      return [step.id, behind.has(step.id) && (face.badge === 'done' || face.badge === 'cached') ? { ...face, ...BEHIND } : face]
    }),
  )
}

const BEHIND = { badge: 'stale', word: 'Stale', reasons: ['A step before it was changed.'] } satisfies Partial<Face>

// While a problem keeps the backend from planning, a result is still not that of what is on screen.
function behindChanges({ doc, run }: Known): Set<string> {
  if (run === null) return new Set()
  return downstreamOf(doc, doc.steps.filter((step) => !isUnchanged(step, run)).map(({ id }) => id))
}

/** The same, with the steps that are skipped. */
export function facesWithSkipped(known: Known): Map<string, Face> {
  const faces = facesOf(known)
  for (const id of skippedOf(known.doc)) faces.set(id, SKIPPED)
  return faces
}

function isUnchanged(step: StepDoc, run: RunDetail | null): boolean {
  // A run keeps the steps within a component and not the component: what changed in it, the plan says.
  if (step.kind === COMPONENT) return run?.doc.steps.some(({ id }) => isPartOf(step.id, id)) === true
  const old = run === null ? undefined : stepOf(run.doc, step.id)
  return old !== undefined && isSameWork(old, step)
}

/** The face of a step of a run, as the run has it. */
export function runFace(step: StepRunView): Face {
  const summary = step.summary
  const reasons = step.error === null ? step.reasons : [sentence(step.error.message)]
  switch (step.state) {
    case 'pending':
      return { badge: 'queued', word: 'Queued', reasons, summary }
    case 'running':
      return { badge: 'running', word: runningWord(step), reasons, summary: step.stage ?? summary, progress: step.progress }
    case 'cached':
      return { badge: 'cached', word: 'Cached', reasons, summary }
    case 'done':
      return { badge: 'done', word: 'Done', reasons, summary }
    case 'failed':
      return { badge: 'failed', word: 'Failed', reasons, summary: step.error === null ? summary : cause(step.step, step.error.message) }
    case 'blocked':
      return { badge: 'blocked', word: 'Blocked', reasons: orElse(reasons, 'A step before it failed.'), summary }
    case 'cancelled':
      return { badge: 'cancelled', word: 'Cancelled', reasons: orElse(reasons, 'You stopped the run.'), summary }
    case 'interrupted':
      return { badge: 'interrupted', word: 'Interrupted', reasons: orElse(reasons, 'Its process ended.'), summary }
  }
}

function runningWord(step: StepRunView): string {
  return step.progress === null ? 'Running' : `${Math.floor(100 * step.progress)} %`
}

function orElse(reasons: string[], sentence: string): string[] {
  return reasons.length > 0 ? reasons : [sentence]
}

function wrongByStep(problems: readonly Problem[]): Map<string, Problem[]> {
  const found = new Map<string, Problem[]>()
  for (const problem of problems) {
    if (problem.step === null || problem.isWarning) continue
    found.set(problem.step, [...(found.get(problem.step) ?? []), problem])
  }
  return found
}

// What a step is while nothing runs: its problems first, then what the last run and the plan say.
function restFace(
  wrong: readonly Problem[],
  planned: PlanView['steps'][number] | undefined,
  last: StepRunView | undefined,
  isSameAsRun: boolean,
): Face {
  const summary = last?.summary ?? null
  if (wrong.length > 0) {
    return { badge: 'draft', word: 'Draft', reasons: wrong.map((problem) => sentence(problem.message)), summary: wrong[0] === undefined ? null : cause(wrong[0].step ?? '', wrong[0].message) }
  }
  const isEnded = last !== undefined && (last.state === 'done' || last.state === 'cached')
  if (planned?.action === 'cached') {
    const isFresh = last?.state === 'done' && isSameAsRun
    return { badge: isFresh ? 'done' : 'cached', word: isFresh ? 'Done' : 'Cached', reasons: [], summary }
  }
  // A failure stays on show until the step is changed or run again.
  if (last !== undefined && isSameAsRun && !isEnded) {
    if (last.state === 'failed' || last.state === 'blocked') return runFace(last)
    if (last.state === 'cancelled' || last.state === 'interrupted') return runFace(last)
  }
  if (planned === undefined) {
    return isEnded && isSameAsRun ? runFace(last) : { badge: 'ready', word: 'Ready', reasons: [], summary }
  }
  const reasons = planned.reasons.map(reasonWords)
  if (isEnded) {
    const why = planned.action === 'pending' ? orElse(reasons, 'A step before it must run first.') : reasons
    return { badge: 'stale', word: 'Stale', reasons: why, summary: planned.reasons.map(shortReason)[0] ?? summary }
  }
  return { badge: 'ready', word: 'Ready', reasons, summary }
}

// On the step itself nobody needs to be told which one it is.
function cause(id: string, message: string): string {
  return ['step `', '`'].map((start) => `${start}${id}\` `).reduce((text, start) => (text.startsWith(start) ? text.slice(start.length) : text), message)
}

// A parameter with its two values is no sentence and needs none.
function reasonWords(reason: string): string {
  const short = shortReason(reason)
  return short === reason ? sentence(reason) : short
}

/** A message as a sentence: a capital first, a full stop last. */
export function sentence(message: string): string {
  const first = message.slice(0, 1)
  // A name in backticks keeps its letters.
  const start = first === '`' ? first : first.toUpperCase()
  const text = start + message.slice(1)
  return /[.!?…]$/.test(text) ? text : `${text}.`
}
