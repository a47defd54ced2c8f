// Why a step will run, or need not: what the backend explains, in the order and words of the screen.

import type { ChangeView, ExplainedStep } from '../../host/bindings'
import { shortReason } from './planning'

/** A line of the explanation: two values with an arrow between, or a sentence. */
export type WhyLine = { type: 'values'; name: string; before: string; after: string } | { type: 'words'; text: string }

/** What is said of a step: a headline, the causes, and what only explains them. */
export type Why = { title: string; causes: WhyLine[]; others: WhyLine[] }

const TITLES: Record<ExplainedStep['action'], string> = {
  cached: 'Its result is there: nothing to run',
  skipped: 'It is skipped: a run goes past it',
  run: 'Will run',
  pending: 'May run',
}

/** The explanation of a step. */
export function whyOf(step: ExplainedStep): Why {
  return {
    title: TITLES[step.action],
    causes: step.changes.filter((change) => change.isCause).map(lineOf),
    others: step.changes.filter((change) => !change.isCause).map(lineOf),
  }
}

// What has two values is read at a glance; hashes and the like say nothing and leave it to the sentence.
function lineOf(change: ChangeView): WhyLine {
  const isValue = change.what === 'parameter' || change.what === 'dataset' || change.what === 'version'
  if (!isValue || (change.before === null && change.after === null)) return { type: 'words', text: shortReason(change.text) }
  return { type: 'values', name: change.name, before: valueWords(change, change.before), after: valueWords(change, change.after) }
}

function valueWords({ what }: ChangeView, value: string | null): string {
  if (value === null) return 'not set'
  if (what === 'parameter') return value.replace(/^"(.*)"$/, '$1')
  return /^\d+$/.test(value) ? `v${value}` : value
}
