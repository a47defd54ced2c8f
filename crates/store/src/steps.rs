//! What the steps of a run did.

use base::{Error, Result, RunId, Timestamp};
use rusqlite::{Connection, Row};
use serde_json::Value;

use crate::doors::Change;
use crate::feed::Topic;
use crate::sql;
use crate::sql::words;

words! {
    /// How far a step of a run is.
    StepState, "the state of a step" {
        /// It waits for the steps before it.
        Pending = "pending",
        /// It could begin, and waits for a free place.
        Queued = "queued",
        /// It is being done.
        Running = "running",
        /// Its outputs were there already.
        Cached = "cached",
        /// It is done.
        Done = "done",
        /// It failed.
        Failed = "failed",
        /// It was not asked for.
        Skipped = "skipped",
        /// A step before it failed.
        Blocked = "blocked",
        /// The user stopped it.
        Cancelled = "cancelled",
        /// The process that did it died.
        Interrupted = "interrupted",
    }
}

/// What one step of a run did.
#[derive(Debug, Clone, PartialEq)]
pub struct StepRun {
    /// The run.
    pub run_id: RunId,
    /// The step, as the pipeline file names it.
    pub step_id: String,
    /// Its place in the pipeline, for an order on the screen.
    pub position: u32,
    /// Its kind.
    pub kind: String,
    /// How far it is.
    pub state: StepState,
    /// The key its outputs are cached under.
    pub key: Option<String>,
    /// Why it had to run, or why not.
    pub reason: Value,
    /// Its outputs by port: digest, place in the cache, bytes.
    pub outputs: Value,
    /// What it says about its result in a line or two.
    pub summary: Value,
    /// Why it failed.
    pub error: Option<Error>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Processor time of its process.
    pub cpu_ms: Option<u64>,
    /// The most memory its process held.
    pub max_rss_bytes: Option<u64>,
}

const COLUMNS: &str = "run_id, step_id, position, kind, state, key, reason, outputs, summary, error, \
                       started_at, finished_at, cpu_ms, max_rss_bytes";

impl StepRun {
    /// A step that waits, with nothing to say about it yet.
    pub fn pending(run_id: &RunId, step_id: &str, position: u32, kind: &str) -> Self {
        Self {
            run_id: run_id.clone(),
            step_id: step_id.to_owned(),
            position,
            kind: kind.to_owned(),
            state: StepState::Pending,
            key: None,
            reason: Value::Null,
            outputs: Value::Null,
            summary: Value::Null,
            error: None,
            started_at: None,
            finished_at: None,
            cpu_ms: None,
            max_rss_bytes: None,
        }
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            run_id: sql::parsed(row, "run_id")?,
            step_id: row.get("step_id")?,
            position: row.get("position")?,
            kind: row.get("kind")?,
            state: sql::parsed(row, "state")?,
            key: row.get("key")?,
            reason: sql::json(row, "reason")?,
            outputs: sql::json(row, "outputs")?,
            summary: sql::json(row, "summary")?,
            error: sql::json_option(row, "error")?,
            started_at: sql::time_option(row, "started_at")?,
            finished_at: sql::time_option(row, "finished_at")?,
            cpu_ms: row.get("cpu_ms")?,
            max_rss_bytes: row.get("max_rss_bytes")?,
        })
    }
}

/// Writes down how a step stands now, whether it was known before or not.
///
/// # Errors
/// `Conflict` when the run has ended.
pub fn save(c: &mut Change<'_>, step: &StepRun) -> Result<()> {
    crate::runs::expect_state(c, &step.run_id, "changed", |state| !state.is_final())?;
    sql::change(
        c,
        "insert into step_runs (run_id, step_id, position, kind, state, key, reason, outputs, summary, error,
            started_at, finished_at, cpu_ms, max_rss_bytes)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
         on conflict (run_id, step_id) do update set
            position = excluded.position, kind = excluded.kind, state = excluded.state, key = excluded.key,
            reason = excluded.reason, outputs = excluded.outputs, summary = excluded.summary,
            error = excluded.error, started_at = excluded.started_at, finished_at = excluded.finished_at,
            cpu_ms = excluded.cpu_ms, max_rss_bytes = excluded.max_rss_bytes",
        (
            step.run_id.as_str(),
            &step.step_id,
            step.position,
            &step.kind,
            step.state,
            &step.key,
            sql::to_json(&step.reason),
            sql::to_json(&step.outputs),
            sql::to_json(&step.summary),
            step.error.as_ref().map(sql::to_json),
            step.started_at.map(Timestamp::as_ms),
            step.finished_at.map(Timestamp::as_ms),
            step.cpu_ms,
            step.max_rss_bytes,
        ),
    )?;
    c.touch(Topic::Runs);
    Ok(())
}

/// The steps of a run, in the order of the pipeline.
///
/// # Errors
/// When the workspace cannot be read.
pub fn list(db: &Connection, run_id: &RunId) -> Result<Vec<StepRun>> {
    let query = format!("select {COLUMNS} from step_runs where run_id = ?1 order by position, step_id");
    sql::many(db, &query, [run_id.as_str()], StepRun::read)
}

/// One step of a run, if it is known.
///
/// # Errors
/// When the workspace cannot be read.
pub fn find(db: &Connection, run_id: &RunId, step_id: &str) -> Result<Option<StepRun>> {
    let query = format!("select {COLUMNS} from step_runs where run_id = ?1 and step_id = ?2");
    sql::first(db, &query, (run_id.as_str(), step_id), StepRun::read)
}

/// Ends the steps of a run whose process died.
pub(crate) fn interrupt(c: &mut Change<'_>, run_id: &RunId) -> Result<()> {
    let now = c.now().as_ms();
    sql::change(
        c,
        "update step_runs set state = ?2, finished_at = iif(state = 'running', ?3, finished_at)
         where run_id = ?1 and state in ('pending', 'queued', 'running')",
        (run_id.as_str(), StepState::Interrupted, now),
    )?;
    Ok(())
}
