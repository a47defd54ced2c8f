// Which outputs of a run have figures, and which of them to show first.

import type { RunDetail } from '../../host/bindings'

/** An output port with figures behind it. */
export interface FigureOutput {
  id: string
  step: string
  port: string
  label: string
}

const KINDS = ['evaluate', 'compare', 'register']
const PORTS = ['report', 'model', 'best']

/** Outputs that hold figures: reports of any step, and models that were evaluated. */
export function figureOutputs(detail: RunDetail): FigureOutput[] {
  return detail.steps.flatMap((step) => {
    const ports = step.outputs.filter((port) => PORTS.includes(port))
    // A step that has a report says there what its model says too.
    const shown = ports.includes('report') ? ['report'] : KINDS.includes(step.kind) ? ports : []
    return shown.map((port) => ({ id: `${step.step}.${port}`, step: step.step, port, label: `${step.step}, ${port}` }))
  })
}

/** The evaluation of the best model, or else the first output there is. */
export function defaultOutput(detail: RunDetail, outputs: readonly FigureOutput[]): FigureOutput | undefined {
  const best = detail.summary.bestStep
  const reads = (id: string): boolean => {
    const step = detail.doc.steps.find((one) => one.id === id)
    return step?.kind === 'evaluate' && Object.values(step.inputs).some((sources) => sources.some((source) => source.startsWith(`${best}.`)))
  }
  return outputs.find((one) => best !== null && reads(one.step)) ?? outputs.find((one) => one.step === best) ?? outputs[0]
}
