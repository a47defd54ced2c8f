// The one list of commands: palette, shortcuts, menus and the shortcut sheet are all made from it.

export type Command = {
  /** `noun.verb`, unique; the menu bar of macOS uses the same names. */
  id: string
  /** As the palette shows it: `Import data…`. */
  title: string
  /** Group in the shortcut sheet. */
  group: string
  /** Such as `Mod+K`, `Mod+Shift+Enter`, `Alt+ArrowLeft`, `Space`, `?`. Several may be given. */
  keys?: string[]
  /** Other words people search for. */
  words?: string
  /** True to fire also while a text field has the focus. Combinations with Mod do so anyway. */
  worksInFields?: boolean
  /** False leaves it out of the palette, as for arrow keys. */
  isInPalette?: boolean
  isEnabled?: () => boolean
  run: () => void
}

export type Press = { key: string; isMod: boolean; isShift: boolean; isAlt: boolean }

/** Something that is done with the pointer: it stands in the shortcut sheet, as nobody would find it. */
export type Gesture = {
  title: string
  group: string
  /** Such as `Mod+drag`. */
  keys: string[]
}

type KeyboardLike = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey'>

const registry = new Map<string, Command>()
const listeners = new Set<() => void>()

/** Adds commands until the returned function is called. A later one with the same id wins. */
export function registerCommands(commands: Command[]): () => void {
  const replaced = commands.map((command) => [command, registry.get(command.id)] as const)
  for (const command of commands) registry.set(command.id, command)
  listeners.forEach((tell) => tell())
  return () => {
    for (const [command, before] of replaced) {
      if (registry.get(command.id) !== command) continue
      if (before === undefined) registry.delete(command.id)
      else registry.set(command.id, before)
    }
    listeners.forEach((tell) => tell())
  }
}

const gestures = new Set<readonly Gesture[]>()

/** Tells of gestures until the returned function is called. */
export function registerGestures(told: readonly Gesture[]): () => void {
  gestures.add(told)
  return () => gestures.delete(told)
}

/** Every gesture that means something now. */
export function allGestures(): Gesture[] {
  return [...gestures].flat()
}

/** Every command, in the order they were added. */
export function allCommands(): Command[] {
  return [...registry.values()]
}

export function onCommandsChange(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Runs a command by its id. False if there is none or it is not enabled now. */
export function runCommand(id: string): boolean {
  const command = registry.get(id)
  if (command === undefined || command.isEnabled?.() === false) return false
  command.run()
  return true
}

export function parseKeys(keys: string): Press {
  // A trailing plus is the key itself: `Mod++`.
  const parts = keys.endsWith('++') ? [...keys.slice(0, -2).split('+'), '+'] : keys.split('+')
  const key = parts.pop() ?? ''
  return {
    key: key === 'Space' ? ' ' : key,
    isMod: parts.includes('Mod'),
    isShift: parts.includes('Shift'),
    isAlt: parts.includes('Alt'),
  }
}

/** Whether the event is that press. `isMac` decides what Mod is. */
export function matches(press: Press, event: KeyboardLike, isMac: boolean): boolean {
  const isMod = isMac ? event.metaKey : event.ctrlKey
  const isOther = isMac ? event.ctrlKey : event.metaKey
  if (isMod !== press.isMod || isOther || event.altKey !== press.isAlt) return false
  // Whether `?` or `+` needs Shift depends on the keyboard, so signs are compared as typed.
  const isSign = press.key.length === 1 && !/[a-z0-9 ]/i.test(press.key)
  if (!isSign && event.shiftKey !== press.isShift) return false
  return event.key.toLowerCase() === press.key.toLowerCase()
}

/** Where plain keys mean something already: in a field, and in a dialog that lies over the screen. */
const isField = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName) || target.closest('dialog') !== null)

/** Space and Enter press what has the focus. */
const pressesTarget = ({ target, key }: KeyboardEvent): boolean =>
  (key === ' ' || key === 'Enter') && target instanceof HTMLElement && target.closest('button, a, summary, [role=tab]') !== null

/** Runs the command that the press belongs to. True if there was one: the event is then used up. */
export function handleKeydown(event: KeyboardEvent, isMac: boolean): boolean {
  if (event.defaultPrevented || event.isComposing) return false
  // The newest first, so that a screen may take a key over while it is open.
  for (const command of allCommands().reverse()) {
    for (const keys of command.keys ?? []) {
      const press = parseKeys(keys)
      if (!matches(press, event, isMac)) continue
      if (isField(event.target) && !press.isMod && command.worksInFields !== true) continue
      if (pressesTarget(event) && !press.isMod) continue
      if (command.isEnabled?.() === false) continue
      event.preventDefault()
      command.run()
      return true
    }
  }
  return false
}

const GLYPHS: Record<string, string> = {
  ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓', Escape: 'Esc', Delete: 'Del', PageUp: 'PgUp', PageDown: 'PgDn',
}

/** The keys as they are printed on the keyboard: `Ctrl+K`, on macOS `⌘K`. */
export function showKeys(keys: string, isMac: boolean): string {
  const press = parseKeys(keys)
  const key = press.key === ' ' ? 'Space' : (GLYPHS[press.key] ?? (press.key.length === 1 ? press.key.toUpperCase() : press.key))
  if (isMac) {
    return `${press.isAlt ? '⌥' : ''}${press.isShift ? '⇧' : ''}${press.isMod ? '⌘' : ''}${key === 'Enter' ? '⏎' : key}`
  }
  return [press.isMod ? 'Ctrl' : '', press.isAlt ? 'Alt' : '', press.isShift ? 'Shift' : '', key].filter((part) => part !== '').join('+')
}
