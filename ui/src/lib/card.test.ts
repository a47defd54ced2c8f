import { expect, it } from 'vitest'

import type { ClaimView } from '../host/bindings'
import { blocksOf, broughtUpToDate, saidAs } from './card'

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

it('a card falls into headings, paragraphs, lists and what nobody has answered yet', () => {
  const blocks = blocksOf(TEXT, CLAIMS)
  expect(blocks.map((block) => block.as)).toEqual(['heading', 'text', 'list', 'heading', 'prompt'])
  expect(blocks[4]).toEqual({ as: 'prompt', text: 'Where it is wrong.', line: 10 })
  expect(blocks[2]).toMatchObject({ items: [[{ text: 'first ' }, { as: 'claim', claim: { query: 'version' } }], [{ text: 'second goes on' }]] })
})

it('claims keep their order, and code is told from words', () => {
  const [, text] = blocksOf(TEXT, CLAIMS)
  const pieces = text?.as === 'text' ? text.pieces : []
  expect(pieces.map((piece) => (piece.as === 'claim' ? piece.claim.query : `${piece.as}:${piece.text}`))).toEqual(['text:AUC is ', 'metric.auc', 'text: on ', 'data.rows', 'text: rows of ', 'code:data', 'text:.'])
})

it('a claim in code is a claim, and one in a comment is passed over', () => {
  const blocks = blocksOf('<!-- {{a = 1}} -->\nA model of `{{target = species}}`, **sure**.', [claim('a', '1', '1'), claim('target', 'species', 'species')])
  expect(blocks[1]).toMatchObject({ pieces: [{ text: 'A model of ' }, { as: 'claim', claim: { query: 'target' } }, { text: ', ' }, { as: 'strong', text: 'sure' }, { text: '.' }] })
})

it('a comment on one line, an unclosed one and an empty text are read too', () => {
  expect(blocksOf('<!-- who -->', [])).toEqual([{ as: 'prompt', text: 'who', line: 1 }])
  expect(blocksOf('a\n<!-- never closed', [])).toEqual([{ as: 'text', pieces: [{ as: 'text', text: 'a' }] }])
  expect(blocksOf('', [])).toEqual([])
})

it('only stale claims with an answer are brought up to date', () => {
  expect(broughtUpToDate(TEXT, CLAIMS)).toBe(TEXT.replace('= 0.9}}', '= 0.95123}}'))
  expect(['0.95123456', '344', 'boosting', '1.25e-7', '184320'].map(saidAs)).toEqual(['0.95123', '344', 'boosting', '1.25e-7', '184320'])
})
