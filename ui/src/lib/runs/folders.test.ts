import { describe, expect, it } from 'vitest'

import { around, folderLines } from './folders'

const experiments = [
  { name: 'Default', runs: 2 },
  { name: 'vision', runs: 1 },
  { name: 'vision/nets/10', runs: 3 },
  { name: 'vision/nets/9', runs: 4 },
  { name: '/odd//name', runs: 5 },
]

describe('folders of experiments', () => {
  it('are closed at first and count what is in them', () => {
    expect(folderLines(experiments, new Set()).map(({ path, runs, hasFolders }) => [path, runs, hasFolders])).toEqual([
      ['/odd//name', 5, false],
      ['Default', 2, false],
      ['vision', 8, true],
    ])
  })

  it('show what is in an open one, numbers in their order', () => {
    const lines = folderLines(experiments, new Set(['vision', 'vision/nets']))
    expect(lines.slice(2).map(({ path, depth, runs }) => [path, depth, runs])).toEqual([
      ['vision', 0, 8],
      ['vision/nets', 1, 7],
      ['vision/nets/9', 2, 4],
      ['vision/nets/10', 2, 3],
    ])
  })

  it('are known by the folders around them', () => {
    expect(around('a/b/c')).toEqual(['a', 'a/b'])
    expect(around('a')).toEqual([])
    expect(around('/odd')).toEqual([])
  })
})
