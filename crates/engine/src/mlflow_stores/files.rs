//! Files of runs and models of another store: found on this disk, kept as objects. Links, devices and
//! names that no client could ask for are named and left where they are.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use base::{Error, Progress, Result};
use connect::mlflow::Place;
use store::tracking::artifacts::{self, StoredFile};
use store::{Digest, is_plain_name};

use super::Importing;
use super::report::Fate;
use super::waiting::Item;
use crate::commands::tracking::{NoteKind, What};

/// Folders in a path.
const DEEPEST: usize = 64;

/// Files by their path below a root.
pub(super) type Files = Vec<(String, StoredFile)>;

impl Importing<'_> {
    /// The files at a URI, which belong to `what` with this id, kept from now on.
    pub(super) fn files(&mut self, what: &str, uri: &str, id: &str) -> Result<Files> {
        match self.places.find(uri, id) {
            Place::Here(folder) if folder.is_dir() => Ok(self.keep(what, &folder)?.1),
            Place::Here(_) | Place::Missing => {
                self.report.missing();
                Ok(Vec::new())
            }
            Place::Remote => {
                let why = format!("they stay at `{uri}`, which the run goes on to name");
                self.report.note(NoteKind::Elsewhere, format!("files of {what}"), why);
                self.report.count(What::Elsewhere, Fate::Skipped, 1);
                Ok(Vec::new())
            }
            Place::Outside(folder) => {
                let why = format!(
                    "they are in `{}`, which is outside of what is imported: name that folder too",
                    folder.display()
                );
                self.report.note(NoteKind::Elsewhere, format!("files of {what}"), why);
                self.report.count(What::Elsewhere, Fate::Skipped, 1);
                Ok(Vec::new())
            }
        }
    }

    /// Keeps the files of a folder; their tree and a list of them.
    pub(super) fn keep(&mut self, what: &str, folder: &Path) -> Result<(Option<Digest>, Files)> {
        let mut wanted = BTreeSet::new();
        self.walk(what, folder, "", 0, &mut wanted)?;
        if wanted.is_empty() {
            return Ok((None, Vec::new()));
        }
        let silent = Progress::new(self.progress.cancel().clone(), |_| ());
        let objects = self.engine.store().objects();
        let tree = objects.put_tree_of(folder, &|path| wanted.contains(path), None, &silent)?;
        let file = |entry: store::TreeEntry| {
            (entry.path, StoredFile { digest: entry.digest, size_bytes: entry.size })
        };
        Ok((Some(tree), objects.tree(&tree)?.entries.into_iter().map(file).collect()))
    }

    /// The paths of what can be kept below a folder, those of folders with a `/` at their end.
    fn walk(
        &mut self,
        what: &str,
        folder: &Path,
        prefix: &str,
        depth: usize,
        wanted: &mut BTreeSet<String>,
    ) -> Result<()> {
        for entry in fs::read_dir(folder).map_err(|e| Error::io("read", folder, &e))? {
            let entry = entry.map_err(|e| Error::io("read", folder, &e))?;
            let kind = entry.file_type().map_err(|e| Error::io("read", &entry.path(), &e))?;
            let name = entry.file_name();
            let path = format!("{prefix}{}", name.to_string_lossy());
            let is_kept = name.to_str().is_some_and(is_plain_name) && artifacts::is_plain(&path);
            if is_kept && kind.is_file() {
                wanted.insert(path);
            } else if is_kept && kind.is_dir() && depth < DEEPEST {
                self.walk(what, &entry.path(), &format!("{path}/"), depth + 1, wanted)?;
                wanted.insert(format!("{path}/"));
            } else {
                let why = if is_kept {
                    "a link, a device or too deep"
                } else {
                    "a name that clients could not ask for"
                };
                let why = format!("`{}` stays where it is: it is or has {why}", path.escape_debug());
                self.report.note(NoteKind::Skipped, format!("files of {what}"), why);
                self.report.count(What::Files, Fate::Skipped, 1);
            }
        }
        Ok(())
    }

    /// Adds files that are not here to a run or model that is; one that is another is named.
    pub(super) fn add_files(&mut self, what: &str, root: &str, theirs: Files, ours: &Files) -> Result<()> {
        let ours: BTreeMap<_, _> = ours.iter().map(|(path, file)| (path.as_str(), file)).collect();
        let mut new = Vec::new();
        for (path, file) in theirs {
            match ours.get(path.as_str()) {
                Some(there) if there.digest == file.digest => self.report.count(What::Files, Fate::Same, 1),
                Some(_) => {
                    let why = "it is here with another content, and stays as it is here";
                    self.report.conflict(What::Files, &format!("file `{path}` of {what}"), why);
                }
                None => new.push((path, file)),
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        let item = Item::Files { what: what.to_owned(), root: root.to_owned(), files: new };
        self.waiting.push(self.engine.store(), &mut self.report, item)
    }
}
