//! Runs beside each other: their curves, and all that is known of them, row by row.

use base::Result;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::run_table::RunRow;
use crate::Engine;

/// What the points of curves are put over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CurveAxis {
    /// Their steps.
    #[default]
    Step,
    /// The time since the run began, ms.
    Relative,
    /// The time, ms since the epoch.
    Wall,
}

/// Asks for the curves of one metric in several runs, or for a part of them.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunCurve {
    /// The runs, by id or `#` and number; at most 200.
    pub runs: Vec<String>,
    /// The metric, as a comparison of the runs names it.
    pub metric: String,
    /// What its points are put over.
    #[serde(default)]
    pub along: CurveAxis,
    /// Where the part begins on the axis; where the curves do if left out.
    #[serde(default)]
    pub from: Option<f64>,
    /// Where it ends.
    #[serde(default)]
    pub to: Option<f64>,
    /// Into how many buckets it is divided: the pixels of the chart; 500 if left out, 2,000 at most.
    #[serde(default)]
    pub buckets: Option<u32>,
}

/// The curves of one metric in several runs.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunCurveLines {
    /// A line for each run that measured it, in the order of the request.
    pub lines: Vec<CurveLine>,
}

/// The curve of a run, thinned: a bucket has the least, the greatest and the mean of its points.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CurveLine {
    /// The run's id.
    pub run: String,
    /// Points of the whole curve.
    pub points: u64,
    /// Those of them that are no number or infinite, which are not drawn.
    pub not_finite: u64,
    /// Where the whole curve begins and ends on the axis; null if nobody wrote down the times.
    pub reach: Option<(f64, f64)>,
    /// Where each bucket is. The first and the last may be the nearest points outside of the part.
    pub x: Vec<f64>,
    /// The least value of each bucket.
    pub least: Vec<f64>,
    /// The greatest.
    pub greatest: Vec<f64>,
    /// The mean.
    pub mean: Vec<f64>,
    /// How many points are in each bucket.
    pub count: Vec<u64>,
}

/// Asks for runs beside each other.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunBeside {
    /// The runs, by id or `#` and number; at most 200.
    pub runs: Vec<String>,
}

/// Runs beside each other: one value a run in every row, null where it has none.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunsBeside {
    /// The runs.
    pub runs: Vec<RunRow>,
    /// Parameters by name; those of a pipeline's step are `step.name`.
    pub params: Vec<BesideTexts>,
    /// The last values of metrics by name, likewise.
    pub metrics: Vec<BesideNumbers>,
    /// Metrics with a curve in at least one of the runs, by the names that `run.curve` takes.
    pub curves: Vec<String>,
    /// What the runs ran with: code, system, interpreter.
    pub environment: Vec<BesideTexts>,
    /// Packages with their versions, of runs that wrote them down.
    pub packages: Vec<BesideTexts>,
    /// Files that scripts logged, by path; at most 2,000.
    pub files: Vec<BesideFile>,
}

/// Texts of runs beside each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BesideTexts {
    /// What they are.
    pub name: String,
    /// The text of each run.
    pub values: Vec<Option<String>>,
}

/// Numbers of runs beside each other.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BesideNumbers {
    /// What is measured.
    pub name: String,
    /// True if more is better, as far as the name tells.
    pub larger_is_better: bool,
    /// The last value of each run; null too if it is not finite.
    pub values: Vec<Option<f64>>,
}

/// A file of runs beside each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BesideFile {
    /// Its path in each run.
    pub path: String,
    /// Its size in each run, bytes.
    pub sizes: Vec<Option<u64>>,
}

/// Asks what is different in the code of two runs.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunCode {
    /// The older run, by id or `#` and number.
    pub from: String,
    /// The newer one.
    pub to: String,
}

/// What is different in the code of two runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CodeDiff {
    /// The difference in the form of `git diff`; empty if there is none.
    pub text: String,
    /// True if there is more than is shown.
    pub is_cut: bool,
    /// What is left out of it and why, such as a commit that is not on this disk.
    pub notes: Vec<String>,
}

pub(super) fn curve(engine: &Engine, request: RunCurve) -> Result<RunCurveLines> {
    engine.run_curve_lines(&request)
}

pub(super) fn beside(engine: &Engine, request: RunBeside) -> Result<RunsBeside> {
    engine.runs_beside(&request.runs)
}

pub(super) fn code(engine: &Engine, request: RunCode) -> Result<CodeDiff> {
    engine.code_between(&engine.run(&request.from)?, &engine.run(&request.to)?)
}
