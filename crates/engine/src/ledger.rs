//! Which results of steps are kept, remembered in the index for a project.

use base::{Code, Error, ProjectId, Result};
use flow::cache::{Entry, Ledger};
use serde_json::json;
use store::cache::{self, CacheEntry};

use crate::Engine;

/// The results of a project's pipelines.
pub(crate) struct ProjectLedger<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) project_id: ProjectId,
}

impl Ledger for ProjectLedger<'_> {
    fn find(&self, key: &str) -> Result<Option<Entry>> {
        self.engine.store().read(|db| cache::find(db, key))?.map(entry).transpose()
    }

    fn last(&self, pipeline: &str, step: &str) -> Result<Option<Entry>> {
        let found = self.engine.store().read(|db| cache::latest(db, &self.project_id, pipeline, step))?;
        found.map(entry).transpose()
    }

    fn put(&self, pipeline: &str, step: &str, entry: &Entry) -> Result<()> {
        let now = self.engine.store().clock().now();
        let row = CacheEntry {
            key: entry.key.clone(),
            project_id: self.project_id.clone(),
            pipeline: pipeline.to_owned(),
            step_id: step.to_owned(),
            components: json!(entry.components),
            outputs: json!({ "artifacts": entry.outputs, "outcome": entry.outcome, "durationMs": entry.duration_ms }),
            bytes: entry.outputs.values().map(|artifact| artifact.bytes).sum(),
            created_at: now,
            last_used_at: now,
        };
        self.engine.store().note(|change| cache::put(change, &row))
    }
}

fn entry(row: CacheEntry) -> Result<Entry> {
    let corrupt = |e| Error::new(Code::Corrupt, "an entry of the step cache cannot be read").because(e);
    Ok(Entry {
        key: row.key,
        components: serde_json::from_value(row.components).map_err(corrupt)?,
        outputs: serde_json::from_value(row.outputs["artifacts"].clone()).map_err(corrupt)?,
        outcome: serde_json::from_value(row.outputs["outcome"].clone()).map_err(corrupt)?,
        duration_ms: row.outputs["durationMs"].as_u64().unwrap_or(0),
    })
}
