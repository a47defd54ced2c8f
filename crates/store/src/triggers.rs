//! What is known of triggers beside their files: whether they are paused, what they have seen, and
//! what they did. Notes: losing them costs at most one run too many.

use base::{ProjectId, Result, RunId, Timestamp};
use rusqlite::{Connection, Row};
use serde_json::Value;

use crate::doors::Change;
use crate::feed::Topic;
use crate::{Page, sql};

/// How many events of each trigger are kept.
const KEPT: u32 = 1000;

/// What is known of a trigger.
#[derive(Debug, Clone, PartialEq)]
pub struct TriggerState {
    /// True if it does nothing until somebody lets it.
    pub is_paused: bool,
    /// What it has seen; its form is the trigger's own matter.
    pub state: Value,
}

/// Something a trigger did.
#[derive(Debug, Clone, PartialEq)]
pub struct TriggerEvent {
    /// Rises with time.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub why: String,
    /// `started`, `skipped` or what went wrong.
    pub outcome: String,
    /// The run it started.
    pub run_id: Option<RunId>,
}

impl TriggerEvent {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            at: sql::time(row, "at_ms")?,
            why: row.get("why")?,
            outcome: row.get("outcome")?,
            run_id: sql::parsed_option(row, "run_id")?,
        })
    }
}

/// What is known of a trigger, if anything is.
///
/// # Errors
/// When the workspace cannot be read.
pub fn find(db: &Connection, project_id: &ProjectId, name: &str) -> Result<Option<TriggerState>> {
    let query = "select is_paused, state from trigger_states where project_id = ?1 and name = ?2";
    sql::first(db, query, (project_id.as_str(), name), |row| {
        Ok(TriggerState { is_paused: row.get("is_paused")?, state: sql::json(row, "state")? })
    })
}

/// Remembers what is known of a trigger.
///
/// # Errors
/// When the project is unknown.
pub fn save(c: &mut Change<'_>, project_id: &ProjectId, name: &str, state: &TriggerState) -> Result<()> {
    sql::change(
        c,
        "insert into trigger_states (project_id, name, is_paused, state) values (?1, ?2, ?3, ?4)
         on conflict (project_id, name) do update set is_paused = excluded.is_paused, state = excluded.state",
        (project_id.as_str(), name, state.is_paused, sql::to_json(&state.state)),
    )?;
    c.touch(Topic::Pipelines);
    Ok(())
}

/// Forgets a trigger; what it did stays to be read until its name is used again.
///
/// # Errors
/// When the workspace cannot be written.
pub fn forget(c: &mut Change<'_>, project_id: &ProjectId, name: &str) -> Result<()> {
    sql::change(
        c,
        "delete from trigger_states where project_id = ?1 and name = ?2",
        (project_id.as_str(), name),
    )?;
    c.touch(Topic::Pipelines);
    Ok(())
}

/// Adds to what a trigger did; the oldest beyond a thousand are forgotten.
///
/// # Errors
/// When the project is unknown.
pub fn add_event(
    c: &mut Change<'_>,
    project_id: &ProjectId,
    name: &str,
    (why, outcome): (&str, &str),
    run_id: Option<&RunId>,
) -> Result<()> {
    let now = c.now().as_ms();
    sql::change(
        c,
        "insert into trigger_events (project_id, name, at_ms, why, outcome, run_id)
         values (?1, ?2, ?3, ?4, ?5, ?6)",
        (project_id.as_str(), name, now, why, outcome, run_id.map(RunId::as_str)),
    )?;
    sql::change(
        c,
        "delete from trigger_events where project_id = ?1 and name = ?2 and id not in
            (select id from trigger_events where project_id = ?1 and name = ?2 order by id desc limit ?3)",
        (project_id.as_str(), name, KEPT),
    )?;
    c.touch(Topic::Pipelines);
    Ok(())
}

/// What a trigger did, newest first.
///
/// # Errors
/// When the workspace cannot be read.
pub fn events(db: &Connection, project_id: &ProjectId, name: &str, page: Page) -> Result<Vec<TriggerEvent>> {
    let query = "select id, at_ms, why, outcome, run_id from trigger_events
                 where project_id = ?1 and name = ?2 order by id desc limit ?3 offset ?4";
    sql::many(db, query, (project_id.as_str(), name, page.limit(), page.offset()), TriggerEvent::read)
}
