//! Curves: every point that scripts log, each kept once, in the order of steps.

use std::collections::BTreeMap;

use base::{Result, RunId};
use rusqlite::{Connection, Row};

use crate::feed::Topic;
use crate::group::Entry;
use crate::sql;

/// A point of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The value; NaN stays NaN.
    pub value: f64,
    /// The step it belongs to.
    pub step: i64,
    /// When, ms since 1970, as the script says.
    pub at_ms: i64,
}

impl Point {
    /// The value as it is stored and compared: not a number counts as 0.
    pub(super) fn stored(&self) -> (f64, bool) {
        if self.value.is_nan() { (0.0, true) } else { (self.value, false) }
    }

    fn order(&self) -> (i64, i64, f64) {
        (self.step, self.at_ms, self.stored().0)
    }

    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let value = if row.get("is_nan")? { f64::NAN } else { row.get("value")? };
        Ok(Self { value, step: row.get("step")?, at_ms: row.get("at_ms")? })
    }
}

/// Adds points to curves of a run, by key. The same point again is no other point.
///
/// # Errors
/// When the workspace cannot be written.
pub fn log(e: &mut Entry<'_>, run_id: &RunId, curves: &BTreeMap<String, Vec<Point>>) -> Result<()> {
    e.unsettle(run_id.as_str())?;
    for (key, points) in curves {
        let mut points = points.clone();
        points.sort_by(|one, other| one.order().partial_cmp(&other.order()).expect("no value is NaN here"));
        log_one(e, run_id, key, &points)?;
    }
    e.touch(Topic::Runs);
    Ok(())
}

struct Curve {
    id: i64,
    is_ordered: bool,
    last: (i64, i64),
}

fn log_one(e: &mut Entry<'_>, run_id: &RunId, key: &str, points: &[Point]) -> Result<()> {
    let Some(newest) = points.last() else { return Ok(()) };
    let curve = curve(e, run_id, key, points[0])?;
    let (mut is_ordered, mut last) = (curve.is_ordered, curve.last);
    let mut added = 0;
    for point in points {
        let (value, is_nan) = point.stored();
        added += sql::change(
            e,
            "insert or ignore into points (curve_id, step, at_ms, value, is_nan) values (?1, ?2, ?3, ?4, ?5)",
            (curve.id, point.step, point.at_ms, value, is_nan),
        )?;
        is_ordered &= point.step >= last.0 && point.at_ms >= last.1;
        last = (last.0.max(point.step), last.1.max(point.at_ms));
    }
    if added == 0 {
        return Ok(());
    }
    if (is_ordered, last) != (curve.is_ordered, curve.last) {
        sql::change(
            e,
            "update curves set is_ordered = ?2, last_step = ?3, last_at_ms = ?4 where id = ?1",
            (curve.id, is_ordered, last.0, last.1),
        )?;
    }
    set_last(e, run_id, key, newest, points, added)
}

/// The last point is the greatest by step, time and value, not the one that came last.
fn set_last(
    e: &Entry<'_>,
    run_id: &RunId,
    key: &str,
    newest: &Point,
    points: &[Point],
    added: usize,
) -> Result<()> {
    let value = (!newest.value.is_nan()).then_some(newest.value);
    let numbers = || points.iter().map(|point| point.value).filter(|value| !value.is_nan());
    let (least, greatest) = (numbers().min_by(f64::total_cmp), numbers().max_by(f64::total_cmp));
    let is_later = "(excluded.step, excluded.at_ms, coalesce(excluded.value, 0.0))
                    > (step, at_ms, coalesce(value, 0.0))";
    let query = format!(
        "insert into last_metrics (run_id, step_id, key, value, step, at_ms, points, least, greatest)
         values (?1, '', ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         on conflict (run_id, step_id, key) do update set
            value = iif({is_later}, excluded.value, value),
            step = iif({is_later}, excluded.step, step),
            at_ms = iif({is_later}, excluded.at_ms, at_ms),
            least = min(coalesce(least, excluded.least), coalesce(excluded.least, least)),
            greatest = max(coalesce(greatest, excluded.greatest), coalesce(excluded.greatest, greatest)),
            points = points + excluded.points"
    );
    let given = (run_id.as_str(), key, value, newest.step, newest.at_ms, added as u64, least, greatest);
    sql::change(e, &query, given)?;
    Ok(())
}

fn curve(e: &Entry<'_>, run_id: &RunId, key: &str, first: Point) -> Result<Curve> {
    let query = "select id, is_ordered, last_step, last_at_ms from curves where run_id = ?1 and key = ?2";
    let found = sql::first(e, query, (run_id.as_str(), key), |row| {
        Ok(Curve { id: row.get(0)?, is_ordered: row.get(1)?, last: (row.get(2)?, row.get(3)?) })
    })?;
    if let Some(found) = found {
        return Ok(found);
    }
    let id = sql::value(
        e,
        "insert into curves (run_id, key, is_ordered, last_step, last_at_ms) values (?1, ?2, 1, ?3, ?4)
         returning id",
        (run_id.as_str(), key, first.step, first.at_ms),
    )?;
    Ok(Curve { id, is_ordered: true, last: (first.step, first.at_ms) })
}

/// Points of a curve after `after`, by time, step and value.
///
/// # Errors
/// When the workspace cannot be read.
pub fn history(
    db: &Connection,
    run_id: &RunId,
    key: &str,
    after: Option<Point>,
    limit: u32,
) -> Result<Vec<Point>> {
    let query = "select id, is_ordered from curves where run_id = ?1 and key = ?2";
    let curve = sql::first(db, query, (run_id.as_str(), key), |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?))
    })?;
    let Some((id, is_ordered)) = curve else { return Ok(Vec::new()) };
    // While steps and times go up together, the key of the table is the order that is asked for.
    let order = if is_ordered { "step, at_ms, value, is_nan" } else { "at_ms, step, value, is_nan" };
    let Some(after) = after else {
        let query = format!(
            "select value, is_nan, step, at_ms from points where curve_id = ?1 order by {order} limit ?2"
        );
        return sql::many(db, &query, (id, limit), Point::read);
    };
    let (one, two) = if is_ordered { (after.step, after.at_ms) } else { (after.at_ms, after.step) };
    let (value, is_nan) = after.stored();
    let query = format!(
        "select value, is_nan, step, at_ms from points
         where curve_id = ?1 and ({order}) > (?2, ?3, ?4, ?5) order by {order} limit ?6"
    );
    sql::many(db, &query, (id, one, two, value, is_nan, limit), Point::read)
}

/// At most `most` points of a curve between two steps, and its last one: the first of each of
/// `most` equal parts in the order of steps, as SQL's `ntile` cuts them.
///
/// # Errors
/// When the workspace cannot be read.
pub fn sample(
    db: &Connection,
    run_id: &RunId,
    key: &str,
    (from, to): (i64, i64),
    most: u64,
) -> Result<Vec<Point>> {
    let query = "select id from curves where run_id = ?1 and key = ?2";
    let Some(id) = sql::first(db, query, (run_id.as_str(), key), |row| row.get::<_, i64>(0))? else {
        return Ok(Vec::new());
    };
    let count: u64 = sql::value(
        db,
        "select count(*) from points where curve_id = ?1 and step between ?2 and ?3",
        (id, from, to),
    )?;
    let (size, larger) = (count / most.max(1), count % most.max(1));
    let mut points = Vec::new();
    let (mut part, mut next, mut at) = (0, 0, 0);
    let mut collect = || -> rusqlite::Result<()> {
        let mut statement = db.prepare_cached(
            "select value, is_nan, step, at_ms from points where curve_id = ?1 and step between ?2 and ?3
             order by step, at_ms, value, is_nan",
        )?;
        let mut rows = statement.query((id, from, to))?;
        while let Some(row) = rows.next()? {
            if at == next {
                points.push(Point::read(row)?);
                next += size + u64::from(part < larger);
                part += 1;
            } else if at + 1 == count {
                points.push(Point::read(row)?);
            }
            at += 1;
        }
        Ok(())
    };
    collect().map_err(|error| sql::failed("read the workspace", &error))?;
    Ok(points)
}
