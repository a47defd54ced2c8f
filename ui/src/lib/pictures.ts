// The pictures of a dataset of files: fetched when they are looked at, a few at a time, and kept for a while.

import type { FileBytes } from '../host/bindings'
import { bytes, count } from './format'

/** What every web view can draw. Anything else is shown by a glyph. */
const DRAWN = ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/bmp', 'image/svg+xml', 'image/x-icon', 'image/vnd.microsoft.icon', 'image/avif']
/** Larger pictures have a glyph in the table, and are shown when their row is opened. */
const MOST_IN_TABLE = 512 * 1024
/** What the backend hands over at most. */
const MOST_BYTES = 16 * 2 ** 20
const AT_ONCE = 4
/** Characters of base64 that are kept: some hundred small pictures. */
const MOST_KEPT = 48_000_000

export function isDrawn(mediaType: string | null): boolean {
  return mediaType !== null && DRAWN.includes(mediaType)
}

export function isInTable(mediaType: string | null, sizeBytes: number): boolean {
  return isDrawn(mediaType) && sizeBytes <= MOST_IN_TABLE
}

/** Why a file is not shown as a picture; null if it is. */
export function whyNotShown(mediaType: string | null, sizeBytes: number): string | null {
  if (!isDrawn(mediaType)) return mediaType?.startsWith('image/') === true ? `This window cannot draw ${mediaType}` : 'Not a picture'
  return sizeBytes > MOST_BYTES ? `${bytes(sizeBytes)} are too many to be shown` : null
}

/** `640 × 480 pixels, 18 kB, image/png`. */
export function pictureWords(mediaType: string | null, sizeBytes: number, width: string | null, height: string | null): string {
  const pixels = width === null || height === null ? [] : [`${count(Number(width))} × ${count(Number(height))} pixels`]
  return [...pixels, bytes(sizeBytes), ...(mediaType === null ? [] : [mediaType])].join(', ')
}

/** The kind of file, for its glyph. */
export function fileGlyph(mediaType: string | null): 'picture' | 'sound' | 'film' | 'text' | 'archive' | 'other' {
  const type = mediaType ?? ''
  if (type.startsWith('image/')) return 'picture'
  if (type.startsWith('audio/')) return 'sound'
  if (type.startsWith('video/')) return 'film'
  if (type.startsWith('text/') || type === 'application/pdf' || type === 'application/json' || type === 'application/xml') return 'text'
  return /zip|gzip|zstd|tar|compress|7z|rar|bzip/.test(type) ? 'archive' : 'other'
}

export type Pictures = {
  /** The picture as an address for `img`; null if there is none. */
  load(path: string, mediaType: string): Promise<string | null>
}

/** Pictures by their paths, fetched once each as long as there is room for them. */
export function pictures(fetchFile: (path: string) => Promise<FileBytes>): Pictures {
  const kept = new Map<string, { url: Promise<string | null>; size: number }>()
  const waiting: (() => void)[] = []
  let running = 0

  async function turn<T>(work: () => Promise<T>): Promise<T> {
    // Whoever waited takes over the place of the one who has finished.
    if (running < AT_ONCE) running += 1
    else await new Promise<void>((go) => waiting.push(go))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }

  function makeRoom(): void {
    let size = [...kept.values()].reduce((sum, one) => sum + one.size, 0)
    for (const [path, one] of kept) {
      if (size <= MOST_KEPT || kept.size === 1) return
      kept.delete(path)
      size -= one.size
    }
  }

  return {
    load(path, mediaType) {
      const known = kept.get(path)
      if (known !== undefined) {
        // The one that was looked at last is the last to go.
        kept.delete(path)
        kept.set(path, known)
        return known.url
      }
      const entry = {
        size: 0,
        url: turn(() => fetchFile(path)).then(
          ({ base64 }) => {
            entry.size = base64?.length ?? 0
            makeRoom()
            return base64 === null || !isDrawn(mediaType) ? null : `data:${mediaType};base64,${base64}`
          },
          () => {
            // It is asked for again when it is looked at again.
            kept.delete(path)
            return null
          },
        ),
      }
      kept.set(path, entry)
      return entry.url
    },
  }
}
