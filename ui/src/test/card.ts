// A card with claims, for tests of what reads and writes it.

import type { ClaimView } from '../host/bindings'

export const claim = (query: string, said: string, now: string | null): ClaimView => ({ line: 1, query, said, now, isStale: said !== now })

export const TEXT = `# penguins

AUC is {{metric.auc = 0.9}} on
**{{data.rows = 3}}** rows of \`data\`.

- first {{version = 1}}
- second
  goes on
## Limits
<!-- Where it is
wrong. -->
`

export const CLAIMS = [claim('metric.auc', '0.9', '0.95123456'), claim('data.rows', '3', '3'), claim('version', '1', null)]
