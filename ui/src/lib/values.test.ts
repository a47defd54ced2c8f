import { expect, it } from 'vitest'
import { isObject, prettyJson, valueText } from './values'

it('writes values as people do', () => {
  expect([valueText('a'), valueText(0.1), valueText(null), valueText(undefined), valueText([1, 'b']), valueText(false)]).toEqual([
    'a', '0.1', '–', '–', '[1,"b"]', 'false',
  ])
})

it('breaks JSON into lines and leaves everything else alone', () => {
  expect(prettyJson('{"a":1}')).toBe('{\n  "a": 1\n}')
  expect(prettyJson('502 Bad Gateway')).toBe('502 Bad Gateway')
})

it('tells an object from a list', () => {
  expect([isObject({}), isObject([]), isObject(null)]).toEqual([true, false, false])
})
