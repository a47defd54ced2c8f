//! The workspace, its projects, its settings and its audit log.

use base::{Progress, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::Page;
use ts_rs::TS;

use super::datasets::{InProject, reply};
use super::jobs::JobRef;

use super::deployments::DeploymentSummary;
use super::monitors::AlertView;
use super::pipelines::CommitView;
use super::runs::{RunList, RunSummary};
use crate::Engine;
use crate::jobs::Title;

/// Nothing to say.
#[derive(Debug, Clone, Default, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// The workspace as a whole.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WorkspaceInfo {
    /// Its folder on this machine.
    pub root: String,
    /// Version of Fettle that runs it.
    pub version: String,
    /// Process id of the owner.
    pub pid: u32,
    /// Size of the index database, bytes.
    pub index_bytes: u64,
    /// Size of the object store, bytes.
    pub objects_bytes: u64,
    /// Size of the cache, bytes; can be computed again.
    pub cache_bytes: u64,
    /// The project that is open.
    pub current_project: Option<String>,
}

/// Looks the workspace over.
#[derive(Debug, Clone, Default, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WorkspaceCheck {
    /// True to read back every stored byte.
    #[serde(default)]
    pub full: bool,
}

/// What a look over the workspace came to (the result of its job).
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CheckReport {
    /// True if nothing is wrong.
    pub is_clean: bool,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// Objects looked at.
    pub objects: u64,
    /// Bytes read back.
    pub bytes: u64,
}

/// Something wrong in the workspace.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What it is about.
    pub subject: String,
    /// What is wrong with it.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// Frees what nothing needs any more.
#[derive(Debug, Clone, Default, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WorkspaceGc {
    /// True to only say what would be freed.
    #[serde(default)]
    pub dry_run: bool,
}

/// What was freed (the result of its job).
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct GcReport {
    /// Bytes freed.
    pub freed_bytes: u64,
    /// Objects removed.
    pub objects: u64,
}

/// A project in a list.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ProjectSummary {
    /// Its name in paths and commands.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// When it was made, ms since the epoch.
    pub created_at: i64,
    /// How many datasets.
    pub datasets: u32,
    /// How many pipelines.
    pub pipelines: u32,
    /// How many models.
    pub models: u32,
}

/// Makes a project and opens it.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProjectNew {
    /// Its name for people.
    pub name: String,
}

/// Opens a project.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProjectOpen {
    /// Its slug.
    pub project: String,
}

/// Git state of a project.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ProjectStatus {
    /// Its slug.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// The branch.
    pub branch: String,
    /// Files that differ from the last commit, and pipelines whose draft does.
    pub changed: Vec<String>,
    /// The last commit.
    pub commit: Option<CommitView>,
}

/// What the Home screen shows.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HomeView {
    /// What to do next.
    pub next: NextStep,
    /// The last runs.
    pub runs: Vec<RunSummary>,
    /// Every endpoint.
    pub deployments: Vec<DeploymentSummary>,
    /// Alerts nobody has looked at.
    pub alerts: Vec<AlertView>,
    /// The newest entries of the audit log.
    pub audit: Vec<AuditEntry>,
}

/// The next thing to do.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum NextStep {
    /// There is no data yet.
    Import,
    /// A dataset has no pipeline.
    BuildPipeline {
        /// The dataset.
        dataset: String,
    },
    /// A pipeline has never run, or has changed since.
    RunPipeline {
        /// The pipeline.
        pipeline: String,
    },
    /// A run trained models nobody has promoted.
    Promote {
        /// The model.
        model: String,
        /// The version.
        version: u32,
    },
    /// A promoted model answers nobody.
    Deploy {
        /// The model.
        model: String,
        /// The version.
        version: u32,
    },
    /// Everything runs; have a look at the monitor.
    Watch {
        /// The deployment.
        deployment: String,
    },
}

/// An entry of the audit log.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// Its number.
    pub id: i64,
    /// When, ms since the epoch.
    pub at: i64,
    /// What was done, such as `model.promote`.
    pub action: String,
    /// To what, in a sentence.
    pub subject: String,
}

/// Asks for the audit log, newest first.
#[derive(Debug, Clone, Default, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuditList {
    /// Only entries before this number.
    #[serde(default)]
    pub before: Option<i64>,
    /// Entries wanted; 100 if left out, 1,000 at most.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// The settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Settings {
    /// `system`, `light` or `dark`.
    pub theme: String,
    /// Size of everything on screen, per cent, 80 to 150.
    pub zoom_pct: u32,
    /// True to leave the daemon running when the last window closes.
    pub keep_running: bool,
    /// True to show a desktop notification for alerts and finished jobs.
    pub notify: bool,
    /// Largest size of the cache, bytes.
    pub cache_limit_bytes: u64,
    /// Threads for a run; 0 for as many as the machine has.
    pub threads: u32,
    /// True once the user has seen Welcome.
    pub is_welcomed: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: "system".to_owned(),
            zoom_pct: 100,
            keep_running: false,
            notify: true,
            cache_limit_bytes: 20_000_000_000,
            threads: 0,
            is_welcomed: false,
        }
    }
}

pub(super) fn info(engine: &Engine, _request: Nothing) -> Result<WorkspaceInfo> {
    let sizes = engine.sizes()?;
    Ok(WorkspaceInfo {
        root: engine.store().root().display().to_string(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        index_bytes: sizes.index_bytes,
        objects_bytes: sizes.objects_bytes,
        cache_bytes: sizes.cache_bytes,
        current_project: engine.current_slug()?,
    })
}

fn title(kind: &'static str, title: &str) -> Title<'static> {
    Title { kind, title: title.to_owned(), subject: json!({}) }
}

pub(super) fn check(engine: &Engine, request: WorkspaceCheck) -> Result<JobRef> {
    let job = engine
        .start_job(&title("workspace.check", "Checking the workspace"), move |engine, progress| {
            reply(engine.check(request.full, progress)?)
        })?;
    Ok(job.into())
}

pub(super) fn gc(engine: &Engine, request: WorkspaceGc) -> Result<JobRef> {
    let job = engine.start_job(&title("workspace.gc", "Freeing space"), move |engine, progress| {
        reply(engine.gc(request.dry_run, progress)?)
    })?;
    Ok(job.into())
}

pub(super) fn settings(engine: &Engine, _request: Nothing) -> Result<Settings> {
    engine.settings()
}

pub(super) fn set_settings(engine: &Engine, request: Settings) -> Result<()> {
    engine.set_settings(&request)
}

pub(super) fn audit(engine: &Engine, request: AuditList) -> Result<Vec<AuditEntry>> {
    let limit = request.limit.unwrap_or(100).min(1000);
    let page = match request.before {
        Some(before) => {
            let newest = engine.store().read(store::audit::count)? as i64;
            Page::new(u32::try_from((newest - before + 1).max(0)).unwrap_or(0), limit)
        }
        None => Page::new(0, limit),
    };
    let entries = engine.store().read(|db| store::audit::list(db, page))?;
    let view = |entry: store::AuditEntry| AuditEntry {
        id: entry.id,
        at: entry.at.as_ms(),
        action: entry.action,
        subject: entry.subject,
    };
    Ok(entries.into_iter().map(view).collect())
}

pub(super) fn open_sample(engine: &Engine, _request: Nothing) -> Result<JobRef> {
    let title = title("sample.open", "Opening the sample");
    Ok(engine.start_job(&title, |engine, progress: &Progress| engine.make_sample(progress))?.into())
}

pub(super) fn projects(engine: &Engine, _request: Nothing) -> Result<Vec<ProjectSummary>> {
    let projects = engine.store().read(store::projects::list)?;
    projects.iter().map(|project| engine.project_summary(project)).collect()
}

pub(super) fn new_project(engine: &Engine, request: ProjectNew) -> Result<ProjectSummary> {
    engine.project_summary(&engine.new_project(&request.name)?)
}

pub(super) fn open_project(engine: &Engine, request: ProjectOpen) -> Result<ProjectSummary> {
    engine.project_summary(&engine.open_project(&request.project)?)
}

pub(super) fn status(engine: &Engine, request: InProject) -> Result<ProjectStatus> {
    engine.project_status(&engine.project(request.project.as_deref())?)
}

pub(super) fn home(engine: &Engine, request: InProject) -> Result<HomeView> {
    let project = engine.project(request.project.as_deref())?;
    let runs = super::runs::list(
        engine,
        RunList { project: Some(project.slug.clone()), limit: Some(8), ..RunList::default() },
    )?;
    let here = || InProject { project: Some(project.slug.clone()) };
    let deployments = super::deployments::list(engine, here())?;
    let alerts = engine.alerts(None)?.into_iter().filter(|alert| !alert.is_acknowledged);
    Ok(HomeView {
        next: engine.next_step(&project, &deployments)?,
        runs: runs.runs,
        deployments,
        alerts: alerts.collect(),
        audit: audit(engine, AuditList { before: None, limit: Some(12) })?,
    })
}
