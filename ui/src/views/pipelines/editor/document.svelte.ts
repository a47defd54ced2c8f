// The pipeline being edited: its history, what is selected, and its way to the backend.

import type { PipelineDoc, PipelineView } from '../../../host/bindings'
import { call, toFailure } from '../../../host/host'
import { Autosave, type SaveState } from '../../../lib/graph/autosave'
import { replaceAll } from '../../../lib/graph/commands'
import { isSameDoc, stepOf, wireId, wiresOf, type Wire } from '../../../lib/graph/doc'
import { frameOf } from '../../../lib/graph/frames'
import * as histories from '../../../lib/graph/history'
import type { Change, History } from '../../../lib/graph/history'
import type { Kinds } from '../../../lib/graph/kinds'
import { repair } from '../../../lib/graph/repair'
import { hasComments, patchText, withoutNulls } from '../../../lib/graph/toml'
import { forget, keep, recall, resume, vaultKey } from '../../../lib/graph/vault'
import type { Outcome } from '../../../lib/graph/wiring'
import { toast } from '../../../parts/toast.svelte'
import { sentence } from '../../../parts/sentence'

const SAVE_MS = 500
const KEEP_MS = 400
const RETRY_MS = 4_000
/** Answers of the backend that are our own doing and not a change from outside. */
const OWN_SAVES = 20

/** What is selected on the canvas and in the outline. */
export type Selection = { steps: string[]; wires: string[]; frames?: string[] }

export class PipelineDocument {
  name: string
  readonly kinds: Kinds
  /** Name in the vault: pipelines of two projects may be called the same. */
  key: string
  readonly #project: string
  /** What was mended when the document was opened. */
  notes = $state.raw<string[]>([])
  saveState = $state<SaveState>('saved')
  saveError = $state.raw<unknown>(null)
  #history: History = $state.raw({ doc: { name: '', steps: [] }, entries: [], index: 0 })
  #selection = $state.raw<Selection>({ steps: [], wires: [] })
  #autosave: Autosave<PipelineDoc>
  #own: string[] = []
  /** The file as the backend has it, and what it says. */
  #file: { text: string; doc: PipelineDoc }
  #keepTimer: ReturnType<typeof setTimeout> | undefined
  #retryTimer: ReturnType<typeof setTimeout> | undefined

  constructor(project: string, view: PipelineView, kinds: Kinds) {
    this.name = view.doc.name
    this.#project = project
    this.key = vaultKey(project, view.doc.name)
    this.kinds = kinds
    this.#own = [JSON.stringify(view.doc)]
    this.#file = { text: view.text, doc: view.doc }
    this.#autosave = new Autosave({
      delayMs: SAVE_MS,
      save: (doc) => this.#save(doc),
      onState: (state, error) => this.#onSaveState(state, error),
    })
    const kept = resume(recall(localStorage, this.key), view.doc, Date.now())
    this.#history = kept.history
    const mended = repair(kept.history.doc, kinds)
    if (mended.notes.length > 0) {
      this.notes = mended.notes
      this.apply({ label: 'Repair', doc: mended.doc, mergeKey: null, select: null })
    } else if (kept.isUnsaved) this.#autosave.change(kept.history.doc)
  }

  get doc(): PipelineDoc {
    return this.#history.doc
  }
  get history(): History {
    return this.#history
  }
  get selection(): Selection {
    return this.#selection
  }
  /** The one step that inspector and drawer show; null if none or several are selected. */
  get selected(): string | null {
    return this.#selection.steps.length === 1 ? (this.#selection.steps[0] ?? null) : null
  }
  get canUndo(): boolean {
    return histories.canUndo(this.#history)
  }
  get canRedo(): boolean {
    return histories.canRedo(this.#history)
  }

  /** Makes a change as one entry of the history. */
  apply(change: Change): void {
    const before = this.#history
    this.#become(histories.commit(before, change, Date.now()))
    if (change.select !== null && this.#history !== before) this.select({ steps: change.select, wires: [] })
  }

  /** Makes the change of an outcome, or says why there is none. True if it was made. */
  run(outcome: Outcome): boolean {
    if (outcome.change === null) {
      toast({ title: sentence(outcome.refusal), tone: 'warning', stay: 5_000 })
      return false
    }
    this.apply(outcome.change)
    return true
  }

  undo(): void {
    const entry = this.#history.entries[this.#history.index - 1]
    if (entry === undefined) return
    this.#become(histories.undo(this.#history))
    this.#show(histories.touched(entry.back))
  }

  redo(): void {
    const entry = this.#history.entries[this.#history.index]
    if (entry === undefined) return
    this.#become(histories.redo(this.#history))
    this.#show(histories.touched(entry.forth))
  }

  goTo(index: number): void {
    this.#become(histories.goTo(this.#history, index))
  }

  /** Ends the merging of keystrokes: a field was left. */
  seal(): void {
    this.#history = histories.seal(this.#history)
  }

  select(selection: Selection): void {
    const isSame = (a: string[], b: string[]): boolean => a.length === b.length && a.every((id, at) => id === b[at])
    const { steps, wires, frames } = this.#selection
    if (isSame(selection.steps, steps) && isSame(selection.wires, wires) && isSame(selection.frames ?? [], frames ?? [])) return
    this.#selection = selection
  }

  selectStep(id: string): void {
    this.select({ steps: [id], wires: [] })
  }

  /** The one frame that the inspector shows, if nothing else is selected. */
  get selectedFrame(): string | null {
    const { steps, wires, frames } = this.#selection
    return steps.length + wires.length === 0 && frames?.length === 1 ? (frames[0] ?? null) : null
  }

  /** The selected wires themselves. */
  selectedWires(): Wire[] {
    return wiresOf(this.doc).filter((wire) => this.#selection.wires.includes(wireId(wire)))
  }

  /** Takes over what the backend says unless it is what we told it, or newer edits are on their way. */
  heed(view: PipelineView): void {
    const text = JSON.stringify(view.doc)
    if (this.#autosave.isDirty) return
    this.#file = { text: view.text, doc: view.doc }
    if (this.#own.includes(text)) return
    this.#remember(text)
    if (isSameDoc(view.doc, this.doc)) return
    this.run(replaceAll(this.doc, view.doc, 'Changed outside the editor'))
  }

  /** Takes over a document that the backend has already: a file saved as text, a commit restored. */
  adopt(view: PipelineView, label: string): void {
    this.#autosave.drop()
    this.#know(view)
    const { change } = replaceAll(this.doc, view.doc, label)
    if (change !== null) this.#history = histories.commit(this.#history, change, Date.now())
    this.#prune()
    this.#keepNow(false)
  }

  /** Follows a rename that the backend has made: the history goes along. */
  renameTo(name: string): void {
    forget(localStorage, this.key)
    this.name = name
    this.key = vaultKey(this.#project, name)
    this.#history = histories.renamed(this.#history, name)
    this.#keepNow(false)
  }

  /** Saves what waits, now. */
  async flush(): Promise<void> {
    await this.#autosave.flush()
  }

  /** Leaves nothing behind unsaved: the vault at once, the backend as soon as it answers. */
  close(): void {
    clearTimeout(this.#retryTimer)
    this.#keepNow(this.#autosave.isDirty)
    void this.#autosave.flush()
  }

  #become(history: History): void {
    if (history === this.#history) return
    const before = this.#history.doc
    this.#history = history
    if (history.doc === before) return
    this.#prune()
    if (!isSameDoc(history.doc, before)) this.#autosave.change(history.doc)
    clearTimeout(this.#keepTimer)
    this.#keepTimer = setTimeout(() => this.#keepNow(this.#autosave.isDirty), KEEP_MS)
  }

  #prune(): void {
    const steps = this.#selection.steps.filter((id) => stepOf(this.doc, id) !== undefined)
    const ids = new Set(wiresOf(this.doc).map(wireId))
    const frames = (this.#selection.frames ?? []).filter((id) => frameOf(this.doc, id) !== undefined)
    this.select({ steps, wires: this.#selection.wires.filter((id) => ids.has(id)), frames })
  }

  #show(ids: string[]): void {
    if (ids.length > 0) this.select({ steps: ids, wires: [] })
  }

  // A file with comments is changed where the document changed; one without is written by the backend.
  async #save(doc: PipelineDoc): Promise<void> {
    const isCommented = hasComments(this.#file.text)
    const text = isCommented ? patchText(this.#file.text, this.#file.doc, doc) : null
    const kept = text === null ? null : await this.#saveText(text, doc)
    this.#know(kept ?? (await call('pipeline.save', { project: null, pipeline: this.name, doc })))
    if (isCommented && kept === null) toast({ title: 'The comments in the file could not be kept', detail: 'It has a form that the canvas cannot change in place. The last commit still has them.', tone: 'warning', stay: null })
  }

  // Ours only if the backend reads in it what is on screen.
  async #saveText(text: string, doc: PipelineDoc): Promise<PipelineView | null> {
    try {
      const view = await call('pipeline.save_text', { project: null, pipeline: this.name, text })
      return isSameDoc(view.doc, withoutNulls(doc)) ? view : null
    } catch (thrown) {
      if (toFailure(thrown).code === 'invalid_input') return null
      throw thrown
    }
  }

  #know(view: PipelineView): void {
    this.#file = { text: view.text, doc: view.doc }
    this.#remember(JSON.stringify(view.doc))
  }

  #remember(text: string): void {
    this.#own = [...this.#own.slice(-OWN_SAVES + 1), text]
  }

  #onSaveState(state: SaveState, error: unknown): void {
    this.saveState = state
    this.saveError = error
    if (state === 'saved') this.#keepNow(false)
    if (state !== 'failed') return
    // The vault has the edits; the backend gets them when it is back.
    this.#keepNow(true)
    clearTimeout(this.#retryTimer)
    this.#retryTimer = setTimeout(() => void this.#autosave.flush(), RETRY_MS)
  }

  #keepNow(isUnsaved: boolean): void {
    clearTimeout(this.#keepTimer)
    keep(localStorage, this.key, { history: this.#history, isUnsaved })
  }
}
