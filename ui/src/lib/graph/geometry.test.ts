import { describe, expect, it } from 'vitest'

import { contentBox } from './frames'
import { fittingView, freePlace, isSameView, nearestStep, shareInView, STEP_HEIGHT, STEP_WIDTH, zoomedBy } from './geometry'
import { chain, doc, step } from './testkit'

it('a zoom keeps the middle where it is, and ends where nothing could be found any more', () => {
  expect(zoomedBy({ x: 0, y: 0, zoom: 1 }, 0.5, 800, 600)).toEqual({ x: 200, y: 150, zoom: 0.5 })
  let view = { x: 10, y: 20, zoom: 1 }
  for (let turn = 0; turn < 40; turn += 1) view = zoomedBy(view, 0.8, 800, 600)
  expect(view.zoom).toBe(0.1)
  for (let turn = 0; turn < 40; turn += 1) view = zoomedBy(view, 1.25, 800, 600)
  expect(view.zoom).toBe(2)
})

describe('the places of steps', () => {
  it('the canvas opens with everything in the middle where it fits', () => {
    const view = fittingView(contentBox(chain()), 1400, 500)
    expect(view.zoom).toBe(1)
    expect(view.x).toBe((1400 - (792 + STEP_WIDTH)) / 2)
    expect(view.y).toBe((500 - STEP_HEIGHT) / 2)
    expect(fittingView(contentBox(doc()), 800, 400).zoom).toBe(1)
  })

  it('everything is in view however wide, high or far away the pipeline is', () => {
    const spread = doc(step('a', 'filter', {}, [100, -400]), step('b', 'filter', {}, [3_000, 40]), step('c', 'filter', {}, [900, 2_000]))
    for (const [width, height] of [[500, 400], [1200, 700], [400, 900]] as const) {
      const { x, y, zoom } = fittingView(contentBox(spread), width, height)
      for (const { position } of spread.steps) {
        expect(position[0] * zoom + x).toBeGreaterThanOrEqual(23.9)
        expect((position[0] + STEP_WIDTH) * zoom + x).toBeLessThanOrEqual(width - 23.9)
        expect(position[1] * zoom + y).toBeGreaterThanOrEqual(51.9)
        expect((position[1] + STEP_HEIGHT) * zoom + y).toBeLessThanOrEqual(height - 23.9)
      }
    }
  })

  it('the share of the steps in view goes by their middles', () => {
    const all = { x: -10, y: -10, width: 1100, height: 200 }
    expect(shareInView(chain(), all)).toBe(1)
    expect(shareInView(chain(), { ...all, width: 264 + STEP_WIDTH })).toBe(0.5)
    expect(shareInView(chain(), { ...all, width: STEP_WIDTH / 2 - 1 })).toBe(0)
    expect(shareInView(doc(), all)).toBe(1)
  })

  it('a view that moved by less than a pixel is the same', () => {
    expect(isSameView({ x: 10, y: 5, zoom: 0.5 }, { x: 10.4, y: 5, zoom: 0.5 })).toBe(true)
    expect(isSameView({ x: 10, y: 5, zoom: 0.5 }, { x: 10, y: 5, zoom: 0.52 })).toBe(false)
  })

  it('an arrow goes to the step in its direction and keeps to the row', () => {
    const graph = doc(step('here', 'filter', {}, [0, 0]), step('row', 'filter', {}, [500, 0]), step('nearer', 'filter', {}, [260, 240]), step('below', 'filter', {}, [0, 120]))
    expect(nearestStep(graph, 'here', 'right')).toBe('row')
    expect(nearestStep(graph, 'here', 'down')).toBe('below')
    expect(nearestStep(graph, 'here', 'left')).toBeNull()
  })

  it('a new step goes below what is in its place', () => {
    expect(freePlace(chain(), [2, 1])).toEqual([4, 104])
    expect(freePlace(chain(), [0, 500])).toEqual([0, 500])
  })
})
