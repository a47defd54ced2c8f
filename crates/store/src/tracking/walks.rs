//! A curve point by point, from one place in it to another: what thins curves reads them so, without
//! ever holding a million points.

use std::ops::Bound;

use base::{Result, RunId};
use rusqlite::{Connection, types::Value};

use super::points::Point;
use crate::sql;

/// What the points of a curve are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Along {
    /// Their steps.
    Step,
    /// Their times.
    Time,
}

/// A curve as the index knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Curve {
    id: i64,
    is_ordered: bool,
    /// How many points it has.
    pub points: u64,
}

/// The curve of a metric of a run by a script, if there is one.
///
/// # Errors
/// When the workspace cannot be read.
pub fn find(db: &Connection, run_id: &RunId, key: &str) -> Result<Option<Curve>> {
    let query = "select c.id, c.is_ordered, l.points from curves c
                 join last_metrics l on l.run_id = c.run_id and l.step_id = '' and l.key = c.key
                 where c.run_id = ?1 and c.key = ?2";
    sql::first(db, query, (run_id.as_str(), key), |row| {
        Ok(Curve { id: row.get("id")?, is_ordered: row.get("is_ordered")?, points: row.get("points")? })
    })
}

/// Shows every point between two others, in order.
///
/// # Errors
/// When the workspace cannot be read.
pub fn between(
    db: &Connection,
    curve: Curve,
    along: Along,
    (from, to): (Bound<Point>, Bound<Point>),
    mut show: impl FnMut(Point),
) -> Result<()> {
    // While steps and times go up together, the key of the table is either order.
    let by_step = along == Along::Step || curve.is_ordered;
    let order = if by_step { "step, at_ms, value, is_nan" } else { "at_ms, step, value, is_nan" };
    let mut values = vec![Value::from(curve.id)];
    let mut limit = |bound: Bound<Point>, open: &str, closed: &str| {
        let (point, sign) = match bound {
            Bound::Unbounded => return String::new(),
            Bound::Included(point) => (point, closed),
            Bound::Excluded(point) => (point, open),
        };
        let (one, two) = if by_step { (point.step, point.at_ms) } else { (point.at_ms, point.step) };
        let (value, is_nan) = point.stored();
        let at = values.len() + 1;
        values.extend([one.into(), two.into(), value.into(), Value::from(i64::from(is_nan))]);
        format!(" and ({order}) {sign} (?{at}, ?{}, ?{}, ?{})", at + 1, at + 2, at + 3)
    };
    let limits = limit(from, ">", ">=") + &limit(to, "<", "<=");
    let query =
        format!("select value, is_nan, step, at_ms from points where curve_id = ?1{limits} order by {order}");
    let mut walk = || -> rusqlite::Result<()> {
        let mut statement = db.prepare_cached(&query)?;
        let mut rows = statement.query(rusqlite::params_from_iter(values.iter()))?;
        while let Some(row) = rows.next()? {
            show(Point::read(row)?);
        }
        Ok(())
    };
    walk().map_err(|error| sql::failed("read the workspace", &error))
}
