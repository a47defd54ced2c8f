import { fireEvent, render, screen, waitFor } from '@testing-library/svelte'
import { describe, expect, it } from 'vitest'
import { useTransport } from '../../host/host'
import { mock, type MockTransport } from '../../host/mock'
import { failure, type Answers } from '../../host/mock/world'
import { parseRoute } from '../../lib/router'
import { violations } from '../../test/axe'
import '../../test/patience'
import Deployments from './Deployments.svelte'

function open(hash: string, answers: Answers = {}): MockTransport {
  location.hash = hash
  const transport = mock(answers)
  transport.world.pace = 0
  useTransport(transport)
  render(Deployments, { route: parseRoute(hash) })
  return transport
}

const asked = (host: MockTransport, name: string) => host.calls.filter((one) => one.name === name).map((one) => one.payload)

describe('the list of endpoints', () => {
  it('shows health as a word and open alerts', async () => {
    open('#/deployments')
    const table = await screen.findByTestId('deployments-table')
    expect(table.textContent).toContain('Healthy')
    expect(table.textContent).toContain('1 alert')
    expect(await violations()).toEqual([])
  })

  it('leads on when it is empty', async () => {
    open('#/deployments', { 'deployment.list': () => [] })
    expect(await screen.findByTestId('deployments-empty')).toBeTruthy()
    expect(await violations()).toEqual([])
  })
})

describe('the deploy sheet', () => {
  it('has everything chosen, deploys with one press and goes to the endpoint', async () => {
    const host = open('#/deployments?deploy=species&version=2')
    expect((await screen.findByTestId('deploy-target-local')).querySelector('input')).toHaveProperty('checked', true)
    expect(screen.getByTestId('deploy-target-oci').querySelector('input')).toHaveProperty('disabled', true)
    expect(await violations()).toEqual([])
    await fireEvent.click(screen.getByTestId('deploy-confirm'))
    await waitFor(() => expect(location.hash).toBe('#/deployments/species'))
    expect(asked(host, 'deployment.create')).toEqual([{ project: null, model: 'species', version: '2', target: 'local', params: null, name: null, port: null }])
  })

  it('says what is wrong with a port and sends nothing', async () => {
    const host = open('#/deployments?deploy=species')
    await fireEvent.input(await screen.findByTestId('deploy-port'), { target: { value: '80' } })
    expect(screen.getByTestId('deploy-confirm')).toHaveProperty('disabled', true)
    expect(screen.getByText('A port between 1024 and 65535')).toBeTruthy()
    expect(asked(host, 'deployment.create')).toEqual([])
  })

  it('makes the form of a target from its declaration, says the plan and sends only what was set', async () => {
    const host = open('#/deployments?deploy=species&version=2')
    await fireEvent.click((await screen.findByTestId('deploy-target-ssh')).querySelector('input') as HTMLInputElement)
    const field = await screen.findByLabelText('Host')
    expect(screen.queryByTestId('deploy-port')).toBeNull()
    expect((await screen.findByTestId('deploy-plan-error')).textContent).toContain('Name a machine')
    await fireEvent.input(field, { target: { value: 'ml@edge' } })
    await waitFor(() => expect(screen.getByTestId('deploy-plan').textContent).toContain('ask ml@edge what kind'))
    expect(await violations()).toEqual([])
    await fireEvent.click(screen.getByTestId('deploy-confirm'))
    await waitFor(() => expect(asked(host, 'deployment.create')).toEqual([{ project: null, model: 'species', version: '2', target: 'ssh', params: { host: 'ml@edge' }, name: 'species-ssh', port: null }]))
  })

  it('sends nothing while a parameter means nothing, and keeps what was set for each target', async () => {
    const host = open('#/deployments?deploy=species')
    const choose = async (kind: string) => fireEvent.click((await screen.findByTestId(`deploy-target-${kind}`)).querySelector('input') as HTMLInputElement)
    await choose('ssh')
    await fireEvent.input(await screen.findByLabelText('Port'), { target: { value: 'many' } })
    expect(screen.getByTestId('problem-port').textContent).toContain('not a number')
    expect(screen.getByTestId('deploy-confirm')).toHaveProperty('disabled', true)
    await fireEvent.input(screen.getByLabelText('Port'), { target: { value: '9000' } })
    await choose('bundle')
    await screen.findByLabelText('Format')
    await choose('ssh')
    expect(await screen.findByLabelText('Port')).toHaveProperty('value', '9000')
    expect(asked(host, 'deployment.create')).toEqual([])
  })

  it('stays open with the reason when the deployment fails', async () => {
    open('#/deployments?deploy=species', {
      'deployment.create': (_, world) =>
        world.start({
          kind: 'deployment.create', title: 'Deploy',
          finish: () => {
            throw failure('deploy_failed', 'port 8411 is taken', 'leave the port out to get a free one')
          },
        }),
    })
    await screen.findByTestId('deploy-target-local')
    await fireEvent.click(screen.getByTestId('deploy-confirm'))
    expect((await screen.findByTestId('deploy-error')).textContent).toContain('Leave the port out')
    expect(screen.getByTestId('deploy-confirm')).toHaveProperty('disabled', false)
  })
})

describe('the page of an endpoint', () => {
  it('asks before it removes one', async () => {
    const host = open('#/deployments/species-trial')
    await fireEvent.click(await screen.findByTestId('endpoint-remove'))
    expect(asked(host, 'deployment.remove')).toEqual([])
    expect(await violations()).toEqual([])
    await fireEvent.click(screen.getByTestId('endpoint-remove-confirm'))
    await waitFor(() => expect(location.hash).toBe('#/deployments'))
    expect(asked(host, 'deployment.remove')).toEqual([{ project: null, deployment: 'species-trial' }])
  })

  it('has no accessibility violations, and the token is covered until asked for', async () => {
    open('#/deployments/species')
    const token = await screen.findByTestId('endpoint-token')
    expect(token.textContent).not.toContain('fettle_')
    expect(await violations()).toEqual([])
    await fireEvent.click(screen.getByTestId('endpoint-token-show'))
    expect(screen.getByTestId('endpoint-token').textContent).toContain('fettle_')
  })

  it('sends the sample row as it is, and typed values once one is changed', async () => {
    const host = open('#/deployments/species')
    await screen.findByTestId('try-bill_length_mm')
    await fireEvent.click(screen.getByTestId('try-send'))
    expect((await screen.findByTestId('try-headline')).textContent).toBe('Gentoo')
    expect(asked(host, 'deployment.try')[0]).toMatchObject({ inputs: null })
    await fireEvent.input(screen.getByTestId('try-body_mass_g'), { target: { value: '3800' } })
    await fireEvent.click(screen.getByTestId('try-send'))
    await waitFor(() => expect(asked(host, 'deployment.try')).toHaveLength(2))
    expect(asked(host, 'deployment.try')[1]).toMatchObject({ inputs: { body_mass_g: 3800, island: 'Biscoe' } })
    expect(await violations()).toEqual([])
  })

  it('does not send a value that is none', async () => {
    const host = open('#/deployments/species')
    await fireEvent.input(await screen.findByTestId('try-body_mass_g'), { target: { value: 'heavy' } })
    expect(screen.getByText('A whole number')).toBeTruthy()
    expect(screen.getByTestId('try-send')).toHaveProperty('disabled', true)
    expect(asked(host, 'deployment.try')).toEqual([])
  })

  it('shows what an endpoint refuses', async () => {
    open('#/deployments/species', { 'deployment.try': () => ({ status: 400, outputs: {}, request: '{}', response: '{"error":"input `sex` is missing"}', latencyMs: 1 }) })
    await screen.findByTestId('try-sex')
    await fireEvent.click(screen.getByTestId('try-send'))
    const answer = await screen.findByTestId('try-answer')
    expect(answer.textContent).toContain('HTTP 400')
    expect(answer.textContent).toContain('is missing')
  })

  it('rolls back with one press', async () => {
    const host = open('#/deployments/species')
    await fireEvent.click(await screen.findByTestId('endpoint-rollback'))
    await waitFor(() => expect(asked(host, 'deployment.rollback')).toEqual([{ project: null, deployment: 'species', revision: 1 }]))
  })

  it('asks before it stops what is in production', async () => {
    const host = open('#/deployments/species')
    await fireEvent.click(await screen.findByTestId('endpoint-stop'))
    expect(asked(host, 'deployment.stop')).toEqual([])
    expect(await violations()).toEqual([])
    await fireEvent.click(await screen.findByTestId('endpoint-stop-confirm'))
    await waitFor(() => expect(asked(host, 'deployment.stop')).toHaveLength(1))
    expect(await screen.findByTestId('endpoint-start')).toBeTruthy()
  })
})
