// Where scripts log to; and stores of MLflow, in and out.

import type { Answers } from './world'

export const answers: Answers = {
  'tracking.info': () => ({
    url: 'http://127.0.0.1:4711',
    token: 'a-token-for-scripts',
    environment: [['MLFLOW_TRACKING_URI', 'http://127.0.0.1:4711'], ['MLFLOW_TRACKING_TOKEN', 'a-token-for-scripts']],
    experiments: 3,
  }),
  'tracking.import': ({ path }, world) =>
    world.start({
      kind: 'tracking.import', title: `Bringing runs from ${path.split('/').at(-1) ?? path}`,
      finish: () => {
        world.changed('runs', 'models', 'audit')
        return {
          source: 'database of MLflow 3 or later, schema `dc11669786a5`', isChanged: true,
          counts: [
            { what: 'experiments', found: 3, added: 2, same: 1, conflicts: 0, skipped: 0 },
            { what: 'runs', found: 1204, added: 1201, same: 1, conflicts: 1, skipped: 1 },
            { what: 'files', found: 310, added: 309, same: 0, conflicts: 0, skipped: 1 },
          ],
          notes: [
            { kind: 'conflict', what: 'run `0123456789abcdef0123456789abcdef`', why: 'it is here with other parameters, and stays as it is here' },
            { kind: 'elsewhere', what: 'files of run `fedcba9876543210fedcba9876543210`', why: 'they stay at `s3://bucket/2`, which the run goes on to name' },
          ],
          moreNotes: 0,
        }
      },
    }),
  'tracking.export': ({ to }, world) =>
    world.start({
      kind: 'tracking.export', title: `Writing runs to ${to}`,
      finish: () => ({ source: to, isChanged: true, counts: [{ what: 'runs', found: 12, added: 12, same: 0, conflicts: 0, skipped: 0 }], notes: [], moreNotes: 0 }),
    }),
}
