//! What people put on runs, on many at once: tags (a star and a colour are tags too) and notes.

use base::{Result, RunId};
use serde_json::json;

use crate::doors::Write;
use crate::feed::Topic;
use crate::runs::{self, Run};
use crate::sql;
use crate::tracking::Pair;
use crate::tracking::script_runs::{self, NOTE_TAG};

/// What to put on runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// Tags to set, also those that are there.
    pub tags: Vec<Pair>,
    /// Keys of tags to remove.
    pub removed: Vec<String>,
    /// A note in place of the one that is there; empty for none.
    pub note: Option<String>,
}

/// Puts marks on runs: on all of them, or on none.
///
/// # Errors
/// `NotFound` for an unknown run.
pub fn put(w: &mut Write<'_>, ids: &[RunId], marks: &Marks) -> Result<()> {
    for id in ids {
        let run = runs::get(w, id)?;
        if script_runs::find(w, id)?.is_some() {
            w.unsettle_as("run", id.as_str())?;
            script_runs::put_tags(w, id, &marks.tags)?;
            if let Some(note) = &marks.note {
                script_runs::put_tags(w, id, &[(NOTE_TAG.to_owned(), note.clone())])?;
            }
            for key in &marks.removed {
                script_runs::drop_tag(w, id, key)?;
            }
        } else {
            put_on_ours(w, &run, marks)?;
        }
    }
    w.touch(Topic::Runs);
    w.detail("runs", ids.len());
    Ok(())
}

/// What is on the run of a pipeline is in its manifest as soon as that is written.
fn put_on_ours(w: &mut Write<'_>, run: &Run, marks: &Marks) -> Result<()> {
    script_runs::put_tags(w, &run.id, &marks.tags)?;
    for key in &marks.removed {
        if script_runs::drop_tag(w, &run.id, key)? {
            let key = json!({ "run_id": run.id.as_str(), "key": key });
            w.retire_row("run_tags", key, run.id.to_string());
        }
    }
    if let Some(note) = &marks.note {
        sql::change(w, "update runs set note = ?2 where id = ?1", (run.id.as_str(), note))?;
    }
    if run.state.is_final() {
        runs::publish(w, &run.id);
    }
    Ok(())
}
