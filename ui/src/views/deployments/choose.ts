// What the deploy sheet proposes, and what is wrong with what was typed into it.

import type { DeploymentSummary, ModelSummary, TargetView } from '../../host/bindings'

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
