//! Where scripts log to; and stores of MLflow, in and out.

use std::path::{Path, PathBuf};

use base::Result;
use serde::{Deserialize, Serialize};
use serde_json::json;
use ts_rs::TS;

use super::datasets::reply;
use super::jobs::JobRef;
use super::workspaces::Nothing;
use crate::Engine;
use crate::jobs::Title;
use crate::mlflow_stores::Import;

/// Where scripts log to, and how they are told.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TrackingInfo {
    /// The address, while a daemon owns the workspace.
    pub url: Option<String>,
    /// What scripts send; it opens what they log and nothing else.
    pub token: String,
    /// Variables of the environment for a script, by name; while there is an address.
    pub environment: Option<Vec<(String, String)>>,
    /// How many experiments there are.
    pub experiments: u32,
}

/// Takes in what a store of MLflow holds.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrackingImport {
    /// A database of MLflow, a folder `mlruns`, or the folder that either is in.
    pub path: String,
    /// More folders in which files of its runs may be.
    #[serde(default)]
    #[ts(optional)]
    pub artifacts: Option<Vec<String>>,
}

/// Writes what scripts logged as a folder `mlruns`.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrackingExport {
    /// The folder, which is not there yet or empty.
    pub to: String,
}

/// What an import or an export came to (the result of its job).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TrackingMoved {
    /// What was read or written, such as ``database of MLflow 3 or later, schema `…` ``.
    pub source: String,
    /// False if all of it was here already.
    pub is_changed: bool,
    /// What was found and what became of it, kind by kind.
    pub counts: Vec<MovedCount>,
    /// What a person should know, at most a thousand.
    pub notes: Vec<MovedNote>,
    /// How many more notes there were.
    pub more_notes: u64,
}

/// What was found of a kind, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct MovedCount {
    /// The kind.
    pub what: What,
    /// How many there were.
    pub found: u64,
    /// How many were added.
    pub added: u64,
    /// How many were there already and the same.
    pub same: u64,
    /// How many were there already and another: these stay as they are.
    pub conflicts: u64,
    /// How many could not be taken.
    pub skipped: u64,
}

impl MovedCount {
    pub(crate) fn new(what: What) -> Self {
        Self { what, found: 0, added: 0, same: 0, conflicts: 0, skipped: 0 }
    }
}

/// Something that is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "MovedWhat")]
pub enum What {
    /// Experiments.
    Experiments,
    /// Runs.
    Runs,
    /// Parameters of runs.
    Params,
    /// Tags of runs.
    Tags,
    /// Points of curves.
    Points,
    /// Datasets that went into runs.
    Datasets,
    /// Files of runs and logged models.
    Files,
    /// Runs, models and versions whose files are not on this disk.
    Elsewhere,
    /// Logged models.
    LoggedModels,
    /// Registered models.
    Models,
    /// Their versions.
    Versions,
    /// Their aliases.
    Aliases,
}

impl What {
    /// Its word in the audit log.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Experiments => "experiments",
            Self::Runs => "runs",
            Self::Params => "params",
            Self::Tags => "tags",
            Self::Points => "points",
            Self::Datasets => "datasets",
            Self::Files => "files",
            Self::Elsewhere => "elsewhere",
            Self::LoggedModels => "logged_models",
            Self::Models => "models",
            Self::Versions => "versions",
            Self::Aliases => "aliases",
        }
    }
}

/// Something a person should know of an import or an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct MovedNote {
    /// What kind of thing it is.
    pub kind: NoteKind,
    /// What it is about.
    pub what: String,
    /// What there is to know.
    pub why: String,
}

/// What kind of thing a note says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "MovedNoteKind")]
pub enum NoteKind {
    /// Something is here already and another: it stays as it is here.
    Conflict,
    /// Something could not be taken.
    Skipped,
    /// Files stay where they are.
    Elsewhere,
    /// Something is called otherwise than it was.
    Changed,
}

/// `tracking.import`
pub fn import(engine: &Engine, request: TrackingImport) -> Result<JobRef> {
    let what = Import {
        path: PathBuf::from(&request.path),
        artifacts: request.artifacts.iter().flatten().map(PathBuf::from).collect(),
    };
    let name = Path::new(&request.path).file_name().unwrap_or_default().to_string_lossy();
    let title =
        Title { kind: "tracking.import", title: format!("Bringing runs from {name}"), subject: json!({}) };
    let work = move |engine: &Engine, progress: &base::Progress| reply(engine.import_store(&what, progress)?);
    Ok(engine.start_job(&title, work)?.into())
}

/// `tracking.export`
pub fn export(engine: &Engine, request: TrackingExport) -> Result<JobRef> {
    let to = PathBuf::from(&request.to);
    let title = Title {
        kind: "tracking.export",
        title: format!("Writing runs to {}", to.file_name().unwrap_or_default().to_string_lossy()),
        subject: json!({}),
    };
    let work = move |engine: &Engine, progress: &base::Progress| reply(engine.export_store(&to, progress)?);
    Ok(engine.start_job(&title, work)?.into())
}

/// `tracking.info`
pub fn info(engine: &Engine, _: Nothing) -> Result<TrackingInfo> {
    engine.tracking_info()
}
