// Generated from the list of commands by `cargo test -p engine`. Do not edit.

/**
 * What kind of failure it is.
 */
export type Code = "invalid_input" | "not_found" | "already_exists" | "conflict" | "cancelled" | "unavailable" | "locked" | "step_failed" | "gate_failed" | "drifted" | "corrupt" | "disk_full" | "deploy_failed" | "not_approved" | "too_new" | "forbidden" | "internal";

/**
 * Says that somebody has looked at an alert.
 */
export type AlertAcknowledge = { 
/**
 * The alert.
 */
id: number, };

/**
 * What a rule looks at.
 */
export type AlertMetric = "psi" | "missing" | "performance" | "error_rate" | "latency_p95";

/**
 * When to speak up.
 */
export type AlertRule = { 
/**
 * What it looks at.
 */
metric: AlertMetric, 
/**
 * Above this it speaks up.
 */
threshold: number, 
/**
 * It looks at so many of the newest rows.
 */
windowRows: number, 
/**
 * False to stay silent.
 */
isEnabled: boolean, };

/**
 * Replaces the channels of a project.
 */
export type AlertSetChannels = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The text of `alerts.toml`; an empty one takes all channels away.
 */
text: string, };

/**
 * Sends a trial alert by a channel.
 */
export type AlertTry = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The channel's name.
 */
channel: string, };

/**
 * An alert that was raised.
 */
export type AlertView = { 
/**
 * Its id.
 */
id: number, 
/**
 * The deployment's name.
 */
deployment: string, 
/**
 * What happened, in a sentence.
 */
message: string, 
/**
 * How bad it is.
 */
level: DriftLevel, 
/**
 * When, ms since the epoch.
 */
at: number, 
/**
 * True once somebody has looked at it.
 */
isAcknowledged: boolean, };

/**
 * An alias was moved.
 */
export type AliasMove = { 
/**
 * The alias.
 */
alias: string, 
/**
 * The version it pointed at before.
 */
from: number | null, 
/**
 * The version it points at since.
 */
to: number, 
/**
 * Why, as the user said.
 */
reason: string | null, 
/**
 * When, ms since the epoch.
 */
at: number, };

/**
 * What somebody signed about a version.
 */
export type ApprovalView = { 
/**
 * Who.
 */
person: string, 
/**
 * With which key.
 */
key: string, 
/**
 * True for an approval, false for one that is taken back.
 */
isApproval: boolean, 
/**
 * Why.
 */
note: string, 
/**
 * When, ms since the epoch.
 */
at: number, 
/**
 * True if it counts.
 */
counts: boolean, 
/**
 * True if it was forged or altered.
 */
isForged: boolean, 
/**
 * Why it does not count.
 */
trouble: string | null, };

/**
 * An entry of the audit log.
 */
export type AuditEntry = { 
/**
 * Its number.
 */
id: number, 
/**
 * When, ms since the epoch.
 */
at: number, 
/**
 * What was done, such as `model.promote`.
 */
action: string, 
/**
 * To what, in a sentence.
 */
subject: string, };

/**
 * Asks for the audit log, newest first.
 */
export type AuditList = { 
/**
 * Only entries before this number.
 */
before: number | null, 
/**
 * Entries wanted; 100 if left out, 1,000 at most.
 */
limit: number | null, };

/**
 * Whether the audit log is what was written.
 */
export type AuditVerified = { 
/**
 * Rows of the log.
 */
rows: number, 
/**
 * True if every row is what was written.
 */
isWhole: boolean, 
/**
 * Rows that are not, in words.
 */
troubles: Array<string>, };

/**
 * A bar of a chart.
 */
export type Bar = { 
/**
 * What the bar is.
 */
name: string, 
/**
 * Its length.
 */
value: number, 
/**
 * Half the width of its error bar, if measured more than once.
 */
spread: number | null, };

/**
 * A stretch of time, ms since the epoch, without its end.
 */
export type BaselineSpan = { 
/**
 * From here on.
 */
from: number, 
/**
 * Before this.
 */
to: number, };

/**
 * A file of runs beside each other.
 */
export type BesideFile = { 
/**
 * Its path in each run.
 */
path: string, 
/**
 * Its size in each run, bytes.
 */
sizes: Array<number | null>, };

/**
 * Numbers of runs beside each other.
 */
export type BesideNumbers = { 
/**
 * What is measured.
 */
name: string, 
/**
 * True if more is better, as far as the name tells.
 */
largerIsBetter: boolean, 
/**
 * The last value of each run; null too if it is not finite.
 */
values: Array<number | null>, };

/**
 * Texts of runs beside each other.
 */
export type BesideTexts = { 
/**
 * What they are.
 */
name: string, 
/**
 * The text of each run.
 */
values: Array<string | null>, };

/**
 * The card of a model, asked again.
 */
export type CardView = { 
/**
 * The file `cards/<model>.md`; empty if there is none.
 */
text: string, 
/**
 * A first card with every number filled in.
 */
draft: string, 
/**
 * Every number of the card.
 */
claims: Array<ClaimView>, 
/**
 * True if a claim is no longer true.
 */
isStale: boolean, 
/**
 * Its sections.
 */
sections: Array<SectionView>, };

/**
 * What stands in a cell: a number, a text, or nothing.
 */
export type CellView = number | string | null;

/**
 * A kind of change.
 */
export type ChangeKind = "cells" | "added" | "removed";

/**
 * What a change is about.
 */
export type ChangeSubject = "first" | "parameter" | "input" | "column" | "dataset" | "kind" | "version" | "file" | "fact" | "names" | "removed" | "environment";

/**
 * One thing that is different from the last time.
 */
export type ChangeView = { 
/**
 * What it is about.
 */
what: ChangeSubject, 
/**
 * Which one: the parameter, the column, the input.
 */
name: string, 
/**
 * What it was, if there was something.
 */
before: string | null, 
/**
 * What it is, if there is something.
 */
after: string | null, 
/**
 * True if the step must run for this; false for what only explains.
 */
isCause: boolean, 
/**
 * The sentence.
 */
text: string, };

/**
 * A cell that changed.
 */
export type ChangedCell = { 
/**
 * Its row in the newer version, from 0.
 */
row: number, 
/**
 * Its row in the older version, from 0.
 */
oldRow: number, 
/**
 * The values that name the row; none if rows were matched by their content.
 */
key: Array<string | null>, 
/**
 * The column.
 */
column: string, 
/**
 * The value before; null was missing.
 */
old: string | null, 
/**
 * The value now; null is missing.
 */
new: string | null, };

/**
 * A window of what changed: cells, or rows.
 */
export type ChangesPage = { 
/**
 * Changes of this kind in all.
 */
total: number, 
/**
 * The cells, if cells were asked for.
 */
cells: Array<ChangedCell>, 
/**
 * The rows, if rows were asked for.
 */
rows: TablePage | null, };

/**
 * A channel.
 */
export type ChannelView = { 
/**
 * Its name.
 */
name: string, 
/**
 * Where it leads, without what is secret.
 */
way: string, 
/**
 * The deployments whose alerts it takes; all if empty.
 */
deployments: Array<string>, };

/**
 * The channels of a project.
 */
export type ChannelsView = { 
/**
 * The text of `alerts.toml`; empty if there is none.
 */
text: string, 
/**
 * The channels that it names.
 */
channels: Array<ChannelView>, 
/**
 * What is wrong with it, if something is.
 */
trouble: string | null, };

/**
 * A kind of check.
 */
export type CheckKindView = { 
/**
 * Its name in the file.
 */
kind: string, 
/**
 * Its name for people.
 */
title: string, 
/**
 * One sentence.
 */
summary: string, 
/**
 * More, as Markdown.
 */
doc: string, 
/**
 * Its entry in a file, without the line `[[check]]`.
 */
example: string, 
/**
 * JSON Schema of the parameters; the form is made from it. `x-column`, `x-columns`, `x-dataset`,
 * `x-expression` mark fields with a picker of their own.
 */
params: JsonValue, 
/**
 * True if it is about rows, of which `max_share` may be allowed to fail.
 */
isAboutRows: boolean, };

/**
 * Whether a check holds.
 */
export type CheckOutcome = "passed" | "failed" | "error";

/**
 * What came of a check.
 */
export type CheckResultView = { 
/**
 * Its kind.
 */
kind: string, 
/**
 * Its name, if it has one.
 */
name: string | null, 
/**
 * What must hold, in words.
 */
rule: string, 
/**
 * True if data that breaks it must not be used.
 */
isError: boolean, 
/**
 * Whether it holds.
 */
outcome: CheckOutcome, 
/**
 * What was found, in words.
 */
measured: string, 
/**
 * Rows that break it, if it is about rows.
 */
failingRows: number | null, 
/**
 * The first of them.
 */
examples: Array<FailingExample>, 
/**
 * Why it could not be run, in a sentence.
 */
error: string | null, };

/**
 * Whether a check holds.
 */
export type CheckStatus = "passed" | "warning" | "failed";

/**
 * A check.
 */
export type CheckView = { 
/**
 * Its kind.
 */
kind: string, 
/**
 * Its name, if it has one.
 */
name: string | null, 
/**
 * What must hold, in words.
 */
rule: string, 
/**
 * True if data that breaks it must not be used.
 */
isError: boolean, };

/**
 * The checks of a dataset.
 */
export type ChecksView = { 
/**
 * The file `datasets/<name>.checks.toml`, as TOML; empty if there is none.
 */
text: string, 
/**
 * The checks in it, in its order.
 */
checks: Array<CheckView>, 
/**
 * What came of them for the version, unless they have changed since or never ran.
 */
results: Array<CheckResultView> | null, 
/**
 * What a careful person would check, as such a file.
 */
suggested: string, 
/**
 * Every kind of check there is.
 */
kinds: Array<CheckKindView>, };

/**
 * A number of a card.
 */
export type ClaimView = { 
/**
 * The line of the file.
 */
line: number, 
/**
 * What is asked.
 */
query: string, 
/**
 * What the card says.
 */
said: string, 
/**
 * What is true now.
 */
now: string | null, 
/**
 * True if the two differ.
 */
isStale: boolean, };

/**
 * What is different in the code of two runs.
 */
export type CodeDiff = { 
/**
 * The difference in the form of `git diff`; empty if there is none.
 */
text: string, 
/**
 * True if there is more than is shown.
 */
isCut: boolean, 
/**
 * What is left out of it and why, such as a commit that is not on this disk.
 */
notes: Array<string>, };

/**
 * How far a column had moved.
 */
export type ColumnDrift = { 
/**
 * The column.
 */
column: string, 
/**
 * Population stability index.
 */
psi: number, 
/**
 * The test that was made.
 */
test: string, 
/**
 * Its statistic.
 */
statistic: number, 
/**
 * Its p-value among those of all columns.
 */
adjustedP: number, 
/**
 * How bad it was.
 */
level: DriftLevel, };

/**
 * The type of a column.
 */
export type ColumnKind = "integer" | "number" | "boolean" | "text" | "time";

/**
 * What was counted about a column.
 */
export type ColumnProfileView = { 
/**
 * The column.
 */
name: string, 
/**
 * Its type.
 */
kind: ColumnKind, 
/**
 * Cells with a value.
 */
count: number, 
/**
 * Cells without.
 */
missing: number, 
/**
 * Different values.
 */
distinct: number, 
/**
 * False if `distinct` was estimated.
 */
distinctIsExact: boolean, 
/**
 * Numbers only (times as ms since the epoch).
 */
numbers: NumberProfileView | null, 
/**
 * The commonest values.
 */
top: Array<ValueCount>, 
/**
 * Cells that hold none of `top`.
 */
other: number, 
/**
 * What the values mean, such as "email addresses", if nearly all of them mean one thing.
 */
meaning: string | null, 
/**
 * True if the values seem to belong to persons.
 */
isPersonal: boolean, 
/**
 * True if no value repeats and none is missing.
 */
isUnique: boolean, 
/**
 * Numbers that are zero.
 */
zeros: number, 
/**
 * The lengths of texts in characters: shortest, mean, longest.
 */
lengths: [number, number, number] | null, };

/**
 * A column of a table.
 */
export type ColumnView = { 
/**
 * Its name.
 */
name: string, 
/**
 * Its type.
 */
kind: ColumnKind, };

/**
 * A commit of the project's git repository.
 */
export type CommitView = { 
/**
 * The first 10 digits of its id.
 */
id: string, 
/**
 * Its message.
 */
message: string, 
/**
 * Who made it.
 */
author: string, 
/**
 * When, ms since the epoch.
 */
at: number, };

/**
 * A column in both profiles.
 */
export type ComparedColumn = { 
/**
 * What the older profile says.
 */
before: ColumnProfileView, 
/**
 * What the newer profile says.
 */
after: ColumnProfileView, 
/**
 * Population stability index.
 */
psi: number, 
/**
 * How far it has moved.
 */
level: DriftLevel, };

/**
 * A model in a comparison.
 */
export type ComparedModel = { 
/**
 * The run.
 */
runId: string, 
/**
 * The run's number.
 */
runNumber: number, 
/**
 * The model.
 */
model: TrainedModel, 
/**
 * Its figures, to be laid over each other.
 */
figures: Array<Figure>, };

/**
 * A comparison: one column a model.
 */
export type Comparison = { 
/**
 * The models, best first.
 */
models: Array<ComparedModel>, 
/**
 * Metric names in the order to show, with the direction that is better.
 */
metrics: Array<MetricView>, 
/**
 * Parameters that differ, by name; one value a model, null where it has none.
 */
params: { [key in string]: Array<JsonValue | null> }, 
/**
 * The metric that decided the order.
 */
by: string, };

/**
 * Adds a connection, or puts it in the place of the one of this name.
 */
export type ConnectionAdd = { 
/**
 * Its name: lower-case letters, digits and `_`.
 */
name: string, 
/**
 * What kind of server it is.
 */
kind: ConnectionKind, 
/**
 * The server's name or address, or the folder of its socket.
 */
host: string, 
/**
 * Its port; the usual one if left out.
 */
port: number | null, 
/**
 * The database.
 */
database: string, 
/**
 * The user.
 */
user: string, 
/**
 * Whether it is encrypted; it is if left out, unless the server is this machine.
 */
tls: ConnectionTls | null, 
/**
 * The password, which goes into the keychain of this machine's user.
 */
password: string | null, };

/**
 * What became of a connection that was added.
 */
export type ConnectionAdded = { 
/**
 * The connection.
 */
connection: ConnectionView, 
/**
 * Why its password is not in the keychain, and what to do instead.
 */
trouble: string | null, };

/**
 * A kind of database server.
 */
export type ConnectionKind = "postgres";

/**
 * Names a connection.
 */
export type ConnectionPick = { 
/**
 * Its name.
 */
name: string, 
/**
 * The password to test it with, if it is not where passwords are looked for.
 */
password: string | null, };

/**
 * Asks for the first rows that a query would bring.
 */
export type ConnectionPreview = { 
/**
 * The name of the connection.
 */
name: string, 
/**
 * A `select` in the words of that database.
 */
query: string, 
/**
 * The password, if it is not where passwords are looked for.
 */
password: string | null, };

/**
 * How a connection is kept from others.
 */
export type ConnectionTls = "verified" | "off";

/**
 * A connection.
 */
export type ConnectionView = { 
/**
 * Its name.
 */
name: string, 
/**
 * What kind of server it is.
 */
kind: ConnectionKind, 
/**
 * The server.
 */
host: string, 
/**
 * Its port.
 */
port: number, 
/**
 * The database.
 */
database: string, 
/**
 * The user.
 */
user: string, 
/**
 * Whether it is encrypted.
 */
tls: ConnectionTls, 
/**
 * The variable that may hold the password where there is no keychain.
 */
passwordVariable: string, };

/**
 * What the points of curves are put over.
 */
export type CurveAxis = "step" | "relative" | "wall";

/**
 * The curve of a run, thinned: a bucket has the least, the greatest and the mean of its points.
 */
export type CurveLine = { 
/**
 * The run's id.
 */
run: string, 
/**
 * Points of the whole curve.
 */
points: number, 
/**
 * Those of them that are no number or infinite, which are not drawn.
 */
notFinite: number, 
/**
 * Where the whole curve begins and ends on the axis; null if nobody wrote down the times.
 */
reach: [number, number] | null, 
/**
 * Where each bucket is. The first and the last may be the nearest points outside of the part.
 */
x: Array<number>, 
/**
 * The least value of each bucket.
 */
least: Array<number>, 
/**
 * The greatest.
 */
greatest: Array<number>, 
/**
 * The mean.
 */
mean: Array<number>, 
/**
 * How many points are in each bucket.
 */
count: Array<number>, };

/**
 * Imports the answer of a query.
 */
export type DatasetAsk = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The name of the connection.
 */
connection: string, 
/**
 * A `select` in the words of that database.
 */
query: string, 
/**
 * The dataset.
 */
name: string, 
/**
 * Columns that shall have other kinds than their own; as the version before if left out.
 */
kinds: { [key in string]: ColumnKind } | null, 
/**
 * The most bytes of the answer, as the server sends it; 8 GB if left out.
 */
maxBytes: number | null, 
/**
 * The password, if it is neither in the keychain nor in the environment of the daemon.
 */
password: string | null, };

/**
 * Asks for a window of what changed.
 */
export type DatasetChanges = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The dataset's name.
 */
dataset: string, 
/**
 * The older version's number.
 */
from: number, 
/**
 * The newer version's number; the newest if left out.
 */
to: number | null, 
/**
 * The columns that name a row; found, if left out.
 */
key: Array<string>, 
/**
 * Which changes.
 */
what: ChangeKind, 
/**
 * First change, from 0.
 */
offset: number, 
/**
 * Changes wanted, 1,000 at most.
 */
limit: number, };

/**
 * Replaces the checks of a dataset.
 */
export type DatasetChecks = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The dataset's name.
 */
dataset: string, 
/**
 * The file as TOML; empty for no checks.
 */
text: string, };

/**
 * Moves a dataset or one of its versions to the trash.
 */
export type DatasetDelete = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The dataset's name.
 */
dataset: string, 
/**
 * The version's number; the whole dataset if left out.
 */
version: number | null, };

/**
 * A dataset with its versions.
 */
export type DatasetDetail = { 
/**
 * Its name.
 */
name: string, 
/**
 * The version shown.
 */
version: number, 
/**
 * The version's id.
 */
versionId: string, 
/**
 * Rows of the version.
 */
rows: number, 
/**
 * The columns.
 */
columns: Array<ColumnView>, 
/**
 * Bytes as imported.
 */
sizeBytes: number, 
/**
 * Lines of the file that are not in the table.
 */
rejectedRows: number, 
/**
 * How the file was read.
 */
options: ParseOptions, 
/**
 * The column to predict, if chosen.
 */
target: string | null, 
/**
 * The task that goes with the target.
 */
task: TaskView | null, 
/**
 * What Fettle would predict.
 */
suggestion: TargetSuggestion | null, 
/**
 * Every version, newest first.
 */
versions: Array<DatasetVersionView>, 
/**
 * Pipelines that read this dataset.
 */
pipelines: Array<string>, 
/**
 * Where the version came from, if not from a file or folder of this machine.
 */
origin?: Origin, };

/**
 * Two versions of a dataset.
 */
export type DatasetDiff = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The dataset's name.
 */
dataset: string, 
/**
 * The older version's number.
 */
from: number, 
/**
 * The newer version's number; the newest if left out.
 */
to: number | null, 
/**
 * The columns that name a row; found, if left out.
 */
key: Array<string>, };

/**
 * Writes a version of a dataset.
 */
export type DatasetExport = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The dataset's name.
 */
dataset: string, 
/**
 * The version's number; the newest if left out.
 */
version: number | null, 
/**
 * In which format; the bytes as they were imported if left out.
 */
format: ExportFormat, 
/**
 * The file or folder to write; it must not exist.
 */
to: string, };

/**
 * Asks for rows that break a check.
 */
export type DatasetFailing = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The dataset's name.
 */
dataset: string, 
/**
 * The version's number; the newest if left out.
 */
version: number | null, 
/**
 * The place of the check in the file, from 0.
 */
check: number, 
/**
 * First failing row, from 0.
 */
offset: number, 
/**
 * Rows wanted, 1,000 at most.
 */
limit: number, };

/**
 * Fetches a file from an address and imports it. Nothing is ever fetched but by this.
 */
export type DatasetFetch = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The address: `https://…`, or `http://…`.
 */
url: string, 
/**
 * The dataset; from the address if left out.
 */
name: string | null, 
/**
 * How to read it; guessed if left out, and as the version before if there is one.
 */
options: ParseOptions | null, 
/**
 * Which files of an archive are read, if `options` are left out.
 */
folder?: FolderOptions, 
/**
 * The most bytes it may have; 8 GB if left out.
 */
maxBytes: number | null, };

/**
 * Asks for the bytes of one file of a version of files.
 */
export type DatasetFile = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The dataset's name.
 */
dataset: string, 
/**
 * The version's number; the newest if left out.
 */
version: number | null, 
/**
 * The path of the file, as the table has it.
 */
path: string, };

/**
 * Lets a dataset follow a file or folder.
 */
export type DatasetFollow = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The dataset's name.
 */
dataset: string, 
/**
 * The file or folder on this machine; null to follow none.
 */
path: string | null, 
/**
 * What becomes of a change.
 */
mode: FollowMode, };

/**
 * Brings a file or a folder in as a dataset, or as the next version of one.
 */
export type DatasetImport = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The file or folder on this machine.
 */
path: string, 
/**
 * The dataset; from the file's name if left out.
 */
name: string | null, 
/**
 * How to read it; guessed if left out, and as the version before if there is one.
 */
options: ParseOptions | null, 
/**
 * Which files of a folder or archive are read, if `options` are left out.
 */
folder?: FolderOptions, };

/**
 * Points at a dataset version.
 */
export type DatasetLink = { 
/**
 * The dataset.
 */
dataset: string, 
/**
 * The version's number.
 */
version: number, };

/**
 * Asks for a window of rows.
 */
export type DatasetPage = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The dataset's name.
 */
dataset: string, 
/**
 * The version's number; the newest if left out.
 */
version: number | null, 
/**
 * First row, from 0.
 */
offset: number, 
/**
 * Rows wanted, 1,000 at most.
 */
limit: number, 
/**
 * Columns wanted; all if left out.
 */
columns: Array<string> | null, 
/**
 * Only the rows for which this expression is true, such as `age > 18 and sex = 'female'`.
 */
condition: string | null, 
/**
 * The columns to sort by, the most important first; as in the file if left out.
 */
order: Array<OrderBy>, };

/**
 * Names a dataset and one of its versions.
 */
export type DatasetPick = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The dataset's name.
 */
dataset: string, 
/**
 * The version's number; the newest if left out.
 */
version: number | null, };

/**
 * Asks in SQL. Each dataset is a table under its name, in its newest version; `"name@2"` is its
 * version 2, and `"name@clean"` the version with that tag.
 */
export type DatasetQuery = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * A `select`.
 */
sql: string, 
/**
 * Rows wanted, 10,000 at most.
 */
limit: number | null, };

/**
 * Writes the profile of a version as one HTML file.
 */
export type DatasetReport = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The dataset's name.
 */
dataset: string, 
/**
 * The version's number; the newest if left out.
 */
version: number | null, 
/**
 * An older version to compare with.
 */
compareWith: number | null, 
/**
 * The file to write; it must not exist.
 */
to: string, };

/**
 * Reads what a version keeps in another way, which makes the next version.
 */
export type DatasetReread = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The dataset's name.
 */
dataset: string, 
/**
 * The version's number; the newest if left out.
 */
version: number | null, 
/**
 * How to read it.
 */
options: ParseOptions, };

/**
 * What a file seems to be, and a first look at it read that way.
 */
export type DatasetSniff = { 
/**
 * The file or folder on this machine.
 */
path: string, 
/**
 * How to read it; what is left out is guessed.
 */
options: ParseOptions | null, 
/**
 * Which files of a folder or archive are read, if `options` are left out.
 */
folder?: FolderOptions, };

/**
 * A first look at what a version keeps, read in another way.
 */
export type DatasetSniffKept = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The dataset's name.
 */
dataset: string, 
/**
 * The version's number; the newest if left out.
 */
version: number | null, 
/**
 * How to read it; as the version was read if left out.
 */
options: ParseOptions | null, };

/**
 * A row of the list of datasets.
 */
export type DatasetSummary = { 
/**
 * Its name.
 */
name: string, 
/**
 * The newest version.
 */
version: number, 
/**
 * Rows of the newest version.
 */
rows: number, 
/**
 * Columns of the newest version.
 */
columns: number, 
/**
 * Bytes of the newest version as imported.
 */
sizeBytes: number, 
/**
 * The column to predict, if chosen.
 */
target: string | null, 
/**
 * When the newest version came, ms since the epoch.
 */
createdAt: number, };

/**
 * Puts a name on a version, or takes it away.
 */
export type DatasetTag = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The dataset's name.
 */
dataset: string, 
/**
 * The tag, such as `clean`.
 */
tag: string, 
/**
 * The version's number; null takes the tag away.
 */
version: number | null, };

/**
 * Chooses the column to predict.
 */
export type DatasetTarget = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The dataset's name.
 */
dataset: string, 
/**
 * The column; null for none.
 */
target: string | null, 
/**
 * The task; from the column if left out.
 */
task: TaskView | null, };

/**
 * A version in the strip above the table.
 */
export type DatasetVersionView = { 
/**
 * Its number.
 */
number: number, 
/**
 * Its id.
 */
id: string, 
/**
 * Rows.
 */
rows: number, 
/**
 * Columns.
 */
columns: number, 
/**
 * Bytes as imported.
 */
sizeBytes: number, 
/**
 * Name of the file it came from.
 */
sourceName: string, 
/**
 * Names that somebody put on it.
 */
tags: Array<string>, 
/**
 * When it came, ms since the epoch.
 */
createdAt: number, };

/**
 * Which part of a date comes first.
 */
export type DateOrder = "day_first" | "month_first";

/**
 * What became of an alert at a channel.
 */
export type DeliveryView = { 
/**
 * When, ms since the epoch.
 */
at: number, 
/**
 * The alert.
 */
alert: number, 
/**
 * The channel's name.
 */
channel: string, 
/**
 * True if the channel took it, or was held back by a silence.
 */
isTaken: boolean, 
/**
 * What the other side said, or what went wrong.
 */
said: string, };

/**
 * Puts a model version somewhere. With the name of a deployment that is there, it becomes that
 * deployment's next revision, switched to once it is healthy.
 */
export type DeploymentCreate = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The model.
 */
model: string, 
/**
 * The version: number or alias; `production` or else the newest if left out.
 */
version: string | null, 
/**
 * The target; that of the deployment if there is one, else `local`.
 */
target: string | null, 
/**
 * Parameters of the target that differ from its defaults, or from the revision before.
 */
params: { [key in string]: JsonValue } | null, 
/**
 * Its name; the model's if left out.
 */
name: string | null, 
/**
 * The port; a free one if left out.
 */
port: number | null, };

/**
 * A deployment with everything about it.
 */
export type DeploymentDetail = { 
/**
 * The row of the list.
 */
summary: DeploymentSummary, 
/**
 * The target's name in commands.
 */
kind: string, 
/**
 * True if it can be stopped and started again.
 */
runs: boolean, 
/**
 * What the target was told for the revision that answers.
 */
params: { [key in string]: JsonValue }, 
/**
 * Every revision, newest first.
 */
revisions: Array<RevisionView>, 
/**
 * The bearer token; shown behind a button.
 */
token: string | null, 
/**
 * A command that gets a prediction for the sample row; empty if nothing answers by itself.
 */
curl: string, 
/**
 * The same in Python with nothing but its standard library.
 */
python: string, 
/**
 * A row of the validation data: input by name.
 */
sample: { [key in string]: JsonValue }, 
/**
 * Process id and memory of what serves, if it runs here.
 */
process: ProcessView | null, };

/**
 * Names a deployment by its name or id.
 */
export type DeploymentPick = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * Its name or id.
 */
deployment: string, };

/**
 * What a deployment would do.
 */
export type DeploymentPlan = { 
/**
 * A sentence for each step, in their order.
 */
steps: Array<string>, };

/**
 * Goes back to an earlier revision: the one before if left out.
 */
export type DeploymentRollback = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * Its name or id.
 */
deployment: string, 
/**
 * The revision to go back to.
 */
revision: number | null, };

/**
 * Where a deployment stands.
 */
export type DeploymentState = "starting" | "healthy" | "unhealthy" | "stopped" | "failed";

/**
 * A row of the list of endpoints.
 */
export type DeploymentSummary = { 
/**
 * Its id.
 */
id: string, 
/**
 * Its name, unique in the project.
 */
name: string, 
/**
 * The target's name for people.
 */
target: string, 
/**
 * Where it stands.
 */
state: DeploymentState, 
/**
 * What it serves.
 */
model: ModelLinkView, 
/**
 * Its address.
 */
url: string | null, 
/**
 * Requests in the last hour.
 */
requestsLastHour: number, 
/**
 * Alerts nobody has looked at.
 */
openAlerts: number, 
/**
 * When it was made, ms since the epoch.
 */
createdAt: number, };

/**
 * Sends one row to an endpoint.
 */
export type DeploymentTry = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * Its name or id.
 */
deployment: string, 
/**
 * Input by name; the sample row if left out.
 */
inputs: { [key in string]: JsonValue } | null, };

/**
 * How bad a finding is.
 */
export type DriftLevel = "none" | "warning" | "alarm";

/**
 * How drift went over time.
 */
export type DriftOverTime = { 
/**
 * The windows that hold enough rows, oldest first.
 */
windows: Array<DriftWindow>, 
/**
 * Windows that were passed over because they hold too few rows.
 */
tooSmall: number, 
/**
 * Rows a window needs.
 */
rowsNeeded: number, 
/**
 * Rows of the baseline.
 */
baselineRows: number, 
/**
 * The level of the newest window.
 */
level: DriftLevel, };

/**
 * Drift of one column.
 */
export type DriftView = { 
/**
 * The input, or the output for the prediction.
 */
column: string, 
/**
 * How bad it is.
 */
level: DriftLevel, 
/**
 * Population stability index.
 */
psi: number, 
/**
 * The test that was made: `ks`, `chi_square`, `wasserstein`, `jensen_shannon`, `psi`, or `none`.
 */
test: string, 
/**
 * The test's name for people.
 */
testTitle: string, 
/**
 * The test's statistic.
 */
statistic: number, 
/**
 * The test's p-value.
 */
pValue: number, 
/**
 * The p-value among those of all columns of this look; levels go by this one.
 */
adjustedP: number, 
/**
 * Share of missing values at training time.
 */
missingBaseline: number, 
/**
 * Share of missing values now.
 */
missingCurrent: number, 
/**
 * Values never seen in training, if it is a text column.
 */
newValues: Array<string>, 
/**
 * Their share of the values now, if all values of the training data are known.
 */
newShare: number | null, 
/**
 * The share of numbers now outside the range of the training data.
 */
outsideShare: number | null, 
/**
 * Both distributions.
 */
figure: Figure, };

/**
 * Drift in one window.
 */
export type DriftWindow = { 
/**
 * Where it starts, ms since the epoch.
 */
from: number, 
/**
 * Where it ends.
 */
to: number, 
/**
 * Rows in it.
 */
rows: number, 
/**
 * The worst level of all columns.
 */
level: DriftLevel, 
/**
 * Inputs and the prediction (the last one), in a constant order.
 */
columns: Array<ColumnDrift>, };

/**
 * What a metric is expected to be.
 */
export type EstimateView = { 
/**
 * The middle.
 */
value: number, 
/**
 * The lower end of the 95 % interval.
 */
low: number, 
/**
 * Its upper end.
 */
high: number, };

/**
 * One event.
 */
export type Event = { "type": "changed", 
/**
 * What changed.
 */
topics: Array<Topic>, } | { "type": "job", 
/**
 * The job as it is now.
 */
job: JobView, } | { "type": "points", 
/**
 * The run.
 */
runId: string, 
/**
 * The step that trains.
 */
stepId: string, 
/**
 * What is on the y axis.
 */
metric: string, 
/**
 * `[round, train, validation]`; validation is null where there is none.
 */
points: Array<[number, number, number | null]>, };

/**
 * An experiment.
 */
export type ExperimentView = { 
/**
 * Its name; `/` makes folders.
 */
name: string, 
/**
 * Runs in it, without those of folders in it.
 */
runs: number, };

/**
 * Why the steps of a pipeline would run.
 */
export type ExplainView = { 
/**
 * The steps in the order they could run.
 */
steps: Array<ExplainedStep>, 
/**
 * How many come from the cache.
 */
cached: number, 
/**
 * How many would run, or may.
 */
toRun: number, };

/**
 * What moved one output.
 */
export type ExplainedOutput = { 
/**
 * The class or the number.
 */
output: string, 
/**
 * The sum if nothing is known of a row.
 */
base: number, 
/**
 * The sum of the row: the base and all contributions.
 */
sum: number, 
/**
 * What each raw column adds, largest first.
 */
contributions: Array<[string, number]>, };

/**
 * A row with its answer and the reasons for it.
 */
export type ExplainedRow = { 
/**
 * The inputs.
 */
inputs: { [key: string]: unknown }, 
/**
 * The answers.
 */
outputs: { [key: string]: unknown }, 
/**
 * For each output that is explained, what moved it.
 */
explained: Array<ExplainedOutput>, };

/**
 * Why a step would run.
 */
export type ExplainedStep = { 
/**
 * The step.
 */
step: string, 
/**
 * What would happen.
 */
action: PlanAction, 
/**
 * What is different from the last time, causes first.
 */
changes: Array<ChangeView>, 
/**
 * The same in sentences.
 */
reasons: Array<string>, 
/**
 * The steps right before it that have no result yet.
 */
waitsFor: Array<string>, 
/**
 * The last run in which this step came to a result, if it is known.
 */
lastRun: LastUse | null, };

/**
 * A format to write.
 */
export type ExportFormat = "original" | "csv" | "safe_csv" | "parquet" | "arrow";

/**
 * A file of an export.
 */
export type ExportedFile = { 
/**
 * Its name.
 */
name: string, 
/**
 * What is in it.
 */
text: string, 
/**
 * True if it is to be run.
 */
isProgram: boolean, };

/**
 * A row that breaks a check.
 */
export type FailingExample = { 
/**
 * Its number in the table, from 0.
 */
row: number, 
/**
 * The cells that were looked at: column and value, null if missing.
 */
cells: Array<[string, string | null]>, };

/**
 * Rows that break a check.
 */
export type FailingPage = { 
/**
 * The rows; `total` counts those that fail.
 */
page: TablePage, 
/**
 * Their numbers in the table, from 0.
 */
numbers: Array<number>, };

/**
 * The wire form of every failure.
 */
export type Failure = { 
/**
 * What kind of failure it is, for a program to act on.
 */
code: Code, 
/**
 * What could not be done and to what.
 */
message: string, 
/**
 * What the user can do now.
 */
hint: string | null, 
/**
 * What lies behind it, outermost first.
 */
causes: Array<string>, };

/**
 * A named value that goes in or out.
 */
export type FieldView = { 
/**
 * Its name.
 */
name: string, 
/**
 * Its type.
 */
kind: ColumnKind, };

/**
 * A chart by its content. Points are thinned to at most 400 a series before they get here.
 */
export type Figure = { "type": "roc", 
/**
 * One line a class (a single one for a binary target); `value` is its area.
 */
series: Array<Series>, } | { "type": "precision_recall", 
/**
 * One line a class; `value` is the average precision.
 */
series: Array<Series>, } | { "type": "calibration", 
/**
 * One line a class; `value` is the Brier score.
 */
series: Array<Series>, } | { "type": "confusion", 
/**
 * Class names, in the order of rows and columns.
 */
classes: Array<string>, 
/**
 * `counts[actual][predicted]`.
 */
counts: Array<Array<number>>, } | { "type": "importance", 
/**
 * What was measured, such as `permutation (loss of AUC)`.
 */
measure: string, 
/**
 * At most 30 bars.
 */
bars: Array<Bar>, } | { "type": "curves", 
/**
 * What is on the y axis, such as `log loss`.
 */
metric: string, 
/**
 * Usually `train` and `validation`.
 */
series: Array<Series>, } | { "type": "residuals", 
/**
 * At most 400 rows, evenly picked.
 */
points: Array<Point>, } | { "type": "histogram", 
/**
 * What was counted.
 */
label: string, 
/**
 * Bin edges, one more than counts.
 */
edges: Array<number>, 
/**
 * Rows in each bin.
 */
counts: Array<number>, } | { "type": "drift", 
/**
 * The column, or `prediction`.
 */
column: string, 
/**
 * Bin labels.
 */
bins: Array<string>, 
/**
 * Shares at training time.
 */
baseline: Array<number>, 
/**
 * Shares in the window looked at.
 */
current: Array<number>, 
/**
 * Population stability index of the two.
 */
psi: number, };

/**
 * A file of a version.
 */
export type FileBytes = { 
/**
 * How many bytes it has.
 */
sizeBytes: number, 
/**
 * The bytes in base64; null if there are more than 16 MB of them.
 */
base64: string | null, };

/**
 * A file of an output.
 */
export type FileView = { 
/**
 * Its path in the output, with `/` on every system.
 */
path: string, 
/**
 * Its size, bytes.
 */
bytes: number, };

/**
 * Help with a filter.
 */
export type FilterHelp = { 
/**
 * What is wrong with it.
 */
problem: FilterProblem | null, 
/**
 * Where what is being written begins, in UTF-16 units.
 */
from: number, 
/**
 * What may stand from there to the cursor, the likeliest first; at most 50.
 */
options: Array<FilterOption>, };

/**
 * Something that may be written next.
 */
export type FilterOption = { 
/**
 * What is written.
 */
text: string, 
/**
 * What it is, such as `metric`.
 */
kind: string, };

/**
 * What is wrong with a filter.
 */
export type FilterProblem = { 
/**
 * From where on it cannot be read, in UTF-16 units.
 */
at: number, 
/**
 * What is wrong there.
 */
message: string, };

/**
 * A change that leads out of a problem.
 */
export type FixView = { 
/**
 * How it is offered, such as `Use age`.
 */
label: string, } & ({ "type": "set_param", 
/**
 * The step.
 */
step: string, 
/**
 * The parameter.
 */
param: string, 
/**
 * Its new value.
 */
value: JsonValue | null, } | { "type": "set_kind", 
/**
 * The step.
 */
step: string, 
/**
 * The kind.
 */
kind: string, } | { "type": "set_wires", 
/**
 * The step.
 */
step: string, 
/**
 * The input.
 */
port: string, 
/**
 * All its wires then, each `step.port`; none takes them away.
 */
wires: Array<string>, 
/**
 * An input that is not there and gives its wires up.
 */
insteadOf: string | null, } | { "type": "take_in", 
/**
 * The step.
 */
step: string, });

/**
 * How the files of a folder or an archive are read.
 */
export type FolderOptions = { 
/**
 * True when every file is a row that tells of it; otherwise the rows of all files are one table.
 */
asFiles: boolean, 
/**
 * Which files: a pattern such as `*.csv` for their names, or `2026/*.csv` for their paths.
 */
only: string | null, 
/**
 * The name of a column that holds the path of each row's file.
 */
pathColumn: string | null, 
/**
 * True when folders that are called `key=value` are columns.
 */
partitions: boolean, };

/**
 * What becomes of a change.
 */
export type FollowMode = "version" | "proposal";

/**
 * A file or folder that a dataset follows.
 */
export type FollowView = { 
/**
 * The dataset.
 */
dataset: string, 
/**
 * The file or folder on this machine.
 */
path: string, 
/**
 * What becomes of a change.
 */
mode: FollowMode, 
/**
 * True if the file has changed and waits to be imported.
 */
isWaiting: boolean, 
/**
 * What went wrong the last time, in a sentence.
 */
trouble: string | null, };

/**
 * A frame around steps, or with none in it a note on the canvas.
 */
export type FrameDoc = { 
/**
 * Its id, unique among the frames.
 */
id: string, 
/**
 * One line.
 */
title: string, 
/**
 * Any text, read as Markdown; empty for none.
 */
note: string, 
/**
 * Its colour.
 */
tone: FrameTone, 
/**
 * Left, top, width and height, in pixels of the canvas.
 */
box: [number, number, number, number], };

/**
 * The colour of a frame.
 */
export type FrameTone = "grey" | "blue" | "green" | "yellow" | "red" | "violet";

/**
 * One check of a gate.
 */
export type GateCheck = { 
/**
 * What is checked.
 */
name: string, 
/**
 * Whether it holds.
 */
status: CheckStatus, 
/**
 * What was found, in a sentence.
 */
message: string, };

/**
 * Every check that must hold.
 */
export type GateReport = { 
/**
 * The model.
 */
model: string, 
/**
 * The version.
 */
version: number, 
/**
 * The alias.
 */
alias: string, 
/**
 * The version the alias points at now.
 */
current: number | null, 
/**
 * The checks in order.
 */
checks: Array<GateCheck>, 
/**
 * True if every check that blocks holds.
 */
isOpen: boolean, };

/**
 * Names a group.
 */
export type GroupPick = { 
/**
 * The value that its runs share; null for those that have none.
 */
value: string | null, };

/**
 * What the numbers of a group come to.
 */
export type GroupStat = { 
/**
 * Their mean.
 */
mean: number, 
/**
 * The deviation of a sample, `n - 1` below; null of a single one.
 */
deviation: number | null, 
/**
 * How many runs have a number.
 */
count: number, };

/**
 * What the Home screen shows.
 */
export type HomeView = { 
/**
 * What to do next.
 */
next: NextStep, 
/**
 * The last runs.
 */
runs: Array<RunSummary>, 
/**
 * Every endpoint.
 */
deployments: Array<DeploymentSummary>, 
/**
 * Alerts nobody has looked at.
 */
alerts: Array<AlertView>, 
/**
 * The newest entries of the audit log.
 */
audit: Array<AuditEntry>, };

/**
 * Makes a key.
 */
export type IdentityNew = { 
/**
 * The name of the person.
 */
person: string, };

/**
 * Who signs on this machine.
 */
export type IdentityView = { 
/**
 * The name.
 */
person: string, 
/**
 * The public key, for `policy.toml`.
 */
key: string, };

/**
 * A pipeline that was read.
 */
export type ImportedPipeline = { 
/**
 * The pipeline, which is a draft now.
 */
doc: PipelineDoc, 
/**
 * What is not as it was, in words.
 */
notes: Array<string>, };

/**
 * Names a project, or the current one.
 */
export type InProject = { 
/**
 * The project; the current one if left out.
 */
project: string | null, };

/**
 * An input that a pipeline declares, to be used as a step of others.
 */
export type InputDoc = { 
/**
 * Its name.
 */
name: string, 
/**
 * The inputs of its own steps that it feeds, each `step.port`.
 */
to: Array<string>, };

/**
 * Asks for the newest jobs.
 */
export type JobList = { 
/**
 * Only those that are not finished.
 */
active: boolean, };

/**
 * Names a job.
 */
export type JobPick = { 
/**
 * Its id.
 */
jobId: string, };

/**
 * The job that was started.
 */
export type JobRef = { 
/**
 * Its id.
 */
jobId: string, };

/**
 * Where a job stands.
 */
export type JobState = "queued" | "running" | "done" | "failed" | "cancelled" | "interrupted";

/**
 * A job as it is now.
 */
export type JobView = { 
/**
 * Its id.
 */
id: string, 
/**
 * The command behind it, such as `dataset.import`.
 */
kind: string, 
/**
 * What it does, for people.
 */
title: string, 
/**
 * Where it stands.
 */
state: JobState, 
/**
 * What it is doing, such as `reading`.
 */
stage: string | null, 
/**
 * Units done.
 */
done: number, 
/**
 * Units in all, if known.
 */
total: number | null, 
/**
 * When it started, ms since the epoch.
 */
startedAt: number, 
/**
 * When it ended.
 */
finishedAt: number | null, 
/**
 * Why it failed.
 */
error: Failure | null, 
/**
 * What it came to; its shape depends on the kind.
 */
result: JsonValue | null, 
/**
 * What it is about: `{run}`, `{dataset}`, `{deployment}` …, to link to.
 */
subject: JsonValue, };

export type JsonValue = number | string | boolean | Array<JsonValue> | { [key in string]: JsonValue } | null;

/**
 * The last run in which a step came to a result.
 */
export type LastUse = { 
/**
 * The run.
 */
runId: string, 
/**
 * Its number.
 */
number: number, 
/**
 * When, ms since the epoch.
 */
at: number, };

/**
 * Positions by step id, in pixels.
 */
export type LayoutView = { 
/**
 * Positions by step id.
 */
positions: { [key in string]: [number, number] }, };

/**
 * How often a step is tried and how much it may take.
 */
export type LimitsDoc = { 
/**
 * How often it is tried again after a failure.
 */
retries: number, 
/**
 * How long one try may take, such as `10m`.
 */
timeout: string | null, 
/**
 * How many cores it gets; a share of the free ones if none.
 */
cores: number | null, 
/**
 * How much memory it may take with all its processes, such as `2GiB`.
 */
memory: string | null, };

/**
 * A piece of a log.
 */
export type LogPage = { 
/**
 * The text.
 */
text: string, 
/**
 * Where to go on.
 */
nextOffset: number, 
/**
 * True if nothing more will come.
 */
isComplete: boolean, };

/**
 * A dataset that went into a run, as the script described it.
 */
export type LoggedDatasetView = { 
/**
 * Its name.
 */
name: string, 
/**
 * What the script took as its fingerprint.
 */
digest: string, 
/**
 * What it was used for.
 */
context?: string, };

/**
 * The last point of a curve.
 */
export type LoggedMetric = { 
/**
 * What is measured.
 */
key: string, 
/**
 * The value; none if it is not a number.
 */
value: number | null, 
/**
 * Its step.
 */
step: number, 
/**
 * Points of the curve.
 */
points: number, };

/**
 * A value for each pair of columns.
 */
export type MatrixView = { 
/**
 * The columns.
 */
columns: Array<string>, 
/**
 * The values of the pairs (0, 1), (0, 2), … (1, 2), …; null where there is none.
 */
values: Array<number | null>, };

/**
 * A metric that can be asked for.
 */
export type MetricChoice = { 
/**
 * Its name.
 */
name: string, 
/**
 * Its name for people.
 */
title: string, };

/**
 * A metric by name.
 */
export type MetricView = { 
/**
 * Its name, such as `auc`.
 */
name: string, 
/**
 * Its name for people.
 */
title: string, 
/**
 * True if more is better.
 */
higherIsBetter: boolean, 
/**
 * What it is, with its formula.
 */
doc: string, };

/**
 * Columns that are missing together.
 */
export type MissingView = { 
/**
 * The columns.
 */
columns: Array<string>, 
/**
 * Rows in which just these are missing.
 */
rows: number, };

/**
 * Signs an approval, or takes one back.
 */
export type ModelApprove = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The model.
 */
model: string, 
/**
 * The version; the newest if left out.
 */
version: string | null, 
/**
 * Why.
 */
note: string | null, };

/**
 * A model with its versions.
 */
export type ModelDetail = { 
/**
 * The row of the list.
 */
summary: ModelSummary, 
/**
 * Every version, newest first.
 */
versions: Array<ModelVersionRow>, 
/**
 * Who moved which alias when, newest first.
 */
history: Array<AliasMove>, };

/**
 * Asks how a version's answers follow one column.
 */
export type ModelEffect = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The model.
 */
model: string, 
/**
 * The version; the newest if left out.
 */
version: string | null, 
/**
 * The input.
 */
column: string, };

/**
 * Writes the package as a folder that MLflow, onnxruntime and fettle-serve read.
 */
export type ModelExport = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The model.
 */
model: string, 
/**
 * The version; the newest if left out.
 */
version: string | null, 
/**
 * The folder to write; it must not exist.
 */
to: string, };

/**
 * A file of a version.
 */
export type ModelFile = { 
/**
 * Its path in the package, with `/` between names.
 */
path: string, 
/**
 * Its size.
 */
sizeBytes: number, };

/**
 * Asks what stands between a version and an alias.
 */
export type ModelGate = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The model.
 */
model: string, 
/**
 * The version; the newest if left out.
 */
version: string | null, 
/**
 * The alias; `production` if left out.
 */
alias: string | null, };

/**
 * Points at a model version.
 */
export type ModelLink = { 
/**
 * The model.
 */
model: string, 
/**
 * The version's number.
 */
version: number, };

/**
 * Points at a model version, with the aliases it has now.
 */
export type ModelLinkView = { 
/**
 * The model.
 */
model: string, 
/**
 * The version's number.
 */
version: number, 
/**
 * Aliases that point at it.
 */
aliases: Array<string>, };

/**
 * Writes the passport of a version.
 */
export type ModelPassport = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The model.
 */
model: string, 
/**
 * The version; the newest if left out.
 */
version: string | null, 
/**
 * The file to write; it must not exist.
 */
to: string, };

/**
 * Names a model.
 */
export type ModelPick = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * Its name.
 */
model: string, };

/**
 * Scores a file with a version.
 */
export type ModelPredict = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The model.
 */
model: string, 
/**
 * The version; the newest if left out.
 */
version: string | null, 
/**
 * A CSV file with the model's inputs.
 */
path: string, 
/**
 * The CSV file to write; it must not exist.
 */
to: string, };

/**
 * Moves an alias to a version if the gate is open.
 */
export type ModelPromote = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The model.
 */
model: string, 
/**
 * The version; the newest if left out.
 */
version: string | null, 
/**
 * The alias; `production` if left out.
 */
alias: string | null, 
/**
 * Why; goes into the audit log.
 */
reason: string | null, };

/**
 * Registers a model that a run trained.
 */
export type ModelRegister = { 
/**
 * The run.
 */
run: string, 
/**
 * The step that trained it; the best one if left out.
 */
step: string | null, 
/**
 * The model's name; the pipeline's if left out.
 */
name: string | null, };

/**
 * A row of the list of models.
 */
export type ModelSummary = { 
/**
 * Its name.
 */
name: string, 
/**
 * The newest version.
 */
version: number, 
/**
 * How many versions.
 */
versions: number, 
/**
 * Version number by alias.
 */
aliases: { [key in string]: number }, 
/**
 * The newest version's metrics.
 */
metrics: { [key in string]: number }, 
/**
 * What it answers; null if a script logged the newest version in another form than ONNX.
 */
task: TaskView | null, 
/**
 * When the newest version came, ms since the epoch.
 */
createdAt: number, 
/**
 * Endpoints that serve it.
 */
endpoints: Array<string>, };

/**
 * Runs the tests of a version.
 */
export type ModelTest = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The model.
 */
model: string, 
/**
 * The version; the newest if left out.
 */
version: string | null, 
/**
 * Tests to run instead of the project's, as TOML.
 */
suite: string | null, 
/**
 * `html`, `md`, `xml` or `json`, to have the report as text too.
 */
format: string | null, };

/**
 * Writes what came of the tests of a version when they last ran.
 */
export type ModelTestReport = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The model.
 */
model: string, 
/**
 * The version; the newest if left out.
 */
version: string | null, 
/**
 * The file to write; its end says how: `.html`, `.md`, `.xml` or `.json`.
 */
to: string, };

/**
 * Replaces the tests of a model.
 */
export type ModelText = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The model.
 */
model: string, 
/**
 * The text; empty to take the file away.
 */
text: string, };

/**
 * A model version with everything about it.
 */
export type ModelVersionDetail = { 
/**
 * The model.
 */
model: string, 
/**
 * The version.
 */
row: ModelVersionRow, 
/**
 * What it answers; null for a model that a script logged in another form than a package of ours.
 */
task: TaskView | null, 
/**
 * The column it predicts; empty without a task, as is all else that only a package of ours says.
 */
target: string, 
/**
 * The classes it knows.
 */
classes: Array<string>, 
/**
 * What goes in.
 */
inputs: Array<FieldView>, 
/**
 * What comes out.
 */
outputs: Array<FieldView>, 
/**
 * The trainer's parameters.
 */
params: { [key in string]: JsonValue }, 
/**
 * The fitted transforms before the trainer, one sentence each.
 */
recipe: Array<string>, 
/**
 * ROC, confusion, importance ….
 */
figures: Array<Figure>, 
/**
 * The package scores as the run did: how exactly.
 */
parity: ParityView | null, 
/**
 * The dataset version it learned from.
 */
dataset: DatasetLink | null, 
/**
 * The step that trained it.
 */
step: string, 
/**
 * The pipeline.
 */
pipeline: string, 
/**
 * Endpoints that serve it.
 */
endpoints: Array<string>, 
/**
 * Bytes of the package.
 */
sizeBytes: number, 
/**
 * BLAKE3 of the package.
 */
digest: string, 
/**
 * Its files by path, the first two hundred.
 */
files: Array<ModelFile>, 
/**
 * How many files there are.
 */
fileCount: number, };

/**
 * Names a version: its number or an alias; the newest if left out.
 */
export type ModelVersionPick = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The model.
 */
model: string, 
/**
 * `3`, `champion`, `production` ….
 */
version: string | null, };

/**
 * A version in the list of a model.
 */
export type ModelVersionRow = { 
/**
 * Its number.
 */
number: number, 
/**
 * Aliases that point at it.
 */
aliases: Array<string>, 
/**
 * Its metrics.
 */
metrics: { [key in string]: number }, 
/**
 * The trainer, for people.
 */
trainer: string, 
/**
 * The run it came from.
 */
runId: string, 
/**
 * That run's number.
 */
runNumber: number, 
/**
 * When it was registered, ms since the epoch.
 */
createdAt: number, };

/**
 * Asks what a version says of a row that is changed by hand.
 */
export type ModelWhatIf = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The model.
 */
model: string, 
/**
 * The version; the newest if left out.
 */
version: string | null, 
/**
 * The row by input; the package's example if left out.
 */
row: { [key: string]: unknown } | null, 
/**
 * Instead of `row` the place of a row among those that the package keeps, from 0.
 */
place: number | null, 
/**
 * What is changed in it, by input.
 */
changes: { [key: string]: unknown }, };

/**
 * Tries policies of retraining on history.
 */
export type MonitorBacktest = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The deployment's name or id.
 */
deployment: string, 
/**
 * The pipeline; the one that made what serves if left out.
 */
pipeline: string | null, 
/**
 * The dataset with the history; the one that what serves learned from if left out.
 */
dataset: string | null, 
/**
 * The column by which rows come one after the other; the first one of moments, or else the order in
 * which they lie, if left out.
 */
orderBy: string | null, 
/**
 * Into how many windows what comes after the first three tenths is cut; 8 if left out.
 */
windows: number | null, 
/**
 * `never`, `every 2` (windows), `psi 0.2` or `drop 0.05` (of the metric, since the first window); the
 * usual three if empty.
 */
policies: Array<string>, };

/**
 * Compares a file with the training data without sending it anywhere.
 */
export type MonitorCheck = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The deployment's name or id.
 */
deployment: string, 
/**
 * A CSV file with the model's inputs.
 */
path: string, };

/**
 * Tells what turned out to be true of requests that were answered, from a table that knows it.
 */
export type MonitorLabel = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The deployment's name or id.
 */
deployment: string, 
/**
 * A file with the true answers; or else `dataset`.
 */
path: string | null, 
/**
 * A dataset whose newest version has them.
 */
dataset: string | null, 
/**
 * The column of true answers; the one that the model predicts if left out.
 */
column: string | null, 
/**
 * The column with ids of requests; `request_id` if there is such a column.
 */
id: string | null, 
/**
 * The inputs by which requests are found where there are no ids; all that the table has if empty.
 */
on: Array<string>, };

/**
 * Asks how good a deployment is.
 */
export type MonitorPerformance = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The deployment's name or id.
 */
deployment: string, 
/**
 * How long a window is, in rows or in minutes.
 */
size: number, 
/**
 * What a window is measured in.
 */
unit: WindowUnit, 
/**
 * How far each window is from the one before; as far as it is long if left out.
 */
step: number | null, 
/**
 * The metric; accuracy for classes and the mean absolute error for numbers if left out.
 */
metric: string | null, };

/**
 * A deployment.
 */
export type MonitorPick = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The deployment's name or id.
 */
deployment: string, };

/**
 * Answers logged requests by another version.
 */
export type MonitorRehearse = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The deployment's name or id.
 */
deployment: string, 
/**
 * The version: a number or an alias; `challenger` if left out.
 */
version: string | null, };

/**
 * Scores a file through an endpoint, as traffic: the validation data if no path is given.
 */
export type MonitorReplay = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The deployment's name or id.
 */
deployment: string, 
/**
 * A CSV file with the model's inputs.
 */
path: string | null, };

/**
 * Writes how an endpoint does as one HTML file that shows by itself.
 */
export type MonitorReport = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The deployment's name or id.
 */
deployment: string, 
/**
 * How far back to look, in minutes; since the beginning if left out.
 */
windowMinutes: number | null, 
/**
 * The file to write.
 */
to: string, };

/**
 * Retrains a deployment.
 */
export type MonitorRetrain = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The deployment's name or id.
 */
deployment: string, 
/**
 * The pipeline; the one that made what serves if left out.
 */
pipeline: string | null, 
/**
 * True to deploy what passes the gate at once; else it is proposed.
 */
deploy: boolean, 
/**
 * What becomes of the requests whose truth is known.
 */
traffic: Traffic, 
/**
 * Why.
 */
reason: string | null, };

/**
 * Sets the rules of an endpoint.
 */
export type MonitorRules = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The deployment's name or id.
 */
deployment: string, 
/**
 * All its rules.
 */
rules: Array<AlertRule>, };

/**
 * Holds the channels back from the alerts of a deployment.
 */
export type MonitorSilence = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The deployment's name or id.
 */
deployment: string, 
/**
 * For so many minutes; 0 ends a silence.
 */
minutes: number, 
/**
 * Why.
 */
reason: string | null, };

/**
 * Asks how an endpoint does.
 */
export type MonitorStatus = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The deployment's name or id.
 */
deployment: string, 
/**
 * How far back to look, in minutes; since the beginning if left out.
 */
windowMinutes: number | null, };

/**
 * How an endpoint does.
 */
export type MonitorView = { 
/**
 * The deployment's name.
 */
deployment: string, 
/**
 * What it serves: `model` and version.
 */
model: string, 
/**
 * The version's number.
 */
version: number, 
/**
 * Rows scored in the window.
 */
rows: number, 
/**
 * Requests in the window.
 */
requests: number, 
/**
 * Requests that failed.
 */
errors: number, 
/**
 * Latency of a request, ms: median.
 */
latencyP50Ms: number | null, 
/**
 * Latency of a request, ms: 95 per cent quantile.
 */
latencyP95Ms: number | null, 
/**
 * Latency of a request, ms: 99 per cent quantile.
 */
latencyP99Ms: number | null, 
/**
 * Traffic over time.
 */
traffic: Array<TrafficBin>, 
/**
 * The worst level of all features and the prediction.
 */
level: DriftLevel, 
/**
 * The prediction's drift.
 */
prediction: DriftView | null, 
/**
 * Drift by input, worst first.
 */
features: Array<DriftView>, 
/**
 * Rows needed before drift is computed.
 */
rowsNeeded: number, 
/**
 * Rules that raise alerts.
 */
rules: Array<AlertRule>, 
/**
 * Alerts of this endpoint, newest first.
 */
alerts: Array<AlertView>, 
/**
 * What became of the newest of them at channels, newest first.
 */
deliveries: Array<DeliveryView>, 
/**
 * Until when channels are held back, ms since the epoch; none if they are not.
 */
silencedUntil: number | null, };

/**
 * Asks how drift went over time.
 */
export type MonitorWindows = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The deployment's name or id.
 */
deployment: string, 
/**
 * How long a window is, in rows or in minutes.
 */
size: number, 
/**
 * What a window is measured in.
 */
unit: WindowUnit, 
/**
 * How far each window is from the one before; as far as it is long if left out, so that windows
 * do not overlap.
 */
step: number | null, 
/**
 * Compare with the requests of this stretch instead of with the training data.
 */
baseline: BaselineSpan | null, 
/**
 * The test to make on every column it is for; chosen by kind and number of rows if left out.
 */
test: string | null, };

/**
 * The next thing to do.
 */
export type NextStep = { "type": "import" } | { "type": "build_pipeline", 
/**
 * The dataset.
 */
dataset: string, } | { "type": "run_pipeline", 
/**
 * The pipeline.
 */
pipeline: string, } | { "type": "promote", 
/**
 * The model.
 */
model: string, 
/**
 * The version.
 */
version: number, } | { "type": "deploy", 
/**
 * The model.
 */
model: string, 
/**
 * The version.
 */
version: number, } | { "type": "watch", 
/**
 * The deployment.
 */
deployment: string, };

/**
 * Nothing to say.
 */
export type Nothing = Record<symbol, never>;

/**
 * What was counted about a column of numbers.
 */
export type NumberProfileView = { 
/**
 * Smallest.
 */
min: number, 
/**
 * Largest.
 */
max: number, 
/**
 * Mean.
 */
mean: number, 
/**
 * Standard deviation (divided by n - 1).
 */
std: number, 
/**
 * 1, 5, 25, 50, 75, 95 and 99 per cent quantiles.
 */
quantiles: [number, number, number, number, number, number, number], 
/**
 * Edges of the bins, one more than counts.
 */
edges: Array<number>, 
/**
 * Rows in each bin; the outer bins take what lies beyond.
 */
counts: Array<number>, };

/**
 * A column to sort by.
 */
export type OrderBy = { 
/**
 * The column.
 */
column: string, 
/**
 * True for the largest value first. Missing values always come last.
 */
descending: boolean, };

/**
 * Where the bytes of a version came from, if not from a file or folder of this machine.
 */
export type Origin = { "kind": "address", 
/**
 * The address that was asked for, without a password in it.
 */
url: string, 
/**
 * What the server calls this state of it.
 */
etag: string | null, 
/**
 * When it was fetched, ms since the epoch.
 */
at: number, } | { "kind": "query", 
/**
 * The connection that was asked.
 */
connection: string, 
/**
 * The query.
 */
query: string, 
/**
 * When it was asked, ms since the epoch.
 */
at: number, };

/**
 * An output that a pipeline declares, to be used as a step of others.
 */
export type OutputDoc = { 
/**
 * Its name.
 */
name: string, 
/**
 * The output of its own steps that it gives, `step.port`.
 */
from: string, };

/**
 * What came out of a port.
 */
export type OutputView = { "type": "table", 
/**
 * A window of them.
 */
page: TablePage, } | { "type": "model", 
/**
 * What it is.
 */
model: TrainedModel, 
/**
 * Its figures.
 */
figures: Array<Figure>, } | { "type": "metrics", 
/**
 * By name.
 */
metrics: { [key in string]: number }, } | { "type": "report", 
/**
 * In the order to be shown.
 */
figures: Array<Figure>, 
/**
 * Remarks in plain words.
 */
notes: Array<string>, } | { "type": "files", 
/**
 * The first 1,000 of them, in order.
 */
files: Array<FileView>, } | { "type": "gone" };

/**
 * How much a parameter matters.
 */
export type ParamShare = { 
/**
 * The parameter.
 */
name: string, 
/**
 * Its share, from 0 to 1.
 */
share: number, };

/**
 * Held-out rows scored by the package and by the run.
 */
export type ParityView = { 
/**
 * Rows compared.
 */
rows: number, 
/**
 * Largest absolute difference of any output.
 */
maxAbsDiff: number, };

/**
 * How the bytes of a delimited file become a table. Every guess can be corrected.
 */
export type ParseOptions = { 
/**
 * `utf-8`, `utf-16le`, `utf-16be`, `windows-1252` ….
 */
encoding: string, 
/**
 * One character: `,` `;` `|` or a tab.
 */
delimiter: string, 
/**
 * The quote character, or none.
 */
quote: string | null, 
/**
 * The character that makes the next one plain inside quotes, beside doubling.
 */
escape: string | null, 
/**
 * Lines before the header that belong to no table.
 */
skipLines: number, 
/**
 * True if the first line holds names.
 */
hasHeader: boolean, 
/**
 * Lines starting with this are comments.
 */
comment: string | null, 
/**
 * `.` or `,`.
 */
decimal: string, 
/**
 * Between groups of digits, or none.
 */
thousands: string | null, 
/**
 * True to take spaces around a cell away.
 */
trim: boolean, 
/**
 * Words that mean a missing value, beside the empty cell.
 */
nulls: Array<string>, 
/**
 * True if such words mean missing in quotes too.
 */
quotedNulls: boolean, 
/**
 * Which part of a date such as 03/04/2024 comes first.
 */
dateOrder: DateOrder, 
/**
 * Corrections of column types, by name.
 */
kinds: { [key in string]: ColumnKind }, 
/**
 * What the bytes are, once they are unpacked.
 */
format: 'delimited' | 'json' | 'json_lines' | 'parquet' | 'arrow' | 'excel' | 'sqlite', 
/**
 * What the file is packed with.
 */
pack: 'none' | 'gzip' | 'zstd' | 'zip' | 'xz' | 'bzip2', 
/**
 * The sheet of a workbook, the table of a database, or the file in an archive.
 */
table: string | null, 
/**
 * The cells of a sheet that are the table, such as `B3:F200`.
 */
range: string | null, 
/**
 * Where in a JSON document the records are, such as `data.items`.
 */
records: string | null, 
/**
 * How many rows the header has.
 */
headerRows: number, 
/**
 * True when a run of delimiters stands for one.
 */
mergeDelimiters: boolean, 
/**
 * Set where the files of a folder, or all files of an archive, are read.
 */
folder?: FolderOptions, };

/**
 * What was read of a text.
 */
export type ParsedPipeline = { 
/**
 * The graph; none if the text is no pipeline file.
 */
doc: PipelineDoc | null, 
/**
 * What is wrong with the text and, if it can be read, with the graph.
 */
problems: Array<TextProblem>, };

/**
 * What a look at a passport found.
 */
export type PassportCheck = { 
/**
 * True if nothing is wrong.
 */
isGenuine: boolean, 
/**
 * What is wrong, one sentence each, naming the part of the file.
 */
troubles: Array<string>, 
/**
 * The model, if that part is whole.
 */
model: string | null, 
/**
 * The version.
 */
version: number | null, 
/**
 * Who signed it.
 */
person: string | null, 
/**
 * With which key: compare it with one that you know.
 */
key: string | null, 
/**
 * The parts of the file.
 */
sections: Array<string>, 
/**
 * Who approved the version.
 */
approvedBy: Array<string>, 
/**
 * What came of the tests, in a sentence.
 */
tests: string | null, };

/**
 * Names a passport file.
 */
export type PassportPick = { 
/**
 * The file.
 */
path: string, };

/**
 * How good a deployment is.
 */
export type PerformanceView = { 
/**
 * The metric.
 */
metric: string, 
/**
 * Its name for people.
 */
metricTitle: string, 
/**
 * True if a larger value is a better one.
 */
largerIsBetter: boolean, 
/**
 * The metrics that can be asked for.
 */
metrics: Array<MetricChoice>, 
/**
 * The metric on the rows that were held out in training.
 */
reference: number | null, 
/**
 * How many those are.
 */
referenceRows: number, 
/**
 * Rows that this version answered.
 */
rows: number, 
/**
 * Rows of them whose truth is known.
 */
labelled: number, 
/**
 * Labels that the model does not know as a class; they are left out.
 */
unknownLabels: number, 
/**
 * The metric over all labelled rows, if there are enough.
 */
value: number | null, 
/**
 * The metric that is to be expected over all rows; of accuracy and AUC only.
 */
estimated: EstimateView | null, 
/**
 * True if probabilities had to be corrected for the estimate.
 */
isCalibrated: boolean, 
/**
 * The windows that hold enough rows, oldest first.
 */
windows: Array<PerformanceWindow>, 
/**
 * Windows that were passed over because they hold too few rows.
 */
tooSmall: number, 
/**
 * Rows that a window needs, and labels that a measurement needs.
 */
rowsNeeded: number, 
/**
 * Groups of labelled rows, worst first.
 */
slices: Array<SliceView>, 
/**
 * The level of the newest window.
 */
level: DriftLevel, };

/**
 * How good it was in one window.
 */
export type PerformanceWindow = { 
/**
 * Where it starts, ms since the epoch.
 */
from: number, 
/**
 * Where it ends.
 */
to: number, 
/**
 * Rows in it.
 */
rows: number, 
/**
 * Rows of them whose truth is known.
 */
labelled: number, 
/**
 * The metric as it was measured, if enough is known.
 */
value: number | null, 
/**
 * The metric as it was to be expected.
 */
estimated: EstimateView | null, 
/**
 * How bad it was.
 */
level: DriftLevel, };

/**
 * Adds a step to the draft of a pipeline.
 */
export type PipelineAddStep = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The pipeline's name; it is made if it is not there.
 */
pipeline: string, 
/**
 * The step's id; from its kind or template if left out.
 */
step: string | null, 
/**
 * Its kind; that of the template if left out.
 */
kind: string | null, 
/**
 * The template it starts from.
 */
template: string | null, 
/**
 * Its parameters, over those of the template.
 */
params: { [key in string]: JsonValue }, 
/**
 * Wires by input port: each is `step.port`.
 */
inputs: { [key in string]: Array<string> }, };

/**
 * Asks for a pipeline as it was.
 */
export type PipelineAt = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The pipeline's name.
 */
pipeline: string, 
/**
 * The commit: the first digits of its id, or a name that git knows; the last that changed the
 * pipeline if left out.
 */
commit?: string, };

/**
 * Commits the draft to the project's git repository.
 */
export type PipelineCommit = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The pipeline's name.
 */
pipeline: string, 
/**
 * The commit's message; written for you if left out.
 */
message: string | null, };

/**
 * A pipeline as a graph: the same as its TOML file.
 */
export type PipelineDoc = { 
/**
 * Its name.
 */
name: string, 
/**
 * The steps, in the order of the file.
 */
steps: Array<StepDoc>, 
/**
 * Frames and notes on the canvas.
 */
frames?: Array<FrameDoc>, 
/**
 * What a pipeline that uses this one as a step may wire into it.
 */
inputs?: Array<InputDoc>, 
/**
 * What such a pipeline may take from it.
 */
outputs?: Array<OutputDoc>, };

/**
 * Asks for a look at a graph: as given, or else the draft or file of that name.
 */
export type PipelineExamine = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The pipeline's name.
 */
pipeline: string, 
/**
 * The graph as it is on screen.
 */
doc: PipelineDoc | null, 
/**
 * Only what this step needs.
 */
to: string | null, };

/**
 * Asks why the steps of a pipeline would run.
 */
export type PipelineExplain = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The pipeline's name.
 */
pipeline: string, 
/**
 * The graph as it is on screen; else the draft or file of that name.
 */
doc: PipelineDoc | null, 
/**
 * Only this step.
 */
step: string | null, 
/**
 * Only what this step needs.
 */
to: string | null, };

/**
 * Asks for a pipeline as a script.
 */
export type PipelineExport = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The pipeline's name.
 */
pipeline: string, 
/**
 * What it is to be.
 */
format: ScriptFormat, };

/**
 * Writes a pipeline as a script into a folder.
 */
export type PipelineExportTo = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The pipeline's name.
 */
pipeline: string, 
/**
 * What it is to be.
 */
format: ScriptFormat, 
/**
 * The folder, which is made if it is not there; files of the same names in it are replaced.
 */
to: string, };

/**
 * Makes a pipeline of a `dvc.yaml`.
 */
export type PipelineImport = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The `dvc.yaml`; a `params.yaml` beside it is read too.
 */
path: string, 
/**
 * The name of the pipeline to make; `dvc` if left out.
 */
name: string | null, };

/**
 * Asks where the steps of a graph should stand.
 */
export type PipelineLayout = { 
/**
 * The graph.
 */
doc: PipelineDoc, };

/**
 * Asks which commits changed a pipeline.
 */
export type PipelineLog = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The pipeline's name.
 */
pipeline: string, 
/**
 * The most to give; 50 if left out.
 */
limit?: number, };

/**
 * Makes a pipeline: empty, or for a dataset with a target (split, prepare, three trainers,
 * compare, check, register), laid out and ready to run.
 */
export type PipelineNew = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * Its name; from the dataset if left out.
 */
name: string | null, 
/**
 * The dataset to build for.
 */
dataset: string | null, };

/**
 * Reads the text of a pipeline file without keeping it.
 */
export type PipelineParse = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The file's text.
 */
text: string, };

/**
 * Names a pipeline.
 */
export type PipelinePick = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The pipeline's name.
 */
pipeline: string, };

/**
 * Asks what a step would give, on the first rows of the data.
 */
export type PipelinePreview = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The pipeline's name.
 */
pipeline: string, 
/**
 * The graph as it is on screen.
 */
doc: PipelineDoc | null, 
/**
 * The step.
 */
step: string, 
/**
 * Its output port.
 */
port: string, 
/**
 * How many rows of each dataset to take; 1,000 if left out.
 */
rows: number | null, };

/**
 * Gives a pipeline another name.
 */
export type PipelineRename = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * Its name now.
 */
pipeline: string, 
/**
 * Its new name.
 */
to: string, };

/**
 * Runs a pipeline.
 */
export type PipelineRun = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The pipeline's name.
 */
pipeline: string, 
/**
 * The graph as it is on screen; else the draft or file of that name.
 */
doc: PipelineDoc | null, 
/**
 * Only what this step needs.
 */
to: string | null, 
/**
 * This step runs again, with all that need it.
 */
from?: string, 
/**
 * Threads in all; as many as the machine has if left out.
 */
threads: number | null, 
/**
 * True to run every step again.
 */
force: boolean, };

/**
 * Saves what is on the canvas as the draft.
 */
export type PipelineSave = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The pipeline's name.
 */
pipeline: string, 
/**
 * The graph.
 */
doc: PipelineDoc, };

/**
 * Saves the TOML text as the draft; refused with the line if it does not parse.
 */
export type PipelineSaveText = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The pipeline's name.
 */
pipeline: string, 
/**
 * The file's text.
 */
text: string, };

/**
 * A row of the list of pipelines.
 */
export type PipelineSummary = { 
/**
 * Its name.
 */
name: string, 
/**
 * How many steps.
 */
steps: number, 
/**
 * True if the draft differs from what git has.
 */
isChanged: boolean, 
/**
 * The datasets it reads.
 */
datasets: Array<string>, 
/**
 * Its last run.
 */
lastRun: RunSummary | null, };

/**
 * A pipeline as it was in a commit.
 */
export type PipelineVersion = { 
/**
 * The graph.
 */
doc: PipelineDoc, 
/**
 * The same as TOML.
 */
text: string, 
/**
 * The commit.
 */
commit: CommitView, };

/**
 * A pipeline as it is on screen.
 */
export type PipelineView = { 
/**
 * The graph: the draft if there is one, else the file.
 */
doc: PipelineDoc, 
/**
 * The same as TOML.
 */
text: string, 
/**
 * True if the draft differs from what git has.
 */
isChanged: boolean, 
/**
 * The last commit that touched the file.
 */
commit: CommitView | null, 
/**
 * Its last run, to show states on the canvas.
 */
lastRun: RunSummary | null, };

/**
 * What would happen with a step.
 */
export type PlanAction = "cached" | "run" | "pending" | "skipped";

/**
 * What a run would do with a step.
 */
export type PlanStep = { 
/**
 * The step.
 */
step: string, 
/**
 * What would happen: its result is there, it must run, or that is known only once the
 * steps before it have run.
 */
action: PlanAction, 
/**
 * Why it must run: one sentence a cause.
 */
reasons: Array<string>, };

/**
 * What a run would do.
 */
export type PlanView = { 
/**
 * The steps in the order they could run.
 */
steps: Array<PlanStep>, 
/**
 * How many come from the cache.
 */
cached: number, 
/**
 * How many would run.
 */
toRun: number, 
/**
 * How long it took last time, in ms, where all steps have run before.
 */
estimateMs: number | null, };

/**
 * A point of a chart.
 */
export type Point = { 
/**
 * Horizontal.
 */
x: number, 
/**
 * Vertical.
 */
y: number, };

/**
 * Replaces the policy of a project.
 */
export type PolicySet = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The text; empty to ask for nothing.
 */
text: string, };

/**
 * The policy of a project.
 */
export type PolicyView = { 
/**
 * The file `policy.toml`; empty if there is none.
 */
text: string, 
/**
 * The public key of each person who may sign.
 */
people: { [key in string]: string }, 
/**
 * Aliases that ask for something.
 */
aliases: Array<string>, };

/**
 * What flows through a port.
 */
export type PortType = "table" | "model" | "metrics" | "report" | "files";

/**
 * A port of a step kind.
 */
export type PortView = { 
/**
 * Its name.
 */
name: string, 
/**
 * What flows through it.
 */
type: PortType, 
/**
 * True if it takes several wires.
 */
isMany: boolean, 
/**
 * True if the step can run without it.
 */
isOptional: boolean, 
/**
 * One sentence.
 */
doc: string, };

/**
 * Parameters that a step may start from.
 */
export type PresetView = { 
/**
 * Its name, unique among all kinds.
 */
name: string, 
/**
 * Its name for people.
 */
title: string, 
/**
 * One sentence.
 */
summary: string, 
/**
 * The parameters that differ from their defaults.
 */
params: { [key in string]: JsonValue }, };

/**
 * What a step would give.
 */
export type PreviewView = { 
/**
 * The first rows.
 */
page: TablePage, 
/**
 * True if a dataset has more rows than were taken.
 */
isSample: boolean, };

/**
 * One thing that is wrong.
 */
export type Problem = { 
/**
 * The step, unless it is the whole graph.
 */
step: string | null, 
/**
 * The parameter, if it is one.
 */
param: string | null, 
/**
 * The input port, if it is one.
 */
port: string | null, 
/**
 * True if the pipeline can run nevertheless.
 */
isWarning: boolean, 
/**
 * What is wrong.
 */
message: string, 
/**
 * What to do.
 */
hint: string | null, 
/**
 * Changes that lead out of it, the likeliest first. None is made by itself.
 */
fixes: Array<FixView>, };

/**
 * What serves.
 */
export type ProcessView = { 
/**
 * Its id.
 */
pid: number, 
/**
 * Its memory, bytes.
 */
memoryBytes: number | null, 
/**
 * When it started, ms since the epoch.
 */
startedAt: number, };

/**
 * Two profiles side by side.
 */
export type ProfileComparison = { 
/**
 * The older version's number.
 */
from: number, 
/**
 * The newer version's number.
 */
to: number, 
/**
 * Rows before.
 */
rowsBefore: number, 
/**
 * Rows now.
 */
rowsAfter: number, 
/**
 * Columns that came.
 */
added: Array<string>, 
/**
 * Columns that went.
 */
removed: Array<string>, 
/**
 * Columns of one type in both.
 */
columns: Array<ComparedColumn>, };

/**
 * Everything counted about a version.
 */
export type ProfileView = { 
/**
 * Rows.
 */
rows: number, 
/**
 * False if anything was sampled.
 */
isExact: boolean, 
/**
 * One entry a column.
 */
columns: Array<ColumnProfileView>, 
/**
 * What a person should look at: constant columns, ids, imbalance.
 */
warnings: Array<string>, 
/**
 * How columns go together.
 */
together: TogetherView, };

/**
 * Makes a project and opens it.
 */
export type ProjectNew = { 
/**
 * Its name for people.
 */
name: string, };

/**
 * Opens a project.
 */
export type ProjectOpen = { 
/**
 * Its slug.
 */
project: string, };

/**
 * Git state of a project.
 */
export type ProjectStatus = { 
/**
 * Its slug.
 */
slug: string, 
/**
 * Its name for people.
 */
name: string, 
/**
 * The branch.
 */
branch: string, 
/**
 * Files that differ from the last commit, and pipelines whose draft does.
 */
changed: Array<string>, 
/**
 * The last commit.
 */
commit: CommitView | null, };

/**
 * A project in a list.
 */
export type ProjectSummary = { 
/**
 * Its name in paths and commands.
 */
slug: string, 
/**
 * Its name for people.
 */
name: string, 
/**
 * When it was made, ms since the epoch.
 */
createdAt: number, 
/**
 * How many datasets.
 */
datasets: number, 
/**
 * How many pipelines.
 */
pipelines: number, 
/**
 * How many models.
 */
models: number, };

/**
 * A version that is proposed for a deployment.
 */
export type ProposalView = { 
/**
 * The model.
 */
model: string, 
/**
 * The version that is proposed.
 */
version: number, 
/**
 * The version that serves.
 */
champion: number, 
/**
 * Why it was trained.
 */
because: string, 
/**
 * Both on the same rows.
 */
comparison: SideBySide | null, 
/**
 * What the gate says now.
 */
gate: GateReport, 
/**
 * The run that made it.
 */
run: string | null, };

/**
 * Writes the answer of a query.
 */
export type QueryExport = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * A `select`.
 */
sql: string, 
/**
 * In which format: `csv` or `parquet`.
 */
format: ExportFormat, 
/**
 * The file to write; it must not exist.
 */
to: string, };

/**
 * A receipt that is kept with a run.
 */
export type ReceiptView = { 
/**
 * 1, 2, 3 for each time the run was repeated.
 */
number: number, 
/**
 * When, ms since the epoch.
 */
at: number, 
/**
 * True if every step came to the same bytes.
 */
isIdentical: boolean, 
/**
 * The receipt for people.
 */
text: string, 
/**
 * The receipt for programs.
 */
receipt: JsonValue, };

/**
 * A line of the file that is not in the table.
 */
export type RejectedRow = { 
/**
 * The file in the folder or archive, where several were read.
 */
file?: string, 
/**
 * Line number in the file, from 1.
 */
line: number, 
/**
 * Why.
 */
reason: string, 
/**
 * The start of the line.
 */
excerpt: string, };

/**
 * What a report is written as.
 */
export type ReportFormat = "markdown" | "html" | "junit" | "openmetrics";

/**
 * A report.
 */
export type ReportText = { 
/**
 * The whole text.
 */
text: string, };

/**
 * A model version that was put there.
 */
export type RevisionView = { 
/**
 * Its number.
 */
number: number, 
/**
 * What it serves.
 */
model: ModelLinkView, 
/**
 * True for the one that answers.
 */
isCurrent: boolean, 
/**
 * `starting`, `healthy`, `failed`, `stopped`, `superseded`.
 */
state: string, 
/**
 * When it was made, ms since the epoch.
 */
createdAt: number, 
/**
 * Why it failed.
 */
error: Failure | null, };

/**
 * Asks for runs beside each other.
 */
export type RunBeside = { 
/**
 * The runs, by id or `#` and number; at most 200.
 */
runs: Array<string>, };

/**
 * Asks what is different in the code of two runs.
 */
export type RunCode = { 
/**
 * The older run, by id or `#` and number.
 */
from: string, 
/**
 * The newer one.
 */
to: string, };

/**
 * What columns there are to choose from.
 */
export type RunColumns = { 
/**
 * Columns that every run has, by the names that filters and orders use.
 */
attributes: Array<string>, 
/**
 * Metrics, as columns: those of the newest runs first. At most 10,000 of each kind.
 */
metrics: Array<string>, 
/**
 * Parameters, as columns.
 */
params: Array<string>, 
/**
 * Tags, as columns.
 */
tags: Array<string>, 
/**
 * The few that are worth a column when nobody has chosen any.
 */
suggested: Array<string>, };

/**
 * Compares models of one or several runs.
 */
export type RunCompare = { 
/**
 * Ids of the runs, two to fifty; one is enough to compare its own models.
 */
runs: Array<string>, };

/**
 * Asks for the curves of one metric in several runs, or for a part of them.
 */
export type RunCurve = { 
/**
 * The runs, by id or `#` and number; at most 200.
 */
runs: Array<string>, 
/**
 * The metric, as a comparison of the runs names it.
 */
metric: string, 
/**
 * What its points are put over.
 */
along: CurveAxis, 
/**
 * Where the part begins on the axis; where the curves do if left out.
 */
from: number | null, 
/**
 * Where it ends.
 */
to: number | null, 
/**
 * Into how many buckets it is divided: the pixels of the chart; 500 if left out, 2,000 at most.
 */
buckets: number | null, };

/**
 * The curves of one metric in several runs.
 */
export type RunCurveLines = { 
/**
 * A line for each run that measured it, in the order of the request.
 */
lines: Array<CurveLine>, };

/**
 * Asks for the live curves of a run.
 */
export type RunCurves = { 
/**
 * One entry a training step.
 */
curves: Array<StepCurve>, };

/**
 * A run with everything about it.
 */
export type RunDetail = { 
/**
 * The row of the table.
 */
summary: RunSummary, 
/**
 * The graph exactly as it ran.
 */
doc: PipelineDoc, 
/**
 * Its steps in the order of the graph.
 */
steps: Array<StepRunView>, 
/**
 * Why it failed.
 */
error: Failure | null, 
/**
 * Git commit of the project, Fettle version, system, threads ….
 */
environment: { [key in string]: string }, 
/**
 * The models trained in it, best first.
 */
models: Array<TrainedModel>, 
/**
 * What a script logged, if a script began it.
 */
script?: ScriptRunView, 
/**
 * Where it comes from, if it was not asked for by itself.
 */
origin?: RunOrigin, 
/**
 * The runs that go on with it, oldest first.
 */
resumedBy?: Array<RunLink>, };

/**
 * A file of a run.
 */
export type RunFilePick = { 
/**
 * The run's id, or `#` and its number.
 */
run: string, 
/**
 * The file's path in the run.
 */
path: string, };

/**
 * Writes a file or a folder of a run to the disk.
 */
export type RunFileSave = { 
/**
 * The run's id, or `#` and its number.
 */
run: string, 
/**
 * The path in the run of a file or folder; all files without one.
 */
path?: string, 
/**
 * Where to: a path at which nothing is yet.
 */
to: string, };

/**
 * A file or a folder in a folder of a run.
 */
export type RunFileView = { 
/**
 * Its name.
 */
name: string, 
/**
 * Its path in the run.
 */
path: string, 
/**
 * Its size; null for a folder.
 */
sizeBytes: number | null, };

/**
 * A folder of files of a run.
 */
export type RunFiles = { 
/**
 * The run's id, or `#` and its number.
 */
run: string, 
/**
 * The folder's path in the run; the folder of all without one.
 */
folder?: string, };

/**
 * Asks what is wrong with a filter that is being written, and what may come next.
 */
export type RunFilterHelp = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The filter.
 */
filter: string, 
/**
 * Where the cursor is, in UTF-16 units as in JavaScript.
 */
at: number, };

/**
 * Runs that have the same value of the column they are grouped by.
 */
export type RunGroup = { 
/**
 * The value; null for runs that have none.
 */
value: string | null, 
/**
 * How many runs.
 */
runs: number, 
/**
 * For each column that was asked for what its numbers come to; null if it has none.
 */
stats: Array<GroupStat | null>, };

/**
 * A page of groups.
 */
export type RunGroups = { 
/**
 * Groups in all.
 */
total: number, 
/**
 * The groups.
 */
groups: Array<RunGroup>, };

/**
 * Points at a run.
 */
export type RunLink = { 
/**
 * Its id.
 */
id: string, 
/**
 * Its number in the project.
 */
number: number, };

/**
 * Asks for runs, newest first.
 */
export type RunList = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * Only runs of this pipeline.
 */
pipeline: string | null, 
/**
 * Only runs in this state.
 */
state: RunState | null, 
/**
 * The trials of this sweep, by the id of its run; trials are not listed otherwise.
 */
trialsOf?: string, 
/**
 * First row, from 0.
 */
offset: number, 
/**
 * Rows wanted; 100 if left out, 1,000 at most.
 */
limit: number | null, };

/**
 * Asks for a step's log from a byte on.
 */
export type RunLog = { 
/**
 * The run.
 */
run: string, 
/**
 * The step; the whole run's log if left out.
 */
step: string | null, 
/**
 * First byte wanted.
 */
offset: number, };

/**
 * Puts stars, a colour, tags or a note on runs, on all of them at once.
 */
export type RunMark = { 
/**
 * The runs, by id or `#` and number; at most 10,000.
 */
runs: Array<string>, 
/**
 * True for a star, false to take it away; as it is if left out.
 */
star: boolean | null, 
/**
 * A colour, empty to take it away; as it is if left out.
 */
color: string | null, 
/**
 * A note, empty to take it away; as it is if left out.
 */
note: string | null, 
/**
 * Tags to set, by key.
 */
tags: { [key in string]: string }, 
/**
 * Keys of tags to remove.
 */
removeTags: Array<string>, };

/**
 * Puts a note on a run.
 */
export type RunNote = { 
/**
 * The run.
 */
run: string, 
/**
 * The note; empty removes it.
 */
note: string, };

/**
 * Where a run comes from.
 */
export type RunOrigin = { 
/**
 * `resume`, `trial`, `sweep` or `trigger`.
 */
cause: string, 
/**
 * The run that it goes on with or belongs to.
 */
run: RunLink | null, };

/**
 * Asks for what came out of a port.
 */
export type RunOutput = { 
/**
 * The run.
 */
run: string, 
/**
 * The step.
 */
step: string, 
/**
 * The output port.
 */
port: string, 
/**
 * First row, for tables.
 */
offset: number, 
/**
 * Rows wanted, for tables.
 */
limit: number | null, };

/**
 * A page of the runs table.
 */
export type RunPage = { 
/**
 * Runs in all.
 */
total: number, 
/**
 * The rows.
 */
runs: Array<RunSummary>, };

/**
 * Names a run.
 */
export type RunPick = { 
/**
 * Its id, or `#` and its number.
 */
run: string, };

/**
 * Names runs.
 */
export type RunPicks = { 
/**
 * The runs, by id or `#` and number; at most 10,000.
 */
runs: Array<string>, };

/**
 * Asks for a report of a run.
 */
export type RunReport = { 
/**
 * Its id, or `#` and its number.
 */
run: string, 
/**
 * The run to compare it with.
 */
against?: string, 
/**
 * What it is to be.
 */
format: ReportFormat, };

/**
 * Writes a report of a run to a file.
 */
export type RunReportSave = { 
/**
 * Its id, or `#` and its number.
 */
run: string, 
/**
 * The run to compare it with.
 */
against?: string, 
/**
 * What it is to be.
 */
format: ReportFormat, 
/**
 * The file, which must not be there yet.
 */
to: string, };

/**
 * Repeats a run from what it recorded.
 */
export type RunReproduce = { 
/**
 * Its id, or its number.
 */
run: string, 
/**
 * Threads in all; as many as the run had if left out. The result does not depend on it.
 */
threads: number | null, };

/**
 * Goes on with a run that did not come to its end.
 */
export type RunResume = { 
/**
 * Its id, or its number.
 */
run: string, 
/**
 * Threads in all; as many as the machine has if left out.
 */
threads: number | null, };

/**
 * A run as a row of the table.
 */
export type RunRow = { 
/**
 * Its id.
 */
id: string, 
/**
 * Its number in the project.
 */
number: number, 
/**
 * Its name; empty for none.
 */
name: string, 
/**
 * The pipeline; empty for a run by a script.
 */
pipeline: string, 
/**
 * The experiment.
 */
experiment: string, 
/**
 * Where it stands.
 */
state: RunState, 
/**
 * When it began, ms since the epoch.
 */
startedAt: number, 
/**
 * How long it took, ms; null while it works.
 */
durationMs: number | null, 
/**
 * A note by the user; empty for none.
 */
note: string, 
/**
 * The run it is nested under.
 */
parent: string | null, 
/**
 * Runs directly under it.
 */
children: number, 
/**
 * True if somebody marked it with a star.
 */
isStarred: boolean, 
/**
 * The colour that somebody gave it.
 */
color: string | null, 
/**
 * The value of each column that was asked for.
 */
cells: Array<CellView>, };

/**
 * A run was started.
 */
export type RunStarted = { 
/**
 * The run.
 */
runId: string, 
/**
 * The job that executes it.
 */
jobId: string, };

/**
 * Where a run stands.
 */
export type RunState = "queued" | "running" | "done" | "failed" | "cancelled" | "interrupted";

/**
 * A row of the runs table.
 */
export type RunSummary = { 
/**
 * Its id.
 */
id: string, 
/**
 * Its number in the project.
 */
number: number, 
/**
 * The pipeline; empty for a run by a script.
 */
pipeline: string, 
/**
 * Its name, if it has one.
 */
name?: string, 
/**
 * The experiment a script logged it to.
 */
experiment?: string, 
/**
 * Where it stands.
 */
state: RunState, 
/**
 * When it started, ms since the epoch.
 */
startedAt: number, 
/**
 * How long it took, ms.
 */
durationMs: number | null, 
/**
 * Steps that came from the cache.
 */
cached: number, 
/**
 * Steps in all.
 */
steps: number, 
/**
 * The best model's metrics, by name.
 */
metrics: { [key in string]: number }, 
/**
 * The best model's step.
 */
bestStep: string | null, 
/**
 * Dataset versions that went in, such as `penguins v2`.
 */
datasets: Array<DatasetLink>, 
/**
 * Model versions that came out.
 */
models: Array<ModelLink>, 
/**
 * A note by the user.
 */
note: string | null, };

/**
 * Asks for a page of the table.
 */
export type RunTable = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * Which runs, and how.
 */
look: TableLook, 
/**
 * Where in the tree.
 */
place: TablePlace, 
/**
 * Only runs directly under this one.
 */
under: string | null, 
/**
 * Only runs of this group of `look.group`.
 */
within: GroupPick | null, 
/**
 * First row, from 0.
 */
offset: number, 
/**
 * Rows wanted; 100 if left out, 1,000 at most.
 */
limit: number | null, };

/**
 * A page of the table.
 */
export type RunTablePage = { 
/**
 * Runs in all.
 */
total: number, 
/**
 * The rows.
 */
rows: Array<RunRow>, };

/**
 * Runs beside each other: one value a run in every row, null where it has none.
 */
export type RunsBeside = { 
/**
 * The runs.
 */
runs: Array<RunRow>, 
/**
 * Parameters by name; those of a pipeline's step are `step.name`.
 */
params: Array<BesideTexts>, 
/**
 * The last values of metrics by name, likewise.
 */
metrics: Array<BesideNumbers>, 
/**
 * Metrics with a curve in at least one of the runs, by the names that `run.curve` takes.
 */
curves: Array<string>, 
/**
 * What the runs ran with: code, system, interpreter.
 */
environment: Array<BesideTexts>, 
/**
 * Packages with their versions, of runs that wrote them down.
 */
packages: Array<BesideTexts>, 
/**
 * Files that scripts logged, by path; at most 2,000.
 */
files: Array<BesideFile>, };

/**
 * A saved view.
 */
export type SavedView = { 
/**
 * Its name.
 */
name: string, 
/**
 * What it shows.
 */
look: TableLook, 
/**
 * When it was saved, ms since the epoch.
 */
changedAt: number, };

/**
 * What a pipeline can be exported as.
 */
export type ScriptFormat = "shell" | "make" | "python";

/**
 * What a script logged to a run.
 */
export type ScriptRunView = { 
/**
 * The experiment; `/` makes folders.
 */
experiment: string, 
/**
 * Who ran it.
 */
user: string, 
/**
 * The run it is nested under, by its id.
 */
parent?: string, 
/**
 * The last point of each curve, by key.
 */
metrics: Array<LoggedMetric>, 
/**
 * Its parameters, by key.
 */
params: Array<[string, string]>, 
/**
 * Its tags, by key.
 */
tags: Array<[string, string]>, 
/**
 * Datasets that went in.
 */
datasets: Array<LoggedDatasetView>, 
/**
 * Logged models that came out, by id.
 */
models: Array<string>, };

/**
 * A section of a card.
 */
export type SectionView = { 
/**
 * Its heading.
 */
title: string, 
/**
 * The name under which a policy asks for it.
 */
field: string, 
/**
 * True if somebody wrote something under it.
 */
isFilled: boolean, };

/**
 * A line of a chart.
 */
export type Series = { 
/**
 * What the line is.
 */
name: string, 
/**
 * The points from left to right.
 */
points: Array<Point>, 
/**
 * The one number that sums the line up, if there is one.
 */
value: number | null, };

/**
 * The settings.
 */
export type Settings = { 
/**
 * `system`, `light` or `dark`.
 */
theme: string, 
/**
 * Size of everything on screen, per cent, 80 to 150.
 */
zoomPct: number, 
/**
 * True to leave the daemon running when the last window closes.
 */
keepRunning: boolean, 
/**
 * True to show a desktop notification for alerts and finished jobs.
 */
notify: boolean, 
/**
 * Largest size of the cache, bytes.
 */
cacheLimitBytes: number, 
/**
 * Threads for a run; 0 for as many as the machine has.
 */
threads: number, 
/**
 * True once the user has seen Welcome.
 */
isWelcomed: boolean, };

/**
 * Two versions on the same rows, which were held out from the challenger.
 */
export type SideBySide = { 
/**
 * The metric.
 */
metric: string, 
/**
 * Its name for people.
 */
metricTitle: string, 
/**
 * True if a larger value is a better one.
 */
largerIsBetter: boolean, 
/**
 * How many rows.
 */
rows: number, 
/**
 * The challenger's value.
 */
challenger: number, 
/**
 * The value of what serves.
 */
champion: number, };

/**
 * A group of labelled rows.
 */
export type SliceView = { 
/**
 * What its rows have in common.
 */
name: string, 
/**
 * How many.
 */
rows: number, 
/**
 * The metric in it.
 */
value: number, 
/**
 * True if it is worse than all together by more than 0.1 and by more than chance explains.
 */
isWorse: boolean, };

/**
 * A first look at a file before it is imported.
 */
export type SniffView = { 
/**
 * How the file was read.
 */
options: ParseOptions, 
/**
 * The columns as they would be.
 */
columns: Array<ColumnView>, 
/**
 * The first rows as text; null is missing.
 */
rows: Array<Array<string | null>>, 
/**
 * What a person should know: renamed columns, odd lines.
 */
warnings: Array<string>, 
/**
 * Examples of rows that would be rejected.
 */
rejected: Array<RejectedRow>, 
/**
 * Size of the file in bytes.
 */
sizeBytes: number, 
/**
 * A name for the dataset, from the file's name.
 */
suggestedName: string, 
/**
 * The sheets, tables or files that `options.table` can name; empty where there is no choice.
 */
tables: Array<string>, };

/**
 * The curve of a training step.
 */
export type StepCurve = { 
/**
 * The step.
 */
step: string, 
/**
 * What is on the y axis.
 */
metric: string, 
/**
 * `[round, train, validation]`.
 */
points: Array<[number, number, number | null]>, };

/**
 * A step of a pipeline.
 */
export type StepDoc = { 
/**
 * Its id, unique in the pipeline: `[a-z][a-z0-9_]*`.
 */
id: string, 
/**
 * Its kind.
 */
kind: string, 
/**
 * Where it stands on the canvas, in pixels.
 */
position: [number, number], 
/**
 * Its parameters; what is left out has its default.
 */
params: { [key in string]: JsonValue }, 
/**
 * Wires by input port: each is `step.port`.
 */
inputs: { [key in string]: Array<string> }, 
/**
 * True if a run goes past it.
 */
skip?: boolean, 
/**
 * How often it is tried and how much it may take; no limits if left out.
 */
limits?: LimitsDoc, };

/**
 * A kind of step, as the palette, the inspector, the CLI help and the docs show it.
 */
export type StepKindView = { 
/**
 * Its name in the pipeline file.
 */
kind: string, 
/**
 * Its name for people.
 */
title: string, 
/**
 * `data`, `clean`, `prepare`, `train`, `evaluate`, `release`, `code`.
 */
category: string, 
/**
 * One sentence.
 */
summary: string, 
/**
 * More, as Markdown.
 */
doc: string, 
/**
 * Other words people search for.
 */
synonyms: Array<string>, 
/**
 * What goes in.
 */
inputs: Array<PortView>, 
/**
 * What comes out.
 */
outputs: Array<PortView>, 
/**
 * JSON Schema of the parameters; the form is made from it. `x-column`, `x-columns`,
 * `x-dataset`, `x-expression` mark fields with a picker of their own.
 */
params: JsonValue, 
/**
 * The parameters as they are if nobody changes them.
 */
defaults: JsonValue, 
/**
 * Parameters to start from.
 */
presets: Array<PresetView>, 
/**
 * True if a step's ports depend on its parameters: see [`Validation::ports`].
 */
namesPorts: boolean, };

/**
 * The ports of a step.
 */
export type StepPorts = { 
/**
 * What goes in.
 */
inputs: Array<PortView>, 
/**
 * What comes out.
 */
outputs: Array<PortView>, };

/**
 * A step of a run.
 */
export type StepRunView = { 
/**
 * The step.
 */
step: string, 
/**
 * Its kind.
 */
kind: string, 
/**
 * Where it stands.
 */
state: StepState, 
/**
 * Why it ran, or that its result was there.
 */
reasons: Array<string>, 
/**
 * How far it is, while it works.
 */
progress: number | null, 
/**
 * What it is doing, while it works.
 */
stage: string | null, 
/**
 * When it started, ms since the epoch.
 */
startedAt: number | null, 
/**
 * How long it took, ms.
 */
durationMs: number | null, 
/**
 * Processor time, ms.
 */
cpuMs: number | null, 
/**
 * Largest memory, bytes.
 */
maxMemoryBytes: number | null, 
/**
 * Bytes that went in, once they are there.
 */
inputBytes: number | null, 
/**
 * Bytes that came out.
 */
outputBytes: number | null, 
/**
 * Tries that failed before the last one.
 */
tries: Array<TryView>, 
/**
 * What it measured, by name: the last value of each.
 */
metrics: { [key in string]: number }, 
/**
 * Programs that took part, with their versions.
 */
environment: { [key in string]: string }, 
/**
 * Why it failed.
 */
error: Failure | null, 
/**
 * One line for the node's face, such as `344 × 8` or `AUC 0.931`.
 */
summary: string | null, 
/**
 * Output ports that have something to look at.
 */
outputs: Array<string>, };

/**
 * Where a step of a run stands.
 */
export type StepState = "pending" | "running" | "cached" | "done" | "failed" | "blocked" | "cancelled" | "interrupted";

/**
 * What was put into the pipeline.
 */
export type SweepApplied = { 
/**
 * The pipeline, whose draft has the values now.
 */
pipeline: string, 
/**
 * The trial.
 */
trial: number, 
/**
 * The values.
 */
params: { [key in string]: JsonValue }, 
/**
 * What it measured.
 */
value: number | null, };

/**
 * Puts what a trial tried into the pipeline.
 */
export type SweepApply = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * Its name, or the id or number of its run.
 */
sweep: string, 
/**
 * The trial; the best one if left out.
 */
trial: number | null, };

/**
 * How the next trial is chosen.
 */
export type SweepMethod = "grid" | "random" | "tpe";

/**
 * Names a sweep.
 */
export type SweepPick = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * Its name, which means the newest of that name, or the id or number of its run.
 */
sweep: string, };

/**
 * Goes on with a sweep.
 */
export type SweepResume = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * Its name, or the id or number of its run.
 */
sweep: string, 
/**
 * Threads of all trials together; as many as the machine has if left out.
 */
threads: number | null, };

/**
 * What to sweep.
 */
export type SweepSpec = { 
/**
 * The pipeline.
 */
pipeline: string, 
/**
 * What may be tried, by `step.parameter`: `0.01..0.3:log`, `10..200`, `10..200:10`, `a|b`.
 */
params: { [key in string]: string }, 
/**
 * The metric to choose by.
 */
metric: string, 
/**
 * True if more of it is better; known for the metrics of Fettle.
 */
largerIsBetter: boolean | null, 
/**
 * The step that measures it; found if left out.
 */
step: string | null, 
/**
 * The rows that trials are measured on: `validation` if left out.
 */
on: string | null, 
/**
 * `grid`, `random` or `tpe`, which it is if left out.
 */
method: SweepMethod | null, 
/**
 * The most trials; 50 if left out.
 */
trials: number | null, 
/**
 * No trial begins after so many minutes; no end if left out.
 */
minutes: number | null, 
/**
 * Trials at the same time; 1 if left out.
 */
parallel: number | null, 
/**
 * Which trials are given up early; none if left out.
 */
stop: SweepStopping | null, 
/**
 * Fixes the random choices; 1 if left out.
 */
seed: number | null, };

/**
 * Starts a sweep: of a file in the project, or of what is said here, which becomes that file.
 */
export type SweepStart = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * The sweep's name; the pipeline's if left out.
 */
name: string | null, 
/**
 * What to sweep; the file of that name if left out.
 */
spec: SweepSpec | null, 
/**
 * Threads of all trials together; as many as the machine has if left out.
 */
threads: number | null, };

/**
 * How far a sweep is.
 */
export type SweepState = "running" | "paused" | "interrupted" | "done" | "failed";

/**
 * Which trials are given up before their end.
 */
export type SweepStopping = "never" | "median" | "asha";

/**
 * A row of the list of sweeps.
 */
export type SweepSummary = { 
/**
 * Its name.
 */
name: string, 
/**
 * The pipeline.
 */
pipeline: string, 
/**
 * Its run, which its trials are nested under.
 */
runId: string, 
/**
 * The number of its run.
 */
number: number, 
/**
 * How far it is.
 */
state: SweepState, 
/**
 * The metric to choose by.
 */
metric: string, 
/**
 * True if more of it is better.
 */
largerIsBetter: boolean, 
/**
 * The most trials.
 */
trials: number, 
/**
 * Trials that ended, also those that failed or were given up.
 */
ended: number, 
/**
 * The best trial.
 */
best: number | null, 
/**
 * What the best trial measured.
 */
bestValue: number | null, };

/**
 * A sweep with its trials.
 */
export type SweepView = { 
/**
 * The row of the list.
 */
summary: SweepSummary, 
/**
 * Its file when it began.
 */
text: string, 
/**
 * What was tried, in order.
 */
trials: Array<TrialView>, 
/**
 * How much each parameter matters, the most first: shares of the variance that each explains by
 * itself; empty while too little was tried.
 */
importance: Array<ParamShare>, };

/**
 * Which runs are looked at, and how: what a saved view holds too.
 */
export type TableLook = { 
/**
 * Only runs of this experiment and of the folders in it.
 */
experiment: string | null, 
/**
 * What must hold, such as `metrics.auc > 0.9 and params.depth = '3'`; empty for no condition.
 */
filter: string, 
/**
 * The order, the most important key first, such as `metrics.auc desc`.
 */
order: Array<string>, 
/**
 * The columns beside those that every run has, such as `min(metrics.loss)` or `tags.team`.
 */
columns: Array<string>, 
/**
 * The column by which runs are grouped.
 */
group: string | null, 
/**
 * Widths of columns that somebody set, in pixels.
 */
widths: { [key in string]: number }, };

/**
 * A window of a table as formatted cells.
 */
export type TablePage = { 
/**
 * Rows of the whole table.
 */
total: number, 
/**
 * First row of this page, from 0.
 */
offset: number, 
/**
 * The columns of the cells.
 */
columns: Array<ColumnView>, 
/**
 * Cells by row; null is missing, text is cut at 120 characters.
 */
rows: Array<Array<string | null>>, };

/**
 * Where in the tree of nested runs.
 */
export type TablePlace = "all" | "outermost" | "trash";

/**
 * A column that looks like the one to predict.
 */
export type TargetSuggestion = { 
/**
 * The column.
 */
column: string, 
/**
 * The task it means.
 */
task: TaskView, 
/**
 * Why, in half a sentence.
 */
reason: string, };

/**
 * Where a model can go.
 */
export type TargetView = { 
/**
 * Its name, such as `local`.
 */
kind: string, 
/**
 * Its name for people, such as `This computer`.
 */
title: string, 
/**
 * One sentence.
 */
summary: string, 
/**
 * More, as Markdown.
 */
doc: string, 
/**
 * True if it can be stopped and started again.
 */
runs: boolean, 
/**
 * Why it cannot be used here, if so.
 */
unavailable: string | null, 
/**
 * JSON Schema of its parameters.
 */
params: JsonValue, 
/**
 * The parameters as they are if nobody changes them.
 */
defaults: JsonValue, };

/**
 * What kind of answer a model gives.
 */
export type TaskView = "binary" | "multiclass" | "regression";

/**
 * A group of rows.
 */
export type TestGroup = { 
/**
 * What its rows have in common.
 */
name: string, 
/**
 * How many rows.
 */
rows: number, 
/**
 * What was measured.
 */
measure: string, 
/**
 * The value.
 */
value: number, 
/**
 * True if it is this group that breaks the test.
 */
isBroken: boolean, };

/**
 * A kind of test.
 */
export type TestKindView = { 
/**
 * Its name in the file.
 */
kind: string, 
/**
 * Its name for people.
 */
title: string, 
/**
 * One sentence.
 */
summary: string, 
/**
 * More, as Markdown.
 */
doc: string, 
/**
 * Its entry in a file, without the line `[[test]]`.
 */
example: string, };

/**
 * What came of the tests of a version.
 */
export type TestReportView = { 
/**
 * The model.
 */
model: string, 
/**
 * The version.
 */
version: number, 
/**
 * True if nothing keeps the version from moving on.
 */
isPassed: boolean, 
/**
 * What came of it, in a sentence.
 */
summary: string, 
/**
 * The rows that were tested on, in words.
 */
rowsOf: string, 
/**
 * How many.
 */
rows: number, 
/**
 * The champion that it was compared with.
 */
champion: string | null, 
/**
 * When, ms since the epoch.
 */
at: number, 
/**
 * In the order of the file.
 */
results: Array<TestResultView>, 
/**
 * The whole report as text, if a format was asked for.
 */
text: string | null, };

/**
 * What came of one test.
 */
export type TestResultView = { 
/**
 * Its kind.
 */
kind: string, 
/**
 * Its name, if it has one.
 */
name: string | null, 
/**
 * What must hold, in words.
 */
rule: string, 
/**
 * True if a version that fails it must not move on.
 */
isError: boolean, 
/**
 * Whether it holds.
 */
outcome: CheckOutcome, 
/**
 * What was found, in a sentence.
 */
measured: string, 
/**
 * The groups that were looked at, worst first.
 */
groups: Array<TestGroup>, 
/**
 * Some rows that break it.
 */
rows: Array<TestRow>, 
/**
 * How long it took.
 */
durationMs: number, };

/**
 * A row that breaks a test.
 */
export type TestRow = { 
/**
 * Its number among the rows of the test, from 0.
 */
row: number, 
/**
 * What there is to see, by name.
 */
cells: Array<[string, string]>, };

/**
 * The tests of a model.
 */
export type TestsView = { 
/**
 * The file `models/<name>.tests.toml`, as TOML; empty if there is none.
 */
text: string, 
/**
 * What must hold, test by test.
 */
rules: Array<string>, 
/**
 * What came of them for the version when they last ran.
 */
last: TestReportView | null, 
/**
 * True if the file has changed since.
 */
isChanged: boolean, 
/**
 * What a careful person would test, as such a file; empty if the version keeps no rows.
 */
suggested: string, 
/**
 * Every kind of test there is.
 */
kinds: Array<TestKindView>, };

/**
 * Something that is wrong, with its place in the text.
 */
export type TextProblem = { 
/**
 * The line, from 1; none if it is the whole.
 */
line: number | null, 
/**
 * The character in the line, from 1.
 */
column: number | null, 
/**
 * The step, unless it is the whole graph.
 */
step: string | null, 
/**
 * The parameter, if it is one.
 */
param: string | null, 
/**
 * The input port, if it is one.
 */
port: string | null, 
/**
 * True if the pipeline can run nevertheless.
 */
isWarning: boolean, 
/**
 * What is wrong.
 */
message: string, 
/**
 * What to do.
 */
hint: string | null, 
/**
 * Changes that lead out of it, the likeliest first. None is made by itself.
 */
fixes: Array<FixView>, };

/**
 * How columns go together.
 */
export type TogetherView = { 
/**
 * Rows that are copies of an earlier one, if that was counted.
 */
duplicateRows: number | null, 
/**
 * Rows without a missing value, if that was counted.
 */
completeRows: number | null, 
/**
 * Columns that are missing together, the commonest pattern first.
 */
missing: Array<MissingView>, 
/**
 * Linear correlation of numbers (Pearson's r), from -1 to 1.
 */
pearson: MatrixView, 
/**
 * Correlation of ranks (Spearman's rho), from -1 to 1.
 */
spearman: MatrixView, 
/**
 * Association of texts and booleans (Cramér's V), from 0 to 1.
 */
cramersV: MatrixView, };

/**
 * A part of the workspace that queries depend on and writes make stale.
 */
export type Topic = "projects" | "datasets" | "pipelines" | "runs" | "models" | "deployments" | "monitors" | "alerts" | "jobs" | "settings" | "audit";

/**
 * Writes what scripts logged as a folder `mlruns`.
 */
export type TrackingExport = { 
/**
 * The folder, which is not there yet or empty.
 */
to: string, };

/**
 * Takes in what a store of MLflow holds.
 */
export type TrackingImport = { 
/**
 * A database of MLflow, a folder `mlruns`, or the folder that either is in.
 */
path: string, 
/**
 * More folders in which files of its runs may be.
 */
artifacts?: Array<string>, };

/**
 * Where scripts log to, and how they are told.
 */
export type TrackingInfo = { 
/**
 * The address, while a daemon owns the workspace.
 */
url: string | null, 
/**
 * What scripts send; it opens what they log and nothing else.
 */
token: string, 
/**
 * Variables of the environment for a script, by name; while there is an address.
 */
environment: Array<[string, string]> | null, 
/**
 * How many experiments there are.
 */
experiments: number, };

/**
 * What becomes of the requests whose truth is known when a deployment is retrained.
 */
export type Traffic = "add" | "replace" | "leave";

/**
 * Traffic in a stretch of time.
 */
export type TrafficBin = { 
/**
 * Where the stretch starts, ms since the epoch.
 */
at: number, 
/**
 * Requests.
 */
requests: number, 
/**
 * Rows.
 */
rows: number, 
/**
 * Failed requests.
 */
errors: number, 
/**
 * 95 per cent quantile of the latency, ms.
 */
latencyP95Ms: number | null, };

/**
 * A model trained in a run, evaluated or not.
 */
export type TrainedModel = { 
/**
 * The step that trained it.
 */
step: string, 
/**
 * The trainer, for people.
 */
trainer: string, 
/**
 * Its parameters.
 */
params: { [key in string]: JsonValue }, 
/**
 * Its metrics, if evaluated.
 */
metrics: { [key in string]: number }, 
/**
 * True if compare chose it.
 */
isBest: boolean, 
/**
 * The version it was registered as.
 */
registered: ModelLink | null, };

/**
 * What can be in the trash.
 */
export type TrashKind = "dataset" | "version" | "run" | "model";

/**
 * Names something in the trash.
 */
export type TrashPick = { 
/**
 * What it is.
 */
kind: TrashKind, 
/**
 * Its id.
 */
id: string, };

/**
 * Something in the trash.
 */
export type TrashView = { 
/**
 * What it is.
 */
kind: TrashKind, 
/**
 * Its id.
 */
id: string, 
/**
 * Its name.
 */
name: string, 
/**
 * When it was deleted, ms since the epoch.
 */
deletedAt: number, 
/**
 * What emptying frees at most, bytes.
 */
sizeBytes: number, };

/**
 * How far a trial is.
 */
export type TrialState = "running" | "done" | "pruned" | "failed";

/**
 * A trial.
 */
export type TrialView = { 
/**
 * 0, 1, 2 in the order they were begun.
 */
number: number, 
/**
 * What was tried.
 */
params: { [key in string]: JsonValue }, 
/**
 * How far it is.
 */
state: TrialState, 
/**
 * What it measured.
 */
value: number | null, 
/**
 * How many rounds the trainer told of.
 */
rounds: number, 
/**
 * Its run.
 */
runId: string | null, 
/**
 * Why it failed.
 */
error: Failure | null, };

/**
 * Sets a trigger, in place of the one of this name.
 */
export type TriggerAdd = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * Its name.
 */
name: string, 
/**
 * The pipeline that it runs.
 */
pipeline: string, 
/**
 * On a new version of this dataset.
 */
dataset: string | null, 
/**
 * When this file, or anything in this folder, has changed.
 */
path: string | null, 
/**
 * At these times, as cron writes them: `0 6 * * 1-5`.
 */
schedule: string | null, 
/**
 * The time zone of the schedule, such as `Europe/Berlin`; UTC if left out.
 */
zone: string | null, 
/**
 * After a run of this pipeline that came to its end.
 */
after: string | null, 
/**
 * When the monitor of this deployment raises an alert.
 */
drift: string | null, 
/**
 * What the run makes is to replace what this deployment serves, if the gate lets it.
 */
retrain: string | null, 
/**
 * True to deploy what passes the gate; else it is proposed.
 */
deploys: boolean, 
/**
 * True to leave out times of the schedule at which Fettle did not run; else one run makes up for
 * them.
 */
skipsMissed: boolean, 
/**
 * A change counts once nothing more has happened for so many seconds.
 */
settleSeconds: number | null, };

/**
 * Something a trigger did.
 */
export type TriggerEventView = { 
/**
 * When, ms since the epoch.
 */
at: number, 
/**
 * Why.
 */
why: string, 
/**
 * `started`, `skipped` or what went wrong.
 */
outcome: string, 
/**
 * The run it started, if that is still there.
 */
run: RunLink | null, };

/**
 * Names a trigger.
 */
export type TriggerPick = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * Its name.
 */
trigger: string, };

/**
 * A trigger as it stands.
 */
export type TriggerView = { 
/**
 * Its name.
 */
name: string, 
/**
 * The pipeline that it runs.
 */
pipeline: string, 
/**
 * When, in words.
 */
when: string, 
/**
 * What becomes of the run's model: `proposes it for penguins`; none if nothing does.
 */
retrains: string | null, 
/**
 * True if it does nothing until it is resumed.
 */
isPaused: boolean, 
/**
 * The next three times, ms since the epoch; empty if it does not go by the clock.
 */
next: Array<number>, 
/**
 * Why the pipeline runs as soon as it does not work, if it is to.
 */
pending: string | null, 
/**
 * True if something changed and has not settled yet.
 */
isChanging: boolean, 
/**
 * What it did last.
 */
last: TriggerEventView | null, 
/**
 * What is wrong with its file, if something is.
 */
trouble: string | null, };

/**
 * What an endpoint answered.
 */
export type TryResult = { 
/**
 * HTTP status.
 */
status: number, 
/**
 * Output by name.
 */
outputs: { [key in string]: JsonValue }, 
/**
 * What was sent.
 */
request: string, 
/**
 * What came back.
 */
response: string, 
/**
 * How long it took, ms.
 */
latencyMs: number, };

/**
 * A try of a step that failed and was followed by another.
 */
export type TryView = { 
/**
 * Its number, from 1.
 */
number: number, 
/**
 * Why it failed.
 */
error: Failure, 
/**
 * How long it took, ms.
 */
durationMs: number, 
/**
 * Processor time, ms.
 */
cpuMs: number, 
/**
 * Largest memory, bytes.
 */
maxMemoryBytes: number, };

/**
 * What is wrong with a graph, and what columns flow through it.
 */
export type Validation = { 
/**
 * What is wrong; empty if it can run.
 */
problems: Array<Problem>, 
/**
 * Columns by `step.port`, as far as they are known without running.
 */
columns: { [key in string]: Array<ColumnView> }, 
/**
 * Ports by step, of those whose parameters name other ports than their kind has.
 */
ports: { [key in string]: StepPorts }, };

/**
 * A value and how often it occurs.
 */
export type ValueCount = { 
/**
 * The value as written.
 */
value: string, 
/**
 * Rows with it.
 */
count: number, };

/**
 * Names a saved view.
 */
export type ViewPick = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * Its name.
 */
name: string, };

/**
 * Saves a view, in place of the one of this name.
 */
export type ViewSave = { 
/**
 * The project; the current one if left out.
 */
project: string | null, 
/**
 * Its name.
 */
name: string, 
/**
 * What it shows.
 */
look: TableLook, };

/**
 * What a version says of a row and of the changed one, and why.
 */
export type WhatIfView = { 
/**
 * The row as it was.
 */
before: ExplainedRow, 
/**
 * The row with the changes.
 */
after: ExplainedRow, 
/**
 * What contributions add up to: `number`, `probability`, `log_odds`, `log_probability`; none if
 * the model cannot be taken apart.
 */
scale: string | null, 
/**
 * Why there are no contributions.
 */
note: string | null, 
/**
 * How many rows the package keeps.
 */
kept: number, 
/**
 * What is true of the row, if it is one of those.
 */
truth: unknown, };

/**
 * What a window is measured in.
 */
export type WindowUnit = "rows" | "minutes";

/**
 * Looks the workspace over.
 */
export type WorkspaceCheck = { 
/**
 * True to read back every stored byte.
 */
full: boolean, };

/**
 * Frees what nothing needs any more.
 */
export type WorkspaceGc = { 
/**
 * True to only say what would be freed.
 */
dryRun: boolean, };

/**
 * The workspace as a whole.
 */
export type WorkspaceInfo = { 
/**
 * Its folder on this machine.
 */
root: string, 
/**
 * Version of Fettle that runs it.
 */
version: string, 
/**
 * Process id of the owner.
 */
pid: number, 
/**
 * Size of the index database, bytes.
 */
indexBytes: number, 
/**
 * Size of the object store, bytes.
 */
objectsBytes: number, 
/**
 * Size of the cache, bytes; can be computed again.
 */
cacheBytes: number, 
/**
 * The project that is open.
 */
currentProject: string | null, };

export type Commands = {
  "workspace.info": [Nothing, WorkspaceInfo];
  "workspace.check": [WorkspaceCheck, JobRef];
  "workspace.gc": [WorkspaceGc, JobRef];
  "settings.get": [Nothing, Settings];
  "settings.set": [Settings, null];
  "audit.verify": [Nothing, AuditVerified];
  "audit.list": [AuditList, Array<AuditEntry>];
  "sample.open": [Nothing, JobRef];
  "project.list": [Nothing, Array<ProjectSummary>];
  "project.new": [ProjectNew, ProjectSummary];
  "project.open": [ProjectOpen, ProjectSummary];
  "project.status": [InProject, ProjectStatus];
  "project.home": [InProject, HomeView];
  "job.list": [JobList, Array<JobView>];
  "job.show": [JobPick, JobView];
  "job.cancel": [JobPick, null];
  "dataset.sniff": [DatasetSniff, SniffView];
  "dataset.import": [DatasetImport, JobRef];
  "dataset.reread": [DatasetReread, JobRef];
  "dataset.fetch": [DatasetFetch, JobRef];
  "dataset.ask": [DatasetAsk, JobRef];
  "dataset.sniff_kept": [DatasetSniffKept, SniffView];
  "dataset.file": [DatasetFile, FileBytes];
  "dataset.list": [InProject, Array<DatasetSummary>];
  "dataset.show": [DatasetPick, DatasetDetail];
  "dataset.page": [DatasetPage, TablePage];
  "dataset.profile": [DatasetPick, ProfileView];
  "dataset.rejected": [DatasetPick, Array<RejectedRow>];
  "dataset.query": [DatasetQuery, TablePage];
  "dataset.set_target": [DatasetTarget, null];
  "dataset.export": [DatasetExport, JobRef];
  "dataset.query_export": [QueryExport, JobRef];
  "dataset.tag": [DatasetTag, null];
  "dataset.delete": [DatasetDelete, TrashPick];
  "dataset.follow": [DatasetFollow, null];
  "dataset.following": [InProject, Array<FollowView>];
  "dataset.diff": [DatasetDiff, JobRef];
  "dataset.changes": [DatasetChanges, ChangesPage];
  "dataset.compare": [DatasetDiff, ProfileComparison];
  "dataset.report": [DatasetReport, JobRef];
  "dataset.checks": [DatasetPick, ChecksView];
  "dataset.set_checks": [DatasetChecks, null];
  "dataset.check": [DatasetPick, JobRef];
  "dataset.failing": [DatasetFailing, FailingPage];
  "connection.list": [Nothing, Array<ConnectionView>];
  "connection.add": [ConnectionAdd, ConnectionAdded];
  "connection.test": [ConnectionPick, JobRef];
  "connection.preview": [ConnectionPreview, JobRef];
  "connection.remove": [ConnectionPick, null];
  "trash.list": [Nothing, Array<TrashView>];
  "trash.restore": [TrashPick, null];
  "trash.empty": [Nothing, JobRef];
  "pipeline.kinds": [Nothing, Array<StepKindView>];
  "pipeline.list": [InProject, Array<PipelineSummary>];
  "pipeline.show": [PipelinePick, PipelineView];
  "pipeline.parse": [PipelineParse, ParsedPipeline];
  "pipeline.at": [PipelineAt, PipelineVersion];
  "pipeline.log": [PipelineLog, Array<CommitView>];
  "pipeline.validate": [PipelineExamine, Validation];
  "pipeline.plan": [PipelineExamine, PlanView];
  "pipeline.explain": [PipelineExplain, ExplainView];
  "pipeline.preview": [PipelinePreview, PreviewView];
  "pipeline.layout": [PipelineLayout, LayoutView];
  "pipeline.new": [PipelineNew, PipelineView];
  "pipeline.save": [PipelineSave, PipelineView];
  "pipeline.add_step": [PipelineAddStep, PipelineView];
  "pipeline.save_text": [PipelineSaveText, PipelineView];
  "pipeline.commit": [PipelineCommit, CommitView];
  "pipeline.revert": [PipelinePick, PipelineView];
  "pipeline.rename": [PipelineRename, PipelineView];
  "pipeline.delete": [PipelinePick, null];
  "pipeline.export": [PipelineExport, Array<ExportedFile>];
  "pipeline.export_to": [PipelineExportTo, Array<ExportedFile>];
  "pipeline.import": [PipelineImport, ImportedPipeline];
  "pipeline.run": [PipelineRun, RunStarted];
  "run.list": [RunList, RunPage];
  "run.table": [RunTable, RunTablePage];
  "run.groups": [RunTable, RunGroups];
  "run.ids": [RunTable, Array<string>];
  "run.columns": [InProject, RunColumns];
  "run.filter_help": [RunFilterHelp, FilterHelp];
  "run.experiments": [InProject, Array<ExperimentView>];
  "run.views": [InProject, Array<SavedView>];
  "run.save_view": [ViewSave, null];
  "run.delete_view": [ViewPick, null];
  "run.mark": [RunMark, null];
  "run.delete": [RunPicks, null];
  "run.restore": [RunPicks, null];
  "run.show": [RunPick, RunDetail];
  "run.log": [RunLog, LogPage];
  "run.output": [RunOutput, OutputView];
  "run.curves": [RunPick, RunCurves];
  "run.compare": [RunCompare, Comparison];
  "run.curve": [RunCurve, RunCurveLines];
  "run.beside": [RunBeside, RunsBeside];
  "run.code": [RunCode, CodeDiff];
  "run.report": [RunReport, ReportText];
  "run.save_report": [RunReportSave, JobRef];
  "run.files": [RunFiles, Array<RunFileView>];
  "run.file": [RunFilePick, FileBytes];
  "run.save_file": [RunFileSave, JobRef];
  "run.cancel": [RunPick, null];
  "run.note": [RunNote, null];
  "run.resume": [RunResume, RunStarted];
  "run.reproduce": [RunReproduce, JobRef];
  "run.receipts": [RunPick, Array<ReceiptView>];
  "sweep.list": [InProject, Array<SweepSummary>];
  "sweep.show": [SweepPick, SweepView];
  "sweep.start": [SweepStart, RunStarted];
  "sweep.pause": [SweepPick, null];
  "sweep.resume": [SweepResume, RunStarted];
  "sweep.apply": [SweepApply, SweepApplied];
  "trigger.list": [InProject, Array<TriggerView>];
  "trigger.history": [TriggerPick, Array<TriggerEventView>];
  "trigger.add": [TriggerAdd, TriggerView];
  "trigger.pause": [TriggerPick, null];
  "trigger.resume": [TriggerPick, null];
  "trigger.remove": [TriggerPick, null];
  "tracking.info": [Nothing, TrackingInfo];
  "tracking.import": [TrackingImport, JobRef];
  "tracking.export": [TrackingExport, JobRef];
  "model.list": [InProject, Array<ModelSummary>];
  "model.show": [ModelPick, ModelDetail];
  "model.version": [ModelVersionPick, ModelVersionDetail];
  "model.gate": [ModelGate, GateReport];
  "model.register": [ModelRegister, ModelLink];
  "model.promote": [ModelPromote, GateReport];
  "model.predict": [ModelPredict, JobRef];
  "model.export": [ModelExport, JobRef];
  "model.verify": [ModelVersionPick, JobRef];
  "model.tests": [ModelVersionPick, TestsView];
  "model.set_tests": [ModelText, null];
  "model.test": [ModelTest, JobRef];
  "model.test_report": [ModelTestReport, JobRef];
  "model.what_if": [ModelWhatIf, WhatIfView];
  "model.effect": [ModelEffect, JobRef];
  "model.importance": [ModelVersionPick, JobRef];
  "model.approvals": [ModelVersionPick, Array<ApprovalView>];
  "model.approve": [ModelApprove, Array<ApprovalView>];
  "model.withdraw": [ModelApprove, Array<ApprovalView>];
  "model.card": [ModelVersionPick, CardView];
  "model.set_card": [ModelText, null];
  "model.passport": [ModelPassport, JobRef];
  "passport.verify": [PassportPick, PassportCheck];
  "policy.show": [InProject, PolicyView];
  "policy.set": [PolicySet, null];
  "identity.show": [Nothing, IdentityView | null];
  "identity.new": [IdentityNew, IdentityView];
  "target.list": [Nothing, Array<TargetView>];
  "deployment.list": [InProject, Array<DeploymentSummary>];
  "deployment.show": [DeploymentPick, DeploymentDetail];
  "deployment.log": [DeploymentPick, LogPage];
  "deployment.plan": [DeploymentCreate, DeploymentPlan];
  "deployment.create": [DeploymentCreate, JobRef];
  "deployment.rollback": [DeploymentRollback, JobRef];
  "deployment.stop": [DeploymentPick, null];
  "deployment.start": [DeploymentPick, JobRef];
  "deployment.remove": [DeploymentPick, JobRef];
  "deployment.score": [DeploymentPick, JobRef];
  "deployment.try": [DeploymentTry, TryResult];
  "monitor.status": [MonitorStatus, MonitorView];
  "monitor.windows": [MonitorWindows, DriftOverTime];
  "monitor.performance": [MonitorPerformance, PerformanceView];
  "monitor.label": [MonitorLabel, JobRef];
  "monitor.replay": [MonitorReplay, JobRef];
  "monitor.check": [MonitorCheck, JobRef];
  "monitor.report": [MonitorReport, JobRef];
  "monitor.retrain": [MonitorRetrain, JobRef];
  "monitor.proposal": [MonitorPick, ProposalView | null];
  "monitor.accept": [MonitorPick, JobRef];
  "monitor.dismiss": [MonitorPick, null];
  "monitor.rehearse": [MonitorRehearse, JobRef];
  "monitor.backtest": [MonitorBacktest, JobRef];
  "monitor.set_rules": [MonitorRules, null];
  "monitor.silence": [MonitorSilence, null];
  "alert.channels": [InProject, ChannelsView];
  "alert.set_channels": [AlertSetChannels, null];
  "alert.try": [AlertTry, JobRef];
  "alert.acknowledge": [AlertAcknowledge, null];
};

export const queryTopics: { [K in keyof Commands]?: Topic[] } = {
  "workspace.info": ["projects","settings"],
  "settings.get": ["settings"],
  "audit.verify": ["audit"],
  "audit.list": ["audit"],
  "project.list": ["projects","datasets","pipelines","models"],
  "project.status": ["projects","pipelines"],
  "project.home": ["projects","datasets","pipelines","runs","models","deployments","alerts","audit"],
  "job.list": ["jobs"],
  "job.show": ["jobs"],
  "dataset.sniff": [],
  "dataset.sniff_kept": ["datasets"],
  "dataset.file": [],
  "dataset.list": ["datasets"],
  "dataset.show": ["datasets","pipelines"],
  "dataset.page": ["datasets"],
  "dataset.profile": ["datasets"],
  "dataset.rejected": ["datasets"],
  "dataset.query": ["datasets"],
  "dataset.following": ["datasets"],
  "dataset.changes": [],
  "dataset.compare": ["datasets"],
  "dataset.checks": ["datasets"],
  "dataset.failing": ["datasets"],
  "connection.list": ["settings"],
  "trash.list": ["datasets","runs","models"],
  "pipeline.kinds": [],
  "pipeline.list": ["pipelines","runs"],
  "pipeline.show": ["pipelines","runs"],
  "pipeline.parse": ["pipelines","datasets"],
  "pipeline.at": ["pipelines","projects"],
  "pipeline.log": ["pipelines","projects"],
  "pipeline.validate": ["pipelines","datasets"],
  "pipeline.plan": ["pipelines","datasets","runs"],
  "pipeline.explain": ["pipelines","datasets","runs"],
  "pipeline.preview": ["datasets"],
  "pipeline.layout": [],
  "pipeline.export": ["pipelines"],
  "run.list": ["runs"],
  "run.table": ["runs"],
  "run.groups": ["runs"],
  "run.ids": ["runs"],
  "run.columns": ["runs"],
  "run.filter_help": [],
  "run.experiments": ["runs"],
  "run.views": ["runs"],
  "run.show": ["runs","models"],
  "run.log": ["runs"],
  "run.output": ["runs"],
  "run.curves": ["runs"],
  "run.compare": ["runs"],
  "run.curve": ["runs"],
  "run.beside": ["runs"],
  "run.code": [],
  "run.report": ["runs"],
  "run.files": ["runs"],
  "run.file": ["runs"],
  "run.receipts": ["runs"],
  "sweep.list": ["runs"],
  "sweep.show": ["runs"],
  "trigger.list": ["projects","pipelines","runs"],
  "trigger.history": ["pipelines","runs"],
  "tracking.info": ["runs"],
  "model.list": ["models","deployments"],
  "model.show": ["models","deployments"],
  "model.version": ["models","deployments"],
  "model.gate": ["models"],
  "model.tests": ["models"],
  "model.what_if": [],
  "model.approvals": ["models"],
  "model.card": ["models"],
  "passport.verify": [],
  "policy.show": ["models"],
  "identity.show": [],
  "target.list": [],
  "deployment.list": ["deployments","models","alerts"],
  "deployment.show": ["deployments","models","alerts"],
  "deployment.log": ["deployments"],
  "deployment.plan": ["deployments","models"],
  "monitor.status": ["monitors","deployments","alerts"],
  "monitor.windows": ["monitors","deployments"],
  "monitor.performance": ["monitors","deployments"],
  "monitor.proposal": ["monitors","deployments","models"],
  "alert.channels": ["monitors"],
};
