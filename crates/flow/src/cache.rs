//! When a step's result can be used again: a key over everything the result depends on. What changed
//! when there is none is [`crate::explain`]'s matter.
//!
//! The key is the BLAKE3 hash of the kind, its version, every parameter and the content of every
//! input. Inputs count by content, not by the key of the step before, so a step that comes to the
//! same result as before stops the rerun there. Time, machine and thread count do not count:
//! results do not depend on them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use base::{Code, Error, Result};
use serde::{Deserialize, Serialize};

use crate::explain::Facts;
use crate::graph::Node;
use crate::kind::{Outcome, SourceTable};
use crate::settle;

/// What a result depends on, by name: `kind`, `version`, `param.trees`, `input.table.0`,
/// `source` ….
pub type Components = BTreeMap<String, String>;

/// A result that was kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Hash of the components.
    pub key: String,
    /// What the result depends on.
    pub components: Components,
    /// Content by output port.
    pub outputs: BTreeMap<String, Artifact>,
    /// What else the step came to.
    pub outcome: Outcome,
    /// How long it took, ms.
    pub duration_ms: u64,
}

/// The content of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// BLAKE3 over the names and bytes of its files.
    pub content: String,
    /// Bytes of its files.
    pub bytes: u64,
}

/// What a step of a pipeline depended on when it last came to a result.
#[derive(Debug, Clone, PartialEq)]
pub struct Use {
    /// The key of the result.
    pub key: String,
    /// What it depended on.
    pub components: Components,
    /// What is worth knowing beside that.
    pub facts: Facts,
    /// The run, if it is known.
    pub run: Option<String>,
    /// When, in ms since 1970.
    pub at_ms: i64,
}

/// Remembers which results were kept. The engine keeps it in the index, tests in memory.
pub trait Ledger: Sync {
    /// The entry with this key.
    ///
    /// # Errors
    /// The index cannot be read.
    fn find(&self, key: &str) -> Result<Option<Entry>>;

    /// What a step of this pipeline depended on when it last came to a result.
    ///
    /// # Errors
    /// The index cannot be read.
    fn last(&self, pipeline: &str, step: &str) -> Result<Option<Use>>;

    /// Remembers that these steps of this pipeline made or used these entries just now, all or none.
    ///
    /// # Errors
    /// The index cannot be written.
    fn put(&self, pipeline: &str, kept: &[Kept<'_>]) -> Result<()>;
}

/// A result that a step made or used.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'a> {
    /// The step.
    pub step: &'a str,
    /// The result.
    pub entry: &'a Entry,
    /// What is worth knowing beside what it depends on.
    pub facts: &'a Facts,
}

/// Everything the result of a step depends on. `inputs` has the content of each wire.
///
/// # Errors
/// A parameter that does not fit.
pub fn components(
    node: &Node,
    inputs: &BTreeMap<String, Vec<String>>,
    source: Option<&SourceTable>,
) -> Result<Components> {
    let mut all = Components::new();
    all.insert("kind".to_owned(), node.declaration.kind.to_owned());
    all.insert("version".to_owned(), node.declaration.version.to_string());
    for (name, value) in node.kind.complete(&node.step.params).map_err(|misfit| misfit.error)? {
        all.insert(format!("param.{name}"), value.to_string());
    }
    for (port, contents) in inputs {
        for (at, content) in contents.iter().enumerate() {
            all.insert(format!("input.{port}.{at}"), content.clone());
        }
    }
    if let Some(source) = source {
        let target = source.target.as_deref().unwrap_or_default();
        all.insert("source".to_owned(), format!("{} {target} {:?}", source.content, source.task));
    }
    if node.declaration.names_inputs {
        for (port, wires) in &node.step.inputs {
            let names: Vec<String> = wires.iter().map(ToString::to_string).collect();
            all.insert(format!("names.{port}"), names.join(" "));
        }
    }
    Ok(all)
}

/// The key of a result that depends on these things.
pub fn key(components: &Components) -> String {
    let text = serde_json::to_vec(components).expect("a map of strings can be written as JSON");
    blake3::hash(&text).to_hex().to_string()
}

/// The folder of results: `<cache>/steps/<key>/<port>/…`.
#[derive(Debug, Clone)]
pub struct Results {
    folder: PathBuf,
}

/// A folder for a result that is being made; it is removed unless [`Draft::keep`] is called.
#[derive(Debug)]
pub struct Draft {
    folder: tempfile::TempDir,
}

impl Results {
    /// The results below a workspace's cache folder.
    pub fn below(cache: &Path) -> Self {
        Self { folder: cache.join("steps") }
    }

    /// Makes the results with these keys durable, until nobody announces any more.
    ///
    /// # Errors
    /// The disk refuses.
    pub(crate) fn settle(&self, kept: &mpsc::Receiver<String>) -> Result<()> {
        settle::settle(&self.folder, kept)
    }

    /// Where the artifact at an output port of a kept result is.
    pub fn artifact(&self, key: &str, port: &str) -> PathBuf {
        self.folder.join(key).join(port)
    }

    /// True if every artifact of the entry is there and its bytes are those that were kept.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn has(&self, entry: &Entry) -> Result<bool> {
        for (port, artifact) in &entry.outputs {
            let folder = self.artifact(&entry.key, port);
            if !folder.is_dir() || measure(&folder)? != *artifact {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A folder to make a result in, on the same disk.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn draft(&self) -> Result<Draft> {
        fs::create_dir_all(&self.folder).map_err(|e| Error::io("create", &self.folder, &e))?;
        let folder = tempfile::Builder::new()
            .prefix("tmp-")
            .tempdir_in(&self.folder)
            .map_err(|e| Error::io("create a folder in", &self.folder, &e))?;
        Ok(Draft { folder })
    }
}

impl Draft {
    /// Where the step makes one folder an output port.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Measures the artifacts and puts them in their place under `key`. A result that is there
    /// already stays, unless its bytes are not those that were made now. It is durable once
    /// [`Results::settle`] has seen it; what a loss of power takes before that is noticed by
    /// [`Results::has`] and made again.
    ///
    /// # Errors
    /// A declared output is missing ([`Code::Internal`]), or the disk refuses.
    pub fn keep(self, results: &Results, key: &str, ports: &[&str]) -> Result<BTreeMap<String, Artifact>> {
        let mut artifacts = BTreeMap::new();
        for port in ports {
            let folder = self.path().join(port);
            if !folder.is_dir() {
                return Err(Error::internal(format!("the step made no output `{port}`")));
            }
            artifacts.insert((*port).to_owned(), measure(&folder)?);
        }
        let place = results.folder.join(key);
        if place.exists() {
            let is_same = |(port, made): (&String, &Artifact)| {
                measure(&place.join(port)).is_ok_and(|kept| kept == *made)
            };
            if artifacts.iter().all(is_same) {
                return Ok(artifacts);
            }
            fs::remove_dir_all(&place).map_err(|e| Error::io("replace", &place, &e))?;
        }
        let made = self.folder.keep();
        fs::rename(&made, &place).map_err(|e| {
            // The half-way folder is not left behind; the first error is the one that counts.
            let _ = fs::remove_dir_all(&made);
            Error::io("put a result in", &place, &e)
        })?;
        Ok(artifacts)
    }
}

/// The content of a folder: names and bytes of its files, in the order of names.
///
/// # Errors
/// A file cannot be read.
pub fn measure(folder: &Path) -> Result<Artifact> {
    let mut files = Vec::new();
    list(folder, folder, &mut files)?;
    files.sort();
    let mut all = blake3::Hasher::new();
    let mut bytes = 0;
    for name in &files {
        let path = folder.join(name);
        let mut hasher = blake3::Hasher::new();
        let mut file = File::open(&path).map_err(|e| Error::io("read", &path, &e))?;
        bytes += io::copy(&mut file, &mut hasher).map_err(|e| Error::io("read", &path, &e))?;
        // The length before each name keeps two lists of files from having the same hash.
        all.update(&(name.len() as u64).to_le_bytes());
        all.update(name.as_bytes());
        all.update(hasher.finalize().as_bytes());
    }
    Ok(Artifact { content: all.finalize().to_hex().to_string(), bytes })
}

fn list(root: &Path, folder: &Path, files: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(|e| Error::io("list", folder, &e))? {
        let path = entry.map_err(|e| Error::io("list", folder, &e))?.path();
        if path.is_dir() {
            list(root, &path, files)?;
        } else {
            let name = path.strip_prefix(root).expect("it was found below the root");
            let name = name.to_str().ok_or_else(|| {
                Error::new(Code::InvalidInput, format!("the name of `{}` is not Unicode", path.display()))
            })?;
            files.push(name.replace('\\', "/"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_counts_and_the_place_does_not() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let make = |name: &str, files: &[(&str, &str)]| {
            let place = folder.path().join(name);
            for (file, text) in files {
                let path = place.join(file);
                fs::create_dir_all(path.parent().expect("below the place")).expect("can be made");
                fs::write(path, text).expect("can be written");
            }
            measure(&place).expect("can be read")
        };
        let first = make("a", &[("x", "1"), ("deep/y", "2")]);
        assert_eq!(first, make("b", &[("deep/y", "2"), ("x", "1")]));
        assert_eq!(first.bytes, 2);
        assert_ne!(first, make("c", &[("x", "2"), ("deep/y", "1")]));
        assert_ne!(make("d", &[("ab", "")]), make("e", &[("a", ""), ("b", "")]));
    }

    #[test]
    fn a_draft_that_is_not_kept_leaves_nothing() {
        let cache = tempfile::tempdir().expect("a temporary folder");
        let results = Results::below(cache.path());
        let draft = results.draft().expect("can be made");
        fs::create_dir(draft.path().join("table")).expect("can be made");
        drop(draft);
        assert_eq!(fs::read_dir(cache.path().join("steps")).expect("is there").count(), 0);
    }

    #[test]
    fn a_kept_result_is_found_until_a_byte_of_it_changes() {
        let cache = tempfile::tempdir().expect("a temporary folder");
        let results = Results::below(cache.path());
        let draft = results.draft().expect("can be made");
        fs::create_dir(draft.path().join("table")).expect("can be made");
        fs::write(draft.path().join("table/x"), "abc").expect("can be written");
        let outputs = draft.keep(&results, "k", &["table"]).expect("can be kept");
        let entry = Entry {
            key: "k".to_owned(),
            components: Components::new(),
            outputs,
            outcome: Outcome::default(),
            duration_ms: 1,
        };
        assert!(results.has(&entry).expect("can be read"));
        fs::write(results.artifact("k", "table").join("x"), "abd").expect("can be written");
        assert!(!results.has(&entry).expect("can be read"));
    }
}
