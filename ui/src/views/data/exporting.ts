// Writing data into files: where to is asked, and the end is announced.

import type { ExportFormat, JobRef } from '../../host/bindings'
import { call, platform, runJob, toFailure } from '../../host/host'
import { toast, toastFailure } from '../../parts/toast.svelte'

export const FORMATS: { format: ExportFormat; label: string; extension: string | null }[] = [
  { format: 'original', label: 'As imported…', extension: null },
  { format: 'csv', label: 'CSV…', extension: 'csv' },
  { format: 'safe_csv', label: 'CSV for spreadsheets…', extension: 'csv' },
  { format: 'parquet', label: 'Parquet…', extension: 'parquet' },
  { format: 'arrow', label: 'Arrow…', extension: 'arrow' },
]

/** Asks for a file and has it written. */
export async function writeFile(what: string, suggestedName: string, start: (to: string) => Promise<JobRef>): Promise<void> {
  const extension = suggestedName.split('.').pop()
  const to = await platform.saveFile({ title: `Save ${what}`, suggestedName, ...(extension === undefined ? {} : { extensions: [extension] }) })
  if (to === null) return
  let done = (): void => undefined
  try {
    const ref = await start(to)
    done = toast({ title: `Writing ${what}…`, jobId: ref.jobId, stay: null })
    await runJob(ref)
    toast({ title: `${what} saved`, detail: to, tone: 'success', action: { label: 'Show in folder', run: () => void platform.reveal(to) }, testid: 'toast-saved' })
  } catch (thrown) {
    if (toFailure(thrown).code !== 'cancelled') toastFailure(`Could not save ${what}`, thrown)
  } finally {
    done()
  }
}

/** Writes a version in one of the formats. */
export function exportVersion(dataset: string, version: number, format: ExportFormat, sourceName: string): Promise<void> {
  const extension = FORMATS.find((one) => one.format === format)?.extension ?? null
  const name = extension === null ? sourceName : `${dataset}-v${version}.${extension}`
  return writeFile(`${dataset} v${version}`, name, (to) => call('dataset.export', { project: null, dataset, version, format, to }))
}

/** Writes the profile of a version as a page, compared with an older one if there is one. */
export function writeReport(dataset: string, version: number, compareWith: number | null): Promise<void> {
  return writeFile(`Report on ${dataset} v${version}`, `${dataset}-v${version}.html`, (to) => call('dataset.report', { project: null, dataset, version, compareWith, to }))
}
