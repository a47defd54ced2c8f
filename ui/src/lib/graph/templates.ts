// Templates in the palettes: a kind with parameters to start from, found and added like a kind.

import type { StepDoc, StepKindView } from '../../host/bindings'
import type { Kinds } from './kinds'

/** Between the name of a kind and that of its template; no kind has it in its name. */
const MARK = '#'

/** Every kind, each followed by its templates, which look like kinds of their own. */
export function withTemplates(kinds: Kinds): StepKindView[] {
  return [...kinds.values()].flatMap((kind) => [
    kind,
    ...kind.presets.map((preset): StepKindView => ({ ...kind, kind: `${kind.kind}${MARK}${preset.name}`, title: preset.title, summary: preset.summary, synonyms: [preset.name, kind.title], presets: [] })),
  ])
}

/** What an entry of a palette adds: a kind, with the parameters of its template. */
export function entryOf(kinds: Kinds, entry: string): { kind: string; name: string; params: StepDoc['params'] } {
  const [kind = entry, name] = entry.split(MARK, 2)
  const preset = kinds.get(kind)?.presets.find((one) => one.name === name)
  return preset === undefined ? { kind, name: kind, params: {} } : { kind, name: preset.name, params: preset.params }
}

/** What an entry is called. */
export function entryTitle(kinds: Kinds, entry: string): string {
  const { kind, name } = entryOf(kinds, entry)
  const found = kinds.get(kind)
  return found?.presets.find((one) => one.name === name)?.title ?? found?.title ?? kind
}
