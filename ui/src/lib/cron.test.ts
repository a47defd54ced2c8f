import { expect, it } from 'vitest'

import { COMMON, readCron } from './cron'

it.each([
  ['0 6 * * *', 'At 06:00 every day'],
  ['0 6 * * 1-5', 'At 06:00 from Monday to Friday'],
  ['0 6 * * mon-fri', 'At 06:00 from Monday to Friday'],
  ['30 7,19 * * *', 'At 07:30 and 19:30 every day'],
  ['*/15 * * * *', 'Every 15 minutes every day'],
  ['0 */4 * * *', 'Every 4 hours every day'],
  ['15 * * * *', 'Every hour at 15 past every day'],
  ['0 0 1 * *', 'At 00:00 on day 1 of the month'],
  ['0 0 1,15 * 1', 'At 00:00 on day 1 and 15 of the month or on Monday'],
  ['0 9 * 6-8 0,6', 'At 09:00 on Saturday and Sunday in June to August'],
  ['0 9 * jan,feb 7', 'At 09:00 on Sunday in January and February'],
  ['* 8-10 * * *', 'Every minute in the hours 08 to 10 every day'],
  ['@weekly', 'At 00:00 on Sunday'],
])('%s is read as: %s', (text, sentence) => {
  expect(readCron(text)).toEqual({ sentence, problem: null })
})

it.each([
  ['', 'Five fields are needed'],
  ['0 6 * *', 'Five fields are needed'],
  ['0 25 * * *', '25 is no hour.'],
  ['60 6 * * *', '60 is no minute.'],
  ['0 6 0 * *', '0 is no day of the month.'],
  ['0 6 * 13 *', '13 is no month.'],
  ['0 6 * * 5-1', '5-1 is no day of the week.'],
  ['*/0 * * * *', '*/0 is no step of the minute.'],
  ['0 6-8-9 * * *', '6-8-9 is no hour.'],
  ['@fortnightly', 'no @fortnightly'],
  ['a b c d e', 'a is no minute.'],
])('%s is refused: %s', (text, problem) => {
  expect(readCron(text).problem).toContain(problem)
})

it('every schedule that is offered can be read', () => {
  for (const { cron } of COMMON) expect(readCron(cron).problem).toBeNull()
})
