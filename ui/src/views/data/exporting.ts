// Writing data into files: where to is asked, and the end is announced.

import type { ExportFormat, JobRef } from '../../host/bindings'
import { call, platform, runJob, toFailure } from '../../host/host'
import { toast, toastFailure } from '../../parts/toast.svelte'

/** What the bytes of a version were called, and whether they were a folder. */
export type Source = { name: string; isFolder: boolean }

const FORMATS: { format: ExportFormat; label: string; extension: string | null }[] = [
  { format: 'original', label: 'as imported…', extension: null },
  { format: 'csv', label: 'CSV…', extension: 'csv' },
  { format: 'safe_csv', label: 'CSV for spreadsheets…', extension: 'csv' },
  { format: 'parquet', label: 'Parquet…', extension: 'parquet' },
  { format: 'arrow', label: 'Arrow…', extension: 'arrow' },
]

/** The formats to write, and how the menu calls them. */
export function formatsOf(isFolder: boolean): { format: ExportFormat; label: string }[] {
  return FORMATS.map(({ format, label }) => ({ format, label: format === 'original' && isFolder ? 'the files…' : label }))
}

/** Asks for a file and has it written. */
export async function writeFile(what: string, suggestedName: string, start: (to: string) => Promise<JobRef>): Promise<void> {
  const extension = suggestedName.split('.').pop()
  const to = await platform.saveFile({ title: `Save ${what}`, suggestedName, ...(extension === undefined ? {} : { extensions: [extension] }) })
  if (to !== null) await write(what, to, start)
}

/** Asks for a folder and has a new one written into it. */
async function writeFolder(what: string, name: string, start: (to: string) => Promise<JobRef>): Promise<void> {
  const [into] = await platform.openFiles({ title: `Folder to write ${what} into`, folder: true })
  if (into !== undefined) await write(what, inside(into, name), start)
}

/** A path in a folder, in the way of the system that the folder is on. */
export function inside(folder: string, name: string): string {
  const sign = folder.includes('\\') && !folder.includes('/') ? '\\' : '/'
  return folder.endsWith(sign) ? folder + name : folder + sign + name
}

async function write(what: string, to: string, start: (to: string) => Promise<JobRef>): Promise<void> {
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
export function exportVersion(dataset: string, version: number, format: ExportFormat, source: Source): Promise<void> {
  const what = `${dataset} v${version}`
  const extension = FORMATS.find((one) => one.format === format)?.extension ?? null
  const start = (to: string): Promise<JobRef> => call('dataset.export', { project: null, dataset, version, format, to })
  if (extension !== null) return writeFile(what, `${dataset}-v${version}.${extension}`, start)
  return source.isFolder ? writeFolder(what, `${dataset}-v${version}`, start) : writeFile(what, source.name, start)
}

/** Writes the profile of a version as a page, compared with an older one if there is one. */
export function writeReport(dataset: string, version: number, compareWith: number | null): Promise<void> {
  return writeFile(`Report on ${dataset} v${version}`, `${dataset}-v${version}.html`, (to) => call('dataset.report', { project: null, dataset, version, compareWith, to }))
}
