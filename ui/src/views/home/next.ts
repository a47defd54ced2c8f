// The next thing to do, in words.

import type { NextStep } from '../../host/bindings'
import { href } from '../../lib/router'

export type NextWords = { title: string; text: string; button: string; to: string | null }

export function nextWords(next: NextStep): NextWords {
  switch (next.type) {
    case 'import':
      return { title: 'Bring in your data', text: 'Drop a table anywhere in this window: CSV, Excel, Parquet, JSON, SQLite and more. It is read, profiled and versioned at once.', button: 'Import data…', to: null }
    case 'build_pipeline':
      return { title: `Build a pipeline for ${next.dataset}`, text: 'The data is here and its target is known. One click makes a pipeline that splits, prepares, trains three models and compares them.', button: 'Open dataset', to: href('data', [next.dataset]) }
    case 'run_pipeline':
      return { title: `Run ${next.pipeline}`, text: 'The pipeline is ready. Running it trains and compares its models.', button: 'Open pipeline', to: href('pipelines', [next.pipeline]) }
    case 'promote':
      return { title: `Promote ${next.model} v${next.version}`, text: 'It is registered and evaluated. See what its checks say, and make it the production version.', button: 'Open model', to: href('models', [next.model], { version: next.version }) }
    case 'deploy':
      return { title: `Deploy ${next.model} v${next.version}`, text: 'It is the production version and nothing serves it yet. An endpoint on this computer takes a few seconds.', button: 'Open model', to: href('models', [next.model], { version: next.version }) }
    case 'watch':
      return { title: `Watch ${next.deployment}`, text: 'The endpoint answers. Its monitor compares what comes in with what the model was trained on.', button: 'Open monitor', to: href('monitor', [next.deployment]) }
  }
}
