// An address whose object is gone: the page says what the server says, and leads back to the list.

import { render, screen } from '@testing-library/svelte'
import type { Component } from 'svelte'
import { beforeEach, expect, it } from 'vitest'

import type { Commands } from '../host/bindings'
import { useTransport } from '../host/host'
import { mock } from '../host/mock'
import { parseRoute, type Route } from '../lib/router'
import { violations } from '../test/axe'
import Data from './data/Data.svelte'
import Deployments from './deployments/Deployments.svelte'
import Models from './models/Models.svelte'
import Monitor from './monitor/Monitor.svelte'
import Pipelines from './pipelines/Pipelines.svelte'
import Runs from './runs/Runs.svelte'

type Case = { address: string; view: Component<{ route: Route }>; command: keyof Commands; back: string }

const cases: Case[] = [
  { address: '#/runs/unknown', view: Runs, command: 'run.show', back: '#/runs' },
  { address: '#/runs/unknown/compare', view: Runs, command: 'run.compare', back: '#/runs' },
  { address: '#/runs/compare?runs=unknown', view: Runs, command: 'run.compare', back: '#/runs' },
  { address: '#/data/unknown', view: Data, command: 'dataset.show', back: '#/data' },
  { address: '#/pipelines/unknown', view: Pipelines, command: 'pipeline.show', back: '#/pipelines' },
  { address: '#/models/unknown', view: Models, command: 'model.show', back: '#/models' },
  { address: '#/models/species/99', view: Models, command: 'model.version', back: '#/models/species' },
  { address: '#/deployments/unknown', view: Deployments, command: 'deployment.show', back: '#/deployments' },
  { address: '#/monitor/unknown', view: Monitor, command: 'monitor.status', back: '#/monitor' },
]

/** Failures as the daemon sends them, and as the window does, which leaves out what is empty. */
const forms = [
  { form: 'whole', failure: { code: 'not_found', message: 'there is no `unknown`', hint: null, causes: [] } },
  { form: 'short', failure: { code: 'not_found', message: 'there is no `unknown`' } },
]

beforeEach(() => {
  document.body.innerHTML = ''
})

it.each(cases.flatMap((one) => forms.map((form) => ({ ...one, ...form }))))('$address shows the $form failure of $command and the way back', async ({ address, view, command, back, failure }) => {
  location.hash = address
  useTransport(mock({ [command]: () => { throw failure } }))
  const target = document.body.appendChild(document.createElement('main'))
  render(view, { target, props: { route: parseRoute(address) } })
  const alert = await screen.findByRole('alert')
  expect(alert.textContent).toContain('There is no unknown.')
  expect([...alert.querySelectorAll('a')].map((link) => link.getAttribute('href'))).toContain(back)
  expect(await violations()).toEqual([])
})
