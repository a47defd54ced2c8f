import { expect, it } from 'vitest'

import { levelAt } from './detail'
import { STEP_HEIGHT } from './geometry'

it('near by everything is drawn, far away the title alone, and then an icon', () => {
  expect([1, 0.7, 0.5, 0.34, 0.3, 0.2, 0.12].map((zoom) => levelAt(zoom).detail)).toEqual(['full', 'title', 'brief', 'brief', 'name', 'name', 'dot'])
})

it('a title can be read at every zoom at which it is drawn, within its step', () => {
  for (let zoom = 2; zoom >= 0.1; zoom -= 0.01) {
    const { detail, titleSize } = levelAt(zoom)
    if (detail === 'dot') continue
    expect(titleSize * zoom).toBeGreaterThanOrEqual(9)
    const lines = detail === 'brief' ? 2 : 1
    expect(titleSize * 1.15 * lines).toBeLessThanOrEqual(STEP_HEIGHT)
  }
})
