import { expect, it } from 'vitest'

import { opensOnWelcome } from './opening'

const first = { isWelcomed: false }
const empty = { datasets: 0, pipelines: 0, models: 0 }

it('the first start of an empty workspace opens on Welcome', () => {
  expect(opensOnWelcome('', first, [])).toBe(true)
  expect(opensOnWelcome('#/', first, [])).toBe(true)
})

it('a project with nothing in it is no content', () => {
  expect(opensOnWelcome('', first, [empty, empty])).toBe(true)
})

it.each(['datasets', 'pipelines', 'models'])('%s in any project are shown on Home, also on the first start', (what) => {
  expect(opensOnWelcome('', first, [empty, { ...empty, [what]: 1 }])).toBe(false)
})

it('whoever has seen Welcome is not sent there again', () => {
  expect(opensOnWelcome('', { isWelcomed: true }, [])).toBe(false)
})

it('an address that was asked for is opened, also on the first start', () => {
  expect(opensOnWelcome('#/home', first, [])).toBe(false)
  expect(opensOnWelcome('#/data/penguins', first, [])).toBe(false)
})
