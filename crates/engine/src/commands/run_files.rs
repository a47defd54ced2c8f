//! The files that a script logged to a run: folder by folder, one file's bytes, and out to the disk.

use std::path::{Path, PathBuf};

use base::{Code, Error, Progress, Result, RunId};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::tracking::artifacts::{self, StoredFile};
use store::tracking::script_runs;
use store::{Tree, TreeEntry};
use ts_rs::TS;

use super::jobs::JobRef;
use super::sources::FileBytes;
use crate::Engine;
use crate::jobs::Title;

/// More is not handed to a window, which holds it several times over.
const MOST_SHOWN_BYTES: u64 = 16 << 20;

/// A folder of files of a run.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunFiles {
    /// The run's id, or `#` and its number.
    pub run: String,
    /// The folder's path in the run; the folder of all without one.
    #[serde(default)]
    #[ts(optional)]
    pub folder: Option<String>,
}

/// A file or a folder in a folder of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunFileView {
    /// Its name.
    pub name: String,
    /// Its path in the run.
    pub path: String,
    /// Its size; null for a folder.
    pub size_bytes: Option<u64>,
}

/// A file of a run.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunFilePick {
    /// The run's id, or `#` and its number.
    pub run: String,
    /// The file's path in the run.
    pub path: String,
}

/// Writes a file or a folder of a run to the disk.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunFileSave {
    /// The run's id, or `#` and its number.
    pub run: String,
    /// The path in the run of a file or folder; all files without one.
    #[serde(default)]
    #[ts(optional)]
    pub path: Option<String>,
    /// Where to: a path at which nothing is yet.
    pub to: String,
}

pub(super) fn list(engine: &Engine, request: RunFiles) -> Result<Vec<RunFileView>> {
    let run = engine.run(&request.run)?.id;
    let folder = request.folder.as_deref().unwrap_or_default();
    let Some(place) = engine.place_in_run(&run, folder)? else { return Ok(Vec::new()) };
    let found = engine.store().read(|db| artifacts::list(db, &place))?;
    if found.is_empty() && !folder.is_empty() {
        return Err(missing("folder", folder));
    }
    let within = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let view = |one: artifacts::Listed| RunFileView {
        path: format!("{within}{}", one.name),
        name: one.name,
        size_bytes: one.size_bytes,
    };
    let mut found: Vec<RunFileView> = found.into_iter().map(view).collect();
    // As everywhere on a desktop: folders first.
    found.sort_by_key(|one| one.size_bytes.is_some());
    Ok(found)
}

pub(super) fn show(engine: &Engine, request: RunFilePick) -> Result<FileBytes> {
    let run = engine.run(&request.run)?.id;
    let file = engine.file_of_run(&run, &request.path)?;
    let file = file.ok_or_else(|| missing("file", &request.path))?;
    let is_small = file.size_bytes <= MOST_SHOWN_BYTES;
    let bytes = is_small.then(|| engine.store().objects().read(&file.digest)).transpose()?;
    Ok(FileBytes { size_bytes: file.size_bytes, base64: bytes.map(|bytes| STANDARD.encode(bytes)) })
}

pub(super) fn save(engine: &Engine, request: RunFileSave) -> Result<JobRef> {
    let run = engine.run(&request.run)?;
    let path = request.path.unwrap_or_default();
    let to = PathBuf::from(&request.to);
    if to.exists() {
        return Err(Error::new(Code::AlreadyExists, format!("`{}` is there already", to.display()))
            .hint("choose another name"));
    }
    let what = if path.is_empty() { "all files".to_owned() } else { format!("`{path}`") };
    let subject = json!({ "run": run.id, "path": path });
    let title =
        Title { kind: "run.save_file", title: format!("Saving {what} of run {}", run.number), subject };
    let job = engine.start_job(&title, move |engine, progress| {
        let files = engine.save_of_run(&run.id, &path, &to, progress)?;
        Ok(json!({ "path": to, "files": files }))
    })?;
    Ok(job.into())
}

fn missing(what: &str, path: &str) -> Error {
    Error::not_found(format!("the run has no {what} `{}`", path.escape_debug()))
        .hint("list what it has with `fettle run files RUN`")
}

impl Engine {
    /// Where a path in a run is among all files; `None` for a run that is no script's, or whose files
    /// somebody else keeps.
    pub(crate) fn place_in_run(&self, run: &RunId, path: &str) -> Result<Option<String>> {
        if !path.is_empty() && !artifacts::is_plain(path) {
            return Err(Error::invalid(format!("`{}` is no path of a file", path.escape_debug()))
                .hint("use plain names with `/` between them"));
        }
        let found = self.store().read(|db| script_runs::find(db, run))?;
        let root = found.as_ref().and_then(|run| artifacts::path_of(&run.artifact_uri));
        Ok(root.map(|root| if path.is_empty() { root.to_owned() } else { format!("{root}/{path}") }))
    }

    /// A file of a run; `None` if it has none there.
    pub(crate) fn file_of_run(&self, run: &RunId, path: &str) -> Result<Option<StoredFile>> {
        let Some(place) = self.place_in_run(run, path)? else { return Ok(None) };
        self.store().read(|db| artifacts::find(db, &place))
    }

    /// Writes a file or a folder, and says how many files that were.
    fn save_of_run(&self, run: &RunId, path: &str, to: &Path, progress: &Progress) -> Result<usize> {
        let objects = self.store().objects();
        if let Some(file) = self.file_of_run(run, path)? {
            objects.get_file(&file.digest, to)?;
            return Ok(1);
        }
        let place = self.place_in_run(run, path)?.ok_or_else(|| missing("file", path))?;
        let entries: Vec<TreeEntry> = self.store().read(|db| artifacts::tree(db, &place))?;
        if entries.is_empty() {
            return Err(missing("file or folder", path));
        }
        let files = entries.len();
        let tree = objects.put_tree_list(&Tree { entries })?;
        objects.get_tree_of(&tree, to, &|_| true, progress)?;
        Ok(files)
    }
}
