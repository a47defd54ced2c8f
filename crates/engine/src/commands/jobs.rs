//! Jobs: everything that takes a while.

use base::Result;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Engine;

/// The job that was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct JobRef {
    /// Its id.
    pub job_id: String,
}

/// Names a job.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobPick {
    /// Its id.
    pub job_id: String,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Waits for its turn.
    Queued,
    /// Works.
    Running,
    /// Ended well.
    Done,
    /// Ended with an error.
    Failed,
    /// Was stopped by the user.
    Cancelled,
    /// Its process died.
    Interrupted,
}

/// A job as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct JobView {
    /// Its id.
    pub id: String,
    /// The command behind it, such as `dataset.import`.
    pub kind: String,
    /// What it does, for people.
    pub title: String,
    /// Where it stands.
    pub state: JobState,
    /// What it is doing, such as `reading`.
    pub stage: Option<String>,
    /// Units done.
    pub done: u64,
    /// Units in all, if known.
    pub total: Option<u64>,
    /// When it started, ms since the epoch.
    pub started_at: i64,
    /// When it ended.
    pub finished_at: Option<i64>,
    /// Why it failed.
    pub error: Option<crate::rpc::Failure>,
    /// What it came to; its shape depends on the kind.
    pub result: Option<serde_json::Value>,
    /// What it is about: `{run}`, `{dataset}`, `{deployment}` …, to link to.
    pub subject: serde_json::Value,
}

/// Asks for the newest jobs.
#[derive(Debug, Clone, Default, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobList {
    /// Only those that are not finished.
    #[serde(default)]
    pub active: bool,
}

pub(super) fn list(engine: &Engine, request: JobList) -> Result<Vec<JobView>> {
    engine.jobs(request.active)
}

pub(super) fn show(engine: &Engine, request: JobPick) -> Result<JobView> {
    engine.job(&request.job_id.parse()?)
}

pub(super) fn cancel(engine: &Engine, request: JobPick) -> Result<()> {
    engine.cancel_job(&request.job_id.parse()?)
}
