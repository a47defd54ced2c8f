//! Saved views of the table of runs: by name, in the words of whoever shows the table.

use base::{ProjectId, Result, Timestamp};
use rusqlite::{Connection, Row};
use serde_json::{Value, json};

use crate::doors::Write;
use crate::feed::Topic;
use crate::manifests::Publication;
use crate::{names, sql};

/// A saved view.
#[derive(Debug, Clone, PartialEq)]
pub struct RunView {
    /// Its name, unique in the project.
    pub name: String,
    /// What it shows.
    pub body: Value,
    /// When it was saved.
    pub changed_at: Timestamp,
}

impl RunView {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            name: row.get("name")?,
            body: sql::json(row, "body")?,
            changed_at: sql::time(row, "changed_at")?,
        })
    }
}

/// Saves a view, in place of the one of this name.
///
/// # Errors
/// When the workspace cannot be written.
pub fn save(w: &mut Write<'_>, project_id: &ProjectId, name: &str, body: &Value) -> Result<()> {
    let now = w.now().as_ms();
    sql::change(
        w,
        "insert into run_views (project_id, name, body, changed_at) values (?1, ?2, ?3, ?4)
         on conflict (project_id, name) do update set body = excluded.body, changed_at = excluded.changed_at",
        (project_id.as_str(), name, sql::to_json(body), now),
    )?;
    w.touch(Topic::Runs);
    let of: &[&str] = &[project_id.as_str(), name];
    w.publish(Publication::new("run_view", subject(project_id, name)).rows(
        "run_views",
        "project_id = ?1 and name = ?2",
        of,
    ));
    Ok(())
}

/// Removes a view.
///
/// # Errors
/// `NotFound`.
pub fn remove(w: &mut Write<'_>, project_id: &ProjectId, name: &str) -> Result<()> {
    let query = "delete from run_views where project_id = ?1 and name = ?2";
    if sql::change(w, query, (project_id.as_str(), name))? == 0 {
        return Err(names::unknown("view of runs", name));
    }
    w.touch(Topic::Runs);
    w.retire_row(
        "run_views",
        json!({ "project_id": project_id.as_str(), "name": name }),
        subject(project_id, name),
    );
    Ok(())
}

/// The views of a project, by name.
///
/// # Errors
/// When the workspace cannot be read.
pub fn list(db: &Connection, project_id: &ProjectId) -> Result<Vec<RunView>> {
    let query = "select name, body, changed_at from run_views where project_id = ?1 order by name";
    sql::many(db, query, [project_id.as_str()], RunView::read)
}

/// The view of this name.
///
/// # Errors
/// `NotFound`.
pub fn get(db: &Connection, project_id: &ProjectId, name: &str) -> Result<RunView> {
    let query = "select name, body, changed_at from run_views where project_id = ?1 and name = ?2";
    sql::first(db, query, (project_id.as_str(), name), RunView::read)?
        .ok_or_else(|| names::unknown("view of runs", name))
}

fn subject(project_id: &ProjectId, name: &str) -> String {
    format!("{project_id}/view/{name}")
}
