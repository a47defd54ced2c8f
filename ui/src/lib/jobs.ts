// What is said of a job that is on its way.

import type { JobView } from '../host/bindings'
import { bytes, count } from './format'

/** Stages of jobs that count bytes, and such that count rows. */
const OF_BYTES = ['downloading', 'storing']
const OF_ROWS = ['reading rows']

/** How much is done, where the stage counts something that people know; empty elsewhere. */
export function amountWords({ stage, done, total }: Pick<JobView, 'stage' | 'done' | 'total'>): string {
  const words = stage === null ? null : OF_BYTES.includes(stage) ? bytes : OF_ROWS.includes(stage) ? count : null
  if (words === null || (done === 0 && total === null)) return ''
  return total === null ? words(done) : `${words(done)} of ${words(total)}`
}
