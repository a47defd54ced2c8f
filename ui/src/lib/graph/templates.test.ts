import { expect, it } from 'vitest'

import { kinds as declared } from '../../host/mock/kinds'
import { addStep } from './commands'
import { indexKinds } from './kinds'
import { searchKinds } from './palette'
import { entryOf, entryTitle, withTemplates } from './templates'

const kinds = indexKinds(declared)

it('a template is found by its name and that of its kind', () => {
  const found = (text: string): string[] => searchKinds(withTemplates(kinds), text).map((match) => match.kind.kind)
  expect(found('scikit')[0]).toBe('python#sklearn')
  expect(found('shell')).toContain('command#shell')
})

it('an entry is a kind with the parameters of its template', () => {
  expect(entryOf(kinds, 'split')).toEqual({ kind: 'split', name: 'split', params: {} })
  expect(entryOf(kinds, 'command#r').params).toMatchObject({ outputs: ['fitted'] })
  expect(entryTitle(kinds, 'command#r')).toBe('R script')
  expect(entryTitle(kinds, 'split')).toBe('Split')
})

it('a step from a template has its name, parameters and ports', () => {
  const made = addStep({ name: 'p', steps: [] }, kinds, 'command#r', [0, 0], { type: 'none' }).change
  expect(made?.doc.steps[0]).toMatchObject({ id: 'r', kind: 'command', params: { outputs: ['fitted'] } })
  expect(made?.label).toBe('Add R script')
})
