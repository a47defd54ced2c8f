// A text in Markdown on the page: what it becomes, and what it must never become.

import { fireEvent, render, screen } from '@testing-library/svelte'
import { expect, it } from 'vitest'

import { useTransport } from '../host/host'
import { mock } from '../host/mock'
import { blocksOf } from '../lib/markdown'
import Markdown from './Markdown.svelte'

const show = (text: string): HTMLElement => {
  render(Markdown, { blocks: blocksOf(text), isTight: true, testid: 'note' })
  return screen.getByTestId('note')
}

it('HTML in a text is shown as it was typed', () => {
  const note = show('# <img src=x onerror=alert(1)>\n\n- <script>alert(2)</script>\n\n[a](javascript:alert(3))')
  expect(note.querySelector('img, script, a')).toBeNull()
  expect(note.textContent).toContain('<img src=x onerror=alert(1)>')
})

it('a link opens beside the app and not in its place', async () => {
  const opened: string[] = []
  useTransport(mock({}, { openUrl: (url) => (opened.push(url), Promise.resolve()) }))
  const link = show('See [the page](https://example.org/a).').querySelector('a')
  if (link === null) throw new Error('there is no link')
  expect(await fireEvent.click(link)).toBe(false)
  expect(opened).toEqual(['https://example.org/a'])
})

it('the headings of a note are no part of the outline of the page', () => {
  const note = show('# Why\n\n1. one\n2. two\n\n<!-- nobody sees this -->')
  expect(note.querySelector('h1, h2, h3')).toBeNull()
  expect(note.querySelectorAll('ol li')).toHaveLength(2)
  expect(note.textContent).not.toContain('nobody')
})
