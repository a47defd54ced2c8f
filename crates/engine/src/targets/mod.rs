//! Where models can go. A target is a file here and a line in [`TARGETS`]: it declares its parameters,
//! from which the form, the command line and the manual are made, and says how a package is put there.
//!
//! Every target goes the same way, which `deploy.rs` drives: plan, build, apply beside what serves,
//! golden rows, switch, golden rows again; and if anything of it fails, what served before goes on.

mod batch;
mod bundle;
mod clouds;
mod gate;
mod http;
mod image;
mod kubernetes;
mod local;
mod login_item;
mod process;
mod program;
mod ssh;

use std::path::{Path, PathBuf};

use base::{Code, Error, Progress, Result};
use schemars::JsonSchema;
use score::Package;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use batch::{KIND as BATCH, Params as BatchParams};
pub(crate) use gate::{Answers, Probe};
pub(crate) use http::{infer, path as infer_path};
pub(crate) use process::{memory_bytes, url as process_url};

/// Every target, the nearest first.
pub(crate) const TARGETS: &[&dyn AnyTarget] = &[
    &local::ThisComputer,
    &bundle::Bundle,
    &image::Image,
    &ssh::OverSsh,
    &kubernetes::Kubernetes,
    &clouds::Cloud,
    &batch::Batch,
];

/// The parameter by which targets let only a share of the callers have a version.
pub(crate) const ROLLOUT: &str = "rollout";

/// What is said about a target.
pub(crate) struct Declaration {
    /// Its name in commands.
    pub(crate) kind: &'static str,
    /// Its name for people.
    pub(crate) title: &'static str,
    /// One sentence.
    pub(crate) summary: &'static str,
    /// More, as Markdown.
    pub(crate) doc: &'static str,
    /// True if it can be stopped and started again.
    pub(crate) runs: bool,
    /// True if it takes the network to see how it is; then it is not asked whenever a list is shown.
    pub(crate) is_remote: bool,
}

/// A deployment as its target knows it.
#[derive(Clone, Copy)]
pub(crate) struct Site<'a> {
    /// The deployment's own folder: packages, token, logs.
    pub(crate) folder: &'a Path,
    /// The deployment's name.
    pub(crate) deployment: &'a str,
    /// The name under which the model is served.
    pub(crate) model: &'a str,
    /// What callers must send.
    pub(crate) token: &'a str,
}

/// A revision on its way.
#[derive(Clone, Copy)]
pub(crate) struct Work<'a> {
    /// The deployment.
    pub(crate) site: Site<'a>,
    /// The package's folder; it lies in the deployment's folder.
    pub(crate) package: &'a Path,
    /// The version's number.
    pub(crate) version: u32,
    /// The revision's number.
    pub(crate) revision: u32,
    /// The port to answer at, if the caller wishes one.
    pub(crate) port: Option<u16>,
    /// Names a process, so that it can be told from another that took its port.
    pub(crate) instance: &'a str,
    /// What serves now.
    pub(crate) before: Option<&'a Placed>,
    /// What served last, also if it is stopped.
    pub(crate) last: Option<&'a Placed>,
    /// Where it says how far it is and learns that it should stop.
    pub(crate) progress: &'a Progress,
}

/// A revision where it was put. It is kept as `revision-<n>.json` in the deployment's folder.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Placed {
    /// The revision.
    pub(crate) revision: u32,
    /// The version that it serves.
    pub(crate) version: u32,
    /// What the target was told.
    pub(crate) params: Map<String, Value>,
    /// Where callers reach it.
    pub(crate) url: Option<String>,
    /// Where it is, for people: a file, an image, a folder of another machine.
    pub(crate) place: Option<String>,
    /// What names its bytes beyond doubt.
    pub(crate) digest: Option<String>,
    /// Its process, if it runs here.
    pub(crate) process: Option<Endpoint>,
    /// What else its target has to know to find it again.
    pub(crate) state: Map<String, Value>,
    /// Files that were made outside the deployment's folder.
    pub(crate) files: Vec<PathBuf>,
}

/// A process of this computer that serves.
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

/// A target with parameters of its own type. Implement this; [`AnyTarget`] follows.
pub(crate) trait Target: Sync {
    /// The parameters: a default for each, docs that become the form's. Secrets do not belong here:
    /// parameters are recorded.
    type Params: Serialize + DeserializeOwned + JsonSchema + Default;

    /// What is said about it.
    fn declaration(&self) -> Declaration;

    /// Why it cannot be used here, if so.
    fn unavailable(&self) -> Option<String> {
        None
    }

    /// What is going to be done, a sentence each. Nothing is changed, and parameters that do not fit
    /// together are refused.
    fn plan(&self, params: &Self::Params, work: &Work) -> Result<Vec<String>>;

    /// Makes the files, in the revision's folder.
    fn build(&self, params: &Self::Params, work: &Work) -> Result<Placed>;

    /// Brings them where they go, beside what serves, which stays as it is.
    fn apply(&self, params: &Self::Params, work: &Work, placed: &mut Placed) -> Result<()>;

    /// Asks the revision for the rows of the gate, before it is switched to and after.
    fn probe(&self, params: &Self::Params, work: &Work, placed: &Placed, rows: &Probe) -> Result<Answers>;

    /// Makes it what callers get.
    fn switch(&self, params: &Self::Params, work: &Work, placed: &mut Placed) -> Result<()>;

    /// Takes a revision back that did not pass: what served before serves again, and is given back if
    /// it now has another process.
    fn withdraw(&self, params: &Self::Params, work: &Work, placed: &Placed) -> Result<Option<Placed>>;

    /// True if it is there and as it was left.
    fn is_up(&self, params: &Self::Params, site: &Site, placed: &Placed) -> bool;

    /// The newest part of its log.
    fn log(&self, params: &Self::Params, site: &Site, placed: &Placed) -> Result<String>;

    /// Stops it; one that is gone already is no failure.
    fn stop(&self, _params: &Self::Params, _site: &Site, _placed: &Placed) -> Result<()> {
        let title = self.declaration().title;
        Err(Error::new(Code::Conflict, format!("`{title}` does not run by itself, so it cannot be stopped"))
            .hint("remove the deployment instead"))
    }

    /// Takes away whatever was put elsewhere; the deployment's own folder goes afterwards.
    fn remove(&self, params: &Self::Params, site: &Site, placed: &Placed) -> Result<()>;
}

/// A [`Target`] without its parameter type, as the list of targets holds it. What it does with a
/// revision that is there, it does by the parameters it was put there with.
pub(crate) trait AnyTarget: Sync {
    fn declaration(&self) -> Declaration;
    fn unavailable(&self) -> Option<String>;
    /// JSON Schema of its parameters.
    fn params_schema(&self) -> Value;
    /// The parameters as they are if nobody changes them.
    fn defaults(&self) -> Value;
    /// The given parameters with defaults filled in.
    fn complete(&self, params: &Map<String, Value>) -> Result<Map<String, Value>>;
    fn plan(&self, params: &Map<String, Value>, work: &Work) -> Result<Vec<String>>;
    fn build(&self, params: &Map<String, Value>, work: &Work) -> Result<Placed>;
    fn apply(&self, work: &Work, placed: &mut Placed) -> Result<()>;
    fn probe(&self, work: &Work, placed: &Placed, rows: &Probe) -> Result<Answers>;
    fn switch(&self, work: &Work, placed: &mut Placed) -> Result<()>;
    fn withdraw(&self, work: &Work, placed: &Placed) -> Result<Option<Placed>>;
    fn is_up(&self, site: &Site, placed: &Placed) -> bool;
    fn log(&self, site: &Site, placed: &Placed) -> Result<String>;
    fn stop(&self, site: &Site, placed: &Placed) -> Result<()>;
    fn remove(&self, site: &Site, placed: &Placed) -> Result<()>;
}

impl<T: Target> AnyTarget for T {
    fn declaration(&self) -> Declaration {
        Target::declaration(self)
    }

    fn unavailable(&self) -> Option<String> {
        Target::unavailable(self)
    }

    fn params_schema(&self) -> Value {
        schemars::schema_for!(T::Params).to_value()
    }

    fn defaults(&self) -> Value {
        serde_json::to_value(T::Params::default()).expect("parameters are plain data")
    }

    fn complete(&self, params: &Map<String, Value>) -> Result<Map<String, Value>> {
        match serde_json::to_value(read::<T>(params)?) {
            Ok(Value::Object(complete)) => Ok(complete),
            _ => Err(Error::internal("parameters are not an object")),
        }
    }

    fn plan(&self, params: &Map<String, Value>, work: &Work) -> Result<Vec<String>> {
        Target::plan(self, &read::<T>(params)?, work)
    }

    fn build(&self, params: &Map<String, Value>, work: &Work) -> Result<Placed> {
        let built = Target::build(self, &read::<T>(params)?, work)?;
        Ok(Placed { revision: work.revision, version: work.version, params: params.clone(), ..built })
    }

    fn apply(&self, work: &Work, placed: &mut Placed) -> Result<()> {
        Target::apply(self, &read::<T>(&placed.params)?, work, placed)
    }

    fn probe(&self, work: &Work, placed: &Placed, rows: &Probe) -> Result<Answers> {
        Target::probe(self, &read::<T>(&placed.params)?, work, placed, rows)
    }

    fn switch(&self, work: &Work, placed: &mut Placed) -> Result<()> {
        Target::switch(self, &read::<T>(&placed.params)?, work, placed)
    }

    fn withdraw(&self, work: &Work, placed: &Placed) -> Result<Option<Placed>> {
        Target::withdraw(self, &read::<T>(&placed.params)?, work, placed)
    }

    fn is_up(&self, site: &Site, placed: &Placed) -> bool {
        // Parameters that a newer Fettle wrote may not read; then nothing is known of it.
        read::<T>(&placed.params).is_ok_and(|params| Target::is_up(self, &params, site, placed))
    }

    fn log(&self, site: &Site, placed: &Placed) -> Result<String> {
        Target::log(self, &read::<T>(&placed.params)?, site, placed)
    }

    fn stop(&self, site: &Site, placed: &Placed) -> Result<()> {
        Target::stop(self, &read::<T>(&placed.params)?, site, placed)
    }

    fn remove(&self, site: &Site, placed: &Placed) -> Result<()> {
        Target::remove(self, &read::<T>(&placed.params)?, site, placed)
    }
}

fn read<T: Target>(params: &Map<String, Value>) -> Result<T::Params> {
    flow::kind::read_params(params).map_err(|misfit| {
        let hint = misfit.error.hint.filter(|hint| hint.starts_with("did you mean"));
        let hint = hint.unwrap_or_else(|| "`fettle target show` lists the parameters of a target".to_owned());
        Error { hint: Some(hint), ..misfit.error }
    })
}

impl Site<'_> {
    /// Where what a revision is made of is built.
    pub(crate) fn built_dir(&self, revision: u32) -> PathBuf {
        self.folder.join(format!("built-{revision}"))
    }
}

impl Work<'_> {
    /// The package, loaded.
    pub(crate) fn load(&self) -> Result<Package> {
        Package::load(self.package)
    }

    /// An empty folder to build in, inside the deployment's own.
    pub(crate) fn fresh_dir(&self) -> Result<PathBuf> {
        let folder = self.site.built_dir(self.revision);
        remove_dir(&folder)?;
        store::files::create_private_dir(&folder)?;
        Ok(folder)
    }
}

impl Placed {
    fn path(folder: &Path, revision: u32) -> PathBuf {
        folder.join(format!("revision-{revision}.json"))
    }

    /// Writes down where a revision was put.
    pub(crate) fn save(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_vec_pretty(self)
            .map_err(|e| Error::internal("cannot write a revision").because(e))?;
        store::files::write_atomic(&Self::path(folder, self.revision), &text)
    }

    /// Where a revision was put, if that was written down.
    pub(crate) fn load(folder: &Path, revision: u32) -> Result<Option<Self>> {
        let path = Self::path(folder, revision);
        match std::fs::read(&path) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text).map_err(|e| {
                Error::new(Code::Corrupt, format!("cannot read `{}`", path.display())).because(e)
            })?)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::io("read", &path, &e)),
        }
    }
}

/// The target of this name.
pub(crate) fn find(kind: &str) -> Result<&'static dyn AnyTarget> {
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

/// Where a deployment's own log is.
pub(crate) fn log_file(folder: &Path) -> PathBuf {
    folder.join("server.log")
}

/// The newest part of a file; nothing if it is not there.
pub(crate) fn tail(path: &Path) -> Result<String> {
    const MOST_BYTES: usize = 256 * 1024;
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(e) => return Err(Error::io("read", path, &e)),
    };
    let from = bytes.len().saturating_sub(MOST_BYTES);
    Ok(String::from_utf8_lossy(&bytes[from..]).into_owned())
}

/// Refuses to move a deployment: what serves at the old place would be forgotten there.
pub(crate) fn stays(work: &Work, params: &impl Serialize, names: &[&str]) -> Result<()> {
    let Some(before) = work.before else { return Ok(()) };
    let next = serde_json::to_value(params).unwrap_or_default();
    match names.iter().find(|name| before.params.get(**name).unwrap_or(&Value::Null) != &next[**name]) {
        None => Ok(()),
        Some(name) => {
            Err(Error::new(Code::Conflict, format!("`{}` cannot change its `{name}`", work.site.deployment))
                .hint("give the new one another name, and remove this one when it is no longer needed"))
        }
    }
}

/// A folder that a parameter names. What is relative would mean another one to each process.
pub(crate) fn absolute(name: &str, folder: Option<&Path>) -> Result<()> {
    match folder.filter(|folder| !folder.is_absolute()) {
        None => Ok(()),
        Some(folder) => Err(Error::invalid(format!("`{name}` cannot be `{}`", folder.display()))
            .hint("write the folder out from the root of the disk")),
    }
}

/// Removes a folder; one that is gone already is fine.
pub(crate) fn remove_dir(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", path, &e)),
        _ => Ok(()),
    }
}

/// Removes a file; one that is gone already is fine.
pub(crate) fn remove_file(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", path, &e)),
        _ => Ok(()),
    }
}
