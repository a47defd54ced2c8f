//! Datasets: import, versions, pages, profiles, queries.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base::{Error, Progress, Result};
use data::view::Order;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::projects::Project;
use ts_rs::TS;

use super::convert::{detail, sniff_view, together, version_view};
use super::jobs::JobRef;
use super::quality::CheckResultView;
use super::sources::{FolderOptions, Origin};
use crate::Engine;
use crate::datasets::{name_from, parse_options, task_from};
use crate::importing::{Import, ImportRecord, Source};
use crate::jobs::Title;

/// What a file seems to be, and a first look at it read that way.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatasetSniff {
    /// The file or folder on this machine.
    pub path: String,
    /// How to read it; what is left out is guessed.
    #[serde(default)]
    pub options: Option<ParseOptions>,
    /// Which files of a folder or archive are read, if `options` are left out.
    #[serde(default)]
    #[ts(optional)]
    pub folder: Option<FolderOptions>,
}

/// How the bytes of a delimited file become a table. Every guess can be corrected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ParseOptions {
    /// `utf-8`, `utf-16le`, `utf-16be`, `windows-1252` ….
    pub encoding: String,
    /// One character: `,` `;` `|` or a tab.
    pub delimiter: char,
    /// The quote character, or none.
    pub quote: Option<char>,
    /// The character that makes the next one plain inside quotes, beside doubling.
    #[serde(default)]
    pub escape: Option<char>,
    /// Lines before the header that belong to no table.
    pub skip_lines: u32,
    /// True if the first line holds names.
    pub has_header: bool,
    /// Lines starting with this are comments.
    pub comment: Option<char>,
    /// `.` or `,`.
    pub decimal: char,
    /// Between groups of digits, or none.
    #[serde(default)]
    pub thousands: Option<char>,
    /// True to take spaces around a cell away.
    #[serde(default)]
    pub trim: bool,
    /// Words that mean a missing value, beside the empty cell.
    pub nulls: Vec<String>,
    /// True if such words mean missing in quotes too.
    #[serde(default)]
    pub quoted_nulls: bool,
    /// Which part of a date such as 03/04/2024 comes first.
    #[serde(default)]
    pub date_order: DateOrder,
    /// Corrections of column types, by name.
    pub kinds: BTreeMap<String, ColumnKind>,
    /// What the bytes are, once they are unpacked.
    #[serde(default)]
    #[ts(type = "'delimited' | 'json' | 'json_lines' | 'parquet' | 'arrow' | 'excel' | 'sqlite'")]
    pub format: data::import::Format,
    /// What the file is packed with.
    #[serde(default)]
    #[ts(type = "'none' | 'gzip' | 'zstd' | 'zip' | 'xz' | 'bzip2'")]
    pub pack: data::import::Pack,
    /// The sheet of a workbook, the table of a database, or the file in an archive.
    #[serde(default)]
    pub table: Option<String>,
    /// The cells of a sheet that are the table, such as `B3:F200`.
    #[serde(default)]
    pub range: Option<String>,
    /// Where in a JSON document the records are, such as `data.items`.
    #[serde(default)]
    pub records: Option<String>,
    /// How many rows the header has.
    #[serde(default = "one")]
    pub header_rows: u32,
    /// True when a run of delimiters stands for one.
    #[serde(default)]
    pub merge_delimiters: bool,
    /// Set where the files of a folder, or all files of an archive, are read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub folder: Option<FolderOptions>,
}

fn one() -> u32 {
    1
}

/// Which part of a date comes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// 31/12/2024.
    DayFirst,
    /// 12/31/2024.
    #[default]
    MonthFirst,
}

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// Whole numbers of 64 bits.
    Integer,
    /// Numbers.
    Number,
    /// True and false.
    Boolean,
    /// Text.
    Text,
    /// Dates and moments.
    Time,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ColumnView {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: ColumnKind,
}

/// A first look at a file before it is imported.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SniffView {
    /// How the file was read.
    pub options: ParseOptions,
    /// The columns as they would be.
    pub columns: Vec<ColumnView>,
    /// The first rows as text; null is missing.
    pub rows: Vec<Vec<Option<String>>>,
    /// What a person should know: renamed columns, odd lines.
    pub warnings: Vec<String>,
    /// Examples of rows that would be rejected.
    pub rejected: Vec<RejectedRow>,
    /// Size of the file in bytes.
    pub size_bytes: u64,
    /// A name for the dataset, from the file's name.
    pub suggested_name: String,
    /// The sheets, tables or files that `options.table` can name; empty where there is no choice.
    pub tables: Vec<String>,
}

/// A line of the file that is not in the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RejectedRow {
    /// The file in the folder or archive, where several were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub file: Option<String>,
    /// Line number in the file, from 1.
    pub line: u64,
    /// Why.
    pub reason: String,
    /// The start of the line.
    pub excerpt: String,
}

/// Brings a file or a folder in as a dataset, or as the next version of one.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatasetImport {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The file or folder on this machine.
    pub path: String,
    /// The dataset; from the file's name if left out.
    #[serde(default)]
    pub name: Option<String>,
    /// How to read it; guessed if left out, and as the version before if there is one.
    #[serde(default)]
    pub options: Option<ParseOptions>,
    /// Which files of a folder or archive are read, if `options` are left out.
    #[serde(default)]
    #[ts(optional)]
    pub folder: Option<FolderOptions>,
}

/// What an import came to (the result of its job).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DatasetImported {
    /// The dataset.
    pub dataset: String,
    /// The version's number.
    pub version: u32,
    /// The version's id.
    pub version_id: String,
    /// False if this very file was there already; then `version` is that version.
    pub is_new: bool,
    /// Rows of the table.
    pub rows: u64,
    /// Columns of the table.
    pub columns: u32,
    /// Lines that are not in the table.
    pub rejected_rows: u64,
    /// What a person should know.
    pub warnings: Vec<String>,
    /// What came of the dataset's quality checks, in their order.
    #[serde(default)]
    pub checks: Vec<CheckResultView>,
    /// Bytes that were not read again because an import that was interrupted had read them.
    #[serde(default)]
    pub taken_over_bytes: u64,
}

/// Names a project, or the current one.
#[derive(Debug, Clone, Default, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InProject {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
}

/// Names a dataset and one of its versions.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatasetPick {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The dataset's name.
    pub dataset: String,
    /// The version's number; the newest if left out.
    #[serde(default)]
    pub version: Option<u32>,
}

/// A row of the list of datasets.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DatasetSummary {
    /// Its name.
    pub name: String,
    /// The newest version.
    pub version: u32,
    /// Rows of the newest version.
    pub rows: u64,
    /// Columns of the newest version.
    pub columns: u32,
    /// Bytes of the newest version as imported.
    pub size_bytes: u64,
    /// The column to predict, if chosen.
    pub target: Option<String>,
    /// When the newest version came, ms since the epoch.
    pub created_at: i64,
}

/// What kind of answer a model gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TaskView {
    /// One of two classes.
    Binary,
    /// One of several classes.
    Multiclass,
    /// A number.
    Regression,
}

/// A dataset with its versions.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DatasetDetail {
    /// Its name.
    pub name: String,
    /// The version shown.
    pub version: u32,
    /// The version's id.
    pub version_id: String,
    /// Rows of the version.
    pub rows: u64,
    /// The columns.
    pub columns: Vec<ColumnView>,
    /// Bytes as imported.
    pub size_bytes: u64,
    /// Lines of the file that are not in the table.
    pub rejected_rows: u64,
    /// How the file was read.
    pub options: ParseOptions,
    /// The column to predict, if chosen.
    pub target: Option<String>,
    /// The task that goes with the target.
    pub task: Option<TaskView>,
    /// What Fettle would predict.
    pub suggestion: Option<TargetSuggestion>,
    /// Every version, newest first.
    pub versions: Vec<DatasetVersionView>,
    /// Pipelines that read this dataset.
    pub pipelines: Vec<String>,
    /// Where the version came from, if not from a file or folder of this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub origin: Option<Origin>,
}

/// A version in the strip above the table.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DatasetVersionView {
    /// Its number.
    pub number: u32,
    /// Its id.
    pub id: String,
    /// Rows.
    pub rows: u64,
    /// Columns.
    pub columns: u32,
    /// Bytes as imported.
    pub size_bytes: u64,
    /// Name of the file it came from.
    pub source_name: String,
    /// Names that somebody put on it.
    pub tags: Vec<String>,
    /// When it came, ms since the epoch.
    pub created_at: i64,
}

/// A column that looks like the one to predict.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TargetSuggestion {
    /// The column.
    pub column: String,
    /// The task it means.
    pub task: TaskView,
    /// Why, in half a sentence.
    pub reason: String,
}

/// Asks for a window of rows.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatasetPage {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The dataset's name.
    pub dataset: String,
    /// The version's number; the newest if left out.
    #[serde(default)]
    pub version: Option<u32>,
    /// First row, from 0.
    pub offset: u64,
    /// Rows wanted, 1,000 at most.
    pub limit: u32,
    /// Columns wanted; all if left out.
    #[serde(default)]
    pub columns: Option<Vec<String>>,
    /// Only the rows for which this expression is true, such as `age > 18 and sex = 'female'`.
    #[serde(default)]
    pub condition: Option<String>,
    /// The columns to sort by, the most important first; as in the file if left out.
    #[serde(default)]
    pub order: Vec<OrderBy>,
}

/// A column to sort by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct OrderBy {
    /// The column.
    pub column: String,
    /// True for the largest value first. Missing values always come last.
    #[serde(default)]
    pub descending: bool,
}

/// A window of a table as formatted cells.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TablePage {
    /// Rows of the whole table.
    pub total: u64,
    /// First row of this page, from 0.
    pub offset: u64,
    /// The columns of the cells.
    pub columns: Vec<ColumnView>,
    /// Cells by row; null is missing, text is cut at 120 characters.
    pub rows: Vec<Vec<Option<String>>>,
}

/// Everything counted about a version.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ProfileView {
    /// Rows.
    pub rows: u64,
    /// False if anything was sampled.
    pub is_exact: bool,
    /// One entry a column.
    pub columns: Vec<ColumnProfileView>,
    /// What a person should look at: constant columns, ids, imbalance.
    pub warnings: Vec<String>,
    /// How columns go together.
    pub together: TogetherView,
}

/// What was counted about a column.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ColumnProfileView {
    /// The column.
    pub name: String,
    /// Its type.
    pub kind: ColumnKind,
    /// Cells with a value.
    pub count: u64,
    /// Cells without.
    pub missing: u64,
    /// Different values.
    pub distinct: u64,
    /// False if `distinct` was estimated.
    pub distinct_is_exact: bool,
    /// Numbers only (times as ms since the epoch).
    pub numbers: Option<NumberProfileView>,
    /// The commonest values.
    pub top: Vec<ValueCount>,
    /// Cells that hold none of `top`.
    pub other: u64,
    /// What the values mean, such as "email addresses", if nearly all of them mean one thing.
    pub meaning: Option<String>,
    /// True if the values seem to belong to persons.
    pub is_personal: bool,
    /// True if no value repeats and none is missing.
    pub is_unique: bool,
    /// Numbers that are zero.
    pub zeros: u64,
    /// The lengths of texts in characters: shortest, mean, longest.
    pub lengths: Option<[f64; 3]>,
}

/// How columns go together.
#[derive(Debug, Clone, Default, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TogetherView {
    /// Rows that are copies of an earlier one, if that was counted.
    pub duplicate_rows: Option<u64>,
    /// Rows without a missing value, if that was counted.
    pub complete_rows: Option<u64>,
    /// Columns that are missing together, the commonest pattern first.
    pub missing: Vec<MissingView>,
    /// Linear correlation of numbers (Pearson's r), from -1 to 1.
    pub pearson: MatrixView,
    /// Correlation of ranks (Spearman's rho), from -1 to 1.
    pub spearman: MatrixView,
    /// Association of texts and booleans (Cramér's V), from 0 to 1.
    pub cramers_v: MatrixView,
}

/// Columns that are missing together.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct MissingView {
    /// The columns.
    pub columns: Vec<String>,
    /// Rows in which just these are missing.
    pub rows: u64,
}

/// A value for each pair of columns.
#[derive(Debug, Clone, Default, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct MatrixView {
    /// The columns.
    pub columns: Vec<String>,
    /// The values of the pairs (0, 1), (0, 2), … (1, 2), …; null where there is none.
    pub values: Vec<Option<f64>>,
}

/// What was counted about a column of numbers.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct NumberProfileView {
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
    /// Mean.
    pub mean: f64,
    /// Standard deviation (divided by n - 1).
    pub std: f64,
    /// 1, 5, 25, 50, 75, 95 and 99 per cent quantiles.
    pub quantiles: [f64; 7],
    /// Edges of the bins, one more than counts.
    pub edges: Vec<f64>,
    /// Rows in each bin; the outer bins take what lies beyond.
    pub counts: Vec<u64>,
}

/// A value and how often it occurs.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ValueCount {
    /// The value as written.
    pub value: String,
    /// Rows with it.
    pub count: u64,
}

/// Chooses the column to predict.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatasetTarget {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The dataset's name.
    pub dataset: String,
    /// The column; null for none.
    pub target: Option<String>,
    /// The task; from the column if left out.
    #[serde(default)]
    pub task: Option<TaskView>,
}

/// Asks in SQL. Each dataset is a table under its name, in its newest version; `"name@2"` is its
/// version 2, and `"name@clean"` the version with that tag.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatasetQuery {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// A `select`.
    pub sql: String,
    /// Rows wanted, 10,000 at most.
    #[serde(default)]
    pub limit: Option<u32>,
}

pub(super) fn sniff(engine: &Engine, request: DatasetSniff) -> Result<SniffView> {
    let path = PathBuf::from(&request.path);
    let within = |e: Error| e.within(format!("cannot read `{}`", request.path));
    let size_bytes = crate::following::size_of(&path)?;
    let view = look(engine, &path, request.options, request.folder).map_err(within)?;
    Ok(SniffView { size_bytes, suggested_name: name_from(&path), ..view })
}

/// A first look at what is at a path.
pub(super) fn look(
    engine: &Engine,
    path: &Path,
    options: Option<ParseOptions>,
    folder: Option<FolderOptions>,
) -> Result<SniffView> {
    let asked = options.as_ref().and_then(|options| options.folder.clone());
    let folder: Option<data::import::FolderOptions> = folder.or(asked).map(Into::into);
    // What there is to choose from is asked for again when the choice is corrected.
    let sniffed = engine.sniff(path, folder.as_ref());
    let (options, mut warnings, tables) = match (options, sniffed) {
        (Some(options), sniffed) => {
            (options.into(), Vec::new(), sniffed.map(|sniffed| sniffed.tables).unwrap_or_default())
        }
        (None, sniffed) => {
            let sniffed = sniffed?;
            (sniffed.options, sniffed.warnings, sniffed.tables)
        }
    };
    let preview = engine.preview(path, &options)?;
    warnings.extend(preview.warnings.iter().cloned());
    Ok(SniffView { tables, ..sniff_view(options, preview, warnings) })
}

pub(super) fn import(engine: &Engine, request: DatasetImport) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    let what = Import {
        from: Source::Path(PathBuf::from(&request.path)),
        name: request.name,
        options: request.options.map(Into::into),
        folder: request.folder.map(Into::into),
    };
    start_import(engine, project, what)
}

/// Starts the job of an import.
pub(super) fn start_import(engine: &Engine, project: Project, what: Import) -> Result<JobRef> {
    let name = what.dataset()?;
    let title = Title {
        kind: "dataset.import",
        title: format!("Importing {name}"),
        subject: json!({ "dataset": name }),
    };
    let job =
        engine.start_job(&title, move |engine, progress| reply(engine.import(&project, &what, progress)?))?;
    Ok(job.into())
}

/// The result of a job as JSON.
pub(crate) fn reply(result: impl Serialize) -> Result<serde_json::Value> {
    serde_json::to_value(result).map_err(|e| Error::internal("cannot write the result of a job").because(e))
}

pub(super) fn list(engine: &Engine, request: InProject) -> Result<Vec<DatasetSummary>> {
    let project = engine.project(request.project.as_deref())?;
    let found = engine.store().read(|db| {
        let all = store::datasets::list(db, &project.id)?;
        all.into_iter()
            .map(|dataset| Ok((store::datasets::latest(db, &dataset.id)?, dataset)))
            .collect::<Result<Vec<_>>>()
    })?;
    let summary =
        |(version, dataset): (Option<store::datasets::DatasetVersion>, store::datasets::Dataset)| {
            version.map(|version| DatasetSummary {
                name: dataset.name,
                version: version.number,
                rows: version.rows,
                columns: version.columns,
                size_bytes: version.content_bytes,
                target: dataset.target,
                created_at: version.created_at.as_ms(),
            })
        };
    Ok(found.into_iter().filter_map(summary).collect())
}

pub(super) fn show(engine: &Engine, request: DatasetPick) -> Result<DatasetDetail> {
    let project = engine.project(request.project.as_deref())?;
    let dataset = engine.dataset(&project, &request.dataset)?;
    let version = engine.version(&dataset, request.version)?;
    let ImportRecord { profile, origin, .. } = engine.import_record(&version)?;
    let (versions, tags) = engine.store().read(|db| {
        let tags = store::datasets::tags::list(db, &dataset.id)?;
        Ok((store::datasets::versions(db, &dataset.id)?, tags))
    })?;
    let pipelines = engine.pipelines_reading(&project, &dataset.name)?;
    let columns = profile
        .columns
        .iter()
        .map(|column| ColumnView { name: column.name.clone(), kind: column.kind.into() });
    Ok(DatasetDetail {
        columns: columns.collect(),
        options: parse_options(&version)?.into(),
        task: dataset.task.as_deref().and_then(task_from).map(Into::into),
        suggestion: data::profile::suggest_target(&profile).map(Into::into),
        versions: versions.iter().map(|version| version_view(version, &tags)).collect(),
        pipelines,
        origin,
        ..detail(dataset, &version)
    })
}

pub(super) fn page(engine: &Engine, request: DatasetPage) -> Result<TablePage> {
    let project = engine.project(request.project.as_deref())?;
    let version = engine.version(&engine.dataset(&project, &request.dataset)?, request.version)?;
    let columns: Option<Vec<&str>> =
        request.columns.as_ref().map(|all| all.iter().map(String::as_str).collect());
    let limit = u64::from(request.limit);
    let condition = request.condition.as_deref().filter(|text| !text.trim().is_empty());
    if condition.is_none() && request.order.is_empty() {
        let table = engine.table(&version, &Progress::silent())?;
        return Ok(table.page(request.offset, limit, columns.as_deref())?.into());
    }
    let order: Vec<Order> = request.order.into_iter().map(Into::into).collect();
    let view = engine.view(&version, condition, &order)?;
    Ok(view.page(request.offset, limit, columns.as_deref())?.into())
}

pub(super) fn profile(engine: &Engine, request: DatasetPick) -> Result<ProfileView> {
    let project = engine.project(request.project.as_deref())?;
    let dataset = engine.dataset(&project, &request.dataset)?;
    let record = engine.import_record(&engine.version(&dataset, request.version)?)?;
    let warnings = record.profile.warnings(dataset.target.as_deref());
    let together = together(&record.profile);
    Ok(ProfileView {
        rows: record.profile.rows,
        is_exact: record.profile.exact,
        columns: record.profile.columns.into_iter().map(Into::into).collect(),
        warnings: warnings.into_iter().map(|warning| warning.message).collect(),
        together,
    })
}

pub(super) fn rejected(engine: &Engine, request: DatasetPick) -> Result<Vec<RejectedRow>> {
    let project = engine.project(request.project.as_deref())?;
    let version = engine.version(&engine.dataset(&project, &request.dataset)?, request.version)?;
    Ok(engine.import_record(&version)?.rejected.into_iter().map(Into::into).collect())
}

pub(super) fn query(engine: &Engine, request: DatasetQuery) -> Result<TablePage> {
    let project = engine.project(request.project.as_deref())?;
    Ok(engine.query(&project, &request.sql, request.limit.unwrap_or(1000).min(10_000))?.into())
}

pub(super) fn set_target(engine: &Engine, request: DatasetTarget) -> Result<()> {
    let project = engine.project(request.project.as_deref())?;
    engine.set_target(&project, &request.dataset, request.target.as_deref(), request.task.map(Into::into))
}
