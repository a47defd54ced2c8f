//! What changed between two versions of a dataset: columns, rows, cells, distributions.

use std::path::PathBuf;

use base::{Error, Progress, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::datasets::DatasetVersion;
use ts_rs::TS;

use super::datasets::{ColumnKind, ColumnProfileView, ColumnView, TablePage, reply};
use super::jobs::JobRef;
use super::monitors::DriftLevel;
use crate::Engine;
use crate::jobs::Title;

/// Two versions of a dataset.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatasetDiff {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The dataset's name.
    pub dataset: String,
    /// The older version's number.
    pub from: u32,
    /// The newer version's number; the newest if left out.
    #[serde(default)]
    pub to: Option<u32>,
    /// The columns that name a row; found, if left out.
    #[serde(default)]
    pub key: Vec<String>,
}

/// What changed, in numbers (the result of the job).
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DiffView {
    /// The older version's number.
    pub from: u32,
    /// The newer version's number.
    pub to: u32,
    /// Columns that only the newer version has.
    pub added_columns: Vec<ColumnView>,
    /// Columns that only the older version has.
    pub removed_columns: Vec<ColumnView>,
    /// Columns with another name and nearly the same cells.
    pub renamed_columns: Vec<RenamedColumn>,
    /// Columns of another type.
    pub retyped_columns: Vec<RetypedColumn>,
    /// The columns by which rows were matched; none if they were matched by their content.
    pub key: Vec<String>,
    /// True if nobody named the key.
    pub is_key_found: bool,
    /// Rows of the older version.
    pub old_rows: u64,
    /// Rows of the newer version.
    pub new_rows: u64,
    /// Rows that only the newer version has.
    pub added_rows: u64,
    /// Rows that only the older version has.
    pub removed_rows: u64,
    /// Rows in both with a changed cell.
    pub changed_rows: u64,
    /// Rows in both without one.
    pub unchanged_rows: u64,
    /// Changed cells of rows in both.
    pub changed_cells: u64,
    /// The columns in both, with their changed cells.
    pub columns: Vec<ChangedColumn>,
}

/// A column that got another name.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RenamedColumn {
    /// Its name before.
    pub from: String,
    /// Its name now.
    pub to: String,
    /// The share of equal cells, 0 to 1.
    pub equal_share: f64,
}

/// A column that got another type.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RetypedColumn {
    /// The column.
    pub name: String,
    /// Its type before.
    pub from: ColumnKind,
    /// Its type now.
    pub to: ColumnKind,
}

/// How many cells of a column changed.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChangedColumn {
    /// Its name now.
    pub name: String,
    /// Its name before.
    pub old_name: String,
    /// Changed cells.
    pub changed_cells: u64,
}

/// Asks for a window of what changed.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatasetChanges {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The dataset's name.
    pub dataset: String,
    /// The older version's number.
    pub from: u32,
    /// The newer version's number; the newest if left out.
    #[serde(default)]
    pub to: Option<u32>,
    /// The columns that name a row; found, if left out.
    #[serde(default)]
    pub key: Vec<String>,
    /// Which changes.
    pub what: ChangeKind,
    /// First change, from 0.
    pub offset: u64,
    /// Changes wanted, 1,000 at most.
    pub limit: u32,
}

/// A kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Changed cells of rows in both versions.
    Cells,
    /// Rows that only the newer version has.
    Added,
    /// Rows that only the older version has.
    Removed,
}

/// A window of what changed: cells, or rows.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChangesPage {
    /// Changes of this kind in all.
    pub total: u64,
    /// The cells, if cells were asked for.
    pub cells: Vec<ChangedCell>,
    /// The rows, if rows were asked for.
    pub rows: Option<TablePage>,
}

/// A cell that changed.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChangedCell {
    /// Its row in the newer version, from 0.
    pub row: u64,
    /// Its row in the older version, from 0.
    pub old_row: u64,
    /// The values that name the row; none if rows were matched by their content.
    pub key: Vec<Option<String>>,
    /// The column.
    pub column: String,
    /// The value before; null was missing.
    pub old: Option<String>,
    /// The value now; null is missing.
    pub new: Option<String>,
}

/// Two profiles side by side.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ProfileComparison {
    /// The older version's number.
    pub from: u32,
    /// The newer version's number.
    pub to: u32,
    /// Rows before.
    pub rows_before: u64,
    /// Rows now.
    pub rows_after: u64,
    /// Columns that came.
    pub added: Vec<String>,
    /// Columns that went.
    pub removed: Vec<String>,
    /// Columns of one type in both.
    pub columns: Vec<ComparedColumn>,
}

/// A column in both profiles.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ComparedColumn {
    /// What the older profile says.
    pub before: ColumnProfileView,
    /// What the newer profile says.
    pub after: ColumnProfileView,
    /// Population stability index.
    pub psi: f64,
    /// How far it has moved.
    pub level: DriftLevel,
}

/// Writes the profile of a version as one HTML file.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatasetReport {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The dataset's name.
    pub dataset: String,
    /// The version's number; the newest if left out.
    #[serde(default)]
    pub version: Option<u32>,
    /// An older version to compare with.
    #[serde(default)]
    pub compare_with: Option<u32>,
    /// The file to write; it must not exist.
    pub to: String,
}

/// The two versions that a request is about.
fn versions(
    engine: &Engine,
    project: Option<&str>,
    dataset: &str,
    (from, to): (u32, Option<u32>),
) -> Result<(DatasetVersion, DatasetVersion)> {
    let dataset = engine.dataset(&engine.project(project)?, dataset)?;
    Ok((engine.version(&dataset, Some(from))?, engine.version(&dataset, to)?))
}

pub(super) fn diff(engine: &Engine, request: DatasetDiff) -> Result<JobRef> {
    let pair = (request.from, request.to);
    let (from, to) = versions(engine, request.project.as_deref(), &request.dataset, pair)?;
    let title = Title {
        kind: "dataset.diff",
        title: format!("Comparing versions {} and {} of {}", from.number, to.number, request.dataset),
        subject: json!({ "dataset": request.dataset }),
    };
    let job = engine.start_job(&title, move |engine, progress| {
        let diff = engine.diff(&from, &to, &request.key, progress)?;
        reply(super::convert_changes::diff_view(from.number, to.number, diff.summary()))
    })?;
    Ok(job.into())
}

pub(super) fn changes(engine: &Engine, request: DatasetChanges) -> Result<ChangesPage> {
    let pair = (request.from, request.to);
    let (from, to) = versions(engine, request.project.as_deref(), &request.dataset, pair)?;
    let diff = engine.diff(&from, &to, &request.key, &Progress::silent())?;
    let (offset, limit) = (request.offset, u64::from(request.limit.min(1000)));
    let summary = diff.summary();
    let (total, rows) = match request.what {
        ChangeKind::Cells => {
            let cells = diff.cells(offset, limit)?.into_iter().map(Into::into).collect();
            return Ok(ChangesPage { total: summary.changed_cells, cells, rows: None });
        }
        ChangeKind::Added => (summary.added_rows, diff.added_rows(offset, limit)?),
        ChangeKind::Removed => (summary.removed_rows, diff.removed_rows(offset, limit)?),
    };
    Ok(ChangesPage { total, cells: Vec::new(), rows: Some(rows.into()) })
}

pub(super) fn compare(engine: &Engine, request: DatasetDiff) -> Result<ProfileComparison> {
    let pair = (request.from, request.to);
    let (from, to) = versions(engine, request.project.as_deref(), &request.dataset, pair)?;
    let (before, after) = (engine.import_record(&from)?.profile, engine.import_record(&to)?.profile);
    let compared = data::profile::compare(&before, &after);
    Ok(super::convert_changes::comparison(from.number, to.number, compared))
}

pub(super) fn report(engine: &Engine, request: DatasetReport) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    let dataset = engine.dataset(&project, &request.dataset)?;
    let version = engine.version(&dataset, request.version)?;
    let older = request.compare_with.map(|number| engine.version(&dataset, Some(number))).transpose()?;
    let to = super::keeping::new_file(&request.to)?;
    let title = Title {
        kind: "dataset.report",
        title: format!("Writing the report of {}", request.dataset),
        subject: json!({ "dataset": request.dataset }),
    };
    let job = engine
        .start_job(&title, move |engine, _| write_report(engine, &dataset.name, (&version, older), to))?;
    Ok(job.into())
}

fn write_report(
    engine: &Engine,
    name: &str,
    (version, older): (&DatasetVersion, Option<DatasetVersion>),
    to: PathBuf,
) -> Result<serde_json::Value> {
    let profile = engine.import_record(version)?.profile;
    let before = older.map(|older| engine.import_record(&older)).transpose()?;
    let compared = before.map(|before| data::profile::compare(&before.profile, &profile));
    let title = format!("{name}, version {}", version.number);
    let html = data::report::profile_html(&profile, &title, compared.as_ref());
    std::fs::write(&to, &html).map_err(|e| Error::io("write", &to, &e))?;
    Ok(json!({ "path": to, "bytes": html.len() }))
}
