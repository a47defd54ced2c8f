//! Where models can go. A target is a file here and a line in [`TARGETS`].

mod local;

use std::path::{Path, PathBuf};

use base::{Error, Result};
use serde::{Deserialize, Serialize};

pub(crate) use local::infer;

/// Every target, the nearest first.
pub(crate) const TARGETS: &[&dyn Target] = &[&local::ThisComputer];

/// What is said about a target.
pub(crate) struct Declaration {
    /// Its name in commands.
    pub(crate) kind: &'static str,
    /// Its name for people.
    pub(crate) title: &'static str,
    /// One sentence.
    pub(crate) summary: &'static str,
}

/// What is to be brought up.
pub(crate) struct Plan<'a> {
    /// The package's folder.
    pub(crate) package: &'a Path,
    /// The deployment's own folder: token, logs.
    pub(crate) folder: &'a Path,
    /// The name under which the endpoint serves the model.
    pub(crate) model: &'a str,
    /// The version's number.
    pub(crate) version: u32,
    /// The port; a free one if none.
    pub(crate) port: Option<u16>,
    /// Names this one process, so that it can be told from another that took its port.
    pub(crate) instance: &'a str,
    /// True to record requests for the monitor; a trial run must not.
    pub(crate) records: bool,
}

/// Something that serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Endpoint {
    /// Its process.
    pub(crate) pid: u32,
    /// When the process started, in units of the system.
    pub(crate) process_started: Option<i64>,
    /// Its port.
    pub(crate) port: u16,
    /// Names this one process.
    pub(crate) instance: String,
}

/// Where a model can go.
pub(crate) trait Target: Sync {
    /// What is said about it.
    fn declaration(&self) -> Declaration;
    /// Why it cannot be used here, if so.
    fn unavailable(&self) -> Option<String>;
    /// Brings a package up and waits until it is ready.
    fn start(&self, plan: &Plan) -> Result<Endpoint>;
    /// Stops an endpoint; one that is gone already is no failure.
    fn stop(&self, endpoint: &Endpoint, folder: &Path) -> Result<()>;
    /// Stops every process of a deployment but the one that is to stay: what an owner that died in
    /// the middle of a deployment left behind.
    fn sweep(&self, folder: &Path, stays: Option<&Endpoint>);
    /// True if the endpoint answers and is the one that was started.
    fn is_up(&self, endpoint: &Endpoint, folder: &Path) -> bool;
    /// Memory of its process, bytes, where the system says.
    fn memory_bytes(&self, endpoint: &Endpoint) -> Option<u64>;
    /// Its address.
    fn url(&self, port: u16) -> String;
}

/// The target of this name.
pub(crate) fn find(kind: &str) -> Result<&'static dyn Target> {
    TARGETS.iter().copied().find(|target| target.declaration().kind == kind).ok_or_else(|| {
        let kinds: Vec<&str> = TARGETS.iter().map(|target| target.declaration().kind).collect();
        Error::not_found(format!("there is no target `{}`", kind.escape_debug()))
            .hint(format!("choose one of {}", kinds.join(", ")))
    })
}

/// Where the token of a deployment is.
pub(crate) fn token_file(folder: &Path) -> PathBuf {
    folder.join("token")
}

/// Where the requests of a deployment are recorded.
pub(crate) fn requests_dir(folder: &Path) -> PathBuf {
    folder.join("requests")
}

/// Where the processes of a deployment are remembered, one file each.
pub(crate) fn processes_dir(folder: &Path) -> PathBuf {
    folder.join("processes")
}

/// Where a deployment's own log is.
pub(crate) fn log_file(folder: &Path) -> PathBuf {
    folder.join("server.log")
}
