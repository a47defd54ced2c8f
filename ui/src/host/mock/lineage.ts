// Runs that stand in a line with others: gone on with, repeated; and why a step runs.

import type { ChangeView, ExplainedStep, JsonValue, PipelineDoc, ReceiptView, StepDoc } from '../bindings'
import { adopt, docOf, template, toText } from './pipelines'
import { perWorld } from './state'
import { planFor, startRun } from './training'
import { answers as runs } from './runs'
import { failure, type Answers, type World } from './world'

const HOUR = 3_600_000
const hash = (seed: string): string => [...seed].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) >>> 0, 7).toString(16).padStart(8, '0').repeat(8)

const VERSION = '`train_boosting` was version 2 and is version 3, which computes otherwise'

/** A receipt as the backend keeps it; with `from` the steps from there on differ. */
function receipt(doc: PipelineDoc, from: string | null): JsonValue {
  const start = from === null ? -1 : doc.steps.findIndex((step) => step.id === from)
  const isAfter = (step: StepDoc, index: number): boolean => start >= 0 && index > start && (Object.values(step.inputs).flat().some((source) => source.startsWith(`${from}.`)) || ['compare', 'register'].includes(step.kind) || step.id === `evaluate_${from}`)
  const setting = (program: string): JsonValue => ({ program, system: 'linux x86_64', threads: 2 })
  return {
    pipeline: doc.name, pipelineDigest: hash(doc.name), then: setting(from === null ? '0.1.0' : '0.0.9'), now: setting('0.1.0'), datasets: { penguins: 'penguins v2' },
    steps: doc.steps.map((step, index): JsonValue => {
      const verdict = index === start ? 'different' : isAfter(step, index) ? 'follows' : 'identical'
      const port = step.kind.startsWith('train_') || step.kind === 'evaluate' ? 'model' : step.kind === 'compare' ? 'best' : step.kind === 'register' ? 'report' : 'table'
      const why = verdict === 'different' ? VERSION : verdict === 'follows' ? `its input \`${Object.values(step.inputs).flat()[0] ?? ''}\` is different already` : null
      return { step: step.id, kind: step.kind, verdict, outputs: { [port]: [hash(step.id), hash(verdict === 'identical' ? step.id : `${step.id} now`)] }, why }
    }),
    isIdentical: from === null, firstDifference: from === null ? null : [from, VERSION],
  }
}

const kept = perWorld(() => ({ receipts: new Map<string, ReceiptView[]>() }))

async function detailOf(world: World, run: string): Promise<{ id: string; number: number; doc: PipelineDoc }> {
  const detail = await runs['run.show']?.({ run }, world)
  if (detail === undefined) throw failure('not_found', `there is no run \`${run}\``)
  return { id: detail.summary.id, number: detail.summary.number, doc: detail.doc }
}

// Run 241 was repeated twice: with an older Fettle, which came to something else, and the same way.
function receiptsOf(world: World, run: { id: string; number: number; doc: PipelineDoc }): ReceiptView[] {
  const { receipts } = kept(world)
  const known = receipts.get(run.id)
  if (known !== undefined || run.number !== 241) return known ?? []
  const made = [receipt(run.doc, null), receipt(run.doc, 'boosting')].map((one, index): ReceiptView => ({ number: index + 1, at: Date.now() - (26 - 24 * index) * HOUR, isIdentical: index === 0, text: 'pipeline species', receipt: one }))
  receipts.set(run.id, made)
  return made
}

function explained(doc: PipelineDoc, step: StepDoc): ExplainedStep {
  const planned = planFor(doc).steps.find((one) => one.step === step.id)
  const action = planned?.action ?? 'run'
  const sources = [...new Set(Object.values(step.inputs).flat().map((source) => source.split('.')[0] ?? ''))]
  const changes = action === 'run' ? changesOf(step) : []
  return {
    step: step.id, action, changes, reasons: action === 'cached' ? [] : changes.map((one) => one.text),
    waitsFor: action === 'pending' ? sources : [],
    lastRun: changes.some((one) => one.what === 'first') ? null : { runId: 'a0f1'.padStart(32, '0'), number: 241, at: Date.now() - 2 * HOUR },
  }
}

function changesOf(step: StepDoc): ChangeView[] {
  const change = (what: ChangeView['what'], name: string, before: string | null, after: string | null, text: string, isCause = true): ChangeView => ({ what, name, before, after, isCause, text })
  if (step.kind === 'dataset') {
    return [
      change('dataset', 'penguins', '1', '2', 'dataset `penguins` changed from v1 to v2'),
      change('column', 'year', null, 'integer', 'column `year` came', false),
    ]
  }
  const [first] = Object.entries(step.params)
  if (first !== undefined) return [change('parameter', first[0], '0.1', JSON.stringify(first[1]), `parameter \`${first[0]}\` changed from \`0.1\` to \`${JSON.stringify(first[1])}\``)]
  return [change('first', '', null, null, 'it has not run before')]
}

export const answers: Answers = {
  'pipeline.explain': ({ pipeline, doc, step, to }) => {
    const graph = doc ?? docOf(pipeline)
    const steps = graph.steps.filter((one) => (step === null ? to === null || one.id === to : one.id === step)).map((one) => explained(graph, one))
    const cached = steps.filter((one) => one.action === 'cached').length
    return { steps, cached, toRun: steps.length - cached }
  },
  'pipeline.export': ({ pipeline, format }) => {
    const doc = docOf(pipeline)
    const ids = doc.steps.map((step) => step.id)
    const own = { name: `${pipeline}.toml`, text: toText(doc), isProgram: false }
    if (format === 'make') return [{ name: 'Makefile', text: `all: ${ids.at(-1) ?? ''}\n\n${ids.map((id) => `${id}:\n\tfettle pipeline run ${pipeline}.toml --to ${id}\n`).join('\n')}`, isProgram: false }, own]
    if (format === 'python') return [{ name: `${pipeline}.py`, text: `#!/usr/bin/env python3\nimport subprocess\n\nfor step in ${JSON.stringify(ids)}:\n    subprocess.run(["fettle", "pipeline", "run", "${pipeline}.toml", "--to", step], check=True)\n`, isProgram: true }, own]
    return [{ name: `${pipeline}.sh`, text: `#!/bin/sh\nset -eu\n${ids.map((id) => `fettle pipeline run ${pipeline}.toml --to ${id}`).join('\n')}\n`, isProgram: true }, own]
  },
  'pipeline.export_to': () => [{ name: 'run.sh', text: '', isProgram: true }],
  'pipeline.import': ({ path, name }, world) => {
    if (!path.endsWith('.yaml')) throw failure('invalid_input', `cannot import \`${path}\`: it is no \`dvc.yaml\``, 'choose the file of the pipeline')
    const doc = adopt(world, { ...template(name ?? 'dvc', 'penguins'), name: name ?? 'dvc' })
    return { doc, notes: path.includes('plain') ? [] : ['stage `train` is frozen in DVC: it runs here like any other', '`matrix` of stage `sweep` was left out: make a sweep of it'] }
  },
  'run.resume': async ({ run }, world) => startRun(world, (await detailOf(world, run)).doc, null, false),
  'run.reproduce': async ({ run }, world) => {
    const told = await detailOf(world, run)
    return world.start({
      kind: 'run.reproduce', title: `Repeating run ${told.number}`, subject: { run: told.id }, stages: ['reading', 'training', 'comparing'], ms: 3_000,
      finish: () => {
        const made = receiptsOf(world, told)
        const next: ReceiptView = { number: made.length + 1, at: Date.now(), isIdentical: true, text: 'pipeline species', receipt: receipt(told.doc, null) }
        kept(world).receipts.set(told.id, [...made, next])
        world.changed('runs')
        return { text: next.text, receipt: next.receipt }
      },
    })
  },
  'run.receipts': async ({ run }, world) => receiptsOf(world, await detailOf(world, run)),
}
