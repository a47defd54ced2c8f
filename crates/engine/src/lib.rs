//! Every command of Fettle behind one API. An [`Engine`] owns a workspace: it runs commands, jobs
//! and monitors, keeps endpoints, and tells whoever listens what changed. The window, the command
//! line and HTTP call the same commands; none holds logic of its own.

mod adding;
mod alerting;
mod artifacts;
mod backtest;
mod code_diffs;
pub mod commands;
mod components;
pub mod connections;
mod curve_levels;
mod curve_views;
mod datasets;
mod deploy;
pub mod events;
mod exporting;
mod following;
mod importing;
mod jobs;
pub mod judging;
mod ledger;
mod lineage;
mod links;
mod mlflow_stores;
mod models;
mod monitor;
mod owner;
mod pipelines;
mod projects;
mod quality;
pub mod reading;
mod recorder;
mod retraining;
pub mod rpc;
mod run_report;
mod run_tables;
mod run_views;
mod running;
mod runs_beside;
pub mod sample;
mod scoring;
mod script_views;

mod sources;
mod step_views;
mod sweeping;
mod taking_in;
mod targets;
mod tracking;
mod triggering;
mod views;
mod watch;
mod workspace;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base::{Clock, Error, Progress, Result};
use serde_json::{Value, json};
use store::{Access, ChangeFeed, Store};

use crate::events::Event;
use crate::jobs::Jobs;
use crate::rpc::Topic;

pub use owner::{DaemonAddress, daemon_of};

type Listener = Box<dyn Fn(&Event) + Send + Sync>;

/// A workspace with everything that works in it. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

pub(crate) struct Inner {
    store: Store,
    jobs: Jobs,
    listeners: Mutex<Vec<Listener>>,
    curves: running::LiveCurves,
    levels: curve_views::KeptLevels,
    program: PathBuf,
    views: views::Recent<views::Look, data::view::View>,
    diffs: views::Recent<views::Compared, data::diff::Diff>,
    /// Held while a repository is opened, which is when it is begun.
    repositories: Mutex<()>,
    tracking: tracking::Ready,
}

/// The workspace of this user: FETTLE_WORKSPACE, or a folder where the system keeps such things.
///
/// # Errors
/// [`base::Code::Unavailable`] if the system names no home folder.
pub fn default_workspace() -> Result<PathBuf> {
    if let Some(folder) = std::env::var_os("FETTLE_WORKSPACE").filter(|folder| !folder.is_empty()) {
        return std::path::absolute(&folder).map_err(|e| Error::io("find", Path::new(&folder), &e));
    }
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        variable("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        variable("XDG_DATA_HOME").or_else(|| variable("HOME").map(|home| home.join(".local/share")))
    };
    base.map(|base| base.join("fettle")).ok_or_else(|| {
        Error::new(base::Code::Unavailable, "cannot tell where this user's files go")
            .hint("name a folder with `--workspace` or FETTLE_WORKSPACE")
    })
}

/// Rebuilds the index of a workspace that nobody owns, from what lies beside it.
///
/// # Errors
/// [`base::Code::Locked`] if somebody owns it.
pub fn repair(folder: &Path) -> Result<Value> {
    let report = Store::repair(folder, Clock::system(), &Progress::silent())?;
    Ok(json!({
        "manifests": report.manifests,
        "salvagedRows": report.salvaged_rows,
        "adoptedProjects": report.adopted_projects,
        "damagedObjects": report.damaged_objects,
        "troubles": report.troubles,
    }))
}

impl Engine {
    /// Makes a workspace in an empty or missing folder and owns it.
    ///
    /// # Errors
    /// The folder holds something else, or cannot be written.
    pub fn create(folder: &Path) -> Result<Self> {
        Self::over(Store::create(folder, Clock::system())?)
    }

    /// Owns the workspace in a folder.
    ///
    /// # Errors
    /// [`base::Code::NotFound`] if there is none, [`base::Code::Locked`] if another process has it.
    pub fn open(folder: &Path) -> Result<Self> {
        Self::over(Store::open(folder, Access::Owner, Clock::system())?)
    }

    /// Owns the workspace in a folder, and makes one if there is none.
    ///
    /// # Errors
    /// As [`Engine::create`] and [`Engine::open`].
    pub fn open_or_create(folder: &Path) -> Result<Self> {
        Self::over(Store::open_or_create(folder, Access::Owner, Clock::system())?)
    }

    /// As [`Engine::create`], with a clock and a program for its steps that are handed in: for tests
    /// that move the time by hand.
    ///
    /// # Errors
    /// As [`Engine::create`].
    pub fn create_with(folder: &Path, clock: Clock, program: PathBuf) -> Result<Self> {
        Ok(Self::assemble(Store::create(folder, clock)?, program))
    }

    fn over(opened: (Store, ChangeFeed)) -> Result<Self> {
        let program = match std::env::var_os("FETTLE_BIN") {
            Some(program) => PathBuf::from(program),
            None => {
                std::env::current_exe().map_err(|e| Error::internal("cannot find this program").because(e))?
            }
        };
        Ok(Self::assemble(opened, program))
    }

    fn assemble((store, feed): (Store, ChangeFeed), program: PathBuf) -> Self {
        let engine = Self(Arc::new(Inner {
            store,
            jobs: Jobs::default(),
            listeners: Mutex::default(),
            curves: running::LiveCurves::default(),
            levels: curve_views::KeptLevels::default(),
            program,
            views: views::Recent::default(),
            diffs: views::Recent::default(),
            repositories: Mutex::default(),
            tracking: tracking::Ready::default(),
        }));
        engine.forward(feed);
        engine
    }

    /// Runs a command of the list.
    ///
    /// # Errors
    /// An unknown name, a request that does not fit, and whatever the command refuses.
    pub fn dispatch(&self, name: &str, request: Value) -> Result<Value> {
        commands::dispatch(self, name, request)
    }

    /// Calls `listener` for every event from now on. It must not block.
    pub fn on_event(&self, listener: impl Fn(&Event) + Send + Sync + 'static) {
        self.0.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(listener));
    }

    /// True while a job runs.
    pub fn is_busy(&self) -> bool {
        self.0.jobs.is_busy()
    }

    /// True if the user wants the daemon to stay when nobody listens.
    pub fn keeps_running(&self) -> bool {
        // A workspace that cannot be read gives no reason to stay.
        self.settings().is_ok_and(|settings| settings.keep_running)
    }

    /// Cancels every job and waits a moment for their end.
    pub fn stop(&self) {
        self.0.jobs.cancel_all();
        let started = std::time::Instant::now();
        while self.is_busy() && started.elapsed() < Duration::from_secs(3) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The workspace on disk, for what only translates between it and a protocol.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// This program, which runs steps and readers in processes of their own.
    pub(crate) fn program(&self) -> &Path {
        &self.0.program
    }

    pub(crate) fn recent_views(&self) -> &views::Recent<views::Look, data::view::View> {
        &self.0.views
    }

    pub(crate) fn recent_diffs(&self) -> &views::Recent<views::Compared, data::diff::Diff> {
        &self.0.diffs
    }

    pub(crate) fn repositories(&self) -> std::sync::MutexGuard<'_, ()> {
        self.0.repositories.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn curves(&self) -> &running::LiveCurves {
        &self.0.curves
    }

    pub(crate) fn levels(&self) -> &curve_views::KeptLevels {
        &self.0.levels
    }

    pub(crate) fn emit(&self, event: &Event) {
        for listener in self.0.listeners.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            listener(event);
        }
    }

    /// Passes on what the store announces, a tenth of a second of it at a time, until the engine
    /// is gone.
    fn forward(&self, feed: ChangeFeed) {
        let inner = Arc::downgrade(&self.0);
        std::thread::spawn(move || {
            while let Some(topics) = feed.wait(Duration::from_millis(500)) {
                let Some(inner) = inner.upgrade() else { return };
                if !topics.is_empty() {
                    Self(inner)
                        .emit(&Event::Changed { topics: topics.into_iter().map(Topic::from).collect() });
                    std::thread::sleep(Duration::from_millis(100));
                }
            }
        });
    }
}
