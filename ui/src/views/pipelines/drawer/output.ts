// Which output of a step a pane of the drawer shows.

import { kindFor } from '../../../lib/graph/kinds'
import type { PortType } from '../../../host/bindings'
import { stepOf } from '../../../lib/graph/doc'
import type { Editor } from '../editor/editor.svelte'

/** An output that the last run has something to show of. */
export type Shown = { run: string; step: string; port: string; type: PortType }

/** The outputs of the selected step that can be looked at. */
export function outputsOf(editor: Editor): Shown[] {
  const run = editor.running.run
  const id = editor.selected
  const ran = run?.steps.find((step) => step.step === id)
  const doc = run === null || id === null ? undefined : stepOf(run.doc, id)
  if (run === null || ran === undefined || doc === undefined) return []
  const ports = kindFor(editor.kinds, doc)?.outputs ?? []
  return ports.filter((port) => ran.outputs.includes(port.name)).map((port) => ({ run: run.summary.id, step: ran.step, port: port.name, type: port.type }))
}
