// A part of a pipeline by itself, as the outline shows it; the canvas shows the same steps.

import { fireEvent, screen, waitFor } from '@testing-library/svelte'
import { beforeEach, expect, it } from 'vitest'

import { allCommands, runCommand } from '../../lib/keys'
import { violations } from '../../test/axe'
import { openOutline, startAnew } from '../../test/outline'
import '../../test/patience'
import './Pipelines.svelte'

const rows = (): string[] => [...document.querySelectorAll('[data-row]')].map((row) => row.getAttribute('data-row') ?? '')
const press = (key: string): Promise<boolean> => fireEvent.keyDown(document.activeElement ?? document.body, { key })

beforeEach(startAnew)

it('N shows what is around the selected step, wider by a full stop and narrower by a comma', async () => {
  await openOutline()
  await press('n')
  await waitFor(() => expect(rows()).toEqual(['split', 'impute', 'encode', 'linear', 'forest', 'boosting', 'evaluate_linear', 'evaluate_forest', 'evaluate_boosting']))
  expect(screen.getByTestId('focus-count').textContent).toBe('9 of 13 on show')
  expect(await violations()).toEqual([])
  await press(',')
  await waitFor(() => expect(rows()).toEqual(['impute', 'encode', 'linear', 'forest', 'boosting']))
  await press('.')
  await press('.')
  await waitFor(() => expect(rows()).toContain('best'))
  const keys = allCommands().filter(({ id }) => id.startsWith('focus.')).map(({ id, keys: pressed }) => `${id} ${pressed?.join(' ') ?? ''}`)
  expect(keys).toEqual(['focus.on N', 'focus.more .', 'focus.less ,', 'focus.leave Shift+N Escape'])
})

it('Escape first selects nothing and then shows all steps again', async () => {
  await openOutline()
  await press('n')
  await waitFor(() => expect(rows()).toHaveLength(9))
  await press('Escape')
  await waitFor(() => expect(document.querySelector('tr[aria-selected=true]')).toBeNull())
  expect(rows()).toHaveLength(9)
  await press('Escape')
  await waitFor(() => expect(rows()).toHaveLength(13))
  expect(screen.queryByTestId('focus-bar')).toBeNull()
})

it('everything that is selected is on show, so nothing is deleted unseen', async () => {
  await openOutline()
  await press('n')
  await press(',')
  await waitFor(() => expect(rows()).toHaveLength(5))
  expect(runCommand('edit.selectAll')).toBe(true)
  await waitFor(() => expect(document.querySelectorAll('tr[aria-selected=true]')).toHaveLength(5))
  expect(runCommand('edit.selectAfter')).toBe(true)
  await waitFor(() => expect(rows()).toEqual(expect.arrayContaining(['best', 'register'])))
  expect(document.querySelectorAll('tr[aria-selected=true]')).toHaveLength(rows().length)
})

it('a deleted step that all was around gives the whole back', async () => {
  await openOutline()
  await press('n')
  await waitFor(() => expect(rows()).toHaveLength(9))
  expect(runCommand('edit.delete')).toBe(true)
  await waitFor(() => expect(rows()).toHaveLength(12))
})
