import { describe, expect, it } from 'vitest'

import type { PipelineDoc, StepDoc } from '../../host/bindings'
import { hasComments, patchText } from './toml'

const TEXT = `# How we tell penguins apart.
format = 1
name = "species"   # as the file is called

# The field data of 2009.
[[step]]
id = "data"
kind = "dataset"
position = [0, 0] # top left
params = { dataset = "penguins" } # "#1"

# Only adults.
[[step]]
id = "adults"
kind = "filter"
position = [264.0, 0.0]

[step.params]
# Juveniles weigh less.
expression = "body_mass_g > 3000 and note <> '#'"  # grams
keep_empty = true

[step.inputs]
table = "data.table"
# The end.
`
const DOC: PipelineDoc = {
  name: 'species',
  steps: [
    { id: 'data', kind: 'dataset', position: [0, 0], params: { dataset: 'penguins' }, inputs: {} },
    { id: 'adults', kind: 'filter', position: [264, 0], params: { expression: "body_mass_g > 3000 and note <> '#'", keep_empty: true }, inputs: { table: ['data.table'] } },
  ],
}
function change(id: string, to: Partial<StepDoc>): PipelineDoc {
  return { ...DOC, steps: DOC.steps.map((step) => (step.id === id ? { ...step, ...to } : step)) }
}
/** Lines that are no longer there, and those that are new. */
function differs(to: PipelineDoc): { gone: string[]; come: string[] } {
  const text = patchText(TEXT, DOC, to)
  if (text === null) throw new Error('not understood')
  const [old, now] = [TEXT.split('\n'), text.split('\n')]
  return { gone: old.filter((line) => !now.includes(line)), come: now.filter((line) => !old.includes(line)) }
}

describe('a change in the file', () => {
  it('that is none leaves every letter', () => {
    expect(patchText(TEXT, DOC, DOC)).toBe(TEXT)
  })

  it('of a place touches one line and keeps the comment behind it', () => {
    expect(differs(change('data', { position: [40, -8] }))).toEqual({ gone: ['position = [0, 0] # top left'], come: ['position = [40, -8] # top left'] })
  })

  it('of a parameter touches its line, whatever form the table has', () => {
    expect(differs(change('adults', { params: { expression: 'sex = "f"', keep_empty: true } })).come).toEqual([String.raw`expression = "sex = \"f\""  # grams`])
    expect(differs(change('data', { params: { dataset: 'birds', version: 3 } })).come).toEqual(['params = { dataset = "birds", version = 3 } # "#1"'])
  })

  it('adds and removes keys and tables', () => {
    expect(differs(change('adults', { params: { expression: "body_mass_g > 3000 and note <> '#'", 'odd key': [1, 'two'] } }))).toEqual({ gone: ['keep_empty = true'], come: ['"odd key" = [1, "two"]'] })
    expect(differs(change('data', { inputs: { more: ['a.b', 'c.d'] } })).come).toEqual(['inputs = { more = ["a.b", "c.d"] }'])
    const bare = change('adults', { params: {} })
    const text = patchText(TEXT, DOC, bare) ?? ''
    expect(patchText(text.replace('[step.params]\n# Juveniles weigh less.\n', ''), bare, change('adults', { params: { rows: 3 } }))).toContain('position = [264.0, 0.0]\n\n[step.params]\nrows = 3\n')
    expect(differs(change('adults', { inputs: {} })).gone).toEqual(['table = "data.table"'])
    expect(differs(change('data', { params: {} })).gone).toEqual(['params = { dataset = "penguins" } # "#1"'])
  })

  it('takes a step with its comments away and writes a new one as the backend does', () => {
    expect(differs({ ...DOC, steps: DOC.steps.slice(1) }).gone).toContain('# The field data of 2009.')
    const added = { ...DOC, steps: [...DOC.steps, { id: 'fill', kind: 'impute', position: [528, 0] as [number, number], params: {}, inputs: { table: ['adults.table'] } }] }
    expect(patchText(TEXT, DOC, added)).toContain('# The end.\n\n[[step]]\nid = "fill"\nkind = "impute"\nposition = [528, 0]\n\n[step.inputs]\ntable = "adults.table"\n')
  })

  it('of an id keeps the comments of the step', () => {
    expect(differs(change('data', { id: 'field' }))).toEqual({ gone: ['id = "data"'], come: ['id = "field"'] })
  })

  it('of the order moves whole steps', () => {
    const turned = patchText(TEXT, DOC, { ...DOC, steps: [...DOC.steps].reverse() })
    expect(turned?.indexOf('# Only adults.')).toBeLessThan(turned?.indexOf('# The field data of 2009.') ?? 0)
  })
})

describe('a form that is not known', () => {
  it.each([
    ['steps in one list', 'format = 1\nstep = [{ id = "data", kind = "dataset" }] # all'],
    ['a text over several lines', TEXT.replace('kind = "filter"', 'kind = """filter"""')],
    ['a step more than the document has', `${TEXT}\n[[step]]\nid = "late"\n`],
    ['another id', TEXT.replace('id = "data"', "id = 'data'")],
  ])('%s is left to the backend', (_, text) => {
    expect(patchText(text, DOC, change('data', { position: [1, 1] }))).toBeNull()
  })

  it('of a value that goes on in the next line is left to the backend', () => {
    const text = TEXT.replace('keep_empty = true', 'keep_empty = [\n  true,\n]')
    const before = change('adults', { params: { ...DOC.steps[1]?.params, keep_empty: [true] } })
    const after = change('adults', { params: { ...DOC.steps[1]?.params, keep_empty: [false] } })
    expect(patchText(text, before, after)).toBeNull()
  })
})

describe('comments', () => {
  it('are told from signs within texts', () => {
    expect(hasComments(TEXT)).toBe(true)
    expect(hasComments('a = "#1"\nb = \'#\'\nc = "\\"#"\n')).toBe(false)
  })
})
