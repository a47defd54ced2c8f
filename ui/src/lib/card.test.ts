import { expect, it } from 'vitest'

import type { ClaimView } from '../host/bindings'
import { broughtUpToDate, saidAs } from './card'

const claim = (query: string, said: string, now: string | null): ClaimView => ({ line: 1, query, said, now, isStale: said !== now })
const TEXT = `# penguins

AUC is {{metric.auc = 0.9}} on
**{{data.rows = 3}}** rows of \`data\`.

- first {{version = 1}}
- second
  goes on
## Limits
<!-- Where it is
wrong. -->
`
const CLAIMS = [claim('metric.auc', '0.9', '0.95123456'), claim('data.rows', '3', '3'), claim('version', '1', null)]

it('only stale claims with an answer are brought up to date', () => {
  expect(broughtUpToDate(TEXT, CLAIMS)).toBe(TEXT.replace('= 0.9}}', '= 0.95123}}'))
  expect(['0.95123456', '344', 'boosting', '1.25e-7', '184320'].map(saidAs)).toEqual(['0.95123', '344', 'boosting', '1.25e-7', '184320'])
})
