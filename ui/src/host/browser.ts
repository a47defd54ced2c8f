// What a plain browser offers instead of a desktop window. It knows no paths, so dialogs give
// nothing and the pages ask for a path in a field instead.

import type { Platform } from './transport'

const nothing = (): (() => void) => () => undefined

export const browserPlatform: Platform = {
  isDesktop: false,
  isMac: navigator.userAgent.includes('Mac'),
  openFiles: () => Promise.resolve([]),
  saveFile: () => Promise.resolve(null),
  onFileDrop: nothing,
  reveal: () => Promise.resolve(),
  openUrl(url) {
    window.open(url, '_blank', 'noopener')
    return Promise.resolve()
  },
  copy: (text) => navigator.clipboard.writeText(text),
  onDaemon(handler) {
    handler({ state: 'ready' })
    return () => undefined
  },
  onOpenFiles: nothing,
  onCommand: nothing,
  notify(title, body) {
    if (!document.hasFocus() && 'Notification' in window && Notification.permission === 'granted') {
      new Notification(title, { body })
    }
    return Promise.resolve()
  },
  setZoom(pct) {
    document.documentElement.style.setProperty('zoom', String(pct / 100))
    return Promise.resolve()
  },
  setTheme: () => Promise.resolve(),
  setProgress: () => Promise.resolve(),
}
