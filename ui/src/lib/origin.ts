// Where a dataset came from beside a file, in words, and what can be asked of it again.

import type { FolderOptions, Origin, ParseOptions } from '../host/bindings'
import { ago } from './format'

/** What is shown of a place beside its age: the host of an address, the name of a connection. */
export function originName(origin: Origin): string {
  return origin.kind === 'query' ? origin.connection : hostOf(origin.url)
}

/** `fetched from example.org 2 h ago`. */
export function originWords(origin: Origin, now: number): string {
  return `${origin.kind === 'query' ? 'asked of' : 'fetched from'} ${originName(origin)} ${ago(origin.at, now)}`
}

/** All of it, for whoever looks closer. */
export function originText(origin: Origin): string {
  return origin.kind === 'query' ? origin.query : origin.url
}

/** True if a key was taken out of the address before it was kept, so that it has to be put in again. */
export function lacksKey(origin: Origin): boolean {
  return origin.kind === 'address' && origin.url.includes('=…')
}

function hostOf(url: string): string {
  try {
    return new URL(url).host
  } catch {
    return url
  }
}

/** True if a text that was typed or pasted is an address of the web and no path. */
export function isAddress(text: string): boolean {
  return /^https?:\/\/\S+$/i.test(text.trim())
}

/** What the backend calls a dataset that comes from here: the name of the file, as a name in SQL. */
export function suggestedName(place: string): string {
  const bare = isAddress(place) ? place.trim().replace(/[?#].*$/, '').replace(/^https?:\/\//i, '') : place.trim()
  const last = bare.split(/[\\/]/).filter((part) => part !== '').pop() ?? ''
  const name = last.replace(/(.)\.[^.]*$/, '$1').toLowerCase().slice(0, 60).replaceAll(/[^a-z0-9]+/g, '_').replaceAll(/^_+|_+$/g, '')
  if (name === '') return 'data'
  return /^[0-9]/.test(name) ? `data_${name}` : name
}

/** True if the name of a path says that it is no file. */
export function looksLikeFolder(path: string): boolean {
  const last = path.replace(/[\\/]+$/, '').split(/[\\/]/).pop() ?? ''
  return last !== '' && !/\.[a-z0-9]{1,8}$/i.test(last)
}

/** True if every row of a dataset is a file. */
export function holdsFiles({ folder }: ParseOptions): boolean {
  return folder?.asFiles === true
}

/** True if what was imported was a folder: its files come out as one again. */
export function cameAsFolder({ folder, pack }: ParseOptions): boolean {
  return folder !== undefined && (folder.asFiles || pack !== 'zip')
}

export const USUAL_FOLDER: FolderOptions = { asFiles: false, only: null, pathColumn: null, partitions: true }
