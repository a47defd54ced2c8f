import { describe, expect, it } from 'vitest'
import { forPython, forShell } from './tracking'

const variables: [string, string][] = [['MLFLOW_TRACKING_URI', 'http://127.0.0.1:4711'], ['MLFLOW_TRACKING_TOKEN', "it's"]]

describe('what a script is told', () => {
  it('can be pasted into Python', () => {
    expect(forPython(variables)).toBe('import os\nos.environ["MLFLOW_TRACKING_URI"] = "http://127.0.0.1:4711"\nos.environ["MLFLOW_TRACKING_TOKEN"] = "it\'s"')
  })

  it('can be pasted into a shell, whatever is in it', () => {
    expect(forShell(variables)).toBe("export MLFLOW_TRACKING_URI='http://127.0.0.1:4711'\nexport MLFLOW_TRACKING_TOKEN='it'\\''s'")
  })

  it('shows no secret on the screen', () => {
    expect(forPython(variables, true)).not.toContain("it's")
    expect(forShell(variables, true)).toContain("URI='http://127.0.0.1:4711'")
  })
})
