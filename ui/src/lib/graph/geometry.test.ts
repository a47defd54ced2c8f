import { describe, expect, it } from 'vitest'

import { freePlace, isAnyInView, nearestStep, openingView, STEP_HEIGHT, STEP_WIDTH } from './geometry'
import { chain, doc, step } from './testkit'

describe('the places of steps', () => {
  it('the canvas opens with everything in the middle where it fits', () => {
    const view = openingView(chain(), 1400, 500)
    expect(view.zoom).toBe(1)
    expect(view.x).toBe((1400 - (792 + STEP_WIDTH)) / 2)
    expect(view.y).toBe((500 - STEP_HEIGHT) / 2)
  })

  it('a wide pipeline opens at its beginning rather than too small to read', () => {
    const wide = doc(step('a', 'filter', {}, [100, 40]), step('z', 'filter', {}, [9_000, 40]))
    const view = openingView(wide, 800, 400)
    expect(view.zoom).toBe(0.34)
    expect(100 * view.zoom + view.x).toBeCloseTo(24)
    expect(openingView(doc(), 800, 400).zoom).toBe(1)
  })

  it('nothing in view is noticed, and the edge of a step is something', () => {
    expect(isAnyInView(chain(), { x: -300, y: -300, width: 200, height: 200 })).toBe(false)
    expect(isAnyInView(chain(), { x: -300, y: -300, width: 301, height: 301 })).toBe(true)
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
