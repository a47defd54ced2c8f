//! Why a version answers as it does: rows taken apart, what matters, how answers follow a column.

use base::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use ts_rs::TS;

use super::datasets::reply;
use super::jobs::JobRef;
use super::judging::title;
use super::models::ModelVersionPick;
use crate::Engine;
use crate::judging::explaining::Which;

/// Asks what a version says of a row that is changed by hand.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelWhatIf {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The model.
    pub model: String,
    /// The version; the newest if left out.
    #[serde(default)]
    pub version: Option<String>,
    /// The row by input; the package's example if left out.
    #[serde(default)]
    #[ts(type = "{ [key: string]: unknown } | null")]
    pub row: Option<Map<String, Value>>,
    /// Instead of `row` the place of a row among those that the package keeps, from 0.
    #[serde(default)]
    pub place: Option<u32>,
    /// What is changed in it, by input.
    #[serde(default)]
    #[ts(type = "{ [key: string]: unknown }")]
    pub changes: Map<String, Value>,
}

/// What a version says of a row and of the changed one, and why.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WhatIfView {
    /// The row as it was.
    pub before: ExplainedRow,
    /// The row with the changes.
    pub after: ExplainedRow,
    /// What contributions add up to: `number`, `probability`, `log_odds`, `log_probability`; none if
    /// the model cannot be taken apart.
    pub scale: Option<String>,
    /// Why there are no contributions.
    pub note: Option<String>,
    /// How many rows the package keeps.
    pub kept: u32,
    /// What is true of the row, if it is one of those.
    #[ts(type = "unknown")]
    pub truth: Value,
}

/// A row with its answer and the reasons for it.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedRow {
    /// The inputs.
    #[ts(type = "{ [key: string]: unknown }")]
    pub inputs: Map<String, Value>,
    /// The answers.
    #[ts(type = "{ [key: string]: unknown }")]
    pub outputs: Map<String, Value>,
    /// For each output that is explained, what moved it.
    pub explained: Vec<ExplainedOutput>,
}

/// What moved one output.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedOutput {
    /// The class or the number.
    pub output: String,
    /// The sum if nothing is known of a row.
    pub base: f64,
    /// The sum of the row: the base and all contributions.
    pub sum: f64,
    /// What each raw column adds, largest first.
    pub contributions: Vec<(String, f64)>,
}

/// Asks how a version's answers follow one column.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelEffect {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The model.
    pub model: String,
    /// The version; the newest if left out.
    #[serde(default)]
    pub version: Option<String>,
    /// The input.
    pub column: String,
}

/// How a version's answers follow one column (the result of the job).
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct EffectView {
    /// The column.
    pub column: String,
    /// The answers.
    pub outputs: Vec<String>,
    /// The rows that the means are over.
    pub rows: u32,
    /// One point for each value.
    pub points: Vec<EffectPointView>,
}

/// The answers with the column at one value.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct EffectPointView {
    /// The value.
    #[ts(type = "unknown")]
    pub value: Value,
    /// The mean of each answer.
    pub means: Vec<f64>,
    /// The answer for each of some rows.
    pub curves: Vec<f64>,
}

/// What matters to a version (the result of the job).
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ImportanceView {
    /// The metric that falls when a column is shuffled.
    pub metric: String,
    /// The rows that it was measured on.
    pub rows: u32,
    /// By column, largest first.
    pub columns: Vec<ColumnImportance>,
    /// Row by row what the columns add, if the model can be taken apart.
    pub summary: Option<ContributionSummary>,
}

/// What columns add to the answers of some rows.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ContributionSummary {
    /// The classes, or the number.
    pub outputs: Vec<String>,
    /// What contributions add up to, as in a what-if.
    pub scale: String,
    /// By column, the largest mean contribution first; of many columns those that add most.
    pub columns: Vec<ColumnContributions>,
}

/// What a column adds to the answers of some rows.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ColumnContributions {
    /// The column.
    pub column: String,
    /// Its value in each row.
    #[ts(type = "Array<unknown>")]
    pub values: Vec<Value>,
    /// For each output what it adds in each row.
    pub added: Vec<Vec<f64>>,
}

/// What a column matters.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ColumnImportance {
    /// The column.
    pub column: String,
    /// The mean fall of the metric.
    pub fall: f64,
    /// Its standard deviation over the shuffles.
    pub deviation: Option<f64>,
    /// The mean absolute contribution, if the model can be taken apart.
    pub contribution: Option<f64>,
}

pub(super) fn what_if(engine: &Engine, request: ModelWhatIf) -> Result<WhatIfView> {
    let project = engine.project(request.project.as_deref())?;
    let picked = engine.pick(&project, &request.model, request.version.as_deref())?;
    let row = match (request.row, request.place) {
        (Some(_), Some(_)) => {
            return Err(Error::invalid("a row and the place of one are both given").hint("give one of them"));
        }
        (Some(row), None) => Which::Given(row),
        (None, Some(place)) => Which::Kept(place),
        (None, None) => Which::Example,
    };
    engine.what_if(&picked.version, row, &request.changes)
}

pub(super) fn effect(engine: &Engine, request: ModelEffect) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    let picked = engine.pick(&project, &request.model, request.version.as_deref())?;
    let title = title("model.effect", "Following a column of", &picked);
    let job = engine.start_job(&title, move |engine, progress| {
        reply(engine.effect(&picked.version, &request.column, progress)?)
    })?;
    Ok(job.into())
}

pub(super) fn importance(engine: &Engine, request: ModelVersionPick) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    let picked = engine.pick(&project, &request.model, request.version.as_deref())?;
    let title = title("model.importance", "Measuring what matters to", &picked);
    let job = engine
        .start_job(&title, move |engine, progress| reply(engine.importance(&picked.version, progress)?))?;
    Ok(job.into())
}
