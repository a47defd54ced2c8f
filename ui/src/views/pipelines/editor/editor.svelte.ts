// What the parts of the editor share: the document, the run, what is wrong with it, what a run would do.

import { getContext, setContext, untrack } from 'svelte'

import type { ColumnView, ExplainedStep, ExplainView, Failure, PipelineDoc, PipelineSummary, PipelineView, PlanView, Problem, StepPorts } from '../../../host/bindings'
import { query, type Query } from '../../../host/host'
import { compareDocs, type Comparison } from '../../../lib/graph/compare'
import { withParts } from '../../../lib/graph/components'
import type { Crumb } from '../../../lib/graph/crumbs'
import { isAwaited, withAwaited } from '../../../lib/graph/declared'
import { endText, stepOf, type End } from '../../../lib/graph/doc'
import { facesWithSkipped, type Face } from '../../../lib/graph/faces'
import { cutsOf, focusOn, onShow, stepsOnShow, type Cut, type Focus } from '../../../lib/graph/focus'
import { fixesFor, type Fix } from '../../../lib/graph/fixes'
import { kindOf, withToldPorts, type Kinds } from '../../../lib/graph/kinds'
import { tableSource } from '../../../lib/graph/outline'
import { skippedOf, withFrames } from '../../../lib/graph/sheet'
import { runnable } from '../../../lib/graph/skip'
import { shell } from '../../../parts/shell.svelte'
import { toast } from '../../../parts/toast.svelte'
import { PipelineDocument } from './document.svelte'
import { Pins } from './pins.svelte'
import { Running } from './running.svelte'

/** Quiet time before the backend is asked again what it thinks of the document. */
const SETTLE_MS = 250
const KEY = Symbol('editor')

/** The three ways to see a pipeline. */
export type Mode = 'canvas' | 'outline' | 'file'

/** Another version of the pipeline. */
export type Compared = { label: string; doc: PipelineDoc }

export class Editor {
  readonly document: PipelineDocument
  readonly running: Running
  readonly pins: Pins
  readonly #kinds: Kinds
  /** The kinds of steps, with the ports that steps here name by their parameters. */
  readonly kinds: Kinds = $derived.by(() => withToldPorts(withParts(this.#kinds, this.#parts === '' ? [] : this.#parts.split(' ')), this.#validation.data?.ports ?? {}))
  readonly view: Query<PipelineView>
  /** A step that the canvas is asked to bring into view, with a number so that the same may be asked twice. */
  wanted = $state.raw<{ id: string; turn: number } | null>(null)
  /** The pipeline as it runs: without its skipped steps. */
  readonly runnable: PipelineDoc = $derived.by(() => runnable(this.document.doc, this.kinds))
  /** What is wrong; what the backend said last while it thinks again. */
  readonly problems: Problem[] = $derived.by(() => withAwaited(this.document.doc, this.#validation.data?.problems ?? []))
  readonly faces: Map<string, Face> = $derived.by(() =>
    facesWithSkipped({ doc: this.doc, problems: this.problems, plan: this.plan, run: this.running.run }),
  )
  /** The list that is open: to find or add a step, or to draw, move or cut a wire of the selected one. */
  asked = $state<'find' | 'connect' | 'disconnect' | 'move' | 'add' | 'insert' | null>(null)
  /** The version that what is on screen is compared with. */
  compared = $state.raw<Compared | null>(null)
  readonly comparison: Comparison | null = $derived.by(() => (this.compared === null ? null : compareDocs(this.compared.doc, this.doc, this.kinds)))
  #focus = $state.raw<Focus | null>(null)
  /** The part that is looked at by itself; null for all, also once the steps it is around are gone. */
  readonly focus: Focus | null = $derived.by(() => (this.#focus?.around.some((id) => stepOf(this.doc, id) !== undefined) === true ? this.#focus : null))
  /** What canvas and outline show: all of the pipeline, or the part that is looked at. */
  readonly shown: PipelineDoc = $derived.by(() => (this.focus === null ? this.doc : onShow(this.doc, stepsOnShow(this.doc, this.focus, this.document.selection.steps))))
  /** Where the part that is looked at ends; nothing while all is on show. */
  readonly cuts: ReadonlyMap<string, Cut> = $derived.by(() => (this.focus === null ? new Map() : cutsOf(this.doc, new Set(this.shown.steps.map((step) => step.id)))))
  /** The pipelines that were gone through to come to this one, the outermost first. */
  crumbs = $state.raw<readonly Crumb[]>([])
  // What could be a component here, with spaces, which no name holds: a text is the same when it says the same.
  readonly #parts: string = $derived.by(() => {
    const around = [this.document.name, ...this.crumbs.map(({ pipeline }) => pipeline)]
    return (this.#pipelines.data ?? []).map(({ name }) => name).filter((name) => !around.includes(name)).join(' ')
  })
  #pipelines: Query<PipelineSummary[]>
  #shown = $state.raw<End | null>(null)
  #settled = $state.raw<PipelineDoc | null>(null)
  #validation: Query<{ problems: Problem[]; columns: { [key in string]: ColumnView[] }; ports: { [key in string]: StepPorts } }>
  #plan: Query<PlanView>
  #explain: Query<ExplainView>

  constructor(project: string, view: Query<PipelineView>, first: PipelineView, kinds: Kinds) {
    this.view = view
    this.#kinds = kinds
    this.document = new PipelineDocument(project, first, kinds)
    this.pins = new Pins(this.document)
    this.running = new Running(() => view.data?.lastRun?.id ?? null)
    const payload = () =>
      this.#settled === null ? null : { project: null, pipeline: this.document.name, doc: this.#settled, to: null }
    this.#pipelines = query('pipeline.list', () => ({ project: null }))
    this.#validation = query('pipeline.validate', payload)
    this.#plan = query('pipeline.plan', () => (this.blocking.length > 0 ? null : payload()))
    this.#explain = query('pipeline.explain', () => {
      const step = this.explainable
      const asked = this.blocking.length > 0 || step === null ? null : payload()
      return asked === null ? null : { ...asked, step }
    })
    $effect(() => this.#settle(this.doc))
    $effect(() => {
      if (view.data !== undefined) this.document.heed(view.data)
    })
  }

  get doc(): PipelineDoc {
    return this.document.doc
  }
  /** The graph once nobody has changed it for a moment: what the backend is asked about. */
  get settled(): PipelineDoc | null {
    return this.#settled
  }
  /** Problems that keep the pipeline from running. */
  get blocking(): Problem[] {
    return this.problems.filter((problem) => !problem.isWarning || isAwaited(this.doc, problem))
  }
  get plan(): PlanView | null {
    return this.#plan.data ?? null
  }
  get isPlanLoading(): boolean {
    return this.#plan.isLoading
  }
  /** The selected step, if a run would come to it. */
  get explainable(): string | null {
    const id = this.selected
    return id !== null && this.#settled?.steps.some((step) => step.id === id) === true ? id : null
  }
  /** Why the selected step will run or not; the last answer may be about another step. */
  get explained(): ExplainedStep | null {
    return this.#explain.data?.steps[0] ?? null
  }
  get explainFailure(): Failure | null {
    return this.#explain.error
  }
  /** Columns by `step.port`, as far as they are known. */
  get columns(): { [key in string]: ColumnView[] } {
    return this.#validation.data?.columns ?? {}
  }
  get selected(): string | null {
    return this.document.selected
  }

  /** The output port whose content the drawer shows; null for the step's first. */
  get port(): string | null {
    return this.#shown !== null && this.#shown.step === this.selected ? this.#shown.port : null
  }

  /** The columns a step's parameters can name: those that come in, or for a source those that go out. */
  columnsFor(id: string): ColumnView[] {
    const source = tableSource(this.doc, this.kinds, id)
    if (source !== null) return this.columns[endText(source)] ?? []
    const kind = kindOf(this.doc, this.kinds, id)
    const out = kind?.outputs.find((port) => port.type === 'table')
    return out === undefined ? [] : (this.columns[`${id}.${out.name}`] ?? [])
  }

  /** The ways out of a problem. */
  fixesFor(problem: Problem): Fix[] {
    return fixesFor(this.doc, this.kinds, this.columns, problem)
  }

  /** Goes one of them. */
  mend(fix: Fix): void {
    if (fix.type === 'show') this.show(fix.step)
    else if (this.document.run(fix.outcome)) this.document.seal()
  }

  /** Runs the pipeline as it is on screen, or what one step needs. */
  async run(to: string | null = null): Promise<void> {
    if ((await this.#start(to, { to })) && to === null) shell.showDrawer('figures')
  }

  /** Runs a step once more with all that need it; the rest comes from the cache. */
  async runFrom(step: string): Promise<void> {
    await this.#start(step, { to: null, from: step })
  }

  async #start(step: string | null, range: { to: string | null; from?: string }): Promise<boolean> {
    if (this.running.isLive || this.running.isStarting) return false
    if (step !== null && skippedOf(this.doc).includes(step)) {
      toast({ title: `${step} is skipped: take it in again to run it`, tone: 'warning', stay: 5_000 })
      return false
    }
    await this.document.flush()
    return this.running.start({ project: null, pipeline: this.document.name, doc: this.doc, threads: null, force: false, ...range })
  }

  /** Looks at a part by itself, or at all again. */
  look(focus: Focus | null): void {
    this.#focus = focus
  }

  /** Selects a step, brings it into view and opens the inspector. One that is not on show becomes what is looked at. */
  show(id: string): void {
    const { focus } = this
    if (focus !== null && !this.shown.steps.some((step) => step.id === id)) this.#focus = focusOn(this.doc, [id], focus.hops)
    this.document.selectStep(id)
    this.wanted = { id, turn: (this.wanted?.turn ?? 0) + 1 }
  }

  /** Selects a frame and goes to its title. */
  showFrame(id: string): void {
    this.document.select({ steps: [], wires: [], frames: [id] })
    shell.toggleInspector(true)
    requestAnimationFrame(() => document.querySelector<HTMLInputElement>('[data-testid=frame-title]')?.select())
  }

  /** Compares with another version, or no longer. */
  compare(version: Compared | null): void {
    this.compared = version
  }

  /** Shows what comes out of a port in the drawer. */
  showOutput(end: End): void {
    this.document.selectStep(end.step)
    this.#shown = end
    shell.showDrawer('data')
  }

  // Only what a step does counts, not where it stands or what frame is around it: moving asks the
  // backend nothing.
  #settle(doc: PipelineDoc): () => void {
    const next = { ...withFrames(doc, []), steps: doc.steps.map((step) => ({ ...step, position: ORIGIN })) }
    const delay = untrack(() => this.#settled) === null ? 0 : SETTLE_MS
    const timer = setTimeout(() => {
      if (JSON.stringify(next) !== JSON.stringify(this.#settled)) this.#settled = next
    }, delay)
    return () => clearTimeout(timer)
  }
}

const ORIGIN: [number, number] = [0, 0]

/** Makes the editor known to everything inside. */
export function provideEditor(editor: Editor): Editor {
  return setContext(KEY, editor)
}

/** The editor around this part. */
export function useEditor(): Editor {
  return getContext<Editor>(KEY)
}
