import { describe, expect, it } from 'vitest'

import { fileGlyph, isDrawn, isInTable, pictures, pictureWords, whyNotShown } from './pictures'

it('what can be drawn is drawn, small ones in the table and others where they are opened', () => {
  expect([isDrawn('image/png'), isDrawn('image/tiff'), isDrawn('text/html'), isDrawn(null)]).toEqual([true, false, false, false])
  expect([isInTable('image/png', 20_000), isInTable('image/png', 4_000_000), isInTable('text/plain', 10)]).toEqual([true, false, false])
  expect([whyNotShown('image/png', 4_000_000), whyNotShown('image/tiff', 10), whyNotShown('text/plain', 10), whyNotShown('image/png', 20_000_000)]).toEqual([
    null, 'This window cannot draw image/tiff', 'Not a picture', '20 MB are too many to be shown',
  ])
})

it('a file is described by what is known of it', () => {
  expect(pictureWords('image/png', 18_000, '1640', '480')).toBe('1,640 × 480 pixels, 18 kB, image/png')
  expect(pictureWords('application/pdf', 18_000, null, null)).toBe('18 kB, application/pdf')
  expect(['image/x', 'audio/mpeg', 'video/mp4', 'application/pdf', 'application/zip', 'font/woff', null].map(fileGlyph)).toEqual(['picture', 'sound', 'film', 'text', 'archive', 'other', 'other'])
})

describe('pictures', () => {
  it('are fetched once each, a few at a time', async () => {
    const open: (() => void)[] = []
    const asked: string[] = []
    const shelf = pictures((path) => new Promise((done) => { asked.push(path); open.push(() => done({ sizeBytes: 1, base64: path })) }))
    const all = ['a', 'b', 'c', 'd', 'e', 'f', 'a'].map((path) => shelf.load(path, 'image/png'))
    await Promise.resolve()
    expect(asked).toEqual(['a', 'b', 'c', 'd'])
    for (let at = 0; at < 6; at += 1) {
      open[at]?.()
      await new Promise((go) => setTimeout(go))
    }
    expect(asked).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
    expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'a'].map((path) => `data:image/png;base64,${path}`))
  })

  it('that could not be had are asked for again, and what is no picture is never handed on', async () => {
    let isBroken = true
    const shelf = pictures(() => (isBroken ? Promise.reject(new Error('gone')) : Promise.resolve({ sizeBytes: 1, base64: 'x' })))
    expect(await shelf.load('a', 'image/png')).toBeNull()
    isBroken = false
    expect(await shelf.load('a', 'image/png')).toBe('data:image/png;base64,x')
    expect(await shelf.load('b', 'text/html')).toBeNull()
  })

  it('make room for others, the oldest first', async () => {
    const asked: string[] = []
    const large = 'x'.repeat(20_000_000)
    const shelf = pictures((path) => { asked.push(path); return Promise.resolve({ sizeBytes: 1, base64: large }) })
    for (const path of ['a', 'b', 'a', 'c', 'a', 'b']) await shelf.load(path, 'image/png')
    expect(asked, 'a was looked at again before c came, so b had to go').toEqual(['a', 'b', 'c', 'b'])
  })
})
