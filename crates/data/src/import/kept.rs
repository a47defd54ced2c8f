//! What an import of a large file keeps while it reads, so that the next one goes on where it was killed:
//! the rows so far, as far as row groups are whole, and what was found out until there. It is only a
//! help: whatever is not as it was written is as good as none, and then all is read from its beginning.

use std::fs::{File, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base::{Error, Result};
use serde::{Deserialize, Serialize};

use super::check::Checked;
use super::options::ImportReport;
use super::place::{Marks, Place};
use crate::schema::TableMeta;
use crate::table::{TableWriter, Written, open_kept};

/// What is kept is only for the very same program: another one may read cells in another way.
const PROGRAM: &str = concat!("1 fettle ", env!("CARGO_PKG_VERSION"));
/// A smaller file is read faster than it is worth to keep something of it.
const LARGE_BYTES: u64 = 64 << 20;
/// At most one part in so many is read twice,
const SHARE: u64 = 20;
/// or so much: it takes less than a second.
const LEAST_BYTES: u64 = 16 << 20;
/// And no more than this.
const MOST_BYTES: u64 = 256 << 20;
/// A reader whose parent was killed ends within a moment; until then it has the lock.
const PATIENCE: Duration = Duration::from_secs(1);
/// The lock of whoever reads.
const LOCK: &str = "lock";
const STATE: &str = "state.json";

/// Where what was read of a file is kept while it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// A folder for this file, read in this way; made if it is not there.
    pub dir: PathBuf,
    /// What tells the content of the file: nothing that is kept of another content is taken over.
    pub identity: String,
    /// Keep what was read after so many bytes, however small the file is; for tests.
    #[serde(default)]
    pub every_bytes: Option<u64>,
}

impl Parts {
    /// Removes what is kept, unless somebody reads the file right now. That it cannot be removed is no
    /// failure: it goes when space is freed.
    pub fn remove(dir: &Path) {
        if let Ok(lock) = File::open(dir.join(LOCK))
            && lock.try_lock().is_ok()
        {
            let _ = std::fs::remove_dir_all(dir);
        }
    }
}

/// Which of the two passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Pass {
    /// The one that checks, and writes as long as the guessed kinds fit.
    First,
    /// The one that writes with the kinds that were found.
    Second,
}

/// How far an import came.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Reached {
    pub(super) pass: Pass,
    /// Where reading goes on.
    pub(super) place: Place,
    /// What the first pass found before that, or in all.
    pub(super) checked: Checked,
    /// The rows before that; none where the first pass found that the guessed kinds do not fit.
    pub(super) table: Option<Written>,
}

/// What was kept of an import.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Progressed {
    Reached(Box<Reached>),
    /// It came to its end, and whoever asked for it did not.
    Finished {
        report: Box<ImportReport>,
        table: Written,
    },
}

#[derive(Debug, Serialize, Deserialize)]
struct State<T> {
    program: String,
    identity: String,
    size_bytes: u64,
    progressed: T,
}

/// A folder of parts that nobody else uses.
pub(super) struct Kept {
    dir: PathBuf,
    identity: String,
    size_bytes: u64,
    every_bytes: u64,
    // Held as long as this is.
    _lock: File,
}

impl Kept {
    /// Takes the folder, if the file is worth it and nobody else has it.
    pub(super) fn open(parts: &Parts, size_bytes: u64) -> Option<Self> {
        if parts.every_bytes.is_none() && size_bytes < LARGE_BYTES {
            return None;
        }
        let every_bytes =
            parts.every_bytes.unwrap_or_else(|| (size_bytes / SHARE).clamp(LEAST_BYTES, MOST_BYTES));
        std::fs::create_dir_all(&parts.dir).ok()?;
        let lock =
            File::options().create(true).truncate(false).write(true).open(parts.dir.join(LOCK)).ok()?;
        let begun = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => {
                    std::thread::sleep(PATIENCE / 20)
                }
                // Somebody reads the same file, or this disk has no locks: then nothing is kept.
                Err(TryLockError::WouldBlock | TryLockError::Error(_)) => return None,
            }
        }
        let (dir, identity) = (parts.dir.clone(), parts.identity.clone());
        Some(Self { dir, identity, size_bytes, every_bytes, _lock: lock })
    }

    /// When to keep what was read from `start` on.
    pub(super) fn marks(kept: Option<&Self>, start: u64) -> Marks {
        kept.map_or_else(Marks::never, |kept| Marks::every(kept.every_bytes, start))
    }

    /// The table of an import that came to its end, if there was one.
    pub(super) fn finished(&self, out_dir: &Path) -> Option<ImportReport> {
        let Progressed::Finished { report, table } = self.read()? else { return None };
        let opened = open_kept(out_dir, &report.meta, (&self.dir, &table));
        opened.is_ok().then(|| ImportReport { taken_over_bytes: self.size_bytes, ..*report })
    }

    /// How far an import came that did not come to its end.
    pub(super) fn reached(&self) -> Option<Reached> {
        match self.read()? {
            Progressed::Reached(reached) => Some(*reached),
            Progressed::Finished { .. } => None,
        }
    }

    /// Goes on with the rows that were written, or begins anew if there are none that are as they were
    /// written: then nothing was reached.
    pub(super) fn writer(
        &self,
        out_dir: &Path,
        meta: TableMeta,
        reached: Option<Reached>,
    ) -> Result<(Option<TableWriter>, Option<Reached>)> {
        if let Some(reached) = reached
            && let Some(written) = &reached.table
            && let Ok(writer) = TableWriter::go_on(out_dir, meta.clone(), (&self.dir, written))
        {
            return Ok((Some(writer), Some(reached)));
        }
        Ok((Some(TableWriter::create_kept(out_dir, meta, &self.dir)?), None))
    }

    /// Keeps how far the import came.
    pub(super) fn reach(&self, reached: &Reached) -> Result<()> {
        self.write(&Progressed::Reached(Box::new(reached.clone())))
    }

    /// Keeps that the import came to its end.
    pub(super) fn finish(&self, report: &ImportReport, table: Written) -> Result<()> {
        self.write(&Progressed::Finished { report: Box::new(report.clone()), table })
    }

    fn read(&self) -> Option<Progressed> {
        let text = std::fs::read(self.dir.join(STATE)).ok()?;
        let (hash, json) = text.split_at_checked(blake3::OUT_LEN * 2)?;
        if blake3::hash(json).to_hex().as_bytes() != hash {
            return None;
        }
        let state: State<Progressed> = serde_json::from_slice(json).ok()?;
        let is_same = state.program == PROGRAM
            && state.identity == self.identity
            && state.size_bytes == self.size_bytes;
        is_same.then_some(state.progressed)
    }

    fn write(&self, progressed: &Progressed) -> Result<()> {
        let path = self.dir.join(STATE);
        let state = State {
            program: PROGRAM.to_owned(),
            identity: self.identity.clone(),
            size_bytes: self.size_bytes,
            progressed,
        };
        let json = serde_json::to_vec(&state)
            .map_err(|e| Error::internal("cannot write how far an import came").because(e))?;
        let write = || {
            let mut file = tempfile::NamedTempFile::new_in(&self.dir)?;
            file.write_all(blake3::hash(&json).to_hex().as_bytes())?;
            file.write_all(&json)?;
            file.as_file().sync_data()?;
            file.persist(&path).map_err(|e| e.error)?;
            // Elsewhere renames are in order without it.
            #[cfg(unix)]
            File::open(&self.dir)?.sync_all()?;
            Ok(())
        };
        write().map_err(|e| Error::io("write", &path, &e))
    }
}

#[cfg(test)]
mod tests;
