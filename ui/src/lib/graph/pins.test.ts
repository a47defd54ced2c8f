import { expect, it } from 'vitest'

import { deleteSteps, renameStep } from './commands'
import { followPins, keepPins, recallPins, togglePins } from './pins'
import { chain } from './testkit'
import type { Storage } from './vault'

function storage(values: Record<string, string> = {}): Storage {
  return { getItem: (key) => values[key] ?? null, setItem: (key, value) => void (values[key] = value), removeItem: (key) => void delete values[key] }
}

it('pins are kept per pipeline, without steps that are gone', () => {
  const store = storage()
  keepPins(store, 'p.a', new Set(['filter', 'gone']))
  expect([...recallPins(store, 'p.a', chain())]).toEqual(['filter'])
  expect(recallPins(store, 'p.b', chain()).size).toBe(0)
})

it('a storage that holds anything, or refuses, pins nothing', () => {
  expect(recallPins(storage({ 'fettle.pins.p': '{"a":' }), 'p', chain()).size).toBe(0)
  expect(recallPins(storage({ 'fettle.pins.p': '[1, null, "filter"]' }), 'p', chain())).toEqual(new Set(['filter']))
  const full: Storage = { ...storage(), setItem: () => { throw new Error('full') } }
  expect(() => keepPins(full, 'p', new Set(['filter']))).not.toThrow()
})

it('steps are pinned together, and let go once all of them are', () => {
  const both = togglePins(new Set(['filter']), ['filter', 'impute'])
  expect([...both]).toEqual(['filter', 'impute'])
  expect(togglePins(both, ['filter', 'impute']).size).toBe(0)
})

it('a pin follows a step to its new id, and waits for one that was deleted', () => {
  const pins = new Set(['filter'])
  const renamed = renameStep(chain(), 'filter', 'adults').change?.doc ?? chain()
  expect([...followPins(pins, chain(), renamed)]).toEqual(['adults'])
  const deleted = deleteSteps(chain(), ['filter']).change?.doc ?? chain()
  expect(followPins(pins, chain(), deleted)).toBe(pins)
})
