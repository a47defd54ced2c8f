// Which screen a window opens on.

import type { ProjectSummary, Settings } from '../host/bindings'

type Content = Pick<ProjectSummary, 'datasets' | 'pipelines' | 'models'>

/**
 * True if it is Welcome: on the first start, once, unless an address was asked for or there is
 * something to show already. Otherwise it is Home, or what the address says.
 */
export function opensOnWelcome(hash: string, settings: Pick<Settings, 'isWelcomed'>, projects: readonly Content[]): boolean {
  const isAddressed = !['', '#', '#/'].includes(hash)
  return !isAddressed && !settings.isWelcomed && !projects.some(hasContent)
}

/** Runs need not be counted: there is none without a dataset, and datasets stay. */
function hasContent(project: Content): boolean {
  return project.datasets + project.pipelines + project.models > 0
}
