import { expect, it } from 'vitest'
import { extension, preview, runsCode } from './preview'

const of = (path: string, bytes: string): ReturnType<typeof preview> => preview(path, bytes.length, btoa(bytes))

it('shows text, indents JSON that is some, and says where it breaks off', () => {
  expect(of('notes.txt', 'one\ntwo')).toEqual({ type: 'text', text: 'one\ntwo', isWhole: true })
  expect(of('a/b.json', '{"a":1}')).toEqual({ type: 'text', text: '{\n  "a": 1\n}', isWhole: true })
  expect(of('broken.json', '{"a":')).toEqual({ type: 'text', text: '{"a":', isWhole: true })
  const long = of('long.csv', 'x'.repeat(300_000))
  expect(long).toMatchObject({ type: 'text', isWhole: false })
})

it('shows a picture by its address', () => {
  expect(of('roc.PNG', 'png')).toEqual({ type: 'picture', url: `data:image/png;base64,${btoa('png')}` })
  expect(preview('roc.png', 20 * 2 ** 20, null)).toMatchObject({ type: 'none' })
})

it('says why nothing is shown', () => {
  const why = (path: string, bytes: string): string => {
    const shown = of(path, bytes)
    return shown.type === 'none' ? shown.why : shown.type
  }
  expect(why('model.pkl', 'abc')).toContain('can run code')
  expect(why('empty.txt', '')).toBe('The file is empty.')
  expect(why('rows.parquet', 'PAR1\0\0')).toBe('There is no preview for this kind of file.')
  expect(why('latin.txt', 'caf\xe9')).toBe('There is no preview for this kind of file.')
  expect(preview('log.txt', 10 ** 9, null)).toEqual({ type: 'none', why: 'It is too large to be shown.' })
})

it('knows the endings by which programs are led to run code', () => {
  expect([runsCode('m/model.pkl'), runsCode('weights.pt'), runsCode('MLmodel'), runsCode('pkl/notes.txt')]).toEqual([true, true, false, false])
  expect([extension('a.b/c'), extension('a/c.tar.GZ')]).toEqual(['', 'gz'])
})
