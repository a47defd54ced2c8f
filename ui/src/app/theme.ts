// Light or dark: what the user chose, or what the system has, as long as the window is open.

import { platform } from '../host/host'

export type Theme = 'system' | 'light' | 'dark'

const KEY = 'fettle.theme'
const system = window.matchMedia('(prefers-color-scheme: dark)')
let choice: Theme = 'system'

function paint(): void {
  const isDark = choice === 'dark' || (choice === 'system' && system.matches)
  document.documentElement.dataset.theme = isDark ? 'dark' : 'light'
}

/** Shows the theme, and keeps the choice where the first frame of the next start finds it. */
export function setTheme(theme: string): void {
  choice = theme === 'light' || theme === 'dark' ? theme : 'system'
  try {
    localStorage.setItem(KEY, choice)
  } catch {
    // Storage may be closed off; then the next start opens as the system has it.
  }
  paint()
  void platform.setTheme(choice).catch(() => undefined)
}

system.addEventListener('change', paint)
