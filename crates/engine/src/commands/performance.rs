//! How good a deployment is on rows whose truth is known, and how it comes to be known.

use base::Result;
use serde::{Deserialize, Serialize};
use serde_json::json;
use ts_rs::TS;

use super::datasets::reply;
use super::jobs::JobRef;
use super::monitors::{DriftLevel, WindowUnit};
use crate::Engine;
use crate::jobs::Title;

/// Asks how good a deployment is.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MonitorPerformance {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The deployment's name or id.
    pub deployment: String,
    /// How long a window is, in rows or in minutes.
    pub size: u32,
    /// What a window is measured in.
    pub unit: WindowUnit,
    /// How far each window is from the one before; as far as it is long if left out.
    #[serde(default)]
    pub step: Option<u32>,
    /// The metric; accuracy for classes and the mean absolute error for numbers if left out.
    #[serde(default)]
    pub metric: Option<String>,
}

/// How good a deployment is.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PerformanceView {
    /// The metric.
    pub metric: String,
    /// Its name for people.
    pub metric_title: String,
    /// True if a larger value is a better one.
    pub larger_is_better: bool,
    /// The metrics that can be asked for.
    pub metrics: Vec<MetricChoice>,
    /// The metric on the rows that were held out in training.
    pub reference: Option<f64>,
    /// How many those are.
    pub reference_rows: u64,
    /// Rows that this version answered.
    pub rows: u64,
    /// Rows of them whose truth is known.
    pub labelled: u64,
    /// Labels that the model does not know as a class; they are left out.
    pub unknown_labels: u64,
    /// The metric over all labelled rows, if there are enough.
    pub value: Option<f64>,
    /// The metric that is to be expected over all rows; of accuracy and AUC only.
    pub estimated: Option<EstimateView>,
    /// True if probabilities had to be corrected for the estimate.
    pub is_calibrated: bool,
    /// The windows that hold enough rows, oldest first.
    pub windows: Vec<PerformanceWindow>,
    /// Windows that were passed over because they hold too few rows.
    pub too_small: u32,
    /// Rows that a window needs, and labels that a measurement needs.
    pub rows_needed: u64,
    /// Groups of labelled rows, worst first.
    pub slices: Vec<SliceView>,
    /// The level of the newest window.
    pub level: DriftLevel,
}

/// A metric that can be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct MetricChoice {
    /// Its name.
    pub name: String,
    /// Its name for people.
    pub title: String,
}

/// What a metric is expected to be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct EstimateView {
    /// The middle.
    pub value: f64,
    /// The lower end of the 95 % interval.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// How good it was in one window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PerformanceWindow {
    /// Where it starts, ms since the epoch.
    pub from: i64,
    /// Where it ends.
    pub to: i64,
    /// Rows in it.
    pub rows: u64,
    /// Rows of them whose truth is known.
    pub labelled: u64,
    /// The metric as it was measured, if enough is known.
    pub value: Option<f64>,
    /// The metric as it was to be expected.
    pub estimated: Option<EstimateView>,
    /// How bad it was.
    pub level: DriftLevel,
}

/// A group of labelled rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SliceView {
    /// What its rows have in common.
    pub name: String,
    /// How many.
    pub rows: u64,
    /// The metric in it.
    pub value: f64,
    /// True if it is worse than all together by more than 0.1 and by more than chance explains.
    pub is_worse: bool,
}

/// Tells what turned out to be true of requests that were answered, from a table that knows it.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MonitorLabel {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The deployment's name or id.
    pub deployment: String,
    /// A file with the true answers; or else `dataset`.
    #[serde(default)]
    pub path: Option<String>,
    /// A dataset whose newest version has them.
    #[serde(default)]
    pub dataset: Option<String>,
    /// The column of true answers; the one that the model predicts if left out.
    #[serde(default)]
    pub column: Option<String>,
    /// The column with ids of requests; `request_id` if there is such a column.
    #[serde(default)]
    pub id: Option<String>,
    /// The inputs by which requests are found where there are no ids; all that the table has if empty.
    #[serde(default)]
    pub on: Vec<String>,
}

/// What a table knew of requests (the result of the job).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Labelled {
    /// Rows of requests whose truth is known now.
    pub labelled: u64,
    /// Rows of the table that belong to no request.
    pub unmatched: u64,
    /// Inputs that the table has with several answers, so that none of them counts.
    pub ambiguous: u64,
}

pub(super) fn performance(engine: &Engine, request: MonitorPerformance) -> Result<PerformanceView> {
    let project = engine.project(request.project.as_deref())?;
    let deployment = engine.deployment(&project, &request.deployment)?;
    engine.performance(&deployment, &request)
}

pub(super) fn label(engine: &Engine, request: MonitorLabel) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    let deployment = engine.deployment(&project, &request.deployment)?;
    let title = Title {
        kind: "monitor.label",
        title: format!("Looking what became of requests of {}", deployment.name),
        subject: json!({ "deployment": deployment.name }),
    };
    let job = engine.start_job(&title, move |engine, progress| {
        let found = engine.label_requests(&deployment, &request, progress)?;
        let raised = engine.apply_rules(&deployment)?;
        engine.send_alerts(&deployment, &raised, progress)?;
        reply(found)
    })?;
    Ok(job.into())
}
