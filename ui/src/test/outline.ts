// The outline of a pipeline in the whole app, for tests of what is done with its steps.

import { fireEvent, render, screen } from '@testing-library/svelte'

import App from '../app/App.svelte'
import { useTransport } from '../host/host'
import { mock, type MockTransport } from '../host/mock'
import { shell } from '../parts/shell.svelte'

/** Forgets what was drawn and stored before, and shows the inspector. */
export function startAnew(): void {
  document.body.innerHTML = ''
  localStorage.clear()
  shell.toggleInspector(true)
}

/** Opens the outline of `species` with the step `encode` selected. */
export async function openOutline(): Promise<MockTransport> {
  const host = mock()
  host.world.pace = 0
  useTransport(host)
  location.hash = '#/pipelines/species?view=outline'
  await new Promise((resolve) => setTimeout(resolve, 20))
  render(App)
  await fireEvent.click(await screen.findByTestId('row-encode'))
  await screen.findByTestId('inspector-id')
  return host
}
