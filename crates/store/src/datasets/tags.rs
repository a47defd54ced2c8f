//! Tags: movable names on the versions of a dataset, such as `clean` or `2026-q1`.

use base::{DatasetId, Result, Timestamp, VersionId};
use rusqlite::{Connection, Row};
use serde_json::json;

use super::{DatasetVersion, version, version_numbered};
use crate::doors::Write;
use crate::feed::Topic;
use crate::manifests::Publication;
use crate::{names, sql};

/// Where a tag points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The dataset.
    pub dataset_id: DatasetId,
    /// The name, unique in the dataset.
    pub name: String,
    /// The number of the version it is on.
    pub number: u32,
    /// When it was put there.
    pub changed_at: Timestamp,
}

impl Tag {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            dataset_id: sql::parsed(row, "dataset_id")?,
            name: row.get("tag")?,
            number: row.get("number")?,
            changed_at: sql::time(row, "changed_at")?,
        })
    }
}

/// Puts a tag on a version; when another version of the dataset has it, it moves.
///
/// # Errors
/// `NotFound` for a version that is unknown or in the trash; `InvalidInput` for a name that is no
/// plain word, or that would be mistaken for a number.
pub fn set(w: &mut Write<'_>, version_id: &VersionId, name: &str) -> Result<Tag> {
    let name = names::check_word("tag", name)?;
    let version = version(w, version_id)?;
    version_numbered(w, &version.dataset_id, version.number)?;
    let dataset_id = version.dataset_id;
    sql::change(
        w,
        "insert into dataset_tags (dataset_id, tag, number, changed_at) values (?1, ?2, ?3, ?4)
         on conflict (dataset_id, tag) do update set number = excluded.number, changed_at = excluded.changed_at",
        (dataset_id.as_str(), name, version.number, w.now().as_ms()),
    )?;
    w.touch(Topic::Datasets);
    w.publish(publication(&dataset_id, name).rows(
        "dataset_tags",
        "dataset_id = ?1 and tag = ?2",
        &[dataset_id.as_str(), name],
    ));
    Ok(Tag { number: version.number, changed_at: w.now(), name: name.to_owned(), dataset_id })
}

/// Takes a tag away.
///
/// # Errors
/// `NotFound`.
pub fn remove(w: &mut Write<'_>, dataset_id: &DatasetId, name: &str) -> Result<()> {
    let query = "delete from dataset_tags where dataset_id = ?1 and tag = ?2";
    if sql::change(w, query, (dataset_id.as_str(), name))? == 0 {
        return Err(names::unknown("tag", name));
    }
    w.touch(Topic::Datasets);
    let key = json!({"dataset_id": dataset_id, "tag": name});
    w.publish(publication(dataset_id, name).deleted("dataset_tags", key));
    Ok(())
}

/// The tags of a dataset, by name.
///
/// # Errors
/// When the workspace cannot be read.
pub fn list(db: &Connection, dataset_id: &DatasetId) -> Result<Vec<Tag>> {
    let query =
        "select dataset_id, tag, number, changed_at from dataset_tags where dataset_id = ?1 order by tag";
    sql::many(db, query, [dataset_id.as_str()], Tag::read)
}

/// The version that a tag is on.
///
/// # Errors
/// `NotFound` for an unknown tag.
pub fn find(db: &Connection, dataset_id: &DatasetId, name: &str) -> Result<DatasetVersion> {
    let query =
        "select dataset_id, tag, number, changed_at from dataset_tags where dataset_id = ?1 and tag = ?2";
    let tag = sql::first(db, query, (dataset_id.as_str(), name), Tag::read)?;
    version_numbered(db, dataset_id, tag.ok_or_else(|| names::unknown("tag", name))?.number)
}

/// All that is told about a tag has the dataset in its subject, and goes with it.
fn publication(dataset_id: &DatasetId, name: &str) -> Publication {
    Publication::new("dataset_tag", format!("{dataset_id}/{name}"))
}
