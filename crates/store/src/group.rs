//! Group commit: the third door, [`Store::log`], for what programs write many times a second and
//! must not lose. Whoever comes while another commits waits, and the next commit takes all who
//! wait: one sync of the disk acknowledges them together.
//!
//! Not audited: what is logged is itself the record, and belongs to something that was made by an
//! audited write or can be seen as long as it is there.

use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use base::{Error, Result};

use crate::doors::Change;
use crate::manifests::{self, Pending};
use crate::sql;
use crate::store::Store;

/// One commit takes at most this many, so that nobody waits long for the writer.
const MOST: usize = 256;

/// A part of a group commit: a change, of which manifests may be taken back.
pub struct Entry<'a> {
    pub(crate) change: Change<'a>,
    pub(crate) pending: Vec<Pending>,
}

impl Entry<'_> {
    /// Takes back the manifests about a run that is about to change: while something changes often,
    /// it has none, and gets one when it has settled.
    pub(crate) fn unsettle(&mut self, run_id: &str) -> Result<()> {
        self.unsettle_as("run", run_id)
    }

    /// As [`Entry::unsettle`], for a subject of this kind.
    pub(crate) fn unsettle_as(&mut self, kind: &str, subject: &str) -> Result<()> {
        let retired = manifests::unsettle(&self.change, kind, subject)?;
        self.pending.extend(retired);
        Ok(())
    }
}

impl<'a> Deref for Entry<'a> {
    type Target = Change<'a>;

    fn deref(&self) -> &Change<'a> {
        &self.change
    }
}

impl DerefMut for Entry<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.change
    }
}

/// What waits for a commit.
pub(crate) trait Waiting: Send {
    /// Makes its change; true when it holds.
    fn work(&mut self, entry: &mut Entry<'_>) -> bool;
    /// Hears how the commit went.
    fn tell(&mut self, committed: &Result<()>);
}

struct Task<T, F> {
    work: Option<F>,
    made: Option<Result<T>>,
    told: Arc<Mutex<Option<Result<T>>>>,
}

impl<T: Send, F: FnOnce(&mut Entry<'_>) -> Result<T> + Send> Waiting for Task<T, F> {
    fn work(&mut self, entry: &mut Entry<'_>) -> bool {
        let Some(work) = self.work.take() else { return false };
        // A fault in one of them must not take the others along.
        let made = catch_unwind(AssertUnwindSafe(|| work(entry)));
        let made = made.unwrap_or_else(|_| Err(Error::internal("a write stopped at a fault of its own")));
        let holds = made.is_ok();
        self.made = Some(made);
        holds
    }

    fn tell(&mut self, committed: &Result<()>) {
        let told = match (self.made.take(), committed) {
            (Some(Err(error)), _) => Err(error),
            (_, Err(error)) => Err(error.clone()),
            (Some(made), Ok(())) => made,
            (None, Ok(())) => Err(Error::internal("a write was not made")),
        };
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Some(told);
    }
}

impl Store {
    /// Runs `f` in a transaction that it shares with whoever writes at the same moment. When this
    /// returns, the change survives a power cut; when `f` fails, nothing of it has changed. Do not
    /// read files, hash, compute or talk to anybody inside `f`.
    ///
    /// # Errors
    /// What `f` fails with, and failures of the database.
    pub fn log<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Entry<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let told = Arc::new(Mutex::new(None));
        let task = Task { work: Some(f), made: None, told: Arc::clone(&told) };
        self.inner.waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(Box::new(task));
        loop {
            // The writer's lock is the queue: who gets it commits for all who wait by then.
            let mut db = self.writer();
            if let Some(told) = told.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return told;
            }
            let mut group: Vec<Box<dyn Waiting>> = {
                let mut waiting = self.inner.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                let count = waiting.len().min(MOST);
                waiting.drain(..count).collect()
            };
            let committed = self.commit_group(&mut db, &mut group);
            let (outcome, after) = match committed {
                Ok(after) => (Ok(()), Some(after)),
                Err(error) => (Err(error), None),
            };
            for task in &mut group {
                task.tell(&outcome);
            }
            drop(db);
            if let Some((pending, topics)) = after {
                if !pending.is_empty() {
                    self.flush_manifests(pending);
                }
                self.inner.announcer.announce(&topics);
            }
        }
    }
}

/// Makes a change that can be taken back by itself.
pub(crate) fn within_savepoint(entry: &mut Entry<'_>, task: &mut dyn Waiting) -> Result<()> {
    let failed = |error| sql::failed("write the workspace", &error);
    let run = |entry: &Entry<'_>, words: &str| {
        entry.prepare_cached(words).and_then(|mut statement| statement.execute([]).map(drop))
    };
    run(entry, "savepoint one").map_err(failed)?;
    let before = entry.pending.len();
    if !task.work(entry) {
        entry.pending.truncate(before);
        run(entry, "rollback to one").map_err(failed)?;
    }
    run(entry, "release one").map_err(failed)
}
