// @vitest-environment jsdom

import { afterEach, describe, expect, it, vi } from 'vitest'

import { allCommands, allGestures, handleKeydown, matches, parseKeys, registerCommands, registerGestures, runCommand, showKeys } from './keys'

const press = (key: string, held: Partial<KeyboardEventInit> = {}): KeyboardEvent =>
  new KeyboardEvent('keydown', { key, cancelable: true, bubbles: true, ...held })

let stop = (): void => undefined
afterEach(() => stop())

describe('keys', () => {
  it('Mod is the command key on macOS and control elsewhere', () => {
    const keys = parseKeys('Mod+K')
    expect(matches(keys, press('k', { ctrlKey: true }), false)).toBe(true)
    expect(matches(keys, press('k', { ctrlKey: true }), true)).toBe(false)
    expect(matches(keys, press('k', { metaKey: true }), true)).toBe(true)
  })

  it('a sign matches with and without Shift, a letter does not', () => {
    expect(matches(parseKeys('?'), press('?', { shiftKey: true }), false)).toBe(true)
    expect(matches(parseKeys('A'), press('A', { shiftKey: true }), false)).toBe(false)
  })

  it('a single key does nothing while a text field has the focus, Mod does', () => {
    const plain = vi.fn()
    const mod = vi.fn()
    stop = registerCommands([
      { id: 'a.plain', title: 'Plain', group: 'Test', keys: ['A'], run: plain },
      { id: 'a.mod', title: 'Mod', group: 'Test', keys: ['Mod+S'], run: mod },
    ])
    const field = document.createElement('input')
    document.body.append(field)
    field.addEventListener('keydown', (event) => handleKeydown(event, false))
    field.dispatchEvent(press('a'))
    field.dispatchEvent(press('s', { ctrlKey: true }))
    expect(plain).not.toHaveBeenCalled()
    expect(mod).toHaveBeenCalledOnce()
    field.remove()
  })

  it('Space presses the button that has the focus, and plain keys stay inside a dialog', () => {
    const run = vi.fn()
    stop = registerCommands([{ id: 'a.add', title: 'Add', group: 'Test', keys: ['Space', 'A'], run }])
    document.body.innerHTML = '<button></button><dialog open><p tabindex="-1"></p></dialog>'
    document.body.addEventListener('keydown', (event) => handleKeydown(event, false), { once: true })
    document.querySelector('button')?.dispatchEvent(press(' '))
    document.body.addEventListener('keydown', (event) => handleKeydown(event, false), { once: true })
    document.querySelector('p')?.dispatchEvent(press('a'))
    expect(run).not.toHaveBeenCalled()
    document.body.addEventListener('keydown', (event) => handleKeydown(event, false), { once: true })
    document.querySelector('button')?.dispatchEvent(press('a'))
    expect(run).toHaveBeenCalledOnce()
    document.body.innerHTML = ''
  })

  it('a screen may take a command over and gives it back', () => {
    const below = vi.fn()
    const above = vi.fn()
    const give = registerCommands([{ id: 'x.find', title: 'Find', group: 'Test', run: below }])
    const back = registerCommands([{ id: 'x.find', title: 'Find', group: 'Test', run: above }])
    runCommand('x.find')
    back()
    runCommand('x.find')
    expect([above.mock.calls.length, below.mock.calls.length]).toEqual([1, 1])
    give()
    expect(allCommands().some((command) => command.id === 'x.find')).toBe(false)
  })

  it('a command that is not enabled is not run', () => {
    const run = vi.fn()
    stop = registerCommands([{ id: 'x.y', title: 'Y', group: 'Test', keys: ['Y'], isEnabled: () => false, run }])
    expect(runCommand('x.y')).toBe(false)
    expect(handleKeydown(press('y'), false)).toBe(false)
    expect(run).not.toHaveBeenCalled()
  })

  it('gestures are told of as long as they mean something, and are no commands', () => {
    const drag = { group: 'Test', title: 'Pull', keys: ['Mod+Drag'] }
    const end = registerGestures([drag])
    expect(allGestures()).toEqual([drag])
    expect(allCommands()).toEqual([])
    expect(showKeys('Mod+Drag', false)).toBe('Ctrl+Drag')
    end()
    expect(allGestures()).toEqual([])
  })

  it('keys are shown as the keyboard has them', () => {
    expect(showKeys('Mod+Shift+Enter', false)).toBe('Ctrl+Shift+Enter')
    expect(showKeys('Mod+Shift+Enter', true)).toBe('⇧⌘⏎')
    expect(showKeys('Mod++', false)).toBe('Ctrl++')
    expect(showKeys('Space', false)).toBe('Space')
  })
})
