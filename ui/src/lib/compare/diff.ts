// A difference as git writes it, cut into files and lines.

export type DiffLine = { kind: 'added' | 'removed' | 'same' | 'place'; text: string; before: number | null; now: number | null }
export type DiffFile = { path: string; added: number; removed: number; lines: DiffLine[]; note: string | null }

/** The files of a difference in its order. What is not understood stands as a line of its own. */
export function diffFiles(text: string): DiffFile[] {
  const files: DiffFile[] = []
  let file: DiffFile | null = null
  let [before, now] = [0, 0]
  let isInside = false
  for (const line of text.split('\n')) {
    if (line.startsWith('diff --git ')) {
      file = { path: pathOf(line), added: 0, removed: 0, lines: [], note: null }
      files.push(file)
      isInside = false
      continue
    }
    if (file === null) continue
    const place = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(line)
    if (place !== null) {
      ;[before, now] = [Number(place[1]), Number(place[2])]
      isInside = true
      file.lines.push({ kind: 'place', text: line, before: null, now: null })
    } else if (!isInside) {
      file.note = headNote(line) ?? file.note
    } else if (line.startsWith('+')) {
      file.lines.push({ kind: 'added', text: line.slice(1), before: null, now })
      now += 1
      file.added += 1
    } else if (line.startsWith('-')) {
      file.lines.push({ kind: 'removed', text: line.slice(1), before, now: null })
      before += 1
      file.removed += 1
    } else if (line.startsWith(' ')) {
      file.lines.push({ kind: 'same', text: line.slice(1), before, now })
      before += 1
      now += 1
    }
  }
  return files
}

function headNote(line: string): string | null {
  if (line.startsWith('new file')) return 'new'
  if (line.startsWith('deleted file')) return 'removed'
  if (line.startsWith('rename from ')) return `was ${line.slice('rename from '.length)}`
  return line.startsWith('Binary files') || line.startsWith('GIT binary patch') ? 'binary' : null
}

/** The path behind the change: both paths are the same, or one of them is no file. */
function pathOf(line: string): string {
  const rest = line.slice('diff --git '.length)
  const half = rest.slice(rest.indexOf(' b/') + ' b/'.length)
  return half.replace(/"$/, '')
}
