//! The step cache: which outputs belong to which inputs. It can be computed again, so its rows
//! are notes, not commits; the files it speaks of lie in the cache folder.

use base::{ProjectId, Result, Timestamp};
use rusqlite::{Connection, Row};
use serde_json::Value;

use crate::doors::Change;
use crate::sql;

/// The outputs of a step for one key.
#[derive(Debug, Clone, PartialEq)]
pub struct CacheEntry {
    /// The hash of everything the outputs depend on.
    pub key: String,
    /// The project.
    pub project_id: ProjectId,
    /// The pipeline.
    pub pipeline: String,
    /// The step.
    pub step_id: String,
    /// What went into the key, part by part, so that a rerun can say what changed.
    pub components: Value,
    /// The outputs by port: content hash, bytes.
    pub outputs: Value,
    /// What the outputs take on the disk.
    pub bytes: u64,
    /// When they were computed.
    pub created_at: Timestamp,
    /// When they were last used.
    pub last_used_at: Timestamp,
}

const COLUMNS: &str =
    "key, project_id, pipeline, step_id, components, outputs, bytes, created_at, last_used_at";

impl CacheEntry {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            key: row.get("key")?,
            project_id: sql::parsed(row, "project_id")?,
            pipeline: row.get("pipeline")?,
            step_id: row.get("step_id")?,
            components: sql::json(row, "components")?,
            outputs: sql::json(row, "outputs")?,
            bytes: row.get("bytes")?,
            created_at: sql::time(row, "created_at")?,
            last_used_at: sql::time(row, "last_used_at")?,
        })
    }
}

/// Keeps an entry; one of the same key is replaced.
///
/// # Errors
/// When the workspace cannot be written.
pub fn put(c: &mut Change<'_>, entry: &CacheEntry) -> Result<()> {
    sql::change(
        c,
        "insert into step_cache (key, project_id, pipeline, step_id, components, outputs, bytes,
            created_at, last_used_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         on conflict (key) do update set
            project_id = excluded.project_id, pipeline = excluded.pipeline, step_id = excluded.step_id,
            components = excluded.components, outputs = excluded.outputs, bytes = excluded.bytes,
            created_at = excluded.created_at, last_used_at = excluded.last_used_at",
        (
            &entry.key,
            entry.project_id.as_str(),
            &entry.pipeline,
            &entry.step_id,
            sql::to_json(&entry.components),
            sql::to_json(&entry.outputs),
            entry.bytes,
            entry.created_at.as_ms(),
            entry.last_used_at.as_ms(),
        ),
    )?;
    Ok(())
}

/// The entry of this key, if there is one.
///
/// # Errors
/// When the workspace cannot be read.
pub fn find(db: &Connection, key: &str) -> Result<Option<CacheEntry>> {
    let query = format!("select {COLUMNS} from step_cache where key = ?1");
    sql::first(db, &query, [key], CacheEntry::read)
}

/// The entry a step used last, which says what is different now.
///
/// # Errors
/// When the workspace cannot be read.
pub fn latest(
    db: &Connection,
    project_id: &ProjectId,
    pipeline: &str,
    step_id: &str,
) -> Result<Option<CacheEntry>> {
    let query = format!(
        "select {COLUMNS} from step_cache where project_id = ?1 and pipeline = ?2 and step_id = ?3
         order by last_used_at desc, uses desc, key limit 1"
    );
    sql::first(db, &query, (project_id.as_str(), pipeline, step_id), CacheEntry::read)
}

/// Says that an entry is used now.
///
/// # Errors
/// When the workspace cannot be written.
pub fn touch(c: &mut Change<'_>, key: &str) -> Result<()> {
    let now = c.now().as_ms();
    sql::change(c, "update step_cache set last_used_at = ?2, uses = uses + 1 where key = ?1", (key, now))?;
    Ok(())
}

/// Forgets an entry, because its files are gone or not what they were.
///
/// # Errors
/// When the workspace cannot be written.
pub fn remove(c: &mut Change<'_>, key: &str) -> Result<()> {
    sql::change(c, "delete from step_cache where key = ?1", [key])?;
    Ok(())
}

/// What all entries take on the disk.
///
/// # Errors
/// When the workspace cannot be read.
pub fn total_bytes(db: &Connection) -> Result<u64> {
    sql::value(db, "select coalesce(sum(bytes), 0) from step_cache", [])
}

/// Forgets the entries that were not used for longest, until the rest takes at most `limit_bytes`.
/// The caller then removes the files of what this gives back.
///
/// # Errors
/// When the workspace cannot be written.
pub fn evict(c: &mut Change<'_>, limit_bytes: u64) -> Result<Vec<CacheEntry>> {
    let query = format!(
        "select {COLUMNS} from (
            select *, sum(bytes) over (order by last_used_at desc, key) as running from step_cache
         ) where running > ?1 order by last_used_at, key"
    );
    let evicted = sql::many(c, &query, [limit_bytes], CacheEntry::read)?;
    for entry in &evicted {
        remove(c, &entry.key)?;
    }
    Ok(evicted)
}
