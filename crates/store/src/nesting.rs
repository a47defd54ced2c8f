//! What a table of runs needs of each run and what follows from other rows: the run it is nested
//! under, and the extremes of its curves. Kept as things are written; filled in here where an
//! older Fettle wrote them, in the index or in a manifest.

use base::Result;
use rusqlite::Connection;

use crate::sql;
use crate::tracking::script_runs::PARENT_TAG;

/// Fills in what is not there yet. Doing it again changes nothing.
pub(crate) fn fill(db: &Connection) -> Result<()> {
    sql::change(
        db,
        "update runs set parent_id = (select of_run from run_origins o where o.run_id = runs.id)
         where parent_id is null and id in (select run_id from run_origins where cause = 'trial')",
        [],
    )?;
    // A script may name anything as a parent; itself would hide it.
    sql::change(
        db,
        "update runs set parent_id = (select value from run_tags t where t.run_id = runs.id and t.key = ?1)
         where parent_id is null
         and id in (select run_id from run_tags where key = ?1 and value <> run_id)",
        [PARENT_TAG],
    )?;
    for (column, function) in [("least", "min"), ("greatest", "max")] {
        let of_script = format!(
            "select {function}(p.value) from curves c join points p on p.curve_id = c.id
             where c.run_id = last_metrics.run_id and c.key = last_metrics.key and p.is_nan = 0"
        );
        let of_step = format!(
            "select {function}(m.value) from metrics m where m.run_id = last_metrics.run_id
             and m.step_id = last_metrics.step_id and m.key = last_metrics.key"
        );
        let all = format!(
            "update last_metrics set {column} = coalesce(({of_script} and last_metrics.step_id = ''),
                ({of_step})) where {column} is null"
        );
        sql::change(db, &all, [])?;
    }
    Ok(())
}
