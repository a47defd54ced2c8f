import { expect, it } from 'vitest'

import { moveFrame } from './frames'
import type { Place } from './geometry'
import { movesTo, placesAt, withPlaces } from './glide'
import { chain, doc, step } from './testkit'

const drawn = (pipeline = chain()): Map<string, Place> => new Map(pipeline.steps.map(({ id, position }) => [id, position]))

it('what stands elsewhere than it is drawn moves, what only snapped to the grid or is new does not', () => {
  const places = drawn()
  places.set('filter', [0, 0])
  places.set('impute', [526, 1])
  places.delete('forest')
  expect([...movesTo(chain(), places)]).toEqual([['filter', { from: [0, 0], to: [264, 0] }]])
})

it('a frame moves with what is in it', () => {
  const pipeline = { ...doc(step('a', 'filter', {}, [40, 60])), frames: [{ id: 'frame-1', title: '', note: '', tone: 'grey', box: [0, 0, 300, 200] }] } satisfies ReturnType<typeof chain>
  const moved = moveFrame(pipeline, 'frame-1', [100, 0]).change?.doc ?? pipeline
  const moves = movesTo(moved, new Map([['a', [40, 60]], ['frame-1', [0, 0]]]))
  expect([...moves.keys()]).toEqual(['a', 'frame-1'])
  const half = withPlaces(moved, placesAt(moves, 0))
  expect(half.frames?.[0]?.box).toEqual([0, 0, 300, 200])
  expect(half.steps[0]?.position).toEqual([40, 60])
})

it('a move begins where things are drawn, ends where they stand, and never turns back', () => {
  const moves = new Map([['a', { from: [0, 100] satisfies Place, to: [200, 0] satisfies Place }]])
  const xs = [0, 0.2, 0.4, 0.6, 0.8, 1].map((share) => placesAt(moves, share).get('a')?.[0] ?? NaN)
  expect([xs[0], xs.at(-1)]).toEqual([0, 200])
  expect(xs).toEqual([...xs].sort((a, b) => a - b))
  expect(placesAt(moves, 7).get('a')).toEqual([200, 0])
})

it('what is too much to follow is there at once', () => {
  const many = doc(...Array.from({ length: 500 }, (_, at) => step(`s${at}`, 'filter', {}, [at * 300, 0])))
  expect(movesTo(many, new Map(many.steps.map(({ id }) => [id, [0, 900]]))).size).toBe(0)
})

it('steps that do not move keep their object, so that they are not drawn again', () => {
  const pipeline = chain()
  const shown = withPlaces(pipeline, new Map([['filter', [1, 2]]]))
  expect(shown.steps[0]).toBe(pipeline.steps[0])
  expect(shown.steps[1]?.position).toEqual([1, 2])
})
