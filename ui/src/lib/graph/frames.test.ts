import { describe, expect, it } from 'vitest'

import type { JsonValue, PipelineDoc } from '../../host/bindings'
import { deleteSteps, renameStep } from './commands'
import { addNote, contentBox, deleteFrames, frameOf, frameSteps, moveFrame, setFrame, stepsIn } from './frames'
import { begin, commit, redo, undo, type History } from './history'
import { framesOf, MAX_FRAMES, readFrames, skippedOf, withFrames } from './sheet'
import { runnable, toggleSkip } from './skip'
import { chain, doc, KINDS, step } from './testkit'
import { keep, recall, resume } from './vault'
import type { Outcome } from './wiring'

function after(sheet: PipelineDoc, make: (sheet: PipelineDoc) => Outcome): PipelineDoc {
  const { change, refusal } = make(sheet)
  if (change === null) throw new Error(refusal)
  return change.doc
}
function made(history: History, make: (sheet: PipelineDoc) => Outcome): History {
  const { change, refusal } = make(history.doc)
  if (change === null) throw new Error(refusal)
  return commit(history, change, history.entries.length * 10_000)
}
const framed = (): PipelineDoc => after(chain(), (sheet) => frameSteps(sheet, ['filter', 'impute']))

describe('a frame', () => {
  it('goes around what is selected and holds just that', () => {
    const frame = frameOf(framed(), 'frame-1')
    if (frame === undefined) throw new Error('no frame')
    expect(stepsIn(framed(), frame)).toEqual(['filter', 'impute'])
  })

  it('takes what is in it along, in one undo', () => {
    const moved = made(begin(framed()), (sheet) => moveFrame(sheet, 'frame-1', [640, 400]))
    const [data, filter, impute] = moved.doc.steps
    const [x, y] = framesOf(framed())[0]?.box ?? [0, 0]
    expect(data?.position).toEqual([0, 0])
    expect(filter?.position).toEqual([264 + 640 - x, 400 - y])
    expect((impute?.position[0] ?? 0) - (filter?.position[0] ?? 0)).toBe(264)
    expect(undo(moved).doc).toEqual(framed())
    expect(redo(undo(moved)).doc).toEqual(moved.doc)
  })

  it('that goes leaves the steps in it', () => {
    expect(after(framed(), (sheet) => deleteFrames(sheet, ['frame-1']))).toEqual(chain())
  })

  it('typed into is one entry', () => {
    let history = begin(framed())
    for (const title of ['P', 'Pr', 'Prep']) {
      const { change } = setFrame(history.doc, 'frame-1', { title }, 'the title')
      if (change !== null) history = commit(history, change, 100)
    }
    expect(history.entries).toHaveLength(1)
    expect(frameOf(history.doc, 'frame-1')?.title).toBe('Prep')
    expect(withFrames(history.doc, [])).toEqual(chain())
  })

  it('counts for what is shown when everything is', () => {
    expect(contentBox(chain())).toEqual({ x: 0, y: 0, width: 992, height: 72 })
    expect(contentBox(after(chain(), (sheet) => addNote(sheet, [0, 400])))).toMatchObject({ y: 0, height: 520 })
    expect(contentBox(doc())).toBeNull()
  })

  it('too many are refused', () => {
    let sheet: PipelineDoc = chain()
    for (let count = 0; count < MAX_FRAMES; count += 1) sheet = after(sheet, (one) => addNote(one, [count, 0]))
    expect(addNote(sheet, [0, 0]).refusal).toContain('at most 200')
    expect(new Set(framesOf(sheet).map((frame) => frame.id)).size).toBe(MAX_FRAMES)
  })

  it('is there again after a restart, and as the backend has it', () => {
    const kept = new Map<string, string>()
    const storage = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, text: string) => void kept.set(key, text), removeItem: (key: string) => void kept.delete(key) }
    keep(storage, 'p', { history: made(begin(chain()), (sheet) => frameSteps(sheet, ['filter'])), isUnsaved: true })
    expect(framesOf(resume(recall(storage, 'p'), chain(), 0).history.doc)).toHaveLength(1)
    keep(storage, 'p', { history: made(begin(chain()), (sheet) => frameSteps(sheet, ['filter'])), isUnsaved: false })
    const { history } = resume(recall(storage, 'p'), chain(), 0)
    expect(history.doc).toEqual(chain())
    expect(framesOf(undo(history).doc)).toHaveLength(1)
  })

  it('that an older Fettle kept beside the document moves into it, and is saved', () => {
    const frame = { id: 'frame-1', title: 'Clean', note: '', tone: 'blue', box: [0, 0, 10, 10] }
    const text = JSON.stringify({ format: 1, doc: { ...chain(), frames: [frame], skipped: ['filter'] }, isUnsaved: false, entries: [], index: 0 })
    const storage = { getItem: () => text, setItem: () => undefined, removeItem: () => undefined }
    const { history, isUnsaved } = resume(recall(storage, 'p'), chain(), 0)
    expect(isUnsaved).toBe(true)
    expect(framesOf(history.doc)).toEqual([frame])
    expect(skippedOf(history.doc)).toEqual(['filter'])
  })

  it.each<JsonValue>([null, 7, { frames: 'x' }, [{ id: 'a' }, { id: 'a', title: '', note: '', box: [1, 2, 3] }, 3]])('%j holds none', (value) => {
    expect(readFrames(value)).toEqual([])
  })
})

describe('a skipped step', () => {
  it('stays on the canvas, and a run goes past it', () => {
    const sheet = after(chain(), (one) => toggleSkip(one, KINDS, ['filter']))
    expect(sheet.steps).toHaveLength(4)
    expect(runnable(sheet, KINDS).steps.map((one) => [one.id, one.inputs.table ?? []])).toEqual([['data', []], ['impute', ['data.table']], ['forest', ['impute.table']]])
    expect(after(sheet, (one) => toggleSkip(one, KINDS, ['filter']))).toEqual(chain())
  })

  it('in a row with others leaves one wire past all of them', () => {
    const sheet = after(chain(), (one) => toggleSkip(one, KINDS, ['impute', 'filter']))
    expect(runnable(sheet, KINDS).steps.at(-1)?.inputs).toEqual({ table: ['data.table'] })
  })

  it('that others cannot do without is refused with the first of them', () => {
    const judged = doc(...chain().steps, step('evaluate', 'evaluate', { model: ['forest.model'], table: ['data.table'] }))
    expect(toggleSkip(judged, KINDS, ['forest']).refusal).toBe('`evaluate` would be left without `model`: skip it too, or connect it elsewhere')
    expect(toggleSkip(judged, KINDS, ['forest', 'evaluate']).refusal).toBeNull()
    expect(toggleSkip(judged, KINDS, []).refusal).toBe('no step is selected')
  })

  it('is followed by a rename, forgotten with the step, and back after undo', () => {
    const skipped = made(begin(chain()), (one) => toggleSkip(one, KINDS, ['filter']))
    expect(skippedOf(after(skipped.doc, (one) => renameStep(one, 'filter', 'adults')))).toEqual(['adults'])
    const gone = made(skipped, (one) => deleteSteps(one, ['filter']))
    expect(skippedOf(gone.doc)).toEqual([])
    expect(undo(gone).doc).toEqual(skipped.doc)
  })
})
