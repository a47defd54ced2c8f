// @vitest-environment jsdom

// @vitest-environment jsdom

import { expect, it } from 'vitest'
import { isLanguage, repairLanguage } from './language'

it('knows that C is not a language', () => {
  expect(isLanguage('C')).toBe(false)
  expect(isLanguage('')).toBe(false)
  expect(isLanguage('de-AT')).toBe(true)
})

it('repairs only what is broken', () => {
  const fake = (language: string): Navigator => Object.create(navigator, { language: { value: language, configurable: true } })
  const broken = fake('C')
  repairLanguage(broken)
  expect(() => new Intl.NumberFormat(broken.language)).not.toThrow()
  const fine = fake('de')
  repairLanguage(fine)
  expect(fine.language).toBe('de')
})
