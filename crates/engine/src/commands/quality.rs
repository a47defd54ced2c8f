//! Quality checks of datasets: what must hold, what came of it, and the rows that break it.

use base::Result;
use data::checks::{Check, CheckResult, Outcome, Severity};
use serde::{Deserialize, Serialize};
use serde_json::json;
use ts_rs::TS;

use super::datasets::{DatasetPick, TablePage, reply};
use super::jobs::JobRef;
use crate::Engine;
use crate::jobs::Title;

/// The checks of a dataset.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChecksView {
    /// The file `datasets/<name>.checks.toml`, as TOML; empty if there is none.
    pub text: String,
    /// The checks in it, in its order.
    pub checks: Vec<CheckView>,
    /// What came of them for the version, unless they have changed since or never ran.
    pub results: Option<Vec<CheckResultView>>,
    /// What a careful person would check, as such a file.
    pub suggested: String,
    /// Every kind of check there is.
    pub kinds: Vec<CheckKindView>,
}

/// A check.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CheckView {
    /// Its kind.
    pub kind: String,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// What must hold, in words.
    pub rule: String,
    /// True if data that breaks it must not be used.
    pub is_error: bool,
}

/// A kind of check.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CheckKindView {
    /// Its name in the file.
    pub kind: String,
    /// Its name for people.
    pub title: String,
    /// One sentence.
    pub summary: String,
    /// More, as Markdown.
    pub doc: String,
    /// Its entry in a file, without the line `[[check]]`.
    pub example: String,
    /// JSON Schema of the parameters; the form is made from it. `x-column`, `x-columns`, `x-dataset`,
    /// `x-expression` mark fields with a picker of their own.
    pub params: serde_json::Value,
    /// True if it is about rows, of which `max_share` may be allowed to fail.
    pub is_about_rows: bool,
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CheckResultView {
    /// Its kind.
    pub kind: String,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// What must hold, in words.
    pub rule: String,
    /// True if data that breaks it must not be used.
    pub is_error: bool,
    /// Whether it holds.
    pub outcome: CheckOutcome,
    /// What was found, in words.
    pub measured: String,
    /// Rows that break it, if it is about rows.
    pub failing_rows: Option<u64>,
    /// The first of them.
    pub examples: Vec<FailingExample>,
    /// Why it could not be run, in a sentence.
    pub error: Option<String>,
}

/// Whether a check holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// It holds.
    Passed,
    /// It does not.
    Failed,
    /// It could not be run.
    Error,
}

/// A row that breaks a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FailingExample {
    /// Its number in the table, from 0.
    pub row: u64,
    /// The cells that were looked at: column and value, null if missing.
    pub cells: Vec<(String, Option<String>)>,
}

/// Replaces the checks of a dataset.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatasetChecks {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The dataset's name.
    pub dataset: String,
    /// The file as TOML; empty for no checks.
    pub text: String,
}

/// What came of the checks of a version (the result of the job).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DatasetChecked {
    /// The dataset.
    pub dataset: String,
    /// The version's number.
    pub version: u32,
    /// True if nothing keeps the data from being used.
    pub is_usable: bool,
    /// In the order of the file.
    pub results: Vec<CheckResultView>,
}

/// Asks for rows that break a check.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatasetFailing {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The dataset's name.
    pub dataset: String,
    /// The version's number; the newest if left out.
    #[serde(default)]
    pub version: Option<u32>,
    /// The place of the check in the file, from 0.
    pub check: u32,
    /// First failing row, from 0.
    pub offset: u64,
    /// Rows wanted, 1,000 at most.
    pub limit: u32,
}

/// Rows that break a check.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FailingPage {
    /// The rows; `total` counts those that fail.
    pub page: TablePage,
    /// Their numbers in the table, from 0.
    pub numbers: Vec<u64>,
}

impl From<&Check> for CheckView {
    fn from(check: &Check) -> Self {
        Self {
            kind: check.kind().to_owned(),
            name: check.name.clone(),
            rule: check.rule(),
            is_error: check.severity == Severity::Error,
        }
    }
}

impl From<CheckResult> for CheckResultView {
    fn from(result: CheckResult) -> Self {
        let examples = result.examples.into_iter();
        Self {
            is_error: result.severity == Severity::Error,
            outcome: match result.outcome {
                Outcome::Passed => CheckOutcome::Passed,
                Outcome::Failed => CheckOutcome::Failed,
                Outcome::Error => CheckOutcome::Error,
            },
            kind: result.kind,
            name: result.name,
            rule: result.rule,
            measured: result.measured,
            failing_rows: result.failing_rows,
            examples: examples.map(|one| FailingExample { row: one.row, cells: one.cells }).collect(),
            error: result.error.map(|error| error.to_string()),
        }
    }
}

pub(super) fn checks(engine: &Engine, request: DatasetPick) -> Result<ChecksView> {
    let project = engine.project(request.project.as_deref())?;
    let dataset = engine.dataset(&project, &request.dataset)?;
    let version = engine.version(&dataset, request.version)?;
    let file = engine.checks_of(&project, &dataset)?;
    let results = engine.known_results(&project, &dataset, &version)?;
    Ok(ChecksView {
        text: engine.checks_text(&project, &dataset)?,
        checks: file.checks.iter().map(Into::into).collect(),
        results: results.map(|all| all.into_iter().map(Into::into).collect()),
        suggested: engine.suggested_checks(&dataset)?.to_text(),
        kinds: data::checks::declarations().into_iter().map(kind_view).collect(),
    })
}

fn kind_view(said: data::checks::Declaration) -> CheckKindView {
    CheckKindView {
        kind: said.kind.to_owned(),
        title: said.title.to_owned(),
        summary: said.summary.to_owned(),
        doc: said.doc.to_owned(),
        example: said.example.to_owned(),
        params: data::checks::params_schema(said.kind).expect("it is one of the kinds"),
        is_about_rows: said.is_about_rows,
    }
}

pub(super) fn set(engine: &Engine, request: DatasetChecks) -> Result<()> {
    let project = engine.project(request.project.as_deref())?;
    engine.set_checks(&project, &engine.dataset(&project, &request.dataset)?, &request.text)
}

pub(super) fn run(engine: &Engine, request: DatasetPick) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    let dataset = engine.dataset(&project, &request.dataset)?;
    let version = engine.version(&dataset, request.version)?;
    let title = Title {
        kind: "dataset.check",
        title: format!("Checking {} v{}", dataset.name, version.number),
        subject: json!({ "dataset": dataset.name }),
    };
    let job = engine.start_job(&title, move |engine, progress| {
        let results = engine.check_version(&project, &dataset, &version, true, progress)?;
        let is_usable = !results.iter().any(CheckResult::is_blocking);
        let results = results.into_iter().map(Into::into).collect();
        reply(DatasetChecked { dataset: dataset.name, version: version.number, is_usable, results })
    })?;
    Ok(job.into())
}

pub(super) fn failing(engine: &Engine, request: DatasetFailing) -> Result<FailingPage> {
    let project = engine.project(request.project.as_deref())?;
    let dataset = engine.dataset(&project, &request.dataset)?;
    let version = engine.version(&dataset, request.version)?;
    let window = (request.offset, u64::from(request.limit.min(1000)));
    let found = engine.failing_rows(&project, &dataset, &version, request.check as usize, window)?;
    let page = data::Page {
        offset: request.offset,
        total_rows: Some(found.total),
        columns: found.columns,
        rows: found.rows,
    };
    Ok(FailingPage { page: page.into(), numbers: found.numbers })
}
