//! Manifests of what scripts log: written once a run has ended or a model is there, and taken back
//! when it changes after all.

use base::{Result, RunId};
use rusqlite::Connection;

use crate::doors::Write;
use crate::manifests::Publication;
use crate::{names, runs, sql};

/// A subject that rests and has no manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsettled {
    subject: String,
    is_run: bool,
}

/// At most `limit` subjects that rest and have no manifest.
///
/// # Errors
/// When the workspace cannot be read.
pub fn unsettled(db: &Connection, limit: u32) -> Result<Vec<Unsettled>> {
    let query = "select subject, kind = 'run' as is_run from unsettled u
                 where kind <> 'run' or exists (select 1 from runs
                    where id = u.subject and (state not in ('queued', 'running') or trashed_at is not null))
                 order by subject limit ?1";
    sql::many(db, query, [limit], |row| {
        Ok(Unsettled { subject: row.get("subject")?, is_run: row.get("is_run")? })
    })
}

/// Writes the manifest of a subject.
///
/// # Errors
/// When the workspace cannot be written.
pub fn settle(w: &mut Write<'_>, unsettled: &Unsettled) -> Result<()> {
    let subject = unsettled.subject.as_str();
    sql::change(w, "delete from unsettled where subject = ?1", [subject])?;
    if unsettled.is_run {
        let id: RunId = subject.parse().map_err(|_| names::unknown("run", subject))?;
        runs::publish(w, &id);
        return Ok(());
    }
    let of: &[&str] = &[subject];
    let mut publication = Publication::new("logged_model", subject).rows("logged_models", "id = ?1", of);
    for table in ["logged_model_params", "logged_model_tags", "logged_model_metrics"] {
        publication = publication.rows(table, "model_id = ?1", of);
    }
    w.publish(publication.rows("artifacts", FILES_OF_MODEL, of));
    Ok(())
}

/// The files of a logged model: those below its URI, whose scheme has 18 characters.
const FILES_OF_MODEL: &str =
    "path > (select substr(artifact_uri, 19) || '/' from logged_models where id = ?1)
    and path < (select substr(artifact_uri, 19) || '0' from logged_models where id = ?1)";

/// The files of a run: those below its URI.
pub(crate) const FILES_OF_RUN: &str =
    "path > (select substr(artifact_uri, 19) || '/' from script_runs where run_id = ?1)
     and path < (select substr(artifact_uri, 19) || '0' from script_runs where run_id = ?1)";
