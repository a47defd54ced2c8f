// The step kinds as the backend declares them, their schemas as schemars writes them.

import type { JsonValue, PortType, PortView, StepKindView } from '../bindings'

const port = (name: string, type: PortType, doc: string, rest: Partial<PortView> = {}): PortView => ({ name, type, doc, isMany: false, isOptional: false, ...rest })
const table = port('table', 'table', 'Any table.')
const seed = { type: 'integer', format: 'uint32', minimum: 0, description: 'Another number gives another result; the same number the same.' }

type Params = { [name in string]: { [key in string]: JsonValue } }

function kind(name: string, title: string, category: string, summary: string, doc: string, synonyms: string[], inputs: PortView[], outputs: PortView[], properties: Params, defaults: { [name in string]: JsonValue }, definitions: JsonValue = {}): StepKindView {
  return { kind: name, title, category, summary, doc, synonyms, inputs, outputs, params: { $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object', $defs: definitions, properties, additionalProperties: false }, defaults, presets: [], namesPorts: false }
}
const choice = (...values: [string, string][]): JsonValue => ({ oneOf: values.map(([value, description]) => ({ type: 'string', const: value, description })) })

const trained = [port('model', 'model', 'The trained model.'), port('report', 'report', 'How the training went.')]

export const kinds: StepKindView[] = [
  kind(
    'dataset', 'Dataset', 'data', 'Brings a version of a dataset into the pipeline.',
    'Takes the newest version unless a number is given: then a new version of the data does not change what this pipeline reads. The target is the column that models learn to predict.',
    ['input', 'load', 'read', 'csv', 'source', 'table'], [], [port('table', 'table', 'The rows of the version.')],
    {
      dataset: { type: 'string', 'x-dataset': true, description: 'The dataset.' },
      version: { type: ['integer', 'null'], format: 'uint32', minimum: 0, description: "The version's number; empty for the newest, so that new data means a rerun." },
      target: { type: ['string', 'null'], 'x-column': true, description: 'The column to predict; empty for the one chosen in the dataset.' },
      task: { anyOf: [{ $ref: '#/$defs/Task' }, { type: 'null' }], description: 'What kind of answer the target asks for; empty to tell from its values.' },
    },
    { dataset: '', version: null, target: null, task: null },
    { Task: choice(['binary', 'One of two classes.'], ['multiclass', 'One of several classes.'], ['regression', 'A number.']) },
  ),
  kind('select', 'Select columns', 'clean', 'Keeps or drops columns.', 'The target always stays.', ['columns', 'drop', 'keep', 'project'], [table], [table], {
    columns: { type: 'array', items: { type: 'string' }, 'x-columns': true, description: 'The columns.' },
    mode: { $ref: '#/$defs/Mode', description: 'Whether these are kept or dropped.' },
  }, { columns: [], mode: 'keep' }, { Mode: choice(['keep', 'Only these go on.'], ['drop', 'All others go on.']) }),
  kind('filter', 'Filter rows', 'clean', 'Keeps the rows for which an expression is true.', 'The expression is that of SQL. Where it is unknown because a value is missing, the row is dropped.', ['where', 'rows', 'query', 'subset', 'sql'], [table], [table], {
    expression: { type: 'string', 'x-expression': 'boolean', description: 'Rows for which this is true are kept, such as `body_mass_g > 3000 and sex is not null`.' },
  }, { expression: '' }),
  kind('derive', 'Derive column', 'clean', 'Makes a new column from others.', 'The expression becomes part of the model.', ['compute', 'formula', 'feature', 'add column'], [table], [table], {
    name: { type: 'string', description: 'The new column.' },
    expression: { type: 'string', 'x-expression': 'number', description: 'What stands in it.' },
  }, { name: '', expression: '' }),
  kind('split', 'Split', 'prepare', 'Divides the rows into training, validation and test.', 'Steps that fit something learn from the training rows only, so nothing leaks from the rows that judge the model.', ['train_test_split', 'partition', 'holdout'], [table], [port('table', 'table', 'The same rows, each marked with its part.')], {
    train: { type: 'number', minimum: 0, maximum: 1, description: 'Share of the rows to learn from.' },
    validation: { type: 'number', minimum: 0, maximum: 1, description: 'Share of the rows to stop early and to choose by.' },
    test: { type: 'number', minimum: 0, maximum: 1, description: 'Share of the rows to judge by.' },
    stratify: { type: 'boolean', description: 'Gives each part the same mix of classes.' }, seed,
  }, { train: 0.6, validation: 0.2, test: 0.2, stratify: true, seed: 7 }),
  kind('impute', 'Impute', 'prepare', 'Fills in missing values.', 'What stands for a missing value is learnt from the training rows and becomes part of the model.', ['fillna', 'missing', 'null', 'nan'], [table], [table], {
    columns: { type: 'array', items: { type: 'string' }, 'x-columns': true, description: 'The columns; empty for every feature.' },
    numbers: { $ref: '#/$defs/Numbers', description: 'What stands for a missing number.' },
    number: { type: 'number', description: 'The number for `constant`.' },
  }, { columns: [], numbers: 'median', number: 0 }, { Numbers: choice(['median', 'The middle value.'], ['mean', 'The mean.'], ['constant', 'A number of your own.']) }),
  kind('encode', 'Encode', 'prepare', 'Makes numbers of text.', 'The levels are those of the training rows and become part of the model.', ['one-hot', 'get_dummies', 'ordinal', 'categorical'], [table], [table], {
    columns: { type: 'array', items: { type: 'string' }, 'x-columns': true, description: 'The columns; empty for every feature that is text or a truth value.' },
    method: { $ref: '#/$defs/Method', description: 'One column of zeros and ones a level, or one column of positions.' },
    max_levels: { type: 'integer', minimum: 1, maximum: 10000, description: 'Rarer levels than this many are treated as unknown.' },
  }, { columns: [], method: 'one_hot', max_levels: 50 }, { Method: choice(['one_hot', 'A column for each level.'], ['ordinal', 'The position of the level.']) }),
  kind('scale', 'Scale', 'prepare', 'Brings numbers to one scale.', 'Offset and factor are learnt from the training rows.', ['normalize', 'standardize', 'z-score'], [table], [table], {
    columns: { type: 'array', items: { type: 'string' }, 'x-columns': true, description: 'The columns; empty for every feature that is a number.' },
    method: { $ref: '#/$defs/Method', description: 'Which scale.' },
  }, { columns: [], method: 'standard' }, { Method: choice(['standard', 'Mean 0, deviation 1.'], ['minmax', 'From 0 to 1.'], ['robust', 'Median 0, middle half 1.']) }),
  kind('train_linear', 'Linear model', 'train', 'Logistic or linear regression.', 'Quick, and its coefficients can be read.', ['logistic', 'regression', 'ridge'], [table], trained, {
    l2: { type: 'number', minimum: 0, description: 'Strength of the penalty on large coefficients.' },
    max_iterations: { type: 'integer', minimum: 1, maximum: 10000, description: 'Iterations at most.' },
  }, { l2: 1, max_iterations: 200 }),
  kind('train_forest', 'Random forest', 'train', 'Many trees, each on a draw of the rows, averaged.', 'Robust without tuning.', ['bagging', 'trees', 'ensemble'], [table], trained, {
    trees: { type: 'integer', minimum: 1, maximum: 5000, description: 'How many trees.' },
    max_depth: { type: 'integer', minimum: 1, maximum: 64, description: 'Levels of a tree at most.' }, seed,
  }, { trees: 300, max_depth: 16, seed: 7 }),
  kind('train_boosting', 'Gradient boosting', 'train', 'Trees one after the other, each correcting those before.', 'Most often the best on tables. Stops by itself when the validation rows no longer gain.', ['gbdt', 'lightgbm', 'xgboost'], [table], trained, {
    rounds: { type: 'integer', minimum: 1, maximum: 10000, description: 'Trees at most.' },
    learning_rate: { type: 'number', exclusiveMinimum: 0, maximum: 1, description: 'How much each tree counts.' },
    max_depth: { type: 'integer', minimum: 1, maximum: 64, description: 'Levels of a tree at most.' },
    stop_after: { type: 'integer', minimum: 0, description: 'Rounds without gain before it stops; 0 never stops.' }, seed,
  }, { rounds: 200, learning_rate: 0.1, max_depth: 6, stop_after: 20, seed: 7 }),
  kind('evaluate', 'Evaluate', 'evaluate', 'Measures a model on rows it has not seen.', 'Metrics with figures: ROC, confusion, importance.', ['score', 'metrics', 'roc', 'confusion'], [port('model', 'model', 'The model.'), port('table', 'table', 'The table after the split.')], [port('model', 'model', 'The model with its metrics.'), port('metrics', 'metrics', 'The metrics.'), port('report', 'report', 'The figures.')], {
    on: { $ref: '#/$defs/Part', description: 'Which rows.' },
  }, { on: 'test' }, { Part: choice(['test', 'The rows kept for the end.'], ['validation', 'The rows to choose by.']) }),
  kind('compare', 'Compare', 'evaluate', 'Chooses the best of several models.', '', ['choose', 'best', 'leaderboard'], [port('models', 'model', 'The models, evaluated.', { isMany: true })], [port('best', 'model', 'The best of them.'), port('metrics', 'metrics', 'Its metrics.'), port('report', 'report', 'All side by side.')], {
    by: { type: ['string', 'null'], description: 'The metric; empty for AUC, accuracy or R2 by the task.' },
  }, { by: null }),
  kind('check', 'Check', 'evaluate', 'Stops the pipeline if a metric is not good enough.', '', ['gate', 'threshold', 'assert'], [port('metrics', 'metrics', 'The metrics.')], [port('passed', 'metrics', 'The same, if they hold.')], {
    metric: { type: 'string', description: 'The metric.' },
    at_least: { type: ['number', 'null'], description: 'The least it may be.' },
    at_most: { type: ['number', 'null'], description: 'The most it may be.' },
  }, { metric: '', at_least: null, at_most: null }),
  kind('register', 'Register', 'release', 'Makes the model a version that can be deployed.', 'Proves that the package answers as the run did.', ['publish', 'save', 'release', 'registry'], [port('model', 'model', 'The model.'), port('checks', 'metrics', 'Checks that must have passed.', { isMany: true, isOptional: true })], [port('report', 'report', 'What was registered.')], {
    model: { type: 'string', description: "The model's name." },
  }, { model: '' }),
  ...own(),
  {
    ...kind('component', 'Component', 'code', 'Uses another pipeline of the project as a step.', 'The steps of that pipeline take the place of this one before anything runs. Its ports are those that the pipeline declares.', ['sub-pipeline', 'subgraph', 'metanode', 'reuse', 'group', 'macro'], [port('table', 'table', 'As the pipeline declares.', { isOptional: true })], [port('table', 'table', 'As the pipeline declares.')], {
      pipeline: { type: 'string', 'x-pipeline': true, description: 'The pipeline of this project whose steps are meant.' },
      set: { type: 'object', additionalProperties: { type: 'object' }, description: 'Other values for parameters of its steps, by step and parameter.' },
    }, { pipeline: '', set: {} }),
    namesPorts: true,
  },
]

/** Steps of one's own, with the templates that the palette offers. */
function own(): StepKindView[] {
  const lines = { type: 'array', items: { type: 'string' }, 'x-lines': true }
  const always = [port('metrics', 'metrics', 'The numbers that were written to FETTLE_METRICS.'), port('artifacts', 'files', 'The files that were written into FETTLE_ARTIFACTS.')]
  const make = (name: string, title: string, summary: string, code: string, presets: StepKindView['presets'], synonyms: string[]): StepKindView => ({
    ...kind(name, title, 'code', summary, 'Inputs are files, outputs are expected where the variables say.', synonyms, [port('table', 'table', 'As `inputs` says.', { isOptional: name === 'command' })], [port('result', 'table', 'As `outputs` says.'), ...always], {
      [code]: { type: 'string', 'x-lines': true, description: 'What to run.' }, inputs: { ...lines, description: 'What goes in, one a line.' }, outputs: { ...lines, description: 'What must come out, one a line.' },
    }, { [code]: '', inputs: [name === 'command' ? 'table?' : 'table'], outputs: ['result'] }),
    presets,
  })
  return [
    make('command', 'Command', 'Runs any program over tables and files.', 'command', [
      { name: 'shell', title: 'Shell script', summary: 'Lines for the shell over a table as CSV.', params: { command: 'sort -u "$FETTLE_INPUT_TABLE" > "$FETTLE_OUTPUT_RESULT"', inputs: ['table'] } },
      { name: 'r', title: 'R script', summary: 'An R script over a table as CSV: a linear model and its fitted values.', params: { command: 'Rscript --vanilla step.R', inputs: ['table'], outputs: ['fitted'] } },
    ], ['shell', 'script', 'program', 'bash']),
    make('python', 'Python', 'Calls a Python function, or runs a notebook, over tables and files.', 'code', [
      { name: 'python', title: 'Python function', summary: 'A function over a table.', params: { code: 'def run(table):\n    return table\n' } },
      { name: 'sklearn', title: 'scikit-learn', summary: 'Trains a scikit-learn pipeline and writes its predictions.', params: { outputs: ['predictions', 'model:files'] } },
      { name: 'xgboost', title: 'XGBoost', summary: 'Trains XGBoost with early stopping.', params: { outputs: ['predictions', 'model:files'] } },
      { name: 'pytorch', title: 'PyTorch', summary: 'Trains a small network in PyTorch.', params: { outputs: ['predictions', 'model:files'] } },
    ], ['notebook', 'pandas', 'function']),
  ]
}
