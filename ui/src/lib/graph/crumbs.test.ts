import { expect, it } from 'vitest'

import { crumbText, readCrumbs } from './crumbs'

it('the way into a component is written and read back', () => {
  const way = [{ pipeline: 'churn-2', step: 'clean' }, { pipeline: 'tidy', step: 'inner' }]
  expect(crumbText(way)).toBe('churn-2.clean/tidy.inner')
  expect(readCrumbs('churn-2.clean/tidy.inner')).toEqual(way)
})

it('no way is none, and what was typed by hand does no harm', () => {
  expect(crumbText([])).toBeNull()
  expect(readCrumbs(undefined)).toEqual([])
  expect(readCrumbs('a/b./.c/d.e.f//x.y')).toEqual([{ pipeline: 'x', step: 'y' }])
  expect(readCrumbs('a.b/'.repeat(50))).toHaveLength(8)
})
