//! Folders and files on their way into the store and out of it again. A folder whose files are rows
//! is kept with one file more: what was found out about the others, which no later look at the
//! bytes alone would give.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use base::{Code, Error, Progress, Result};
use data::import::files::{FileRow, row_options};
use data::import::{FolderOptions, Pack, ParseOptions};
use store::datasets::DatasetVersion;
use store::{Digest, Tree, TreeEntry};

use super::Import;
use crate::Engine;
use crate::datasets::parse_options;

/// Where the rows of a folder of files are in its tree. No file of the user is called so: what
/// begins with a dot is left out.
const ROWS: &str = ".fettle/files.jsonl";
/// As much of a text as a look at its first rows needs.
const HEAD_BYTES: u64 = 32 << 20;

impl Engine {
    /// Keeps a file, or the files of a folder that the options take. While a large file is stored, what is
    /// done is kept in the folder `keep`, if there is one.
    pub(crate) fn keep_path(
        &self,
        path: &Path,
        options: &ParseOptions,
        (before, keep): (Option<&DatasetVersion>, Option<&Path>),
        progress: &Progress,
    ) -> Result<Digest> {
        let objects = self.store().objects();
        let previous = before.map(|version| &version.content);
        let Some(folder) = options.folder.as_ref().filter(|_| path.is_dir()) else {
            return match (previous, keep) {
                (previous, Some(keep)) => objects.put_file_kept(path, previous, keep, progress),
                (Some(previous), None) => objects.put_file_after(path, previous, progress),
                (None, None) => objects.put_file_with(path, progress),
            };
        };
        let content = objects.put_tree_of(path, &|name| folder.takes(name), previous, progress)?;
        let tree = objects.tree(&content)?;
        if tree.entries.is_empty() {
            return Err(Error::invalid("there is no file to read in the folder")
                .hint("choose a folder with files in it; names that begin with `.` or `_` are left out"));
        }
        if folder.as_files { self.keep_files(path, tree, before, progress) } else { Ok(content) }
    }

    /// Keeps what can be told of the files beside them. Where the files are those of the version
    /// before, so is what was told of them: a folder that was only touched is no new version.
    fn keep_files(
        &self,
        root: &Path,
        mut tree: Tree,
        before: Option<&DatasetVersion>,
        progress: &Progress,
    ) -> Result<Digest> {
        let objects = self.store().objects();
        let mut known = HashMap::new();
        if let Some(version) = before.filter(|version| holds_files(version))
            && let Some((old, rows)) = split(objects.tree(&version.content)?)
        {
            if old == tree.entries {
                return Ok(version.content);
            }
            known = self.file_rows(&rows.digest)?;
        }
        let is_known =
            |entry: &TreeEntry| known.get(&entry.path).is_some_and(|row| row.blake3 == entry.digest.to_hex());
        let unknown: Vec<String> =
            tree.entries.iter().filter(|entry| !is_known(entry)).map(|entry| entry.path.clone()).collect();
        let looked = self.look_at_files(root, unknown, progress)?;
        let looked: HashMap<&str, &FileRow> = looked.iter().map(|row| (row.path.as_str(), row)).collect();
        let mut lines = Vec::new();
        for entry in &tree.entries {
            let row = match looked.get(entry.path.as_str()) {
                Some(row) => FileRow { blake3: entry.digest.to_hex(), ..(*row).clone() },
                None => known[&entry.path].clone(),
            };
            if row.size != entry.size {
                return Err(Error::new(
                    Code::Conflict,
                    format!("`{}` changed while it was read", entry.path),
                )
                .hint("wait until whatever writes to the folder has finished, then import again"));
            }
            serde_json::to_writer(&mut lines, &row)
                .map_err(|e| Error::internal("cannot write what is known of a file").because(e))?;
            lines.push(b'\n');
        }
        let digest = objects.put_bytes(&lines)?;
        let rows = TreeEntry { path: ROWS.to_owned(), mode: 0o644, size: lines.len() as u64, digest };
        tree.entries.push(rows);
        tree.entries.sort_by(|one, other| one.path.cmp(&other.path));
        objects.put_tree_list(&tree)
    }

    /// What is known of the files of a version, by path.
    fn file_rows(&self, digest: &Digest) -> Result<HashMap<String, FileRow>> {
        let bytes = self.store().objects().read(digest)?;
        let corrupt = |e| Error::new(Code::Corrupt, "what was told of files cannot be read").because(e);
        let rows = serde_json::Deserializer::from_slice(&bytes).into_iter::<FileRow>();
        rows.map(|row| row.map(|row| (row.path.clone(), row)).map_err(corrupt)).collect()
    }

    /// Writes what is kept to `place`, for a moment, and says how it is read there.
    pub(super) fn lay_out(
        &self,
        content: &Digest,
        options: &ParseOptions,
        place: &Path,
        progress: &Progress,
    ) -> Result<ParseOptions> {
        let objects = self.store().objects();
        match self.kept_tree(content)? {
            None => objects.get_file(content, place)?,
            Some(tree) => {
                if options.folder.as_ref().is_some_and(|folder| folder.as_files) {
                    let rows = tree.entries.into_iter().find(|entry| entry.path == ROWS);
                    let missing = || Error::new(Code::Corrupt, "what was told of the files is missing");
                    objects.get_file(&rows.ok_or_else(missing)?.digest, place)?;
                    return Ok(row_options());
                }
                objects.lay_tree(content, place, &|_| true, progress)?;
            }
        }
        Ok(options.clone())
    }

    /// The first bytes of what a version keeps, as many as a look at it needs.
    ///
    /// # Errors
    /// What is kept cannot be read.
    pub(crate) fn lay_out_head(
        &self,
        version: &DatasetVersion,
        options: &ParseOptions,
        place: &Path,
    ) -> Result<()> {
        use data::import::Format;
        let objects = self.store().objects();
        let is_text =
            matches!(options.format, Format::Delimited | Format::JsonLines) && options.pack == Pack::None;
        if !is_text || version.content_bytes <= HEAD_BYTES || self.kept_tree(&version.content)?.is_some() {
            return self.lay_out(&version.content, options, place, &Progress::silent()).map(drop);
        }
        let failed = |e: std::io::Error| Error::io("write", place, &e);
        let mut file = std::fs::File::create_new(place).map_err(failed)?;
        let head = std::io::Read::take(objects.reader(&version.content)?, HEAD_BYTES);
        std::io::copy(&mut { head }, &mut file).map(drop).map_err(failed)
    }

    /// Writes the files of a version as they came; false if it is one file.
    ///
    /// # Errors
    /// What is kept cannot be read; the place is taken; [`Code::Cancelled`].
    pub(crate) fn check_out(&self, version: &DatasetVersion, to: &Path, progress: &Progress) -> Result<bool> {
        if self.kept_tree(&version.content)?.is_none() {
            return Ok(false);
        }
        self.store().objects().get_tree_of(&version.content, to, &|path| path != ROWS, progress)?;
        Ok(true)
    }

    /// The size of one file of a version, and its bytes if they are no more than `most_bytes`.
    ///
    /// # Errors
    /// [`Code::NotFound`] for a path that is none of the version's files.
    pub(crate) fn kept_file(
        &self,
        version: &DatasetVersion,
        path: &str,
        most_bytes: u64,
    ) -> Result<(u64, Option<Vec<u8>>)> {
        let mut entries = self.kept_tree(&version.content)?.map(|tree| tree.entries).unwrap_or_default();
        let at = entries.iter().position(|entry| entry.path == path && path != ROWS).ok_or_else(|| {
            let (path, number) = (path.escape_debug(), version.number);
            Error::not_found(format!("there is no file `{path}` in version {number}"))
                .hint("take a path from the column `path` of a dataset of files")
        })?;
        let entry = entries.swap_remove(at);
        let is_small = entry.size <= most_bytes;
        let bytes = is_small.then(|| self.store().objects().read(&entry.digest)).transpose()?;
        Ok((entry.size, bytes))
    }

    /// The files of a content, if it is a folder.
    fn kept_tree(&self, content: &Digest) -> Result<Option<Tree>> {
        match self.store().objects().tree(content) {
            Ok(tree) => Ok(Some(tree)),
            // The object is there and is no folder.
            Err(error) if error.code == Code::InvalidInput => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A folder that is there for as long as the first of the two is, with a version's bytes in it.
    ///
    /// # Errors
    /// As [`Engine::lay_out_head`].
    pub(crate) fn kept_head(
        &self,
        version: &DatasetVersion,
        options: &ParseOptions,
    ) -> Result<(store::files::StagedDir, PathBuf)> {
        let draft = self.table_draft()?;
        let place = draft.path().join("bytes");
        self.lay_out_head(version, options, &place)?;
        Ok((draft, place))
    }
}

/// Which files below `path` are read: none of this for a file that is no archive of tables.
///
/// # Errors
/// [`Code::InvalidInput`] for a pattern that is none.
pub(super) fn folder_options(
    path: &Path,
    options: &ParseOptions,
    what: &Import,
) -> Result<Option<FolderOptions>> {
    let folder = what.folder.clone().or_else(|| options.folder.clone());
    let folder = if path.is_dir() {
        Some(folder.unwrap_or_default())
    } else {
        folder.filter(|folder| options.pack == Pack::Zip && !folder.as_files)
    };
    folder.as_ref().map_or(Ok(()), FolderOptions::check)?;
    Ok(folder)
}

fn holds_files(version: &DatasetVersion) -> bool {
    parse_options(version).is_ok_and(|options| options.folder.is_some_and(|folder| folder.as_files))
}

/// The files of the user, and the one of ours.
fn split(tree: Tree) -> Option<(Vec<TreeEntry>, TreeEntry)> {
    let mut entries = tree.entries;
    let at = entries.iter().position(|entry| entry.path == ROWS)?;
    let rows = entries.remove(at);
    Some((entries, rows))
}
