//! Which results of steps are kept, remembered in the index. A result is found by its key alone,
//! whichever pipeline or project of the workspace made it; what a step last depended on is
//! remembered for each step of each pipeline.

use base::{Code, Error, ProjectId, Result, RunId, Timestamp};
use flow::cache::{Entry, Kept, Ledger, Use};
use serde_json::json;
use store::cache::{self, CacheEntry};
use store::uses::{self, StepUse};

use crate::Engine;

/// The results of a project's pipelines.
pub(crate) struct ProjectLedger<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) project_id: ProjectId,
    /// The run that makes or uses results.
    pub(crate) run_id: Option<RunId>,
}

impl Ledger for ProjectLedger<'_> {
    fn find(&self, key: &str) -> Result<Option<Entry>> {
        self.engine.store().read(|db| cache::find(db, key))?.map(entry).transpose()
    }

    fn last(&self, pipeline: &str, step: &str) -> Result<Option<Use>> {
        let found = self.engine.store().read(|db| uses::find(db, &self.project_id, pipeline, step))?;
        found.map(used).transpose()
    }

    fn put(&self, pipeline: &str, kept: &[Kept<'_>]) -> Result<()> {
        self.engine.store().note(|change| {
            for one in kept {
                let now = change.now();
                cache::put(change, &self.entry_row(pipeline, one, now))?;
                uses::put(change, &self.use_row(pipeline, one, now))?;
            }
            Ok(())
        })
    }
}

impl ProjectLedger<'_> {
    fn entry_row(&self, pipeline: &str, kept: &Kept<'_>, now: Timestamp) -> CacheEntry {
        let Kept { step, entry, .. } = kept;
        CacheEntry {
            key: entry.key.clone(),
            project_id: self.project_id.clone(),
            pipeline: pipeline.to_owned(),
            step_id: (*step).to_owned(),
            components: json!(entry.components),
            outputs: json!({ "artifacts": entry.outputs, "outcome": entry.outcome, "durationMs": entry.duration_ms }),
            bytes: entry.outputs.values().map(|artifact| artifact.bytes).sum(),
            created_at: now,
            last_used_at: now,
        }
    }

    fn use_row(&self, pipeline: &str, kept: &Kept<'_>, now: Timestamp) -> StepUse {
        StepUse {
            project_id: self.project_id.clone(),
            pipeline: pipeline.to_owned(),
            step_id: kept.step.to_owned(),
            key: kept.entry.key.clone(),
            components: json!(kept.entry.components),
            facts: json!(kept.facts),
            run_id: self.run_id.clone(),
            used_at: now,
        }
    }
}

fn corrupt(e: serde_json::Error) -> Error {
    Error::new(Code::Corrupt, "an entry of the step cache cannot be read").because(e)
}

fn entry(row: CacheEntry) -> Result<Entry> {
    Ok(Entry {
        key: row.key,
        components: serde_json::from_value(row.components).map_err(corrupt)?,
        outputs: serde_json::from_value(row.outputs["artifacts"].clone()).map_err(corrupt)?,
        outcome: serde_json::from_value(row.outputs["outcome"].clone()).map_err(corrupt)?,
        duration_ms: row.outputs["durationMs"].as_u64().unwrap_or(0),
    })
}

fn used(row: StepUse) -> Result<Use> {
    Ok(Use {
        key: row.key,
        components: serde_json::from_value(row.components).map_err(corrupt)?,
        facts: serde_json::from_value(row.facts).map_err(corrupt)?,
        run: row.run_id.map(|id| id.to_string()),
        at_ms: row.used_at.as_ms(),
    })
}
