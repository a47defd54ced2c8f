// What the deploy sheet proposes, and what is wrong with what was typed into it.

import type { DeploymentSummary, JobView, JsonValue, ModelSummary, TargetView } from '../../host/bindings'
import { resultLines } from '../../host/results'
import { count, plural } from '../../lib/format'
import { isRecord } from '../../lib/graph/json'

/** Parameters of a target by name. */
export type Params = { [key in string]: JsonValue }

/** The model to deploy: as asked, or else one in production, or else the newest. */
export function proposedModel(models: readonly ModelSummary[], asked: string | null): ModelSummary | undefined {
  const byAge = [...models].sort((a, b) => b.createdAt - a.createdAt)
  return byAge.find((one) => one.name === asked) ?? byAge.find((one) => 'production' in one.aliases) ?? byAge[0]
}

/** The version to deploy: as asked, or else the one in production, or else the newest. */
export function proposedVersion(model: ModelSummary, asked: string | null): string {
  if (asked !== null) return String(model.aliases[asked] ?? asked)
  return String(model.aliases.production ?? model.version)
}

/** The first target that can be used here. */
export function proposedTarget(targets: readonly TargetView[]): TargetView | undefined {
  return targets.find((one) => one.unavailable === null)
}

/** What is wrong with a port; null if nothing is. Empty means any free one. */
export function portProblem(text: string): string | null {
  if (text.trim() === '') return null
  const port = Number(text)
  if (!Number.isInteger(port)) return 'A port is a whole number'
  return port >= 1024 && port <= 65_535 ? null : 'A port between 1024 and 65535'
}

/** What is wrong with a name; null if nothing is. Empty means the name of the model. */
export function nameProblem(text: string): string | null {
  const name = text.trim()
  if (name === '') return null
  if (name.length > 60) return 'At most 60 characters'
  return /^[a-z0-9][a-z0-9_-]*$/i.test(name) ? null : 'Letters, digits, - and _ only'
}

/** What happens to an endpoint of that name that is there already, as a sentence. */
export function consequence(endpoints: readonly DeploymentSummary[], name: string): string | null {
  const there = endpoints.find((one) => one.name === name)
  if (!there) return null
  return `\`${name}\` serves ${there.model.model} v${there.model.version} now. It switches once the new revision is healthy; the old one stays for a rollback.`
}

/** The name of a deployment that nobody named: its model's, unless that one is somewhere else. */
export function proposedName(endpoints: readonly DeploymentSummary[], model: string, target: TargetView): string {
  const there = endpoints.find((one) => one.name === model)
  return there === undefined || there.target === target.title ? model : `${model}-${target.kind}`
}

/** True for the parameters that are shown at once; the others are behind a fold. */
export function isFirst(target: TargetView, name: string): boolean {
  const properties = isRecord(target.params) ? target.params.properties : null
  const property = isRecord(properties) ? properties[name] : null
  return isRecord(property) && property['x-first'] === true
}

/** Parameters with one set anew; one without a value goes back to its default. */
export function withParam(params: Params, name: string, value: JsonValue | undefined): Params {
  const { [name]: _before, ...others } = params
  return value === undefined ? others : { ...others, [name]: value }
}

/** What scoring files came to, in words. */
export function scoredWords(job: JobView): string {
  const lines = resultLines(job)
  const number = (name: string): number => {
    const value = lines.find((line) => line.name === name)?.value
    return typeof value === 'number' ? value : 0
  }
  const said = [`${plural(number('rows'), 'row', 'rows')} of ${plural(number('files'), 'file', 'files')} scored`]
  if (number('rowErrors') > 0) said.push(`${plural(number('rowErrors'), 'row', 'rows')} could not be read`)
  if (number('failed') > 0) said.push(`${plural(number('failed'), 'file', 'files')} could not be scored: see the log`)
  if (number('skipped') > 0) said.push(`${count(number('skipped'))} done before`)
  return said.join(', ')
}
