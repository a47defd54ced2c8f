//! The two doors to the index: [`Store::read`] and [`Store::write`]; and a side door,
//! [`Store::note`], for what changes many times a second and may be lost with the power. What comes
//! as often and may not be lost goes through [`Store::log`].

use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use base::{Code, Error, Result, Timestamp};
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::audit::{self, Action};
use crate::feed::Topic;
use crate::group::{self, Entry, Waiting};
use crate::manifests::{self, Pending, Publication};
use crate::store::Store;
use crate::{migrations, sql};

/// Readers kept open between reads. More may be open at once; the rest are closed afterwards.
const POOLED_READERS: usize = 8;

/// How long SQLite waits for a writer in another process. Ours take milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// A change in progress: the transaction, the time, and what it has touched so far.
pub struct Change<'a> {
    tx: Transaction<'a>,
    now: Timestamp,
    touched: BTreeSet<Topic>,
}

impl Change<'_> {
    /// The time of this change; the same for all rows it writes.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Says that this part of the workspace changes.
    pub fn touch(&mut self, topic: Topic) {
        self.touched.insert(topic);
    }
}

impl Deref for Change<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.tx
    }
}

/// A change that the audit log records, and that may hand out manifests.
pub struct Write<'a> {
    change: Change<'a>,
    sequence: i64,
    action: Action,
    publications: Vec<Publication>,
    pending: Vec<Pending>,
}

impl Write<'_> {
    /// The place of this write in the order of all writes.
    pub fn sequence(&self) -> i64 {
        self.sequence
    }

    /// Adds to what the audit log keeps about this write, such as an id that it made.
    pub fn detail(&mut self, key: &str, value: impl Into<serde_json::Value>) {
        self.action.add(key, value);
    }

    /// Takes back the manifests about a subject that is deleted for good.
    pub(crate) fn retire(&mut self, subject: &str) -> Result<()> {
        let retired = manifests::retire(self, subject)?;
        self.pending.extend(retired);
        Ok(())
    }

    /// Takes back the manifests about a subject that changes now and gets its next one when it rests.
    pub(crate) fn unsettle_as(&mut self, kind: &str, subject: &str) -> Result<()> {
        let retired = manifests::unsettle(self, kind, subject)?;
        self.pending.extend(retired);
        Ok(())
    }

    /// As [`Write::unsettle_as`], for each run that a query with one parameter gives.
    pub(crate) fn unsettle_runs(&mut self, run_ids: &str, id: i64) -> Result<()> {
        let retired = manifests::unsettle_runs(self, run_ids, id)?;
        self.pending.extend(retired);
        Ok(())
    }

    /// Says that a row is no more, in a manifest of its own about what it belonged to.
    pub(crate) fn retire_row(&mut self, table: &str, key: serde_json::Value, subject: String) {
        self.publish(Publication::new("removed", subject).deleted(table, key));
    }

    /// Hands out a manifest with this write; asking twice for the same gives one.
    pub(crate) fn publish(&mut self, publication: Publication) {
        if !self.publications.contains(&publication) {
            self.publications.push(publication);
        }
    }
}

impl<'a> Deref for Write<'a> {
    type Target = Change<'a>;

    fn deref(&self) -> &Change<'a> {
        &self.change
    }
}

impl DerefMut for Write<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.change
    }
}

/// A write whose transaction is committed, and whose manifests are still to be written.
struct Committed<T> {
    out: T,
    touched: BTreeSet<Topic>,
    pending: Vec<Pending>,
}

impl Store {
    /// Runs `f` on one unchanging view of the workspace. Never waits for a writer.
    ///
    /// # Errors
    /// What `f` fails with, and failures of the database.
    pub fn read<T>(&self, f: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let failed = |error| sql::failed("read the workspace", &error);
        let pooled = self.inner.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let db = match pooled {
            Some(db) => db,
            None => connect_reader(&self.inner.layout.database())?,
        };
        let tx = db.unchecked_transaction().map_err(failed)?;
        let out = f(&tx);
        tx.finish().map_err(failed)?;
        let mut readers = self.inner.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < POOLED_READERS {
            readers.push(db);
        }
        out
    }

    /// Runs `f` in one transaction, records `action` in the audit log, and tells the feed once it
    /// is committed. When this returns, the change survives a power cut. Do not read files, hash,
    /// compute or talk to anybody inside `f`: every other writer waits.
    ///
    /// # Errors
    /// What `f` fails with, and failures of the database; nothing has then changed.
    pub fn write<T>(&self, action: Action, f: impl FnOnce(&mut Write<'_>) -> Result<T>) -> Result<T> {
        let flushed = self.take_flushed();
        let committed = match self.commit(action, &flushed, f) {
            Ok(committed) => committed,
            Err(error) => {
                self.put_flushed(flushed);
                return Err(error);
            }
        };
        self.flush_manifests(committed.pending);
        self.inner.announcer.announce(&committed.touched);
        Ok(committed.out)
    }

    fn commit<T>(
        &self,
        action: Action,
        flushed: &[String],
        f: impl FnOnce(&mut Write<'_>) -> Result<T>,
    ) -> Result<Committed<T>> {
        let failed = |error| sql::failed("write the workspace", &error);
        let mut db = self.writer();
        set_synchronous(&db, "full")?;
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        // Before `f`, which may take back a manifest that is among these.
        manifests::settle(&tx, flushed)?;
        let sequence = audit::head(&tx)?.0 + 1;
        let change = Change { tx, now: self.inner.clock.now(), touched: BTreeSet::from([Topic::Audit]) };
        let mut write = Write { change, sequence, action, publications: Vec::new(), pending: Vec::new() };
        let out = f(&mut write)?;
        let Write { change, action, publications, mut pending, .. } = write;
        let Change { tx, now, touched } = change;
        audit::append(&tx, sequence, now, action, &touched)?;
        pending.extend(manifests::enqueue(&tx, sequence, now, publications)?);
        tx.commit().map_err(failed)?;
        Ok(Committed { out, touched, pending })
    }

    /// Runs `f` in one transaction that is not audited and not synced: progress of a job, a step
    /// that starts, a draft, the last use of a cache entry. It survives the death of this process,
    /// but a power cut may take the last seconds of notes.
    ///
    /// # Errors
    /// What `f` fails with, and failures of the database; nothing has then changed.
    pub fn note<T>(&self, f: impl FnOnce(&mut Change<'_>) -> Result<T>) -> Result<T> {
        let failed = |error| sql::failed("write the workspace", &error);
        let (out, touched) = {
            let mut db = self.writer();
            set_synchronous(&db, "normal")?;
            let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
            let mut change = Change { tx, now: self.inner.clock.now(), touched: BTreeSet::new() };
            let out = f(&mut change)?;
            let Change { tx, touched, .. } = change;
            tx.commit().map_err(failed)?;
            (out, touched)
        };
        self.inner.announcer.announce(&touched);
        Ok(out)
    }

    /// One transaction, synced, for all of a group. Gives the manifests to remove and what changed.
    pub(crate) fn commit_group(
        &self,
        db: &mut Connection,
        group: &mut [Box<dyn Waiting>],
    ) -> Result<(Vec<Pending>, BTreeSet<Topic>)> {
        let failed = |error| sql::failed("write the workspace", &error);
        set_synchronous(db, "full")?;
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let change = Change { tx, now: self.inner.clock.now(), touched: BTreeSet::new() };
        let mut entry = Entry { change, pending: Vec::new() };
        for task in group {
            group::within_savepoint(&mut entry, task.as_mut())?;
        }
        let Entry { change, pending } = entry;
        let Change { tx, touched, .. } = change;
        tx.commit().map_err(failed)?;
        Ok((pending, touched))
    }

    /// Changes whenever another process has committed something.
    ///
    /// # Errors
    /// Failures of the database.
    pub fn data_version(&self) -> Result<i64> {
        sql::value(&self.writer(), "pragma data_version", [])
    }

    /// What other processes changed since this was last asked, so that their work can be
    /// announced like ours. Their notes are not told apart: those count as jobs and runs.
    ///
    /// # Errors
    /// Failures of the database.
    pub fn take_foreign_changes(&self) -> Result<BTreeSet<Topic>> {
        let db = self.writer();
        let version: i64 = sql::value(&db, "pragma data_version", [])?;
        let mut seen = self.inner.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.data_version == version {
            return Ok(BTreeSet::new());
        }
        let (topics, last) = audit::topics_since(&db, seen.audit_id)?;
        (seen.data_version, seen.audit_id) = (version, last);
        if topics.is_empty() { Ok(BTreeSet::from([Topic::Jobs, Topic::Runs])) } else { Ok(topics) }
    }

    pub(crate) fn writer(&self) -> MutexGuard<'_, Connection> {
        // A panic inside a write dropped its transaction, which rolled it back.
        self.inner.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings manifest files to the disk. The commit stands whatever happens to them: one that
    /// cannot be written is tried again with the next write, and by the next owner.
    pub(crate) fn flush_manifests(&self, pending: Vec<Pending>) {
        let mut waiting =
            std::mem::take(&mut *self.inner.unflushed.lock().unwrap_or_else(PoisonError::into_inner));
        waiting.extend(pending);
        match manifests::flush(&self.inner.layout.manifests(), &waiting) {
            Ok(()) => {
                self.put_flushed(waiting.into_iter().map(|pending| pending.hash).collect());
            }
            Err(_) => {
                self.inner.unflushed.lock().unwrap_or_else(PoisonError::into_inner).extend(waiting);
            }
        }
    }

    fn put_flushed(&self, hashes: Vec<String>) {
        self.inner.flushed.lock().unwrap_or_else(PoisonError::into_inner).extend(hashes);
    }

    fn take_flushed(&self) -> Vec<String> {
        std::mem::take(&mut self.inner.flushed.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Both doors share a connection, and each says for itself how durable its commit is, so that
/// nothing that went wrong in a note can weaken a write.
fn set_synchronous(db: &Connection, level: &str) -> Result<()> {
    db.pragma_update(None, "synchronous", level).map_err(|error| sql::failed("write the workspace", &error))
}

/// How the database is opened for writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// Making it where it is missing, in the newest shape.
    Creating,
    /// Bringing it to the newest shape.
    Owning,
    /// Taking it as it is: an owner of an older Fettle may be at work in it.
    Visiting,
}

/// Opens the database for writing.
pub(crate) fn connect_writer(path: &Path, opening: Opening) -> Result<Connection> {
    let failed = |error| sql::failed(&format!("open `{}`", path.display()), &error);
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if opening == Opening::Creating {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    } else if !path.exists() {
        return Err(Error::new(Code::Corrupt, format!("the index `{}` is missing", path.display()))
            .hint("run `fettle workspace repair`: it is rebuilt from the manifests, nothing is lost"));
    }
    let mut db = Connection::open_with_flags(path, flags).map_err(failed)?;
    db.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    // Before anything is changed: a newer file stays as it is.
    migrations::check_version(&db)?;
    let configure = || {
        db.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        db.pragma_update(None, "synchronous", "full")?;
        // Where a plain sync does not reach the platter (macOS), use the one that does.
        db.pragma_update(None, "fullfsync", true)?;
        db.pragma_update(None, "checkpoint_fullfsync", true)?;
        db.pragma_update(None, "foreign_keys", true)?;
        db.pragma_update(None, "temp_store", "memory")
    };
    configure().map_err(failed)?;
    db.set_prepared_statement_cache_capacity(128);
    match opening {
        Opening::Creating | Opening::Owning => migrations::migrate(&mut db)?,
        Opening::Visiting => migrations::expect_newest(&db)?,
    }
    Ok(db)
}

fn connect_reader(path: &Path) -> Result<Connection> {
    let failed = |error| sql::failed(&format!("open `{}`", path.display()), &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(failed)?;
    db.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    db.pragma_update(None, "temp_store", "memory").map_err(failed)?;
    db.set_prepared_statement_cache_capacity(128);
    Ok(db)
}
