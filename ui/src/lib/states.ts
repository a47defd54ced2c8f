// Every state something can be in, with its word and its tone. The icon goes with the look.

export type Tone = 'neutral' | 'info' | 'success' | 'warning' | 'danger'

/** Which of the few shapes stands beside the word, so that colour never speaks alone. */
export type Shape = 'clock' | 'spinner' | 'check' | 'cross' | 'stop' | 'cached' | 'blocked' | 'dot' | 'warning' | 'stale' | 'pencil' | 'skip'

export type StateLook = { word: string; tone: Tone; shape: Shape }

const LOOKS: Record<string, StateLook> = {
  // jobs, runs, steps
  queued: { word: 'Queued', tone: 'neutral', shape: 'clock' },
  pending: { word: 'Waiting', tone: 'neutral', shape: 'clock' },
  running: { word: 'Running', tone: 'info', shape: 'spinner' },
  done: { word: 'Done', tone: 'success', shape: 'check' },
  cached: { word: 'Cached', tone: 'success', shape: 'cached' },
  failed: { word: 'Failed', tone: 'danger', shape: 'cross' },
  cancelled: { word: 'Cancelled', tone: 'neutral', shape: 'stop' },
  interrupted: { word: 'Interrupted', tone: 'warning', shape: 'warning' },
  blocked: { word: 'Blocked', tone: 'neutral', shape: 'blocked' },
  stale: { word: 'Stale', tone: 'warning', shape: 'stale' },
  ready: { word: 'Ready', tone: 'neutral', shape: 'dot' },
  skipped: { word: 'Skipped', tone: 'neutral', shape: 'skip' },
  paused: { word: 'Paused', tone: 'neutral', shape: 'stop' },
  pruned: { word: 'Given up', tone: 'neutral', shape: 'skip' },
  draft: { word: 'Draft', tone: 'neutral', shape: 'pencil' },
  // deployments and their revisions
  starting: { word: 'Starting', tone: 'info', shape: 'spinner' },
  healthy: { word: 'Healthy', tone: 'success', shape: 'check' },
  unhealthy: { word: 'Unhealthy', tone: 'danger', shape: 'warning' },
  stopped: { word: 'Stopped', tone: 'neutral', shape: 'stop' },
  superseded: { word: 'Superseded', tone: 'neutral', shape: 'stale' },
  // checks and drift
  passed: { word: 'Passed', tone: 'success', shape: 'check' },
  warning: { word: 'Warning', tone: 'warning', shape: 'warning' },
  none: { word: 'No drift', tone: 'success', shape: 'check' },
  alarm: { word: 'Alarm', tone: 'danger', shape: 'warning' },
}

/** The look of a state; one we do not know is shown by its own name. */
export function stateLook(state: string): StateLook {
  return LOOKS[state] ?? { word: state.charAt(0).toUpperCase() + state.slice(1), tone: 'neutral', shape: 'dot' }
}
