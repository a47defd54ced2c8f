//! What policies of retraining would have brought on history.

use base::Result;
use serde::{Deserialize, Serialize};
use serde_json::json;
use ts_rs::TS;

use super::datasets::reply;
use super::jobs::JobRef;
use crate::Engine;
use crate::jobs::Title;

/// Tries policies of retraining on history.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MonitorBacktest {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The deployment's name or id.
    pub deployment: String,
    /// The pipeline; the one that made what serves if left out.
    #[serde(default)]
    pub pipeline: Option<String>,
    /// The dataset with the history; the one that what serves learned from if left out.
    #[serde(default)]
    pub dataset: Option<String>,
    /// The column by which rows come one after the other; the first one of moments, or else the order in
    /// which they lie, if left out.
    #[serde(default)]
    pub order_by: Option<String>,
    /// Into how many windows what comes after the first three tenths is cut; 8 if left out.
    #[serde(default)]
    pub windows: Option<u32>,
    /// `never`, `every 2` (windows), `psi 0.2` or `drop 0.05` (of the metric, since the first window); the
    /// usual three if empty.
    #[serde(default)]
    pub policies: Vec<String>,
}

/// What the policies would have brought (the result of the job).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Backtest {
    /// The dataset.
    pub dataset: String,
    /// The column that gave the order.
    pub order_by: Option<String>,
    /// The metric.
    pub metric_title: String,
    /// True if a larger value is a better one.
    pub larger_is_better: bool,
    /// Rows from which the first model learned.
    pub first_rows: u64,
    /// The windows.
    pub windows: Vec<BacktestWindow>,
    /// The policies as they were asked for.
    pub policies: Vec<BacktestPolicy>,
}

/// A window of history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BacktestWindow {
    /// Its first row.
    pub from: u64,
    /// How many rows.
    pub rows: u64,
}

/// What a policy would have brought.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BacktestPolicy {
    /// The policy.
    pub policy: String,
    /// The metric over all rows of the windows.
    pub value: f64,
    /// The metric in the worst window.
    pub worst: f64,
    /// The metric in each window.
    pub values: Vec<f64>,
    /// How often the pipeline learned, the first time included.
    pub trainings: u32,
    /// How long that took, ms.
    pub train_ms: u64,
    /// The windows after which a new model took over.
    pub promoted_after: Vec<u32>,
}

pub(super) fn backtest(engine: &Engine, request: MonitorBacktest) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    let deployment = engine.deployment(&project, &request.deployment)?;
    let title = Title {
        kind: "monitor.backtest",
        title: format!("Trying policies of retraining for {}", deployment.name),
        subject: json!({ "deployment": deployment.name }),
    };
    let job = engine.start_job(&title, move |engine, progress| {
        reply(engine.backtest(&deployment, &request, progress)?)
    })?;
    Ok(job.into())
}
