//! Files that are either whole or not there: written under a temporary name in the same folder,
//! synced, renamed, and the folder synced too. Without the syncs a power cut leaves an empty file
//! or the old one behind the new name (measured), so they are not optional here.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use base::{Code, Error, Result};
use tempfile::{NamedTempFile, TempDir};

/// How every temporary name of ours begins, so that a sweep can find what a crash left behind.
pub const TEMPORARY_PREFIX: &str = ".fettle-tmp-";

/// An operating system error on a path. A file that may not grow (a quota, `ulimit -f`) asks the
/// same of the user as a full disk does.
pub(crate) fn io_error(action: &str, path: &Path, error: &io::Error) -> Error {
    let error_out = Error::io(action, path, error);
    if error.kind() == io::ErrorKind::FileTooLarge {
        return Error { code: Code::DiskFull, ..error_out }
            .hint("raise the limit on file size or free some space, and try again; nothing was lost");
    }
    error_out
}

/// Makes a folder and the missing ones above it, readable by this user only.
///
/// # Errors
/// When the operating system refuses.
pub fn create_private_dir(path: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(path).map_err(|error| io_error("create the folder", path, &error))
}

/// Makes the names in a folder durable: a rename is only in the folder once the folder is synced.
///
/// # Errors
/// When the operating system refuses.
pub fn sync_dir(path: &Path) -> Result<()> {
    // Other systems cannot open a folder for syncing, and commit renames in order.
    #[cfg(unix)]
    match File::open(path).and_then(|dir| dir.sync_all()) {
        Ok(()) => {}
        // Some network file systems know no such thing; they have no weaker promise to make.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {}
        Err(error) => return Err(io_error("sync the folder", path, &error)),
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Writes a whole file or leaves what was there before; on return it survives a power cut.
///
/// # Errors
/// [`Code::DiskFull`] and other failures of the operating system; the old file is then untouched.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    let parent = parent_of(path);
    let mut file = temporary_file(parent)?;
    file.write_all(bytes).map_err(|error| io_error("write", path, &error))?;
    persist(file, path)?;
    sync_dir(parent)
}

/// An empty file of ours in `dir`, removed again unless it is persisted.
pub(crate) fn temporary_file(dir: &Path) -> Result<NamedTempFile> {
    tempfile::Builder::new()
        .prefix(TEMPORARY_PREFIX)
        .tempfile_in(dir)
        .map_err(|error| io_error("write in the folder", dir, &error))
}

/// Syncs a temporary file and gives it its name. The caller syncs the folder, once for many files.
pub(crate) fn persist(file: NamedTempFile, path: &Path) -> Result<()> {
    file.as_file().sync_all().map_err(|error| io_error("sync", path, &error))?;
    file.persist(path).map_err(|error| io_error("write", path, &error.error))?;
    Ok(())
}

/// The folder a path is in; the current one for a bare name.
pub(crate) fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A folder under construction. It has a temporary name until it is published, and is removed
/// when dropped before that.
#[derive(Debug)]
pub struct StagedDir {
    dir: TempDir,
}

impl StagedDir {
    /// An empty folder inside `parent`, which is made when missing.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn new_in(parent: &Path) -> Result<Self> {
        create_private_dir(parent)?;
        let dir = tempfile::Builder::new()
            .prefix(TEMPORARY_PREFIX)
            .tempdir_in(parent)
            .map_err(|error| io_error("create a folder in", parent, &error))?;
        Ok(Self { dir })
    }

    /// Where to put files meanwhile.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Syncs everything inside and gives the folder its name, all at once. Where a folder of that
    /// name is already there (somebody else was faster) that one stays, and this one goes.
    ///
    /// # Errors
    /// [`Code::DiskFull`] and other failures of the operating system; nothing is then published.
    pub fn publish(self, to: &Path) -> Result<()> {
        sync_tree(self.dir.path())?;
        self.rename(to)
    }

    /// Gives the folder its name as [`StagedDir::publish`] does, and syncs nothing: for a copy of
    /// what is safe elsewhere. A sync for each of many files takes most of the time of writing them.
    ///
    /// # Errors
    /// As [`StagedDir::publish`].
    pub fn rename(self, to: &Path) -> Result<()> {
        match fs::rename(self.dir.path(), to) {
            Ok(()) => {
                // It has its name now: there is nothing left to remove.
                let _renamed: PathBuf = self.dir.keep();
                sync_dir(parent_of(to))
            }
            Err(_) if to.is_dir() => Ok(()),
            Err(error) => Err(io_error("create the folder", to, &error)),
        }
    }
}

/// Syncs every file and folder below `dir`, and `dir` itself.
fn sync_tree(dir: &Path) -> Result<()> {
    for entry in read_dir(dir)? {
        let kind = entry.file_type().map_err(|error| io_error("read", &entry.path(), &error))?;
        if kind.is_dir() {
            sync_tree(&entry.path())?;
        } else if kind.is_file() {
            File::open(entry.path())
                .and_then(|file| file.sync_all())
                .map_err(|error| io_error("sync", &entry.path(), &error))?;
        }
    }
    sync_dir(dir)
}

/// The entries of a folder, sorted by name.
pub(crate) fn read_dir(dir: &Path) -> Result<Vec<fs::DirEntry>> {
    let entries: io::Result<Vec<_>> = fs::read_dir(dir).and_then(Iterator::collect);
    let mut entries = entries.map_err(|error| io_error("read the folder", dir, &error))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    Ok(entries)
}

/// Temporary files and folders in `dir` and up to `depth` folders below it. A repository's own
/// folder is not ours to look into.
pub(crate) fn leftovers(dir: &Path, depth: u32) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if !dir.is_dir() {
        return Ok(found);
    }
    for entry in read_dir(dir)? {
        let name = entry.file_name();
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if name.to_string_lossy().starts_with(TEMPORARY_PREFIX) {
            found.push(entry.path());
        } else if is_dir && depth > 0 && name != ".git" {
            found.extend(leftovers(&entry.path(), depth - 1)?);
        }
    }
    Ok(found)
}

/// Removes a file or a folder with everything in it; that it is gone already is fine.
pub(crate) fn remove(path: &Path) -> Result<()> {
    let removed =
        if path.is_dir() && !path.is_symlink() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error("remove", path, &error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_leaves_no_temporary_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        write_atomic(&path, b"one").unwrap();
        write_atomic(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(read_dir(dir.path()).unwrap().len(), 1);
    }

    #[test]
    fn a_full_disk_is_told_as_such() {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let error = (&full).write_all(b"x").unwrap_err();
        assert_eq!(io_error("write", Path::new("x"), &error).code, Code::DiskFull);
        let too_large = io::Error::from(io::ErrorKind::FileTooLarge);
        assert_eq!(io_error("write", Path::new("x"), &too_large).code, Code::DiskFull);
    }

    #[test]
    fn a_folder_appears_whole_and_the_first_of_two_wins() {
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("entry");
        for text in ["first", "second"] {
            let staged = StagedDir::new_in(dir.path()).unwrap();
            fs::write(staged.path().join("file"), text).unwrap();
            assert_eq!(leftovers(dir.path(), 0).unwrap(), [staged.path()]);
            staged.publish(&to).unwrap();
        }
        assert_eq!(fs::read_to_string(to.join("file")).unwrap(), "first");
        assert_eq!(leftovers(dir.path(), 3).unwrap(), Vec::<PathBuf>::new());
    }
}
