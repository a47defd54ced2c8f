import { fireEvent, render, screen, waitFor } from '@testing-library/svelte'
import { describe, expect, it } from 'vitest'
import { useTransport } from '../../host/host'
import { mock, type MockTransport } from '../../host/mock'
import { answers as models } from '../../host/mock/models'
import { failure, type Answers } from '../../host/mock/world'
import type { Platform } from '../../host/transport'
import { parseRoute } from '../../lib/router'
import { violations } from '../../test/axe'
import '../../test/patience'
import Models from './Models.svelte'

function open(hash: string, answers: Answers = {}, platform: Partial<Platform> = {}): MockTransport {
  location.hash = hash
  const transport = mock(answers, platform)
  transport.world.pace = 0
  useTransport(transport)
  render(Models, { route: parseRoute(hash) })
  return transport
}

const asked = (host: MockTransport, name: string) => host.calls.filter((one) => one.name === name).map((one) => one.payload)

describe('the list of models', () => {
  it('shows what is in production and what serves it', async () => {
    open('#/models')
    const table = await screen.findByTestId('models-table')
    expect(table.textContent).toContain('production v1')
    expect(await violations()).toEqual([])
  })

  it('leads on when it is empty', async () => {
    open('#/models', { 'model.list': () => [] })
    expect(await screen.findByTestId('models-empty')).toBeTruthy()
    expect(await violations()).toEqual([])
  })
})

it('lists the versions of a model and who moved its aliases', async () => {
  open('#/models/species')
  expect((await screen.findByTestId('model-history')).textContent).toContain('agreed with Ada')
  expect(await violations()).toEqual([])
})

describe('a version', () => {
  it('says how exactly its package scores as the run did', async () => {
    open('#/models/species/2')
    expect((await screen.findByTestId('version-parity')).textContent).toBe('The package scores as the run did: max difference 2.98e-8 over 69 rows.')
    expect(screen.getByTestId('version-signature').textContent).toContain('probability_Gentoo')
    expect(await violations()).toEqual([])
  })

  it('is exported to where the user says, and to nowhere if the dialog is cancelled', async () => {
    const host = open('#/models/species/2', {}, { isDesktop: true, saveFile: () => Promise.resolve('/home/me/out') })
    await fireEvent.click(await screen.findByTestId('version-export'))
    await waitFor(() => expect(asked(host, 'model.export')).toEqual([{ project: null, model: 'species', version: '2', to: '/home/me/out' }]))
    document.body.innerHTML = ''
    const other = open('#/models/species/2', {}, { isDesktop: true, saveFile: () => Promise.resolve(null) })
    await fireEvent.click(await screen.findByTestId('version-export'))
    expect(asked(other, 'model.export')).toEqual([])
  })

  it('of a script says what can and cannot be done with it', async () => {
    const files = [{ path: 'MLmodel', sizeBytes: 400 }, { path: 'model.pkl', sizeBytes: 9_000 }]
    const version = models['model.version']
    if (version === undefined) throw new Error('the mock shows versions')
    open('#/models/species/2?tab=tests', {
      'model.version': (request, world) => ({ ...version(request, world), task: null, inputs: [], outputs: [], figures: [], files, fileCount: 205 }),
    })
    const page = await screen.findByTestId('script-version')
    for (const text of ['A script logged this model', 'It can run code', 'models:/species/2', 'model.pkl', 'and 203 more']) expect(page.textContent).toContain(text)
    expect(screen.getAllByRole('tab').map((one) => one.textContent.trim())).toEqual(['Overview', 'Promotion'])
    expect([screen.queryByTestId('version-verify'), screen.queryByTestId('version-deploy')]).toEqual([null, null])
    expect(await violations()).toEqual([])
  })

  it('that is not there offers the way back', async () => {
    open('#/models/species/99')
    expect((await screen.findByRole('alert')).textContent).toContain('has no version')
  })
})

describe('the promotion', () => {
  it('stays closed while a check that must hold has failed', async () => {
    open('#/models/species/2?promote=production', {
      'model.gate': () => ({ model: 'species', version: 2, alias: 'production', current: 1, isOpen: false, checks: [{ name: 'AUC', status: 'failed', message: 'AUC is 0.4' }] }),
    })
    expect((await screen.findByTestId('promote-checks')).textContent).toContain('Failed')
    expect(screen.getByTestId('promote-confirm')).toHaveProperty('disabled', true)
  })

  it('shows what was refused and lets the user try again', async () => {
    open('#/models/species/2?promote=production', {
      'model.promote': () => {
        throw failure('gate_failed', 'the gate closed meanwhile', 'see the checks')
      },
    })
    const confirm = await screen.findByTestId('promote-confirm')
    await waitFor(() => expect(confirm).toHaveProperty('disabled', false))
    await fireEvent.click(confirm)
    expect((await screen.findByRole('alert')).textContent).toContain('The gate closed meanwhile')
  })

  it('moves the alias with its reason and leads on to the deployment', async () => {
    const host = open('#/models/species/2?promote=production')
    const confirm = await screen.findByTestId('promote-confirm')
    await waitFor(() => expect(confirm).toHaveProperty('disabled', false))
    expect(await violations()).toEqual([])
    await fireEvent.input(screen.getByTestId('promote-reason'), { target: { value: 'better on Chinstrap' } })
    await fireEvent.click(confirm)
    expect((await screen.findByTestId('promote-done')).textContent).toContain('species v2 is production now')
    expect(asked(host, 'model.promote')).toEqual([{ project: null, model: 'species', version: '2', alias: 'production', reason: 'better on Chinstrap' }])
    expect(screen.getByTestId('promote-deploy').getAttribute('href')).toBe('#/deployments?deploy=species&version=2')
  })
})
