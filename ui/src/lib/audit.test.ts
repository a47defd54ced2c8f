import { expect, it } from 'vitest'

import { deedWords } from './audit'

it.each([
  ['deployment.switch', 'penguins: penguins v1', 'Switched penguins to v1'],
  ['deployment.switch', 'birds: penguins v1', 'Switched birds to penguins v1'],
  ['deployment.revision', 'penguins: penguins v1', 'Started v1 for endpoint penguins'],
  ['deployment.failed', 'penguins: penguins v2', 'Could not switch penguins to v2'],
  ['deployment.restart', 'b209696fedbf42cd980918ae70fe2abb', 'Restarted an endpoint'],
  ['dataset.set_target', 'penguins: species', 'Set the target of penguins to species'],
  ['dataset.set_target', 'penguins: no target', 'Took the target of penguins away'],
  ['dataset.import', 'penguins', 'Imported penguins'],
  ['dataset.tag', 'penguins: clean', 'Tagged a version of penguins clean'],
  ['dataset.delete', 'penguins v2', 'Moved penguins v2 to the trash'],
  ['trash.restore', 'b209696fedbf42cd980918ae70fe2abb', 'Took something out of the trash'],
  ['pipeline.commit', 'penguins: Add pipeline: penguins', 'Committed penguins: Add pipeline: penguins'],
  ['pipeline.run', 'penguins', 'Started a run of penguins'],
  ['run.settle', '3', 'Wrote down what scripts logged, 3 at once'],
  ['experiment.new', 'vision/resnet', 'Created experiment vision/resnet'],
  ['run.note', 'run 7', 'Wrote a note on run 7'],
  ['sweep.trial', 'rate 3', 'Recorded trial 3 of sweep rate'],
  ['run.reproduce', 'run 7', 'Repeated run 7 from what it recorded'],
  ['model.promote', 'penguins v1 to production', 'Promoted penguins v1 to production'],
  ['model.approve', 'penguins v1', 'Approved penguins v1'],
  ['model.withdraw', 'penguins v1', 'Took back the approval of penguins v1'],
  ['workspace.create', 'workspace', 'Created the workspace'],
])('%s of `%s` reads `%s`', (action, subject, words) => {
  expect(deedWords({ action, subject })).toBe(words)
})

it('an action nobody knows is called by its name', () => {
  expect(deedWords({ action: 'model.frobnicate', subject: 'penguins' })).toBe('model.frobnicate: penguins')
  expect(deedWords({ action: 'constructor', subject: 'x' })).toBe('constructor: x')
})
