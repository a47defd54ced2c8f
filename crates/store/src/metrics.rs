//! What runs measured, and with which parameters.

use base::{Result, RunId, Timestamp};
use rusqlite::{Connection, Row};

use crate::doors::Change;
use crate::feed::Topic;
use crate::{Page, runs, sql};

/// One point of a curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// What is measured, such as `auc`.
    pub key: String,
    /// The value; NaN stays NaN.
    pub value: f64,
    /// The round of training it belongs to; 0 where there are no rounds.
    pub step: i64,
    /// When.
    pub at: Timestamp,
}

/// The last point of a curve.
#[derive(Debug, Clone, PartialEq)]
pub struct LastMetric {
    /// The run.
    pub run_id: RunId,
    /// The step of the pipeline; empty for the run as a whole.
    pub step_id: String,
    /// The point.
    pub last: Metric,
    /// How many points the curve has.
    pub points: u64,
}

impl Metric {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            key: row.get("key")?,
            value: row.get::<_, Option<f64>>("value")?.unwrap_or(f64::NAN),
            step: row.get("step")?,
            at: sql::time(row, "at_ms")?,
        })
    }
}

impl LastMetric {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            run_id: sql::parsed(row, "run_id")?,
            step_id: row.get("step_id")?,
            last: Metric::read(row)?,
            points: row.get("points")?,
        })
    }
}

/// Adds points to the curves of a step; `step_id` is empty for the run as a whole.
///
/// # Errors
/// `Conflict` when the run has ended.
pub fn log(c: &mut Change<'_>, run_id: &RunId, step_id: &str, points: &[Metric]) -> Result<()> {
    runs::expect_state(c, run_id, "measured", |state| !state.is_final())?;
    for point in points {
        let value = (!point.value.is_nan()).then_some(point.value);
        let at = point.at.as_ms();
        // Points may come late and out of order: the last one is that of the highest step.
        let ordinal: i64 = sql::value(
            c,
            "insert into last_metrics (run_id, step_id, key, value, step, at_ms, points, least, greatest)
             values (?1, ?2, ?3, ?4, ?5, ?6, 1, ?4, ?4)
             on conflict (run_id, step_id, key) do update set
                value = iif((excluded.step, excluded.at_ms) >= (step, at_ms), excluded.value, value),
                at_ms = iif((excluded.step, excluded.at_ms) >= (step, at_ms), excluded.at_ms, at_ms),
                step = max(step, excluded.step),
                least = min(coalesce(least, excluded.least), coalesce(excluded.least, least)),
                greatest = max(coalesce(greatest, excluded.greatest), coalesce(excluded.greatest, greatest)),
                points = points + 1
             returning points",
            (run_id.as_str(), step_id, &point.key, value, point.step, at),
        )?;
        sql::change(
            c,
            "insert into metrics (run_id, step_id, key, ordinal, value, step, at_ms)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            (run_id.as_str(), step_id, &point.key, ordinal, value, point.step, at),
        )?;
    }
    c.touch(Topic::Runs);
    Ok(())
}

/// The last point of each curve of a run, by step and key.
///
/// # Errors
/// When the workspace cannot be read.
pub fn last(db: &Connection, run_id: &RunId) -> Result<Vec<LastMetric>> {
    let query = "select run_id, step_id, key, value, step, at_ms, points from last_metrics
                 where run_id = ?1 order by step_id, key";
    sql::many(db, query, [run_id.as_str()], LastMetric::read)
}

/// The last point of each curve of many runs, in the order of the runs' ids: one query for a page
/// of a table.
///
/// # Errors
/// When the workspace cannot be read.
pub fn last_of_runs(db: &Connection, run_ids: &[RunId]) -> Result<Vec<LastMetric>> {
    let query = "select run_id, step_id, key, value, step, at_ms, points from last_metrics
                 where run_id in (select value from json_each(?1)) order by run_id, step_id, key";
    sql::many(db, query, [sql::to_json(&run_ids)], LastMetric::read)
}

/// One curve, by step, page by page.
///
/// # Errors
/// When the workspace cannot be read.
pub fn history(db: &Connection, run_id: &RunId, step_id: &str, key: &str, page: Page) -> Result<Vec<Metric>> {
    let query = "select key, value, step, at_ms from metrics
                 where run_id = ?1 and step_id = ?2 and key = ?3
                 order by step, at_ms, ordinal limit ?4 offset ?5";
    sql::many(db, query, (run_id.as_str(), step_id, key, page.limit(), page.offset()), Metric::read)
}

/// A parameter of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    /// The run.
    pub run_id: RunId,
    /// The step of the pipeline; empty for the run as a whole.
    pub step_id: String,
    /// Its name.
    pub key: String,
    /// Its value, as text.
    pub value: String,
}

impl Param {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            run_id: sql::parsed(row, "run_id")?,
            step_id: row.get("step_id")?,
            key: row.get("key")?,
            value: row.get("value")?,
        })
    }
}

/// Sets parameters of a step; one that is set already keeps its last value.
///
/// # Errors
/// `Conflict` when the run has ended.
pub fn set_params(
    c: &mut Change<'_>,
    run_id: &RunId,
    step_id: &str,
    params: &[(String, String)],
) -> Result<()> {
    runs::expect_state(c, run_id, "changed", |state| !state.is_final())?;
    for (key, value) in params {
        sql::change(
            c,
            "insert into params (run_id, step_id, key, value) values (?1, ?2, ?3, ?4)
             on conflict (run_id, step_id, key) do update set value = excluded.value",
            (run_id.as_str(), step_id, key, value),
        )?;
    }
    c.touch(Topic::Runs);
    Ok(())
}

/// The parameters of a run, by step and key.
///
/// # Errors
/// When the workspace cannot be read.
pub fn params(db: &Connection, run_id: &RunId) -> Result<Vec<Param>> {
    let query = "select run_id, step_id, key, value from params where run_id = ?1 order by step_id, key";
    sql::many(db, query, [run_id.as_str()], Param::read)
}

/// The parameters of many runs, in the order of the runs' ids.
///
/// # Errors
/// When the workspace cannot be read.
pub fn params_of_runs(db: &Connection, run_ids: &[RunId]) -> Result<Vec<Param>> {
    let query = "select run_id, step_id, key, value from params
                 where run_id in (select value from json_each(?1)) order by run_id, step_id, key";
    sql::many(db, query, [sql::to_json(&run_ids)], Param::read)
}
