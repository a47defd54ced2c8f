import { describe, expect, it } from 'vitest'

import { setParam } from './commands'
import { begin, commit, seal, undo, type History } from './history'
import { chain } from './testkit'
import { forget, keep, recall, resume, type Storage } from './vault'

function storage(limit = Number.POSITIVE_INFINITY): Storage & { values: Map<string, string> } {
  const values = new Map<string, string>()
  return {
    values,
    getItem: (key) => values.get(key) ?? null,
    setItem(key, value) {
      if (value.length > limit) throw new Error('QuotaExceededError')
      values.set(key, value)
    },
    removeItem: (key) => values.delete(key),
  }
}

function edited(times: number): History {
  let history = begin(chain())
  for (let i = 0; i < times; i += 1) {
    const outcome = setParam(history.doc, 'filter', 'expression', `age > ${i}`)
    if (outcome.change !== null) history = seal(commit(history, outcome.change, i))
  }
  return history
}

describe('the vault', () => {
  it('gives back what was kept, redo included', () => {
    const box = storage()
    const history = undo(edited(3))
    keep(box, 'species', { history, isUnsaved: true })
    expect(recall(box, 'species')).toEqual({ history, isUnsaved: true })
    forget(box, 'species')
    expect(recall(box, 'species')).toBeNull()
  })

  it('drops the oldest entries where there is no room, and keeps what still works', () => {
    const box = storage(6_000)
    keep(box, 'species', { history: edited(40), isUnsaved: false })
    const kept = recall(box, 'species')?.history
    expect(kept?.entries.length).toBeGreaterThan(0)
    expect(kept?.entries.length).toBeLessThan(40)
    expect(kept === undefined ? null : undo(kept).doc.steps[1]?.params.expression).toBe('age > 38')
  })

  it('takes a storage that always fails', () => {
    const broken: Storage = {
      getItem: () => {
        throw new Error('SecurityError')
      },
      setItem: () => {
        throw new Error('SecurityError')
      },
      removeItem: () => {
        throw new Error('SecurityError')
      },
    }
    keep(broken, 'species', { history: edited(2), isUnsaved: false })
    forget(broken, 'species')
    expect(recall(broken, 'species')).toBeNull()
  })

  it.each([
    '',
    'nonsense',
    '{}',
    '{"format":2}',
    '{"format":1,"doc":7}',
    '{"format":2,"doc":{"name":"x","steps":[7]},"entries":[],"index":0}',
    '{"format":2,"doc":{"name":"x","steps":[]},"entries":[],"index":4}',
  ])('%j is as if nothing were kept', (text) => {
    const box = storage()
    box.values.set('fettle.pipeline.species', text)
    expect(recall(box, 'species')).toBeNull()
  })

  it('resumes where the backend has the same document', () => {
    const kept = { history: edited(2), isUnsaved: false }
    expect(resume(kept, kept.history.doc, 9).history.entries).toHaveLength(2)
  })

  it('keeps edits that were not saved before the window closed', () => {
    const kept = { history: edited(2), isUnsaved: true }
    const resumed = resume(kept, chain(), 9)
    expect(resumed.isUnsaved).toBe(true)
    expect(resumed.history.doc.steps[1]?.params.expression).toBe('age > 1')
  })

  it('a change made outside becomes an entry that can be undone', () => {
    const kept = { history: edited(2), isUnsaved: false }
    const resumed = resume(kept, chain(), 9)
    expect(resumed.history.doc).toEqual(chain())
    expect(resumed.history.entries.at(-1)?.label).toBe('Changed outside the editor')
    expect(undo(resumed.history).doc.steps[1]?.params.expression).toBe('age > 1')
  })
})
