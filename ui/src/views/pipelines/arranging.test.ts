// How steps stand on the canvas, without a pointer: by numbers, pinned, tidied up.

import { fireEvent, screen, waitFor, within } from '@testing-library/svelte'
import { beforeEach, expect, it } from 'vitest'

import type { PipelineDoc } from '../../host/bindings'
import type { MockTransport } from '../../host/mock'
import { runCommand } from '../../lib/keys'
import { violations } from '../../test/axe'
import { openOutline, startAnew } from '../../test/outline'
import '../../test/patience'
import './Pipelines.svelte'

beforeEach(startAnew)

/** Where the steps stand in what was saved last. */
function saved(host: MockTransport): Record<string, [number, number]> {
  const last = host.calls.filter((one) => one.name === 'pipeline.save').at(-1)?.payload as { doc: PipelineDoc } | undefined
  return Object.fromEntries((last?.doc.steps ?? []).map((step) => [step.id, step.position]))
}

it('a step is moved by numbers, which snap to the grid, and an undo moves it back', async () => {
  const host = await openOutline()
  const place = within(screen.getByTestId('inspector-place'))
  const before = (place.getByTestId('place-left') as HTMLInputElement).value
  await fireEvent.change(place.getByTestId('place-left'), { target: { value: '2001' } })
  await waitFor(() => expect(saved(host).encode?.[0]).toBe(2000))
  expect(await violations()).toEqual([])
  runCommand('edit.undo')
  await waitFor(() => expect(saved(host).encode?.[0]).toBe(Number(before)))
})

it('a pinned step stays where it is when all are tidied up, and goes along once it is let go', async () => {
  const host = await openOutline()
  await fireEvent.change(screen.getByTestId('place-top'), { target: { value: '2000' } })
  await waitFor(() => expect(saved(host).encode?.[1]).toBe(2000))
  await fireEvent.click(screen.getByTestId('inspector-pin'))
  await waitFor(() => expect(screen.getByTestId('inspector-pin').textContent).toContain('Unpin'))
  runCommand('pipeline.tidy')
  await waitFor(() => expect(saved(host).impute?.[1]).toBeGreaterThan(1000))
  expect(saved(host).encode?.[1]).toBe(2000)
  expect(runCommand('edit.pin')).toBe(true)
  runCommand('pipeline.tidy')
  await waitFor(() => expect(saved(host).encode?.[1]).toBeLessThan(1000))
})
