//! The requests that callers really sent, answered by another version before anybody sees it.

use base::Result;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use ts_rs::TS;

use super::datasets::reply;
use super::jobs::JobRef;
use super::performance::SliceView;
use crate::Engine;
use crate::jobs::Title;

/// Answers logged requests by another version.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MonitorRehearse {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The deployment's name or id.
    pub deployment: String,
    /// The version: a number or an alias; `challenger` if left out.
    #[serde(default)]
    pub version: Option<String>,
}

/// What a rehearsal came to (the result of its job).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Rehearsal {
    /// The version that was tried.
    pub candidate: u32,
    /// The version that serves.
    pub champion: u32,
    /// Rows of requests, the newest 50,000 at most.
    pub rows: u64,
    /// Rows with another class, or with a number that moved by more than a tenth of the standard deviation.
    pub changed: u64,
    /// The mean change of the probability of the class before, or of the number.
    pub mean_change: f64,
    /// From which class to which, the most frequent first.
    pub moves: Vec<Move>,
    /// Groups of rows with the share of answers that changed (or the mean change), the most first.
    pub groups: Vec<SliceView>,
    /// Rows whose answer changed most.
    pub flipped: Vec<FlippedRow>,
    /// The metric on labelled rows.
    pub metric_title: String,
    /// Rows whose truth is known.
    pub labelled: u64,
    /// The metric of what serves, if enough is known.
    pub champion_value: Option<f64>,
    /// The metric of the version that was tried.
    pub candidate_value: Option<f64>,
    /// How long the model alone takes for a row, in microseconds: median and 95 % quantile.
    pub champion_us: [f64; 2],
    /// The same of the version that was tried.
    pub candidate_us: [f64; 2],
}

/// Rows that went from one class to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Move {
    /// The class before.
    pub from: String,
    /// The class now.
    pub to: String,
    /// How many rows.
    pub rows: u64,
}

/// A row whose answer changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FlippedRow {
    /// The id of its request.
    pub request: String,
    /// The row in it.
    pub row: u64,
    /// What went in.
    pub inputs: Map<String, Value>,
    /// What was answered.
    pub before: String,
    /// What would be answered.
    pub after: String,
}

pub(super) fn rehearse(engine: &Engine, request: MonitorRehearse) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    let deployment = engine.deployment(&project, &request.deployment)?;
    let (_, champion) = engine.serving(&deployment)?;
    let version = request.version.as_deref().unwrap_or(crate::retraining::CHALLENGER);
    let candidate = engine.pick(&project, &champion.model.name, Some(version))?;
    let title = Title {
        kind: "monitor.rehearse",
        title: format!("Rehearsing version {} for {}", candidate.version.number, deployment.name),
        subject: json!({ "deployment": deployment.name }),
    };
    let job = engine.start_job(&title, move |engine, progress| {
        reply(engine.rehearse(&deployment, &candidate, progress)?)
    })?;
    Ok(job.into())
}
