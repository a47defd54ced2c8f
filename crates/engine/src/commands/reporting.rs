//! Reports of a run, to be sent elsewhere.

use base::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;
use ts_rs::TS;

use super::jobs::JobRef;
use crate::Engine;
use crate::jobs::Title;
pub use crate::run_report::ReportFormat;

/// Asks for a report of a run.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunReport {
    /// Its id, or `#` and its number.
    pub run: String,
    /// The run to compare it with.
    #[serde(default)]
    #[ts(optional)]
    pub against: Option<String>,
    /// What it is to be.
    pub format: ReportFormat,
}

/// Writes a report of a run to a file.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunReportSave {
    /// Its id, or `#` and its number.
    pub run: String,
    /// The run to compare it with.
    #[serde(default)]
    #[ts(optional)]
    pub against: Option<String>,
    /// What it is to be.
    pub format: ReportFormat,
    /// The file, which must not be there yet.
    pub to: String,
}

/// A report.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ReportText {
    /// The whole text.
    pub text: String,
}

pub(super) fn report(engine: &Engine, request: RunReport) -> Result<ReportText> {
    let against = request.against.as_deref().map(|run| engine.run(run)).transpose()?;
    let text = engine.run_report(engine.run(&request.run)?, against, request.format)?;
    Ok(ReportText { text })
}

pub(super) fn save(engine: &Engine, request: RunReportSave) -> Result<JobRef> {
    let run = engine.run(&request.run)?;
    let against = request.against.as_deref().map(|run| engine.run(run)).transpose()?;
    let (format, to) = (request.format, super::keeping::new_file(&request.to)?);
    let title = Title {
        kind: "run.save_report",
        title: format!("Writing the report of run {}", run.number),
        subject: json!({ "run": run.id.to_string() }),
    };
    let job = engine.start_job(&title, move |engine, _| {
        let text = engine.run_report(run, against, format)?;
        std::fs::write(&to, &text).map_err(|e| Error::io("write", &to, &e))?;
        Ok(json!({ "path": to, "bytes": text.len() }))
    })?;
    Ok(job.into())
}
