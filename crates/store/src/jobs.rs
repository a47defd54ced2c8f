//! Jobs: work with a row, so that every screen and a restart know of it.

use base::{Code, Error, JobId, Result, Stage, Timestamp};
use rusqlite::{Connection, Row};
use serde_json::Value;

use crate::doors::Change;
use crate::feed::Topic;
use crate::sql::words;
use crate::{Page, names, sql};

words! {
    /// How far a job is.
    JobState, "the state of a job" {
        /// It waits for its turn.
        Queued = "queued",
        /// It is being done.
        Running = "running",
        /// It is done.
        Done = "done",
        /// It failed.
        Failed = "failed",
        /// The user stopped it.
        Cancelled = "cancelled",
        /// The process that did it died.
        Interrupted = "interrupted",
    }
}

impl JobState {
    /// True once nothing will change any more.
    pub fn is_final(self) -> bool {
        match self {
            Self::Queued | Self::Running => false,
            Self::Done | Self::Failed | Self::Cancelled | Self::Interrupted => true,
        }
    }
}

/// A piece of work.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What it does, as the command that asked for it.
    pub kind: String,
    /// The same for people.
    pub title: String,
    /// What it works on.
    pub subject: Value,
    /// How far it is.
    pub state: JobState,
    /// What it is doing now.
    pub progress: Option<Stage>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<Error>,
    /// What came of it.
    pub result: Option<Value>,
}

const COLUMNS: &str = "id, kind, title, subject, state, stage, done, total, created_at, started_at, \
                       finished_at, error, result";

impl Job {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let stage: Option<String> = row.get("stage")?;
        let (done, total) = (row.get("done")?, row.get("total")?);
        Ok(Self {
            id: sql::parsed(row, "id")?,
            kind: row.get("kind")?,
            title: row.get("title")?,
            subject: sql::json(row, "subject")?,
            state: sql::parsed(row, "state")?,
            progress: stage.map(|name| Stage { name, done, total }),
            created_at: sql::time(row, "created_at")?,
            started_at: sql::time_option(row, "started_at")?,
            finished_at: sql::time_option(row, "finished_at")?,
            error: sql::json_option(row, "error")?,
            result: sql::json_option(row, "result")?,
        })
    }
}

/// Makes a job that waits for its turn.
///
/// # Errors
/// When the workspace cannot be written.
pub fn create(c: &mut Change<'_>, kind: &str, title: &str, subject: &Value) -> Result<Job> {
    let id = JobId::new();
    sql::change(
        c,
        "insert into jobs (id, kind, title, subject, state, created_at) values (?1, ?2, ?3, ?4, ?5, ?6)",
        (id.as_str(), kind, title, sql::to_json(subject), JobState::Queued, c.now().as_ms()),
    )?;
    c.touch(Topic::Jobs);
    get(c, &id)
}

/// Says that a job begins.
///
/// # Errors
/// `Conflict` when it has begun or ended before.
pub fn start(c: &mut Change<'_>, id: &JobId) -> Result<()> {
    let changed = sql::change(
        c,
        "update jobs set state = 'running', started_at = ?2 where id = ?1 and state = 'queued'",
        (id.as_str(), c.now().as_ms()),
    )?;
    expect_changed(c, id, changed)
}

/// Says how far a job is. A job that has ended stays as it is.
///
/// # Errors
/// When the workspace cannot be written.
pub fn set_progress(c: &mut Change<'_>, id: &JobId, stage: &Stage) -> Result<()> {
    sql::change(
        c,
        "update jobs set stage = ?2, done = ?3, total = ?4 where id = ?1 and state in ('queued', 'running')",
        (id.as_str(), &stage.name, stage.done, stage.total),
    )?;
    c.touch(Topic::Jobs);
    Ok(())
}

/// Says how a job ended: with a result, or with an error, which decides between failed and
/// cancelled.
///
/// # Errors
/// `Conflict` when it has ended before.
pub fn finish(c: &mut Change<'_>, id: &JobId, outcome: Result<&Value, &Error>) -> Result<()> {
    let state = match outcome {
        Ok(_) => JobState::Done,
        Err(error) if error.code == Code::Cancelled => JobState::Cancelled,
        Err(_) => JobState::Failed,
    };
    end(c, id, state, outcome.ok(), outcome.err())
}

/// Ends a job whose process died.
pub(crate) fn interrupt(c: &mut Change<'_>, id: &JobId) -> Result<()> {
    let error = Error::new(Code::Unavailable, "Fettle was stopped while this ran").hint("start it again");
    end(c, id, JobState::Interrupted, None, Some(&error))
}

fn end(
    c: &mut Change<'_>,
    id: &JobId,
    state: JobState,
    result: Option<&Value>,
    error: Option<&Error>,
) -> Result<()> {
    let changed = sql::change(
        c,
        "update jobs set state = ?2, finished_at = ?3, result = ?4, error = ?5
         where id = ?1 and state in ('queued', 'running')",
        (id.as_str(), state, c.now().as_ms(), result.map(sql::to_json), error.map(sql::to_json)),
    )?;
    expect_changed(c, id, changed)
}

fn expect_changed(c: &mut Change<'_>, id: &JobId, changed: usize) -> Result<()> {
    c.touch(Topic::Jobs);
    if changed == 1 {
        return Ok(());
    }
    let job = get(c, id)?;
    Err(Error::new(Code::Conflict, format!("the job `{}` is {}", job.title, job.state)))
}

/// The job with this id.
///
/// # Errors
/// `NotFound`.
pub fn get(db: &Connection, id: &JobId) -> Result<Job> {
    let query = format!("select {COLUMNS} from jobs where id = ?1");
    sql::first(db, &query, [id.as_str()], Job::read)?.ok_or_else(|| names::unknown("job", id))
}

/// Jobs, newest first.
///
/// # Errors
/// When the workspace cannot be read.
pub fn list(db: &Connection, page: Page) -> Result<Vec<Job>> {
    let query = format!("select {COLUMNS} from jobs order by created_at desc, id limit ?1 offset ?2");
    sql::many(db, &query, (page.limit(), page.offset()), Job::read)
}

/// Jobs that are queued or running, oldest first.
///
/// # Errors
/// When the workspace cannot be read.
pub fn unfinished(db: &Connection) -> Result<Vec<JobId>> {
    let query = "select id from jobs where state in ('queued', 'running') order by created_at, id";
    sql::many(db, query, [], |row| sql::parsed(row, "id"))
}

/// Forgets ended jobs beyond the newest `keep`, and says how many those were.
///
/// # Errors
/// When the workspace cannot be written.
pub fn prune(c: &mut Change<'_>, keep: u32) -> Result<usize> {
    let removed = sql::change(
        c,
        "delete from jobs where state not in ('queued', 'running') and id not in
            (select id from jobs order by created_at desc, id limit ?1)",
        [keep],
    )?;
    c.touch(Topic::Jobs);
    Ok(removed)
}
