//! Keeping datasets: tags on versions, the trash, files that a dataset follows, and what is written
//! out of the workspace.

use std::path::PathBuf;

use base::{Code, Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::datasets::tags;
use store::trash::{self, Item};
use store::{Action, datasets};
use ts_rs::TS;

use super::datasets::InProject;
use super::jobs::JobRef;
use super::workspaces::Nothing;
use crate::Engine;
use crate::exporting::{Format, Wanted};
use crate::following::{Follow, FollowMode};
use crate::jobs::Title;

/// Puts a name on a version, or takes it away.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatasetTag {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The dataset's name.
    pub dataset: String,
    /// The tag, such as `clean`.
    pub tag: String,
    /// The version's number; null takes the tag away.
    pub version: Option<u32>,
}

/// Moves a dataset or one of its versions to the trash.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatasetDelete {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The dataset's name.
    pub dataset: String,
    /// The version's number; the whole dataset if left out.
    #[serde(default)]
    pub version: Option<u32>,
}

/// Names something in the trash.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrashPick {
    /// What it is.
    pub kind: TrashKind,
    /// Its id.
    pub id: String,
}

/// What can be in the trash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TrashKind {
    /// A dataset with its versions.
    Dataset,
    /// One version of a dataset.
    Version,
    /// A run.
    Run,
    /// A model with its versions.
    Model,
}

/// Something in the trash.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TrashView {
    /// What it is.
    pub kind: TrashKind,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it was deleted, ms since the epoch.
    pub deleted_at: i64,
    /// What emptying frees at most, bytes.
    pub size_bytes: u64,
}

/// Lets a dataset follow a file or folder.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatasetFollow {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The dataset's name.
    pub dataset: String,
    /// The file or folder on this machine; null to follow none.
    pub path: Option<String>,
    /// What becomes of a change.
    #[serde(default)]
    pub mode: FollowMode,
}

/// A file or folder that a dataset follows.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FollowView {
    /// The dataset.
    pub dataset: String,
    /// The file or folder on this machine.
    pub path: String,
    /// What becomes of a change.
    pub mode: FollowMode,
    /// True if the file has changed and waits to be imported.
    pub is_waiting: bool,
    /// What went wrong the last time, in a sentence.
    pub trouble: Option<String>,
}

/// Writes a version of a dataset.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatasetExport {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The dataset's name.
    pub dataset: String,
    /// The version's number; the newest if left out.
    #[serde(default)]
    pub version: Option<u32>,
    /// In which format; the bytes as they were imported if left out.
    #[serde(default)]
    pub format: Format,
    /// The file or folder to write; it must not exist.
    pub to: String,
}

/// Writes the answer of a query.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QueryExport {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// A `select`.
    pub sql: String,
    /// In which format: `csv` or `parquet`.
    pub format: Format,
    /// The file to write; it must not exist.
    pub to: String,
}

/// A file that is not there yet.
pub(super) fn new_file(path: &str) -> Result<PathBuf> {
    let to = PathBuf::from(path);
    if to.exists() {
        return Err(Error::new(Code::AlreadyExists, format!("`{}` is there already", to.display()))
            .hint("choose another name"));
    }
    Ok(to)
}

pub(super) fn tag(engine: &Engine, request: DatasetTag) -> Result<()> {
    let project = engine.project(request.project.as_deref())?;
    let dataset = engine.dataset(&project, &request.dataset)?;
    let subject = format!("{}: {}", dataset.name, request.tag);
    match request.version {
        Some(number) => {
            let version = engine.version(&dataset, Some(number))?;
            let action = Action::new("dataset.tag", subject).with("version", number);
            engine.store().write(action, |w| tags::set(w, &version.id, &request.tag).map(drop))
        }
        None => {
            let action = Action::new("dataset.untag", subject);
            engine.store().write(action, |w| tags::remove(w, &dataset.id, &request.tag))
        }
    }
}

pub(super) fn delete(engine: &Engine, request: DatasetDelete) -> Result<TrashPick> {
    let project = engine.project(request.project.as_deref())?;
    let dataset = engine.dataset(&project, &request.dataset)?;
    let (item, subject) = match request.version {
        Some(number) => {
            let version = engine.version(&dataset, Some(number))?;
            (Item::Version(version.id), format!("{} v{number}", dataset.name))
        }
        None => (Item::Dataset(dataset.id), dataset.name),
    };
    engine.store().write(Action::new("dataset.delete", subject), |w| trash::put(w, &item))?;
    Ok(pick_of(&item))
}

pub(super) fn list_trash(engine: &Engine, _request: Nothing) -> Result<Vec<TrashView>> {
    let view = |one: trash::Trashed| {
        let TrashPick { kind, id } = pick_of(&one.item);
        TrashView { kind, id, name: one.name, deleted_at: one.at.as_ms(), size_bytes: one.bytes }
    };
    Ok(engine.store().read(trash::list)?.into_iter().map(view).collect())
}

pub(super) fn restore(engine: &Engine, request: TrashPick) -> Result<()> {
    let item = match request.kind {
        TrashKind::Dataset => Item::Dataset(request.id.parse()?),
        TrashKind::Version => Item::Version(request.id.parse()?),
        TrashKind::Run => Item::Run(request.id.parse()?),
        TrashKind::Model => Item::Model(request.id.parse()?),
    };
    engine.store().write(Action::new("trash.restore", &request.id), |w| trash::restore(w, &item))
}

pub(super) fn empty_trash(engine: &Engine, _request: Nothing) -> Result<JobRef> {
    let title = Title { kind: "trash.empty", title: "Emptying the trash".to_owned(), subject: json!({}) };
    let job = engine.start_job(&title, |engine, progress| {
        let kept = engine.store().empty_trash()?;
        let freed = engine.store().collect_garbage(progress)?;
        Ok(json!({ "kept": kept.len(), "freedBytes": freed.freed_bytes }))
    })?;
    Ok(job.into())
}

fn pick_of(item: &Item) -> TrashPick {
    let (kind, id) = match item {
        Item::Dataset(id) => (TrashKind::Dataset, id.to_string()),
        Item::Version(id) => (TrashKind::Version, id.to_string()),
        Item::Run(id) => (TrashKind::Run, id.to_string()),
        Item::Model(id) => (TrashKind::Model, id.to_string()),
    };
    TrashPick { kind, id }
}

pub(super) fn follow(engine: &Engine, request: DatasetFollow) -> Result<()> {
    let project = engine.project(request.project.as_deref())?;
    let dataset = engine.dataset(&project, &request.dataset)?;
    match request.path {
        Some(path) => engine.follow(&dataset, PathBuf::from(path), request.mode),
        None => engine.unfollow(&dataset),
    }
}

pub(super) fn following(engine: &Engine, request: InProject) -> Result<Vec<FollowView>> {
    let project = engine.project(request.project.as_deref())?;
    let all = engine.store().read(|db| datasets::list(db, &project.id))?;
    let follows = engine.follows()?;
    let view = |dataset: datasets::Dataset| {
        let Follow { path, mode, is_waiting, trouble, .. } = follows.get(&dataset.id.to_string())?.clone();
        Some(FollowView {
            dataset: dataset.name,
            path: path.to_string_lossy().into_owned(),
            mode,
            is_waiting,
            trouble,
        })
    };
    Ok(all.into_iter().filter_map(view).collect())
}

pub(super) fn export(engine: &Engine, request: DatasetExport) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    let version = engine.version(&engine.dataset(&project, &request.dataset)?, request.version)?;
    let wanted = Wanted { format: request.format, to: new_file(&request.to)? };
    let title = Title {
        kind: "dataset.export",
        title: format!("Exporting {}", request.dataset),
        subject: json!({ "dataset": request.dataset }),
    };
    let job = engine.start_job(&title, move |engine, progress| engine.export(&version, &wanted, progress))?;
    Ok(job.into())
}

pub(super) fn export_query(engine: &Engine, request: QueryExport) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    let wanted = Wanted { format: request.format, to: new_file(&request.to)? };
    let title = Title {
        kind: "dataset.query_export",
        title: "Exporting the answer of a query".to_owned(),
        subject: json!({}),
    };
    let job = engine.start_job(&title, move |engine, progress| {
        engine.export_query(&project, &request.sql, &wanted, progress)
    })?;
    Ok(job.into())
}
