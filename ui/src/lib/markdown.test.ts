import { expect, it } from 'vitest'

import { claim, CLAIMS, TEXT } from '../test/card'
import { blocksOf, firstLine } from './markdown'

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

it('lists with numbers, fenced code, emphasised words and addresses are read as Markdown has them', () => {
  const blocks = blocksOf('1. one\n2) two\n- three\n```sql\nselect *\n  from t\n```\nSee [the page](https://example.org/a_b) or https://example.org, *now* and _then_.')
  expect(blocks.map((block) => block.as)).toEqual(['list', 'list', 'code', 'text'])
  expect(blocks[0]).toMatchObject({ isOrdered: true, items: [[{ text: 'one' }], [{ text: 'two' }]] })
  expect(blocks[1]).toMatchObject({ isOrdered: false })
  expect(blocks[2]).toEqual({ as: 'code', text: 'select *\n  from t' })
  expect(blocks[3]).toEqual({
    as: 'text',
    pieces: [
      { as: 'text', text: 'See ' }, { as: 'link', text: 'the page', href: 'https://example.org/a_b' }, { as: 'text', text: ' or ' },
      { as: 'link', text: 'https://example.org', href: 'https://example.org' }, { as: 'text', text: ', ' }, { as: 'emphasis', text: 'now' },
      { as: 'text', text: ' and ' }, { as: 'emphasis', text: 'then' }, { as: 'text', text: '.' },
    ],
  })
})

it('names with underscores, products of numbers and what is no address of the web stay words', () => {
  const words = 'fit bill_length_mm and body_mass_g, 3 * 4 * 5, [run](javascript:alert(1)) <b onclick="x">'
  expect(blocksOf(words)).toEqual([{ as: 'text', pieces: [{ as: 'text', text: words }] }])
})

it('claims within fenced code are passed over, so the next ones keep theirs', () => {
  const blocks = blocksOf('```\n{{a = 1}}\n```\nIt is {{b = 2}}.', [claim('a', '1', '1'), claim('b', '2', '2')])
  expect(blocks[1]).toMatchObject({ pieces: [{ text: 'It is ' }, { claim: { query: 'b' } }, { text: '.' }] })
})

it('the first line of a text has its words without their marks', () => {
  expect(firstLine('<!-- ask -->\n\n## The **clean** part\n\nmore')).toBe('The clean part')
  expect(firstLine('- `age` first\n- second')).toBe('age first')
  expect(firstLine('\n')).toBe('')
})
