// A tooltip for any element: `<button {@attach tip('Run')}>`. One bubble serves the whole window.

import type { Attachment } from 'svelte/attachments'

import { pieces } from './sentence'

const DELAY_MS = 500
const GAP = 6

let bubble: HTMLElement | null = null
let timer: ReturnType<typeof setTimeout> | undefined

function show(anchor: Element, text: string): void {
  bubble ??= document.createElement('div')
  bubble.className = 'tip'
  bubble.setAttribute('aria-hidden', 'true')
  bubble.replaceChildren(...pieces(text).map((piece) => (piece.isCode ? code(piece.text) : piece.text)))
  // Inside a modal dialog only its own content is visible.
  const home = anchor.closest('dialog') ?? document.body
  home.append(bubble)
  const at = anchor.getBoundingClientRect()
  const { width, height } = bubble.getBoundingClientRect()
  const left = Math.min(Math.max(4, at.left + at.width / 2 - width / 2), window.innerWidth - width - 4)
  const isRoomBelow = at.bottom + GAP + height < window.innerHeight
  bubble.style.left = `${left}px`
  bubble.style.top = `${isRoomBelow ? at.bottom + GAP : at.top - GAP - height}px`
}

function code(text: string): HTMLElement {
  const element = document.createElement('code')
  element.textContent = text
  return element
}

function hide(): void {
  clearTimeout(timer)
  bubble?.remove()
}

/** Shows the text after a moment of hovering, and at once when the keyboard comes by. */
export function tip(text: string | null | undefined): Attachment<Element> {
  return (anchor) => {
    if (text === null || text === undefined || text === '') return
    const later = (): void => {
      clearTimeout(timer)
      timer = setTimeout(() => show(anchor, text), DELAY_MS)
    }
    const atOnce = (): void => {
      if (anchor.matches(':focus-visible')) show(anchor, text)
    }
    anchor.addEventListener('pointerenter', later)
    anchor.addEventListener('pointerleave', hide)
    anchor.addEventListener('pointerdown', hide)
    anchor.addEventListener('focus', atOnce)
    anchor.addEventListener('blur', hide)
    return () => {
      hide()
      anchor.removeEventListener('pointerenter', later)
      anchor.removeEventListener('pointerleave', hide)
      anchor.removeEventListener('pointerdown', hide)
      anchor.removeEventListener('focus', atOnce)
      anchor.removeEventListener('blur', hide)
    }
  }
}
