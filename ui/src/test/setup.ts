// What jsdom lacks and the pages use.

import { cleanup, configure } from '@testing-library/svelte'
import { afterEach } from 'vitest'

// A busy machine is no failure: what is waited for ends the wait as soon as it is there.
configure({ asyncUtilTimeout: 10_000 })

HTMLDialogElement.prototype.showModal ??= function showModal(this: HTMLDialogElement) {
  this.open = true
}
HTMLElement.prototype.scrollIntoView ??= () => undefined
window.matchMedia ??= (query: string) =>
  Object.assign(new EventTarget(), {
    matches: false, media: query, onchange: null, addListener: () => undefined, removeListener: () => undefined,
  })
// axe asks for a canvas to look at icon fonts, of which there are none.
HTMLCanvasElement.prototype.getContext = () => null
window.ResizeObserver ??= class {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

afterEach(() => cleanup())
