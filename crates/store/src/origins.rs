//! Where runs come from: what asked for them, which run they go on with or belong to, and with
//! which program. And the receipts of runs that were repeated to prove them.

use base::{Error, Result, RunId, Timestamp};
use rusqlite::{Connection, Row};
use serde_json::Value;

use crate::doors::{Change, Write};
use crate::feed::Topic;
use crate::sql::words;
use crate::{runs, sql};

words! {
    /// What asked for a run.
    Cause, "the cause of a run" {
        /// A person or a script.
        Asked = "asked",
        /// It goes on with a run that did not come to its end.
        Resume = "resume",
        /// It is a trial of a sweep, whose run is `of_run`.
        Trial = "trial",
        /// It is a sweep.
        Sweep = "sweep",
        /// A trigger.
        Trigger = "trigger",
    }
}

/// Where a run comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Origin {
    /// What asked for it.
    pub cause: Cause,
    /// The run that it goes on with or belongs to.
    pub of_run: Option<RunId>,
    /// What it ran with: program, system, versions of kinds, which steps.
    pub facts: Value,
}

impl Origin {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            cause: sql::parsed(row, "cause")?,
            of_run: sql::parsed_option(row, "of_run")?,
            facts: sql::json(row, "facts")?,
        })
    }
}

/// Says where a run comes from.
///
/// # Errors
/// `Conflict` when that was said before.
pub fn set(c: &mut Change<'_>, id: &RunId, origin: &Origin) -> Result<()> {
    sql::change(
        c,
        "insert into run_origins (run_id, cause, of_run, facts) values (?1, ?2, ?3, ?4)",
        (id.as_str(), origin.cause, origin.of_run.as_ref().map(RunId::as_str), sql::to_json(&origin.facts)),
    )?;
    if let (Cause::Trial, Some(of_run)) = (origin.cause, &origin.of_run) {
        sql::change(c, "update runs set parent_id = ?2 where id = ?1", (id.as_str(), of_run.as_str()))?;
    }
    c.touch(Topic::Runs);
    Ok(())
}

/// Where a run comes from, if that is known.
///
/// # Errors
/// When the workspace cannot be read.
pub fn find(db: &Connection, id: &RunId) -> Result<Option<Origin>> {
    let query = "select cause, of_run, facts from run_origins where run_id = ?1";
    sql::first(db, query, [id.as_str()], Origin::read)
}

/// The runs that come from a run for this cause, oldest first.
///
/// # Errors
/// When the workspace cannot be read.
pub fn descendants(db: &Connection, of_run: &RunId, cause: Cause) -> Result<Vec<RunId>> {
    let query = "select o.run_id as id from run_origins o join runs r on r.id = o.run_id
                 where o.of_run = ?1 and o.cause = ?2 and r.trashed_at is null order by r.number, r.id";
    sql::many(db, query, (of_run.as_str(), cause), |row| sql::parsed(row, "id"))
}

/// What came of repeating a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// 1, 2, 3 for each time the run was repeated.
    pub number: u32,
    /// True if every step came to the same bytes.
    pub is_identical: bool,
    /// The receipt.
    pub body: Value,
    /// When.
    pub at: Timestamp,
}

impl Receipt {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get("number")?,
            is_identical: row.get("is_identical")?,
            body: sql::json(row, "body")?,
            at: sql::time(row, "at_ms")?,
        })
    }
}

/// Keeps a receipt with the run, and gives its number.
///
/// # Errors
/// `InvalidInput` for a run that has not ended.
pub fn add_receipt(w: &mut Write<'_>, id: &RunId, is_identical: bool, body: &Value) -> Result<u32> {
    if !runs::get(w, id)?.state.is_final() {
        return Err(Error::invalid("only a run that has ended can be repeated"));
    }
    let number: u32 = sql::value(
        w,
        "select coalesce(max(number), 0) + 1 from run_receipts where run_id = ?1",
        [id.as_str()],
    )?;
    let at = w.now().as_ms();
    sql::change(
        w,
        "insert into run_receipts (run_id, number, is_identical, body, at_ms) values (?1, ?2, ?3, ?4, ?5)",
        (id.as_str(), number, is_identical, sql::to_json(body), at),
    )?;
    runs::publish(w, id);
    Ok(number)
}

/// The receipts of a run, oldest first.
///
/// # Errors
/// When the workspace cannot be read.
pub fn receipts(db: &Connection, id: &RunId) -> Result<Vec<Receipt>> {
    let query =
        "select number, is_identical, body, at_ms from run_receipts where run_id = ?1 order by number";
    sql::many(db, query, [id.as_str()], Receipt::read)
}
