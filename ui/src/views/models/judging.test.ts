import { fireEvent, render, screen, waitFor, within } from '@testing-library/svelte'
import { beforeEach, describe, expect, it } from 'vitest'

import type { Commands } from '../../host/bindings'
import { useTransport } from '../../host/host'
import { mock, type MockTransport } from '../../host/mock'
import { failure, type Answers } from '../../host/mock/world'
import type { Platform } from '../../host/transport'
import { parseRoute } from '../../lib/router'
import { violations } from '../../test/axe'
import '../../test/patience'
import Models from './Models.svelte'

function open(tab: string, answers: Answers = {}, platform: Partial<Platform> = {}): MockTransport {
  const hash = `#/models/species/2?tab=${tab}`
  location.hash = hash
  const transport = mock(answers, platform)
  transport.world.pace = 0
  useTransport(transport)
  render(Models, { route: parseRoute(hash) })
  return transport
}

/** An answer of the mock with some of its fields changed. */
function changed<K extends keyof Commands>(name: K, change: Partial<Commands[K][1]>): Answers {
  const real = mock().answers[name]
  const answer = async (payload: Commands[K][0], world: Parameters<NonNullable<typeof real>>[1]): Promise<Commands[K][1]> => {
    const found = await real?.(payload, world)
    if (found === undefined) throw new Error('the mock has an answer')
    return { ...found, ...change }
  }
  return { [name]: answer }
}

const asked = (host: MockTransport, name: string) => host.calls.filter((one) => one.name === name).map((one) => one.payload)
const type = async (testid: string, value: string): Promise<boolean> => fireEvent.input(await screen.findByTestId(testid), { target: { value } })

beforeEach(() => {
  document.body.innerHTML = ''
})

describe('every screen', () => {
  it.each([
    ['tests', 'tests-list'],
    ['explain', 'contributions'],
    ['promotion', 'promotion-always'],
    ['card', 'card-body'],
    ['passport', 'passport'],
  ])('%s is accessible', async (tab, testid) => {
    open(tab)
    await screen.findByTestId(testid)
    await waitFor(() => expect(screen.queryByLabelText('Loading')).toBeNull())
    expect(await violations()).toEqual([])
  })

  it.each([
    ['tests', 'model.tests'],
    ['explain', 'model.what_if'],
    ['promotion', 'model.gate'],
    ['card', 'model.card'],
    ['passport', 'identity.show'],
  ])('%s says why it cannot be shown', async (tab, command) => {
    open(tab, { [command]: () => { throw failure('corrupt', 'the index is damaged', 'run `fettle workspace repair`') } })
    expect((await screen.findByTestId('error')).textContent).toContain('The index is damaged.')
    expect(screen.getByTestId('error-retry')).toBeTruthy()
  })
})

describe('tests of a model', () => {
  it('show what was measured, and the evidence of what failed is open', async () => {
    open('tests')
    const list = await screen.findByTestId('tests-list')
    expect(screen.getByTestId('tests-state').textContent).toContain('Holds, with warnings')
    expect(screen.getByTestId('tests-summary').textContent).toContain('2 of 3 tests pass')
    expect(list.textContent).toContain('island = Torgersen: accuracy 0.81')
    const groups = within(list).getByRole('table', { name: 'Groups' })
    expect(groups.querySelector('.broken')?.textContent).toContain('breaks the test')
    expect(within(list).getByRole('table', { name: 'Rows that break it' }).textContent).toContain('Chinstrap')
  })

  it('run as a job, and what came of it is asked for again', async () => {
    const host = open('tests')
    await fireEvent.click(await screen.findByTestId('tests-run'))
    await waitFor(() => expect(asked(host, 'model.test')).toEqual([{ project: null, model: 'species', version: '2', suite: null, format: null }]))
    await waitFor(() => expect(asked(host, 'model.tests').length).toBeGreaterThan(1))
  })

  it('can be stopped while they run', async () => {
    const host = open('tests')
    host.world.pace = 1000
    await fireEvent.click(await screen.findByTestId('tests-run'))
    await fireEvent.click(await screen.findByTestId('toast-cancel'))
    await waitFor(() => expect(asked(host, 'job.cancel').length).toBe(1))
    await waitFor(() => expect(screen.queryByTestId('toast-cancel')).toBeNull())
    expect(screen.queryByTestId('tests-failure')).toBeNull()
  })

  it('that cannot run say why', async () => {
    open('tests', { 'model.test': () => { throw failure('not_found', 'there is no dataset `holdout`', 'import it first') } })
    await fireEvent.click(await screen.findByTestId('tests-run'))
    expect((await screen.findByTestId('tests-failure')).textContent).toContain('There is no dataset holdout.')
  })

  it('are suggested where there are none', async () => {
    const host = open('tests', changed('model.tests', { text: '', rules: [], last: null }))
    await fireEvent.click(await screen.findByTestId('tests-suggest'))
    expect(screen.getByTestId<HTMLTextAreaElement>('tests-text').value).toContain('kind = "golden"')
    await fireEvent.click(screen.getByTestId('tests-save'))
    await waitFor(() => expect(asked(host, 'model.test').length).toBe(1))
  })

  it('that are refused are marked at their line, and nothing is lost', async () => {
    open('tests')
    await fireEvent.click(await screen.findByTestId('tests-edit'))
    await type('tests-text', 'format = 1\n\n[[test]]\nkind = "metrik"\n')
    await fireEvent.click(screen.getByTestId('tests-save'))
    expect((await screen.findByTestId('tests-error')).textContent).toContain('Did you mean metric?')
    expect(screen.getByTestId<HTMLTextAreaElement>('tests-text').value).toContain('metrik')
    expect(document.querySelector('.numbers .wrong')?.textContent).toBe('4')
  })

  it('are written as a report to where the user says', async () => {
    const host = open('tests', {}, { isDesktop: true, saveFile: () => Promise.resolve('/home/me/report.html') })
    await fireEvent.click(await screen.findByTestId('tests-report'))
    await fireEvent.click(await screen.findByTestId('report-html'))
    await waitFor(() => expect(asked(host, 'model.test_report')).toEqual([{ project: null, model: 'species', version: '2', to: '/home/me/report.html' }]))
  })
})

describe('reasons', () => {
  it('are asked again for a row that was edited, and the row comes back', async () => {
    const host = open('explain')
    await screen.findByTestId('contributions')
    await type('what-if-flipper_length_mm', '180')
    await waitFor(() => expect(asked(host, 'model.what_if').at(-1)).toMatchObject({ place: null, changes: { flipper_length_mm: 180 } }))
    await waitFor(() => expect(screen.getByTestId('what-if-answer').textContent).toContain('Gentoo→'))
    await fireEvent.click(screen.getByTestId('what-if-reset'))
    await waitFor(() => expect(asked(host, 'model.what_if').at(-1)).toMatchObject({ changes: {} }))
    expect(screen.getByTestId<HTMLInputElement>('what-if-flipper_length_mm').value).toBe('211')
  })

  it('are not asked for a value that does not fit', async () => {
    const host = open('explain')
    await screen.findByTestId('contributions')
    const before = asked(host, 'model.what_if').length
    await type('what-if-body_mass_g', 'heavy')
    expect((await screen.findByText('A whole number')).textContent).toBeTruthy()
    await fireEvent.submit(screen.getByRole('form', { name: 'The row' }))
    expect(asked(host, 'model.what_if').length).toBe(before)
  })

  it('are given row by row, with what is true', async () => {
    const host = open('explain')
    await fireEvent.click(await screen.findByTestId('row-next'))
    await waitFor(() => expect(screen.getByTestId('what-if-answer').textContent).toContain('in truth Gentoo'))
    expect(screen.getByTestId('row-place').textContent).toBe('Row 1 of 69')
    expect(asked(host, 'model.what_if').at(-1)).toMatchObject({ place: 0 })
    await fireEvent.click(screen.getByTestId('row-previous'))
    await waitFor(() => expect(screen.getByTestId('row-place').textContent).toBe('The example of the package'))
  })

  it('for another class are chosen, and a model without any says so', async () => {
    open('explain')
    await fireEvent.change(await screen.findByTestId('why-output'), { target: { value: 'Adelie' } })
    expect(screen.getByTestId('contributions').getAttribute('aria-label')).toBe('What each column adds to Adelie')
    document.body.innerHTML = ''
    const whatIf = mock().answers['model.what_if']
    open('explain', {
      'model.what_if': async (payload, world) => {
        const found = await whatIf?.(payload, world)
        if (found === undefined) throw new Error('the mock has an answer')
        return { ...found, note: 'a neural net cannot be taken apart', before: { ...found.before, explained: [] }, after: { ...found.after, explained: [] } }
      },
    })
    expect(await screen.findByText('a neural net cannot be taken apart')).toBeTruthy()
  })

  it('of the whole are measured once, and shown row by row too', async () => {
    const host = open('explain')
    await screen.findByTestId('importance-again')
    expect(asked(host, 'model.importance').length).toBe(1)
    await fireEvent.click(screen.getByTestId('matters-tab-added'))
    expect((await screen.findByTestId('swarm')).textContent).toContain('more raises it')
    await waitFor(() => expect(asked(host, 'model.effect')).toEqual([expect.objectContaining({ column: 'island' })]))
    await fireEvent.change(screen.getByTestId('effect-column'), { target: { value: 'body_mass_g' } })
    await waitFor(() => expect(asked(host, 'model.effect').at(-1)).toMatchObject({ column: 'body_mass_g' }))
  })

  it('that were measured before are not measured again', async () => {
    const job = { id: 'j', kind: 'model.importance', title: '', state: 'done' as const, stage: null, done: 0, total: null, startedAt: 0, finishedAt: 1, error: null, subject: { model: 'species', version: 2 }, result: { metric: 'auc', rows: 69, columns: [], summary: null } }
    const host = open('explain', { 'job.list': () => [job] })
    await screen.findByTestId('importance-again')
    expect(asked(host, 'model.importance')).toEqual([])
  })
})

describe('the promotion', () => {
  const POLICY = 'format = 1\n\n[people]\n\n[alias.production]\ntests = true\napprovals = 1\n'

  async function withPolicy(): Promise<MockTransport> {
    const host = open('promotion')
    await host.call('policy.set', { project: null, text: POLICY })
    await screen.findByTestId('demand-approvals')
    return host
  }

  it('is refused with each line of the policy, until an approval is signed that counts', async () => {
    const host = await withPolicy()
    expect(screen.getByTestId('promotion-state').textContent).toContain('Refused for 1 reason')
    expect(screen.getByTestId('demand-approvals').textContent).toContain('line 7')
    expect(screen.getByTestId('demand-tests').dataset.state).toBe('passed')

    await type('identity-person', 'ann')
    await fireEvent.click(screen.getByTestId('identity-make'))
    await fireEvent.click(await screen.findByTestId('approval-add'))
    expect(screen.getByTestId<HTMLTextAreaElement>('policy-text').value).toContain('[people]\nann = "d75a')
    await fireEvent.click(screen.getByTestId('policy-save'))

    await screen.findByTestId('approval-note')
    await type('approval-note', 'looked at the worst group')
    await fireEvent.click(screen.getByTestId('approval-approve'))
    await waitFor(() => expect(screen.getByTestId('promotion-state').textContent).toContain('May be promoted'))
    expect(asked(host, 'model.approve')).toEqual([{ project: null, model: 'species', version: '2', note: 'looked at the worst group' }])
    expect(screen.getByTestId('approvals').textContent).toContain('looked at the worst group')

    await fireEvent.click(await screen.findByTestId('approval-withdraw'))
    await waitFor(() => expect(screen.getByTestId('promotion-state').textContent).toContain('Refused'))
    expect(screen.getByTestId('approvals').textContent).toContain('ann said something else later')
    expect(await violations()).toEqual([])
  })

  it('names a forgery', async () => {
    open('promotion', { 'model.approvals': () => [{ person: 'ann', key: 'ff', isApproval: true, note: 'trust me', at: 0, counts: false, isForged: true, trouble: 'it was signed with a key that is not that of `ann`' }] })
    expect((await screen.findByTestId('approvals')).textContent).toContain('Forged')
  })

  it('shows a name that cannot be one, and keeps it', async () => {
    open('promotion')
    await screen.findByTestId('identity-person')
    await type('identity-person', 'Ann B')
    await fireEvent.click(screen.getByTestId('identity-make'))
    expect((await screen.findByTestId('identity-error')).textContent).toContain('cannot be the name of a person')
  })

  it('begins a policy where there is none, and marks the line of one that is refused', async () => {
    open('promotion')
    await fireEvent.click(await screen.findByTestId('policy-start'))
    await type('policy-text', 'format = 1\n[alias.production]\ntest = true\n')
    await fireEvent.click(screen.getByTestId('policy-save'))
    expect((await screen.findByTestId('policy-error')).textContent).toContain('Did you mean tests?')
    expect(document.querySelector('.numbers .wrong')?.textContent).toBe('3')
  })
})

describe('the card', () => {
  it('strikes out what is no longer true and brings it up to date', async () => {
    const host = open('card')
    expect((await screen.findByTestId('card-state')).textContent).toContain('1 number no longer true')
    expect(screen.getByTestId('card-stale').textContent).toBe('0.9951 0.99793')
    await fireEvent.click(screen.getByTestId('card-update'))
    await waitFor(() => expect(screen.getByTestId('card-state').textContent).toContain('Every number is true'))
    const [sent] = asked(host, 'model.set_card')
    expect(sent).toMatchObject({ model: 'species' })
    expect(JSON.stringify(sent)).toContain('{{metric.auc = 0.99793}}')
  })

  it('asks what nobody has answered, and goes to its line', async () => {
    open('card')
    await fireEvent.click(await screen.findByText('Where it is wrong more often.'))
    const field = await screen.findByTestId<HTMLTextAreaElement>('card-text')
    await waitFor(() => expect(field.value.slice(field.selectionStart, field.selectionEnd)).toBe('<!-- Where it is wrong more often. -->'))
  })

  it('begins with every number filled in', async () => {
    open('card', changed('model.card', { text: '', claims: [], sections: [], isStale: false }))
    await fireEvent.click(await screen.findByTestId('card-start'))
    expect(screen.getByTestId<HTMLTextAreaElement>('card-text').value).toContain('{{version = 2}}')
  })
})

describe('the passport', () => {
  it('is written to where the user says, once there is a key', async () => {
    const host = open('passport', {}, { isDesktop: true, saveFile: () => Promise.resolve('/home/me/species.passport') })
    await screen.findByTestId('identity-person')
    await type('identity-person', 'ann')
    await fireEvent.click(screen.getByTestId('identity-make'))
    await fireEvent.click(await screen.findByTestId('passport-write'))
    await waitFor(() => expect(asked(host, 'model.passport')).toEqual([{ project: null, model: 'species', version: '2', to: '/home/me/species.passport' }]))
    await waitFor(() => expect(screen.getByTestId<HTMLInputElement>('passport-path').value).toBe('/home/me/species.passport'))
  })

  it('that was changed is named with the part that was', async () => {
    open('passport')
    await type('passport-path', '/tmp/changed.passport')
    await fireEvent.click(screen.getByTestId('passport-verify'))
    expect((await screen.findByTestId('passport-troubles')).textContent).toContain('package/model.onnx is not what was signed')
    expect(screen.getByTestId('passport-found').textContent).toContain('Not genuine')
    expect(await violations()).toEqual([])
  })

  it('that is not there says so', async () => {
    open('passport')
    await screen.findByTestId('passport-path')
    await type('passport-path', '/tmp/missing.passport')
    await fireEvent.click(screen.getByTestId('passport-verify'))
    expect((await screen.findByTestId('passport-error')).textContent).toContain('There is no /tmp/missing.passport.')
  })
})
