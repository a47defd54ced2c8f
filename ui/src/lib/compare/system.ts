// Metrics of the machine, by the names that MLflow gives them.

const START = 'system/'

/** True for a metric of the machine and not of the model. */
export function isSystem(metric: string): boolean {
  return metric.startsWith(START)
}

const WORDS: Record<string, string> = { cpu: 'CPU', gpu: 'GPU', percentage: '%', megabytes: 'MB', bytes: 'bytes', max: 'most' }

/** `CPU utilization, %`. */
export function systemTitle(metric: string): string {
  const words = metric.slice(START.length).split('_')
  const unit = words.at(-1) === 'percentage' || words.at(-1) === 'megabytes' ? words.pop() : undefined
  const title = words.map((word) => WORDS[word] ?? word).join(' ')
  return `${title.charAt(0).toUpperCase()}${title.slice(1)}${unit === undefined ? '' : `, ${WORDS[unit]}`}`
}
