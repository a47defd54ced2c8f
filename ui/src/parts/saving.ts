// Writing something into a file or a folder: where to is asked, and the end is announced.

import type { JobRef } from '../host/bindings'
import { platform, runJob, toFailure } from '../host/host'
import { toast, toastFailure } from './toast.svelte'

/** Asks for a file and has it written by a job. */
export async function writeFile(what: string, suggestedName: string, start: (to: string) => Promise<JobRef>): Promise<void> {
  const extension = suggestedName.split('.').pop()
  const to = await platform.saveFile({ title: `Save ${what}`, suggestedName, ...(extension === undefined ? {} : { extensions: [extension] }) })
  if (to !== null) await write(what, to, start)
}

/** Asks for a folder and has a new one written into it by a job. */
export async function writeFolder(what: string, name: string, start: (to: string) => Promise<JobRef>): Promise<void> {
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
