//! Retraining a deployment, and what is proposed for it.

use base::Result;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::datasets::reply;
use super::jobs::JobRef;
use super::models::GateReport;
use crate::Engine;
use crate::jobs::Title;
use crate::retraining::Retraining;
use store::origins::Cause;

/// Retrains a deployment.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MonitorRetrain {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The deployment's name or id.
    pub deployment: String,
    /// The pipeline; the one that made what serves if left out.
    #[serde(default)]
    pub pipeline: Option<String>,
    /// True to deploy what passes the gate at once; else it is proposed.
    #[serde(default)]
    pub deploy: bool,
    /// What becomes of the requests whose truth is known.
    #[serde(default)]
    pub traffic: Traffic,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What becomes of the requests whose truth is known when a deployment is retrained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Traffic {
    /// They are added to the data, if there are at least 50.
    #[default]
    Add,
    /// They take the place of the data, if there are at least 50: the world has changed for good.
    Replace,
    /// They are left out.
    Leave,
}

/// A deployment.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MonitorPick {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The deployment's name or id.
    pub deployment: String,
}

/// What became of a retraining.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RetrainingOutcome {
    /// The data have not changed, so neither has the model.
    #[default]
    Unchanged,
    /// The gate refused the challenger.
    Refused,
    /// The challenger waits for somebody's word.
    Proposed,
    /// The challenger serves.
    Deployed,
}

impl RetrainingOutcome {
    /// The word in the audit log.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
            Self::Proposed => "proposed",
            Self::Deployed => "deployed",
        }
    }
}

/// What a retraining came to (the result of its job).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Retrained {
    /// What became of it.
    pub outcome: RetrainingOutcome,
    /// The run.
    pub run: Option<String>,
    /// The challenger's version, if there is one.
    pub version: Option<u32>,
    /// Requests that were added to the data.
    pub rows_taken: u64,
    /// The challenger beside what serves.
    pub comparison: Option<SideBySide>,
    /// What the gate said.
    pub gate: Option<GateReport>,
}

/// Two versions on the same rows, which were held out from the challenger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SideBySide {
    /// The metric.
    pub metric: String,
    /// Its name for people.
    pub metric_title: String,
    /// True if a larger value is a better one.
    pub larger_is_better: bool,
    /// How many rows.
    pub rows: u64,
    /// The challenger's value.
    pub challenger: f64,
    /// The value of what serves.
    pub champion: f64,
}

impl SideBySide {
    /// How much worse the challenger is; below zero if it is better.
    pub(crate) fn loss(&self) -> f64 {
        if self.larger_is_better { self.champion - self.challenger } else { self.challenger - self.champion }
    }
}

/// A version that is proposed for a deployment.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ProposalView {
    /// The model.
    pub model: String,
    /// The version that is proposed.
    pub version: u32,
    /// The version that serves.
    pub champion: u32,
    /// Why it was trained.
    pub because: String,
    /// Both on the same rows.
    pub comparison: Option<SideBySide>,
    /// What the gate says now.
    pub gate: GateReport,
    /// The run that made it.
    pub run: Option<String>,
}

pub(super) fn retrain(engine: &Engine, request: MonitorRetrain) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    let wish = Retraining {
        deployment: engine.deployment(&project, &request.deployment)?,
        pipeline: request.pipeline,
        because: request.reason.unwrap_or_else(|| "somebody asked for it".to_owned()),
        deploys: request.deploy,
        traffic: request.traffic,
        cause: Cause::Asked,
    };
    Ok(engine.start_retraining(&project, wish)?.into())
}

pub(super) fn proposal(engine: &Engine, request: MonitorPick) -> Result<Option<ProposalView>> {
    let project = engine.project(request.project.as_deref())?;
    engine.proposal(&engine.deployment(&project, &request.deployment)?)
}

pub(super) fn accept(engine: &Engine, request: MonitorPick) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    let deployment = engine.deployment(&project, &request.deployment)?;
    let title = Title {
        kind: "monitor.accept",
        title: format!("Deploying what is proposed for {}", deployment.name),
        subject: serde_json::json!({ "deployment": deployment.name }),
    };
    let job = engine
        .start_job(&title, move |engine, progress| reply(engine.accept_proposal(&deployment, progress)?))?;
    Ok(job.into())
}

pub(super) fn dismiss(engine: &Engine, request: MonitorPick) -> Result<()> {
    let project = engine.project(request.project.as_deref())?;
    engine.dismiss_proposal(&engine.deployment(&project, &request.deployment)?)
}
