//! Who owns a workspace: one process holds the lock, and says in `owner.json` who it is and
//! where it answers. The operating system drops the lock with the process, so there is no stale
//! lock to guess about.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use base::{Code, Error, Result, Timestamp};
use serde::{Deserialize, Serialize};

use crate::files;

/// What the owner says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Its process.
    pub pid: u32,
    /// Where its daemon answers, once it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Since when it owns the workspace.
    pub started: Timestamp,
}

/// The lock, held as long as this lives.
#[derive(Debug)]
pub(crate) struct OwnerLock {
    // Closing the file gives the lock back.
    _file: File,
}

const LOCK: &str = "owner.lock";
const RECORD: &str = "owner.json";

/// Somebody who only asks who owns the workspace holds the lock for a moment; so long we try.
const PATIENCE: Duration = Duration::from_millis(300);

impl OwnerLock {
    /// Takes the lock and says who we are.
    ///
    /// # Errors
    /// [`Code::Locked`], with the process that has it.
    pub(crate) fn take(root: &Path, now: Timestamp) -> Result<Self> {
        let path = root.join(LOCK);
        let file = open(&path)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    thread::sleep(Duration::from_millis(10));
                }
                Err(TryLockError::WouldBlock) => return Err(locked(root)),
                Err(TryLockError::Error(error)) => return Err(files::io_error("lock", &path, &error)),
            }
        }
        write_record(root, &Owner { pid: std::process::id(), url: None, started: now })?;
        Ok(Self { _file: file })
    }
}

/// Who owns the workspace right now, if anybody does.
///
/// # Errors
/// When the operating system refuses.
pub fn owner_of(root: &Path) -> Result<Option<Owner>> {
    let path = root.join(LOCK);
    if !path.exists() {
        return Ok(None);
    }
    match open(&path)?.try_lock_shared() {
        // Nobody has it; the record, if there is one, is an old owner's.
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(read_record(root)),
        Err(TryLockError::Error(error)) => Err(files::io_error("lock", &path, &error)),
    }
}

pub(crate) fn write_record(root: &Path, owner: &Owner) -> Result<()> {
    let record = serde_json::to_vec(owner).expect("a record of texts and numbers is JSON");
    files::write_atomic(&root.join(RECORD), &record)
}

/// The record as it stands. It is written whole, so it reads, or an owner has not got that far.
pub(crate) fn read_record(root: &Path) -> Option<Owner> {
    serde_json::from_slice(&std::fs::read(root.join(RECORD)).ok()?).ok()
}

fn locked(root: &Path) -> Error {
    let who = match read_record(root) {
        Some(owner) => format!("process {}", owner.pid),
        None => "another process".to_owned(),
    };
    Error::new(Code::Locked, format!("{who} owns the workspace `{}`", root.display()))
        .hint("close the other Fettle or run `fettle daemon stop`")
}

fn open(path: &Path) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .read(true)
        .open(path)
        .map_err(|error| files::io_error("open", path, &error))
}
