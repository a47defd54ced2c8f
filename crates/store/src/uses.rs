//! What each step of a pipeline depended on when it last came to a result: what the next run is
//! compared with. These are notes about the cache; losing them costs an explanation, not a result.

use base::{ProjectId, Result, RunId, Timestamp};
use rusqlite::{Connection, Row};
use serde_json::Value;

use crate::doors::Change;
use crate::sql;

/// What a step depended on when it last came to a result.
#[derive(Debug, Clone, PartialEq)]
pub struct StepUse {
    /// The project.
    pub project_id: ProjectId,
    /// The pipeline.
    pub pipeline: String,
    /// The step.
    pub step_id: String,
    /// The key of the result.
    pub key: String,
    /// What went into the key, part by part.
    pub components: Value,
    /// What is worth knowing beside the key: columns, versions of datasets, program.
    pub facts: Value,
    /// The run.
    pub run_id: Option<RunId>,
    /// When.
    pub used_at: Timestamp,
}

impl StepUse {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            project_id: sql::parsed(row, "project_id")?,
            pipeline: row.get("pipeline")?,
            step_id: row.get("step_id")?,
            key: row.get("key")?,
            components: sql::json(row, "components")?,
            facts: sql::json(row, "facts")?,
            run_id: sql::parsed_option(row, "run_id")?,
            used_at: sql::time(row, "used_at")?,
        })
    }
}

/// Remembers a use in place of the one before.
///
/// # Errors
/// When the workspace cannot be written.
pub fn put(c: &mut Change<'_>, used: &StepUse) -> Result<()> {
    sql::change(
        c,
        "insert into step_uses (project_id, pipeline, step_id, key, components, facts, run_id, used_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         on conflict (project_id, pipeline, step_id) do update set
            key = excluded.key, components = excluded.components, facts = excluded.facts,
            run_id = excluded.run_id, used_at = excluded.used_at",
        (
            used.project_id.as_str(),
            &used.pipeline,
            &used.step_id,
            &used.key,
            sql::to_json(&used.components),
            sql::to_json(&used.facts),
            used.run_id.as_ref().map(RunId::as_str),
            used.used_at.as_ms(),
        ),
    )?;
    Ok(())
}

/// The last use of a step, if it ever came to a result.
///
/// # Errors
/// When the workspace cannot be read.
pub fn find(
    db: &Connection,
    project_id: &ProjectId,
    pipeline: &str,
    step_id: &str,
) -> Result<Option<StepUse>> {
    let query = "select project_id, pipeline, step_id, key, components, facts, run_id, used_at from step_uses
                 where project_id = ?1 and pipeline = ?2 and step_id = ?3";
    sql::first(db, query, (project_id.as_str(), pipeline, step_id), StepUse::read)
}
