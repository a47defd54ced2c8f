import { expect, it } from 'vitest'

import { pastQueries, rememberQuery, tableName, toStep } from './sql'

it('a plain name stays bare, any other is quoted', () => {
  expect(['penguins', 'order', 'my data', 'A', 'a"b', '2024'].map(tableName)).toEqual(['penguins', '"order"', '"my data"', '"A"', '"a""b"', '"2024"'])
})

const datasets = ['penguins', 'my data']

it.each([
  ['select * from penguins', 'select * from t', [{ dataset: 'penguins', version: null }]],
  ['select * from "penguins@2" p', 'select * from t p', [{ dataset: 'penguins', version: '2' }]],
  ['select penguins.sex from penguins', 'select t.sex from t', [{ dataset: 'penguins', version: null }]],
  ['select * from "my data" join penguins on penguins.a = b.penguins', 'select * from t join t1 on t1.a = b.penguins', [{ dataset: 'my data', version: null }, { dataset: 'penguins', version: null }]],
  ["select 'from penguins' from penguins -- from penguins", "select 'from penguins' from t -- from penguins", [{ dataset: 'penguins', version: null }]],
  ['select * from elsewhere', 'select * from elsewhere', []],
])('%s becomes a step', (sql, query, tables) => {
  expect(toStep(sql, datasets)).toEqual({ query, tables })
})

it('the last twenty queries are kept, each once, newest first', () => {
  const kept = new Map<string, string>()
  const shelf = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) }
  for (let at = 0; at < 25; at += 1) rememberQuery(`select ${at}`, shelf)
  rememberQuery('select 20', shelf)
  expect(pastQueries(shelf).length).toBe(20)
  expect(pastQueries(shelf).slice(0, 2)).toEqual(['select 20', 'select 24'])
  shelf.setItem('fettle.queries', '{broken')
  expect(pastQueries(shelf)).toEqual([])
})
