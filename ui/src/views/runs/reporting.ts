/** Reports of a run: the files they become, and the menu that offers them. */
import FileChartColumn from '@lucide/svelte/icons/file-chart-column'
import type { ReportFormat } from '../../host/bindings'
import { call, platform } from '../../host/host'
import type { MenuItem } from '../../parts/Menu.svelte'
import { writeFile } from '../../parts/saving'

const FORMATS: readonly { format: ReportFormat; label: string; extension: string }[] = [
  { format: 'html', label: 'Page with figures (HTML)…', extension: 'html' },
  { format: 'markdown', label: 'Comment (Markdown)…', extension: 'md' },
  { format: 'junit', label: 'Cases for a build server (JUnit)…', extension: 'xml' },
  { format: 'openmetrics', label: 'Metrics (OpenMetrics)…', extension: 'txt' },
]

/** A run, and the one to compare it with. */
export type Reported = { run: string; number: number; against: string | null }

/** Asks where to, and has the report written there. */
export function saveReport({ run, number, against }: Reported, format: ReportFormat): Promise<void> {
  const extension = FORMATS.find((one) => one.format === format)?.extension ?? 'txt'
  return writeFile(`the report of run ${String(number)}`, `run-${String(number)}.${extension}`, (to) =>
    call('run.save_report', { run, format, to, ...(against === null ? {} : { against }) }),
  )
}

/** The menu of reports. */
export function reportItems(reported: Reported): MenuItem[] {
  return FORMATS.map(({ format, label }, at) => ({
    label,
    ...(at === 0 ? { icon: FileChartColumn } : {}),
    isDisabled: !platform.isDesktop,
    testid: `run-report-${format}`,
    run: () => void saveReport(reported, format),
  }))
}
