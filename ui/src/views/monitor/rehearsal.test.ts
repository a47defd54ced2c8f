import { expect, it } from 'vitest'
import { readRehearsal, rehearsalSentences } from './rehearsal'

const result = {
  candidate: 3, champion: 1, rows: 400, changed: 20, meanChange: 0.04, metricTitle: 'Accuracy', labelled: 300, championValue: 0.81, candidateValue: 0.962,
  moves: [{ from: 'Adelie', to: 'Gentoo', rows: 12 }], groups: [{ name: '`island` is `Dream`', rows: 90, value: 0.2, isWorse: true }], flipped: [], championUs: [41.2, 60], candidateUs: [38.4, 55],
}

it('reads a rehearsal as the engine writes it and says what would change', () => {
  const read = readRehearsal(result)
  expect(read?.moves).toEqual(['Adelie → Gentoo: 12 rows'])
  expect(read?.groups).toEqual([{ name: 'island is Dream', rows: 90, value: 0.2, isWorse: true }])
  expect(read && rehearsalSentences(read)).toEqual([
    'Version 3 would answer 20 of 400 rows otherwise (5 %).',
    'Accuracy 0.962 against 0.81 on 300 labelled rows.',
    'The model alone takes 38.4 µs a row, 41.2 µs before.',
  ])
})

it('says nothing of quality that is not known and refuses what is none', () => {
  const read = readRehearsal({ ...result, championValue: null })
  expect(read && rehearsalSentences(read)).toHaveLength(2)
  expect([readRehearsal(null), readRehearsal({ rows: 1 })]).toEqual([null, null])
})
