// Writing data into files.

import type { ExportFormat, JobRef } from '../../host/bindings'
import { call } from '../../host/host'
import { writeFile, writeFolder } from '../../parts/saving'

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
