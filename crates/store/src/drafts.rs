//! Drafts: pipelines as they are on the canvas before they are committed, with the way back.

use base::{ProjectId, Result, Timestamp};
use rusqlite::{Connection, Row};
use serde_json::Value;

use crate::doors::Change;
use crate::feed::Topic;
use crate::sql;

/// A pipeline that is being drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The project.
    pub project_id: ProjectId,
    /// The name of the pipeline.
    pub pipeline: String,
    /// The pipeline file as it would be.
    pub text: String,
    /// What undo and redo need.
    pub history: Value,
    /// When it was last saved.
    pub saved_at: Timestamp,
}

const COLUMNS: &str = "project_id, pipeline, body, history, saved_at";

impl Draft {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            project_id: sql::parsed(row, "project_id")?,
            pipeline: row.get("pipeline")?,
            text: row.get("body")?,
            history: sql::json(row, "history")?,
            saved_at: sql::time(row, "saved_at")?,
        })
    }
}

/// Saves a draft in place of the one before.
///
/// # Errors
/// When the project is unknown.
pub fn save(
    c: &mut Change<'_>,
    project_id: &ProjectId,
    pipeline: &str,
    text: &str,
    history: &Value,
) -> Result<()> {
    sql::change(
        c,
        "insert into drafts (project_id, pipeline, body, history, saved_at) values (?1, ?2, ?3, ?4, ?5)
         on conflict (project_id, pipeline) do update set
            body = excluded.body, history = excluded.history, saved_at = excluded.saved_at",
        (project_id.as_str(), pipeline, text, sql::to_json(history), c.now().as_ms()),
    )?;
    c.touch(Topic::Pipelines);
    Ok(())
}

/// The draft of a pipeline, if there is one.
///
/// # Errors
/// When the workspace cannot be read.
pub fn find(db: &Connection, project_id: &ProjectId, pipeline: &str) -> Result<Option<Draft>> {
    let query = format!("select {COLUMNS} from drafts where project_id = ?1 and pipeline = ?2");
    sql::first(db, &query, (project_id.as_str(), pipeline), Draft::read)
}

/// The drafts of a project, by pipeline.
///
/// # Errors
/// When the workspace cannot be read.
pub fn list(db: &Connection, project_id: &ProjectId) -> Result<Vec<Draft>> {
    let query = format!("select {COLUMNS} from drafts where project_id = ?1 order by pipeline");
    sql::many(db, &query, [project_id.as_str()], Draft::read)
}

/// Drops a draft, because it was committed or thrown away.
///
/// # Errors
/// When the workspace cannot be written.
pub fn remove(c: &mut Change<'_>, project_id: &ProjectId, pipeline: &str) -> Result<()> {
    sql::change(
        c,
        "delete from drafts where project_id = ?1 and pipeline = ?2",
        (project_id.as_str(), pipeline),
    )?;
    c.touch(Topic::Pipelines);
    Ok(())
}
