//! Folders: a sorted list of files with their digests, itself an object.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::path::{Component, Path};

use base::{Code, Error, Progress, Result};
use serde::{Deserialize, Serialize};

use super::seen::{self, Seen, Stamp};
use super::writer::Writer;
use super::{Kind, Objects, corrupt};
use crate::canonical::canonical_json;
use crate::files::StagedDir;
use crate::{Digest, files};

/// A stored folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tree {
    /// Its files, sorted by path.
    pub entries: Vec<TreeEntry>,
}

/// One file of a stored folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeEntry {
    /// Where it is in the folder, with `/` between names on every system.
    pub path: String,
    /// 0o755 for a program, 0o644 for the rest.
    pub mode: u32,
    /// Its size in bytes.
    pub size: u64,
    /// Its content.
    pub digest: Digest,
}

/// The digest of a tree. Not that of its bytes: a file that happens to hold the same bytes is
/// another object.
pub(super) fn digest_of(bytes: &[u8]) -> Digest {
    blake3::derive_key("fettle store tree 1", bytes).into()
}

/// Which folder is put, and what of it.
pub(super) struct Source<'a> {
    pub(super) dir: &'a Path,
    /// Says of a path in the folder whether it is wanted; a folder's ends in `/`.
    pub(super) wants: &'a dyn Fn(&str) -> bool,
    /// What it came from.
    pub(super) previous: Option<&'a Tree>,
}

/// Puts the wanted files of a folder and the tree that lists them.
pub(super) fn put(writer: &mut Writer<'_>, source: &Source<'_>, progress: &Progress) -> Result<Digest> {
    let Source { dir, wants, previous } = *source;
    let place = seen::key_of(dir);
    let before = writer.seen(place.as_ref())?;
    let previous = previous.iter().flat_map(|tree| &tree.entries);
    let previous = previous.map(|entry| (entry.path.as_str(), entry.digest)).collect();
    let (entries, files) = (Vec::new(), HashMap::new());
    let mut walk = Walk { writer, wants, previous, before, known: 0, progress, entries, files };
    walk.folder(dir, "")?;
    let Walk { writer, before, known, mut entries, files, .. } = walk;
    // All that is here looks as it did, and nothing that was here is gone.
    let unchanged = before.filter(|before| known == entries.len() && known == before.files.len());
    if let Some(digest) = unchanged.and_then(|before| before.whole) {
        return Ok(digest);
    }
    let is_all = files.len() == entries.len();
    entries.sort_by(|one: &TreeEntry, other| one.path.cmp(&other.path));
    let digest = put_list(writer, &Tree { entries })?;
    writer.see(place.map(|place| Seen { place, whole: is_all.then_some(digest), files }));
    Ok(digest)
}

/// Puts the list of files alone.
pub(super) fn put_list(writer: &mut Writer<'_>, tree: &Tree) -> Result<Digest> {
    let value = serde_json::to_value(tree).expect("texts and whole numbers are JSON");
    let bytes = canonical_json(&value).into_bytes();
    let digest = digest_of(&bytes);
    writer.put(Kind::Tree, digest, &bytes)?;
    Ok(digest)
}

/// A folder on its way into a tree.
struct Walk<'a, 'w> {
    writer: &'a mut Writer<'w>,
    wants: &'a dyn Fn(&str) -> bool,
    /// The contents of the folder it came from, by path.
    previous: HashMap<&'a str, Digest>,
    /// What the folder was when it was last put.
    before: Option<Seen>,
    /// Files that are as they were then.
    known: usize,
    progress: &'a Progress,
    entries: Vec<TreeEntry>,
    /// What the folder is now.
    files: HashMap<String, (Stamp, Digest)>,
}

impl Walk<'_, '_> {
    fn folder(&mut self, dir: &Path, prefix: &str) -> Result<()> {
        for entry in files::read_dir(dir)? {
            let path = entry.path();
            let name = entry.file_name();
            let end = if entry.file_type().is_ok_and(|kind| kind.is_dir()) { "/" } else { "" };
            if !(self.wants)(&format!("{prefix}{}{end}", name.to_string_lossy())) {
                continue;
            }
            let name = name.to_str().filter(|name| is_plain(name)).ok_or_else(|| {
                Error::invalid(format!(
                    "cannot store `{}`: its name cannot be kept on every system",
                    path.display()
                ))
                .hint("rename it")
            })?;
            let metadata =
                fs::symlink_metadata(&path).map_err(|error| files::io_error("read", &path, &error))?;
            if metadata.is_dir() {
                self.folder(&path, &format!("{prefix}{name}/"))?;
            } else if metadata.is_file() {
                self.file(&path, format!("{prefix}{name}"), &metadata)?;
            } else {
                return Err(Error::invalid(format!(
                    "cannot store `{}`: it is neither file nor folder",
                    path.display()
                ))
                .hint("replace links by what they point to"));
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, name: String, metadata: &Metadata) -> Result<()> {
        let mode = mode_of(metadata);
        let before = self.before.as_ref().and_then(|before| before.files.get(&name));
        if let Some(&(stamp, digest)) = before
            && Stamp::of(metadata) == Some(stamp)
        {
            self.known += 1;
            self.progress.step("looking at files", self.known as u64, None)?;
            self.files.insert(name.clone(), (stamp, digest));
            self.entries.push(TreeEntry { path: name, mode, size: stamp.size(), digest });
            return Ok(());
        }
        let previous = self.previous.get(name.as_str());
        let stored = self.writer.put_file(path, (previous, None), self.progress)?;
        if let Some(stamp) = stored.stamp {
            self.files.insert(name.clone(), (stamp, stored.digest));
        }
        self.entries.push(TreeEntry { path: name, mode, size: stored.size, digest: stored.digest });
        Ok(())
    }
}

impl Objects {
    /// What is in a stored folder.
    ///
    /// # Errors
    /// [`Code::Corrupt`] when it is missing or not what was written; [`Code::InvalidInput`] when
    /// it is a file.
    pub fn tree(&self, digest: &Digest) -> Result<Tree> {
        let object = self.fetch().object(digest)?;
        if object.location.entry.kind != Kind::Tree {
            return Err(Error::invalid(format!("the object `{}` is a file, not a folder", digest.short())));
        }
        serde_json::from_slice(&object.raw)
            .map_err(|error| corrupt(digest, &object.location.pack).because(error))
    }

    /// Writes a stored folder to `to`: the whole of it, or nothing. When `to` is there already it
    /// stays as it is.
    ///
    /// # Errors
    /// [`Code::Corrupt`] when a file is missing or not what was written; [`Code::DiskFull`].
    pub fn get_tree(&self, digest: &Digest, to: &Path) -> Result<()> {
        let staged = StagedDir::new_in(files::parent_of(to))?;
        self.lay_tree(digest, staged.path(), &|_| true, &Progress::silent())?;
        staged.publish(to)
    }

    /// Writes those files of a stored folder to `to` whose path is wanted, says how far it is (in
    /// files), and stops when told to; then nothing is left of it. The copy is whole or not there,
    /// but it is not synced: the store has it.
    ///
    /// # Errors
    /// As for [`Objects::get_tree`]; [`Code::Cancelled`].
    pub fn get_tree_of(
        &self,
        digest: &Digest,
        to: &Path,
        wants: &dyn Fn(&str) -> bool,
        progress: &Progress,
    ) -> Result<()> {
        let staged = StagedDir::new_in(files::parent_of(to))?;
        self.lay_tree(digest, staged.path(), wants, progress)?;
        staged.rename(to)
    }

    /// Writes those files of a stored folder into the folder `dir` whose path is wanted, and syncs
    /// none of them: for what is needed for a moment and made again if it is lost.
    ///
    /// # Errors
    /// As for [`Objects::get_tree_of`]; what was written until then is left there.
    pub fn lay_tree(
        &self,
        digest: &Digest,
        dir: &Path,
        wants: &dyn Fn(&str) -> bool,
        progress: &Progress,
    ) -> Result<()> {
        let tree = self.tree(digest)?;
        let total = Some(tree.entries.len() as u64);
        for (done, entry) in tree.entries.iter().enumerate() {
            progress.step("writing files", done as u64, total)?;
            if !wants(&entry.path) {
                continue;
            }
            let path = inside(dir, &entry.path)?;
            files::create_private_dir(files::parent_of(&path))?;
            let mut file =
                File::create_new(&path).map_err(|error| files::io_error("write", &path, &error))?;
            self.copy(&entry.digest, &mut file, &path)?;
            set_mode(&path, entry.mode)?;
        }
        Ok(())
    }
}

/// A path of a tree below `dir`. Whoever made the tree, nothing is written outside.
fn inside(dir: &Path, path: &str) -> Result<std::path::PathBuf> {
    let is_inside = path.split('/').all(is_plain)
        && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    if !is_inside {
        return Err(Error::new(
            Code::Corrupt,
            format!("a stored folder holds the path `{}`", path.escape_debug()),
        )
        .hint("nothing was written; do not use what this folder came from"));
    }
    Ok(dir.join(path))
}

/// True for a name that a stored folder can hold: one that every system takes.
pub fn is_plain(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\\', '\0', ':'])
}

#[cfg(unix)]
fn mode_of(metadata: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    if metadata.permissions().mode() & 0o100 == 0 { 0o644 } else { 0o755 }
}

#[cfg(not(unix))]
fn mode_of(_: &fs::Metadata) -> u32 {
    0o644
}

/// Gives a program its execute bit; the rest stays as the user's umask has it.
fn set_mode(path: &Path, mode: u32) -> Result<()> {
    #[cfg(unix)]
    if mode & 0o100 != 0 {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))
            .map_err(|error| files::io_error("change the permissions of", path, &error))?;
    }
    #[cfg(not(unix))]
    let _ = (path, mode);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leads_out_of_a_tree_is_refused() {
        let dir = Path::new("/safe");
        assert_eq!(inside(dir, "a/b.txt").unwrap(), Path::new("/safe/a/b.txt"));
        for wrong in ["../x", "/etc/passwd", "a/../../x", "a//b", "", ".", "a\\..\\b", "C:/x", "a/\0"] {
            assert_eq!(inside(dir, wrong).unwrap_err().code, Code::Corrupt, "{wrong}");
        }
    }
}
