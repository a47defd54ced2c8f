import { describe, expect, it } from 'vitest'

import type { PipelineDoc } from '../../host/bindings'
import { align, distribute } from './align'
import { paste, toText } from './clipboard'
import * as commands from './commands'
import { isSameDoc, wiresOf } from './doc'
import { addNote, deleteFrames, frameSteps, moveFrame, setFrame } from './frames'
import { begin, canRedo, commit, goTo, MAX_ENTRIES, redo, seal, undo, type Change, type History } from './history'
import { moveInOrder } from './order'
import { repair } from './repair'
import { framesOf } from './sheet'
import { toggleSkip } from './skip'
import { chain, KINDS, random } from './testkit'
import { connect, disconnect, splice, type Outcome } from './wiring'

function change(doc: PipelineDoc, mergeKey: string | null = null): Change {
  return { label: 'change', doc, mergeKey, select: null }
}

function withParam(history: History, value: string, at: number): History {
  const outcome = commands.setParam(history.doc, 'filter', 'expression', value)
  if (outcome.change === null) throw new Error(outcome.refusal)
  return commit(history, outcome.change, at)
}

describe('history', () => {
  it('typing in one field within two seconds is one entry', () => {
    let history = begin(chain())
    history = withParam(history, 'a', 1_000)
    history = withParam(history, 'ab', 2_500)
    history = withParam(history, 'abc', 4_000)
    expect(history.entries).toHaveLength(1)
    expect(undo(history).doc).toEqual(chain())
  })

  it('a pause, or leaving the field, starts a new entry', () => {
    let history = withParam(begin(chain()), 'a', 1_000)
    history = withParam(history, 'ab', 3_500)
    expect(history.entries).toHaveLength(2)
    history = withParam(seal(history), 'abc', 3_600)
    expect(history.entries).toHaveLength(3)
  })

  it('typing something and removing it again leaves nothing to undo', () => {
    let history = withParam(begin(chain()), 'a', 1_000)
    const cleared = commands.setParam(history.doc, 'filter', 'expression', undefined)
    if (cleared.change === null) throw new Error('refused')
    history = commit(history, cleared.change, 1_500)
    expect(history.entries).toHaveLength(0)
    expect(history.index).toBe(0)
  })

  it('a change that changes nothing leaves no entry and keeps what can be redone', () => {
    const history = undo(withParam(begin(chain()), 'a', 1))
    const same = commit(history, change(chain()), 2)
    expect(canRedo(same)).toBe(true)
  })

  it('a new change drops what could be redone', () => {
    const history = withParam(undo(withParam(begin(chain()), 'a', 1)), 'b', 2)
    expect(canRedo(history)).toBe(false)
    expect(history.entries).toHaveLength(1)
  })

  it('keeps the newest two hundred entries', () => {
    let history = begin(chain())
    for (let i = 0; i < MAX_ENTRIES + 30; i += 1) history = withParam(seal(history), `v${i}`, i)
    expect(history.entries).toHaveLength(MAX_ENTRIES)
    history = goTo(history, 0)
    expect(history.doc.steps[1]?.params.expression).toBe('v29')
  })

  it('a rename of the pipeline is not undone with the edit before it', () => {
    const history = withParam(begin(chain()), 'a', 1)
    const named = { ...history, doc: { ...history.doc, name: 'other' } }
    expect(undo(named).doc.name).toBe('other')
  })
})

// One random command on a document, as a user could give it.
function randomCommand(doc: PipelineDoc, next: () => number): Outcome {
  const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(next() * items.length)]
  const id = pick(doc.steps)?.id ?? 'none'
  const ids = doc.steps.filter(() => next() < 0.3).map((step) => step.id)
  const kind = pick([...KINDS.keys()]) ?? 'filter'
  const wire = pick(wiresOf(doc))
  const kindOf = (step: string) => KINDS.get(doc.steps.find((one) => one.id === step)?.kind ?? '')
  switch (Math.floor(next() * 20)) {
    case 0:
    case 1:
      return commands.addStep(doc, KINDS, kind, [next() * 900, next() * 500], { type: 'none' })
    case 2: {
      const from = commands.mainOutput(doc, KINDS, id)
      return commands.addStep(doc, KINDS, kind, [0, 0], from === null ? { type: 'none' } : { type: 'after', from })
    }
    case 3:
      return wire === undefined
        ? commands.deleteSteps(doc, [id])
        : commands.addStep(doc, KINDS, kind, [10, 10], { type: 'into', wire })
    case 4:
      return commands.deleteSteps(doc, ids.slice(0, 2))
    case 5:
      return commands.dissolveSteps(doc, KINDS, [id])
    case 6:
    case 7: {
      const other = pick(doc.steps)?.id ?? 'none'
      const from = { step: id, port: pick(kindOf(id)?.outputs ?? [])?.name ?? 'table' }
      return connect(doc, KINDS, {
        from,
        to: { step: other, port: pick(kindOf(other)?.inputs ?? [])?.name ?? 'table' },
      })
    }
    case 8:
      return disconnect(doc, wire === undefined ? [] : [wire])
    case 9:
      return commands.setParam(doc, id, pick(['a', 'b']) ?? 'a', pick([undefined, 1, 'x', [1, 2], null]))
    case 10:
      return commands.nudge(doc, ids, next() * 20, next() * 20)
    case 11:
      return commands.duplicate(doc, KINDS, ids)
    case 12: {
      const text = toText(doc.steps.filter((step) => ids.includes(step.id)))
      return next() < 0.5
        ? paste(doc, KINDS, text, [50, 50], next() < 0.5)
        : commands.renameStep(doc, id, `n${Math.floor(next() * 40)}`)
    }
    case 13:
      return next() < 0.5 ? frameSteps(doc, ids) : addNote(doc, [next() * 500, next() * 500])
    case 14: {
      const frame = pick(framesOf(doc))?.id ?? 'none'
      return next() < 0.3 ? deleteFrames(doc, [frame]) : moveFrame(doc, frame, [next() * 500, next() * 500])
    }
    case 15:
      return setFrame(doc, pick(framesOf(doc))?.id ?? 'none', { title: `t${Math.floor(next() * 5)}` }, 'the title')
    case 16:
      return toggleSkip(doc, KINDS, ids.slice(0, 2))
    case 17:
      return moveInOrder(doc, id, next() < 0.5 ? 1 : -1)
    case 18:
      return next() < 0.5 ? align(doc, ids, 'left') : distribute(doc, ids, 'down')
    default:
      return wire === undefined ? commands.deleteSteps(doc, [id]) : splice(doc, KINDS, id, wire)
  }
}

describe('any sequence of commands', () => {
  const seeds = Array.from({ length: 60 }, (_, seed) => seed + 1)

  it.each(seeds)('undone fully gives the start, redone gives the end (seed %i)', (seed) => {
    const next = random(seed)
    const start = chain()
    let history = begin(start)
    let made = 0
    for (let turn = 0; turn < 80; turn += 1) {
      const walk = next()
      if (walk < 0.1) history = undo(history)
      else if (walk < 0.15) history = redo(history)
      const outcome = randomCommand(history.doc, next)
      if (outcome.change === null) continue
      history = commit(history, outcome.change, turn * 1_000)
      made += 1
      expect(repair(history.doc, KINDS).notes).toEqual([])
    }
    expect(made).toBeGreaterThan(20)
    const end = goTo(history, history.entries.length).doc
    const undone = goTo(history, 0)
    expect(undone.doc).toEqual(start)
    expect(goTo(undone, undone.entries.length).doc).toEqual(end)
    // Once more through JSON, as the vault keeps it.
    const kept: History = JSON.parse(JSON.stringify(undone))
    const again = goTo(kept, kept.entries.length).doc
    expect(isSameDoc(again, end)).toBe(true)
  })
})
