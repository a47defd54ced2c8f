// Context menus made of commands: the same names, keys and conditions as everywhere else.

import { platform } from '../../../host/host'
import { allCommands, runCommand, showKeys } from '../../../lib/keys'
import type { MenuItem } from '../../../parts/MenuList.svelte'

const DANGER = new Set(['edit.delete', 'edit.dissolve'])

/** The entries for commands; `-` is a line. A command that is not there is left out. */
export function menuOf(ids: readonly string[]): MenuItem[] {
  const known = new Map(allCommands().map((command) => [command.id, command]))
  return ids.flatMap((id): MenuItem[] => {
    if (id === '-') return ['separator']
    const command = known.get(id)
    if (command === undefined) return []
    const [keys] = command.keys ?? []
    return [{
      label: command.title,
      keys: keys === undefined ? undefined : showKeys(keys, platform.isMac),
      isDanger: DANGER.has(id),
      isDisabled: command.isEnabled?.() === false,
      testid: `menu-${id}`,
      run: () => void runCommand(id),
    }]
  })
}

const ONE = ['pipeline.runTo', 'pipeline.runFrom', 'edit.fix', '-', 'edit.connect', 'edit.move', 'edit.disconnect', '-', 'edit.duplicate', 'edit.skip', 'edit.pin', 'pipeline.sweep', 'canvas.frame', 'component.collapse', '-', 'focus.on', 'edit.selectBefore', 'edit.selectAfter', '-', 'edit.dissolve', 'edit.delete']
const SEVERAL = ['edit.duplicate', 'edit.skip', 'pipeline.sweep', 'canvas.frame', 'component.collapse', '-', 'edit.align.left', 'edit.align.top', 'edit.align.middle', 'edit.spread.across', 'edit.spread.down', 'edit.pin', 'pipeline.tidy', '-', 'focus.on', 'edit.selectBefore', 'edit.selectAfter', '-', 'edit.dissolve', 'edit.delete']
/** Goes first where one component is selected; elsewhere it would only be in the way. */
const PART = ['component.open', 'component.expand', '-']
const NOTHING = ['canvas.add', 'canvas.frame', 'edit.find', 'focus.leave', '-', 'edit.selectAll', 'pipeline.tidy', 'canvas.fit']

const ROW = ['pipeline.runTo', 'pipeline.runFrom', 'edit.fix', '-', 'outline.add', 'edit.insert', 'edit.earlier', 'edit.later', '-', 'edit.connect', 'edit.move', 'edit.disconnect', '-', 'edit.duplicate', 'edit.skip', 'pipeline.sweep', 'component.collapse', '-', 'focus.on', '-', 'edit.dissolve', 'edit.delete']

/** What is offered for a row of the outline. */
export function menuForRow(isComponent: boolean): MenuItem[] {
  return menuOf(isComponent ? [...PART, ...ROW] : ROW)
}

/** What is offered for what is selected. */
export function menuFor(selected: { steps: number; wires: number; frames: number; isComponent: boolean }): MenuItem[] {
  if (selected.steps > 1) return menuOf(SEVERAL)
  if (selected.steps === 1) return menuOf(selected.isComponent ? [...PART, ...ONE] : ONE)
  if (selected.wires > 0) return menuOf(['canvas.add', 'edit.move', '-', 'edit.delete'])
  return menuOf(selected.frames > 0 ? ['canvas.rename', '-', 'edit.delete'] : NOTHING)
}
