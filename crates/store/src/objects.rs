//! Content by its digest: written once, in packs, and verified whenever it is read.
//!
//! A content is cut into chunks where its bytes say so (FastCDC), and a chunk of a content that
//! comes after another is kept as what changed in it, so that a changed file costs about what
//! changed. Small contents are one blob; larger ones a list of blobs; folders a tree of files. What a process has put is safe from its own garbage collection until the process
//! ends, and from that of others by a lock, so a row that refers to it can be written later.

mod alignment;
mod delta;
mod fetch;
mod index;
mod kept;
mod list;
mod pack;
mod reader;
mod seen;
mod sweep;
#[cfg(test)]
mod tests;
mod tree;
mod verify;
mod whole;
mod writer;

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::SystemTime;

use base::{Code, Error, Progress, Result};

use crate::{Digest, files};
use fetch::Fetch;
use index::Index;
pub use reader::ObjectReader;
pub use seen::{Stamp, key_of as place_of};
pub(crate) use sweep::Swept;
pub use tree::{Tree, TreeEntry, is_plain as is_plain_name};

/// The objects of a workspace.
pub struct Objects {
    packs: PathBuf,
    lock_path: PathBuf,
    index: Index,
    /// A pack is closed when it is this large.
    pack_bytes: u64,
    /// What this process has put; roots of every garbage collection until it ends.
    pins: Mutex<HashSet<Digest>>,
    /// Held shared by every put and alone by a garbage collection. The file inside carries the
    /// same between processes, from the first put of this one on.
    gate: RwLock<Option<File>>,
}

/// What a stored object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Bytes.
    Blob,
    /// A longer content: the blobs it is made of.
    List,
    /// A folder: its files.
    Tree,
}

impl Kind {
    fn code(self) -> u8 {
        match self {
            Self::Blob => 0,
            Self::List => 1,
            Self::Tree => 2,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        [Self::Blob, Self::List, Self::Tree].into_iter().find(|kind| kind.code() == code)
    }
}

/// One sync per 64 MB; a garbage collection copies little for one live object; and a put of a large
/// file that is killed has lost no more than this.
const PACK_BYTES: u64 = 64 << 20;

impl Objects {
    /// Opens the objects in `dir` with an index made anew from the packs. Nobody else may have them
    /// open.
    pub(crate) fn open_anew(dir: &Path) -> Result<Self> {
        Index::remove_files(&dir.join("index.db"))?;
        Self::open(dir, true)
    }

    /// Opens the objects in `dir`. Only the owner may throw a damaged index away and build it anew.
    pub(crate) fn open(dir: &Path, is_owner: bool) -> Result<Self> {
        let packs = dir.join("packs");
        files::create_private_dir(&packs)?;
        let index = Index::open(&dir.join("index.db"), &packs, is_owner)?;
        Ok(Self {
            packs,
            lock_path: dir.join("writers.lock"),
            index,
            pack_bytes: PACK_BYTES,
            pins: Mutex::default(),
            gate: RwLock::default(),
        })
    }

    /// True when the object is there. That it reads is another question: see `check`.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn has(&self, digest: &Digest) -> Result<bool> {
        Ok(self.index.find(digest)?.is_some())
    }

    /// Stores these bytes; storing them again costs nothing.
    ///
    /// # Errors
    /// [`Code::DiskFull`] and other failures of the operating system; nothing is then stored.
    pub fn put_bytes(&self, bytes: &[u8]) -> Result<Digest> {
        self.put_reader(bytes)
    }

    /// Stores a file.
    ///
    /// # Errors
    /// As for [`Objects::put_bytes`], and when the file cannot be read.
    pub fn put_file(&self, path: &Path) -> Result<Digest> {
        self.put_file_with(path, &Progress::silent())
    }

    /// Stores a file, says how far it is (in bytes), and stops when told to. A file that looks as it
    /// did when it was last stored (size, times, inode) is not read again. A put that was
    /// stopped or killed goes on where its last complete pack ended when it is asked for again.
    ///
    /// # Errors
    /// As for [`Objects::put_file`]; [`Code::Cancelled`].
    pub fn put_file_with(&self, path: &Path, progress: &Progress) -> Result<Digest> {
        self.put(|writer| writer.put_file_at(path, (None, None), progress))
    }

    /// Stores a file that came from an earlier content, at the cost of about what changed. When
    /// `previous` is not there, is a folder or does not read, it costs what any file does.
    ///
    /// # Errors
    /// As for [`Objects::put_file_with`].
    pub fn put_file_after(&self, path: &Path, previous: &Digest, progress: &Progress) -> Result<Digest> {
        self.put(|writer| writer.put_file_at(path, (Some(previous), None), progress))
    }

    /// Stores a file as [`Objects::put_file_with`] or [`Objects::put_file_after`] does, and keeps in the
    /// folder `keep` what of it is done: a put of the same file that was killed goes on there, and reads
    /// little again. Whoever calls removes the folder.
    ///
    /// # Errors
    /// As for [`Objects::put_file_with`].
    pub fn put_file_kept(
        &self,
        path: &Path,
        previous: Option<&Digest>,
        keep: &Path,
        progress: &Progress,
    ) -> Result<Digest> {
        self.put(|writer| writer.put_file_at(path, (previous, Some(keep)), progress))
    }

    /// Stores all that a reader gives.
    ///
    /// # Errors
    /// As for [`Objects::put_bytes`], and when the reader fails.
    pub fn put_reader(&self, reader: impl std::io::Read) -> Result<Digest> {
        self.put(|writer| Ok(writer.put_content(reader, None, |_| Ok(()))?.0))
    }

    /// Stores the files of a folder and of the folders in it. Empty folders are not kept; links
    /// and devices are refused.
    ///
    /// # Errors
    /// As for [`Objects::put_file`]; [`Code::InvalidInput`] for what is neither file nor folder.
    pub fn put_tree(&self, dir: &Path) -> Result<Digest> {
        self.put_tree_with(dir, &Progress::silent())
    }

    /// Stores a folder, says how far it is (in bytes), and stops when told to. Files that look as
    /// they did when the folder was last stored (size, times, inode) are not read again.
    ///
    /// # Errors
    /// As for [`Objects::put_tree`]; [`Code::Cancelled`].
    pub fn put_tree_with(&self, dir: &Path, progress: &Progress) -> Result<Digest> {
        self.put_tree_of(dir, &|_| true, None, progress)
    }

    /// Stores those files of a folder whose path in it is wanted (a folder's ends in `/`, and one
    /// that is not wanted is not looked into), each after the one of the same path in `previous`.
    ///
    /// # Errors
    /// As for [`Objects::put_tree_with`].
    pub fn put_tree_of(
        &self,
        dir: &Path,
        wants: &dyn Fn(&str) -> bool,
        previous: Option<&Digest>,
        progress: &Progress,
    ) -> Result<Digest> {
        let previous = match previous.map(|previous| self.tree(previous)).transpose() {
            // Without it the folder is stored as any other.
            Err(error) if matches!(error.code, Code::Corrupt | Code::InvalidInput) => None,
            tree => tree?,
        };
        let source = tree::Source { dir, wants, previous: previous.as_ref() };
        self.put(|writer| tree::put(writer, &source, progress))
    }

    /// Stores a folder whose files are stored already.
    ///
    /// # Errors
    /// As for [`Objects::put_bytes`]; [`Code::InvalidInput`] for files that are not stored, and for
    /// a list that is not sorted by path.
    pub fn put_tree_list(&self, tree: &Tree) -> Result<Digest> {
        if !tree.entries.is_sorted_by(|one, next| one.path < next.path) {
            return Err(Error::invalid("the files of a folder are not sorted by path"));
        }
        for entry in &tree.entries {
            if !self.has(&entry.digest)? {
                return Err(Error::invalid(format!("the file `{}` is not stored", entry.path)));
            }
        }
        self.put(|writer| tree::put_list(writer, tree))
    }

    /// Stores a folder that came from an earlier one: each file after the one of the same path,
    /// as by [`Objects::put_file_after`].
    ///
    /// # Errors
    /// As for [`Objects::put_tree_with`].
    pub fn put_tree_after(&self, dir: &Path, previous: &Digest, progress: &Progress) -> Result<Digest> {
        self.put_tree_of(dir, &|_| true, Some(previous), progress)
    }

    /// Bytes the packs take on the disk.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn stored_bytes(&self) -> Result<u64> {
        self.index.stored_bytes()
    }

    /// Keeps an object that another process has put, as if this one had: until this process ends
    /// no garbage collection takes it, so the row that refers to it can be written.
    pub fn keep(&self, digest: Digest) {
        self.pin(digest);
    }

    fn pin(&self, digest: Digest) {
        self.pins.lock().unwrap_or_else(PoisonError::into_inner).insert(digest);
    }

    /// One put, from its first byte to the sync of its last pack.
    fn put(&self, f: impl FnOnce(&mut writer::Writer<'_>) -> Result<Digest>) -> Result<Digest> {
        self.put_at(SystemTime::now(), f)
    }

    fn put_at(
        &self,
        now: SystemTime,
        f: impl FnOnce(&mut writer::Writer<'_>) -> Result<Digest>,
    ) -> Result<Digest> {
        let _writing = self.writing()?;
        let mut writer = writer::Writer::new(&self.packs, &self.index, self.pack_bytes, now);
        let digest = f(&mut writer)?;
        writer.complete()?;
        self.pin(digest);
        Ok(digest)
    }

    fn fetch(&self) -> Fetch<'_> {
        Fetch::new(&self.packs, &self.index)
    }

    /// Keeps garbage collections away while something is put; and those of other processes from
    /// the first put on, because the rows that refer to it come later.
    fn writing(&self) -> Result<RwLockReadGuard<'_, Option<File>>> {
        loop {
            let gate = self.gate.read().unwrap_or_else(PoisonError::into_inner);
            if gate.is_some() {
                return Ok(gate);
            }
            drop(gate);
            let mut gate = self.gate.write().unwrap_or_else(PoisonError::into_inner);
            if gate.is_none() {
                let file = self.lock_file()?;
                file.lock_shared().map_err(|error| files::io_error("lock", &self.lock_path, &error))?;
                *gate = Some(file);
            }
        }
    }

    fn lock_file(&self) -> Result<File> {
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .read(true)
            .open(&self.lock_path)
            .map_err(|error| files::io_error("open", &self.lock_path, &error))
    }
}

impl std::fmt::Debug for Objects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Objects").field("packs", &self.packs).finish_non_exhaustive()
    }
}

/// What to say about an object that is not what was written.
pub(crate) fn corrupt(digest: &Digest, pack: &str) -> Error {
    Error::new(
        Code::Corrupt,
        format!("the object `{}` in the pack `{}` is not what was written", digest.short(), short(pack)),
    )
    .hint("run `fettle workspace check` to see what depends on it; import the same file again, or restore a backup")
}

/// What to say about an object that is not there.
pub(crate) fn missing(digest: &Digest) -> Error {
    Error::new(Code::Corrupt, format!("the object `{}` is missing", digest.short()))
        .hint("run `fettle workspace check` to see what depends on it; import the same file again, or restore a backup")
}

/// Enough of a name of 64 digits for people. It comes from a file's name or a row, which may be damaged.
pub(crate) fn short(name: &str) -> String {
    name.chars().take(12).collect()
}
