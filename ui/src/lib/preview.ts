// What of a file can be shown, by its name and its bytes.

import { whyNotShown } from './pictures'

export type Preview =
  | { type: 'picture'; url: string }
  | { type: 'text'; text: string; isWhole: boolean }
  /** Nothing is shown, and why. */
  | { type: 'none'; why: string }

const PICTURES: Record<string, string> = {
  png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif', webp: 'image/webp', bmp: 'image/bmp', svg: 'image/svg+xml', avif: 'image/avif', ico: 'image/x-icon',
}
/** Formats that run what is in them when a program opens them. */
const RUNS_CODE = ['pkl', 'pickle', 'joblib', 'dill', 'cloudpickle', 'pt', 'pth']
/** A page is not made faster by more text than anybody reads. */
const MOST_CHARACTERS = 200_000

export function extension(path: string): string {
  const name = path.split('/').pop() ?? ''
  return name.includes('.') ? (name.split('.').pop() ?? '').toLowerCase() : ''
}

/** True for a file that is shown as a picture. */
export function isPicture(path: string): boolean {
  return extension(path) in PICTURES
}

/** True for a file that can run code in whoever opens it. */
export function runsCode(path: string): boolean {
  return RUNS_CODE.includes(extension(path))
}

/** What is shown of a file, of which the backend gave these bytes or none. */
export function preview(path: string, sizeBytes: number, base64: string | null): Preview {
  if (runsCode(path)) return { type: 'none', why: 'This file can run code in whoever opens it, so it is never opened here.' }
  if (sizeBytes === 0) return { type: 'none', why: 'The file is empty.' }
  const picture = PICTURES[extension(path)]
  if (picture !== undefined) {
    const why = whyNotShown(picture, sizeBytes)
    return base64 === null || why !== null ? { type: 'none', why: `${why ?? 'It is too large to be shown'}.` } : { type: 'picture', url: `data:${picture};base64,${base64}` }
  }
  if (base64 === null) return { type: 'none', why: 'It is too large to be shown.' }
  const text = textOf(base64)
  if (text === null) return { type: 'none', why: 'There is no preview for this kind of file.' }
  const shown = extension(path) === 'json' ? indented(text) : text
  return { type: 'text', text: shown.slice(0, MOST_CHARACTERS), isWhole: shown.length <= MOST_CHARACTERS }
}

/** The bytes as UTF-8; null for those of no text. */
function textOf(base64: string): string | null {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  if (bytes.includes(0)) return null
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return null
  }
}

function indented(text: string): string {
  try {
    const value: unknown = JSON.parse(text)
    return JSON.stringify(value, null, 2)
  } catch {
    return text
  }
}
