//! Datasets and their immutable versions. A version in the trash is found by its id alone.

pub mod tags;

use base::{DatasetId, ProjectId, Result, Timestamp, VersionId};
use rusqlite::{Connection, Row};
use serde_json::Value;

use crate::canonical::canonical_json;
use crate::doors::Write;
use crate::feed::Topic;
use crate::manifests::Publication;
use crate::{Digest, names, sql};

/// A named table over all its versions.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Its id.
    pub id: DatasetId,
    /// The project it is in.
    pub project_id: ProjectId,
    /// Its name, unique in the project.
    pub name: String,
    /// The column to predict, once somebody said which.
    pub target: Option<String>,
    /// What kind of prediction that is, in the words of `data::Task`.
    pub task: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// The number of its newest version; 0 before the first.
    pub last_number: u32,
}

/// One version of a dataset. It never changes.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetVersion {
    /// Its id.
    pub id: VersionId,
    /// The dataset.
    pub dataset_id: DatasetId,
    /// 1, 2, 3 within the dataset; never given twice.
    pub number: u32,
    /// The original bytes, an object.
    pub content: Digest,
    /// How many bytes those are.
    pub content_bytes: u64,
    /// Rows read.
    pub rows: u64,
    /// Columns read.
    pub columns: u32,
    /// Rows that could not be read, and were kept aside.
    pub rejected_rows: u64,
    /// How the bytes are read: what was sniffed or corrected.
    pub parse: Value,
    /// Columns and kinds.
    pub schema: Value,
    /// The profile, an object.
    pub profile: Option<Digest>,
    /// The name of the file it came from, without its folder.
    pub source_name: String,
    /// When it was imported.
    pub created_at: Timestamp,
}

/// What an import has found out about a file.
#[derive(Debug, Clone, PartialEq)]
pub struct NewVersion {
    /// The original bytes, an object.
    pub content: Digest,
    /// How many bytes those are.
    pub content_bytes: u64,
    /// Rows read.
    pub rows: u64,
    /// Columns read.
    pub columns: u32,
    /// Rows that could not be read, and were kept aside.
    pub rejected_rows: u64,
    /// How the bytes are read: what was sniffed or corrected.
    pub parse: Value,
    /// Columns and kinds.
    pub schema: Value,
    /// The profile, an object.
    pub profile: Option<Digest>,
    /// The name of the file it came from, without its folder.
    pub source_name: String,
}

const DATASET: &str = "id, project_id, name, target, task, created_at, last_number";
const VERSION: &str = "id, dataset_id, number, content, content_bytes, rows, columns, rejected_rows, \
                       parse, schema, profile, source_name, created_at";

impl Dataset {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: sql::parsed(row, "id")?,
            project_id: sql::parsed(row, "project_id")?,
            name: row.get("name")?,
            target: row.get("target")?,
            task: row.get("task")?,
            created_at: sql::time(row, "created_at")?,
            last_number: row.get("last_number")?,
        })
    }
}

impl DatasetVersion {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: sql::parsed(row, "id")?,
            dataset_id: sql::parsed(row, "dataset_id")?,
            number: row.get("number")?,
            content: row.get("content")?,
            content_bytes: row.get("content_bytes")?,
            rows: row.get("rows")?,
            columns: row.get("columns")?,
            rejected_rows: row.get("rejected_rows")?,
            parse: sql::json(row, "parse")?,
            schema: sql::json(row, "schema")?,
            profile: row.get("profile")?,
            source_name: row.get("source_name")?,
            created_at: sql::time(row, "created_at")?,
        })
    }
}

/// Makes a dataset with no version yet.
///
/// # Errors
/// `AlreadyExists`; `InvalidInput` for a name that is empty or too long.
pub fn create(w: &mut Write<'_>, project_id: &ProjectId, name: &str) -> Result<Dataset> {
    let name = names::check("dataset", name)?;
    if by_name(w, project_id, name)?.is_some() {
        return Err(names::taken("dataset", name));
    }
    let id = DatasetId::new();
    sql::change(
        w,
        "insert into datasets (id, project_id, name, created_at) values (?1, ?2, ?3, ?4)",
        (id.as_str(), project_id.as_str(), name, w.now().as_ms()),
    )?;
    publish(w, &id);
    get(w, &id)
}

/// Makes a version of these bytes, unless the dataset has one of the same bytes read the same way
/// already: then that one is given back, and nothing is new.
///
/// # Errors
/// `NotFound` for an unknown dataset.
pub fn add_version(w: &mut Write<'_>, dataset_id: &DatasetId, new: NewVersion) -> Result<AddedVersion> {
    if let Some(version) = find_same(w, dataset_id, &new.content, &new.parse)? {
        return Ok(AddedVersion { version, is_new: false });
    }
    let number = get(w, dataset_id)?.last_number + 1;
    let id = VersionId::new();
    sql::change(
        w,
        "insert into dataset_versions (id, dataset_id, number, content, content_bytes, rows, columns,
            rejected_rows, parse, schema, profile, source_name, created_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        (
            id.as_str(),
            dataset_id.as_str(),
            number,
            new.content,
            new.content_bytes,
            new.rows,
            new.columns,
            new.rejected_rows,
            canonical_json(&new.parse),
            sql::to_json(&new.schema),
            new.profile,
            &new.source_name,
            w.now().as_ms(),
        ),
    )?;
    sql::change(w, "update datasets set last_number = ?2 where id = ?1", (dataset_id.as_str(), number))?;
    w.touch(Topic::Datasets);
    w.publish(
        Publication::new("dataset_version", &id).rows("datasets", "id = ?1", &[dataset_id.as_str()]).rows(
            "dataset_versions",
            "id = ?1",
            &[id.as_str()],
        ),
    );
    w.detail("version", number);
    Ok(AddedVersion { version: version(w, &id)?, is_new: true })
}

/// What [`add_version`] did.
#[derive(Debug, Clone, PartialEq)]
pub struct AddedVersion {
    /// The version that holds the bytes.
    pub version: DatasetVersion,
    /// False when it was there before.
    pub is_new: bool,
}

/// Says which column is to be predicted, and how; or that none is.
///
/// # Errors
/// `NotFound` for an unknown dataset.
pub fn set_target(w: &mut Write<'_>, id: &DatasetId, target: Option<&str>, task: Option<&str>) -> Result<()> {
    let changed = sql::change(
        w,
        "update datasets set target = ?2, task = ?3 where id = ?1",
        (id.as_str(), target, task),
    )?;
    if changed == 0 {
        return Err(names::unknown("dataset", id));
    }
    publish(w, id);
    Ok(())
}

/// Gives a dataset another name.
///
/// # Errors
/// `NotFound`, `AlreadyExists`; `InvalidInput` for a name that is empty or too long.
pub fn rename(w: &mut Write<'_>, id: &DatasetId, name: &str) -> Result<()> {
    let name = names::check("dataset", name)?;
    let dataset = get(w, id)?;
    if by_name(w, &dataset.project_id, name)?.is_some_and(|other| other.id != *id) {
        return Err(names::taken("dataset", name));
    }
    sql::change(w, "update datasets set name = ?2 where id = ?1", (id.as_str(), name))?;
    publish(w, id);
    Ok(())
}

/// The dataset with this id, also when it is in the trash.
///
/// # Errors
/// `NotFound`.
pub fn get(db: &Connection, id: &DatasetId) -> Result<Dataset> {
    let query = format!("select {DATASET} from datasets where id = ?1");
    sql::first(db, &query, [id.as_str()], Dataset::read)?.ok_or_else(|| names::unknown("dataset", id))
}

/// The dataset of this name in a project, if there is one.
///
/// # Errors
/// When the workspace cannot be read.
pub fn by_name(db: &Connection, project_id: &ProjectId, name: &str) -> Result<Option<Dataset>> {
    let query =
        format!("select {DATASET} from datasets where project_id = ?1 and name = ?2 and trashed_at is null");
    sql::first(db, &query, (project_id.as_str(), name), Dataset::read)
}

/// The datasets of a project, by name.
///
/// # Errors
/// When the workspace cannot be read.
pub fn list(db: &Connection, project_id: &ProjectId) -> Result<Vec<Dataset>> {
    let query = format!(
        "select {DATASET} from datasets where project_id = ?1 and trashed_at is null
         order by name collate nocase, id"
    );
    sql::many(db, &query, [project_id.as_str()], Dataset::read)
}

/// The versions of a dataset, newest first.
///
/// # Errors
/// When the workspace cannot be read.
pub fn versions(db: &Connection, dataset_id: &DatasetId) -> Result<Vec<DatasetVersion>> {
    let query = format!(
        "select {VERSION} from dataset_versions where dataset_id = ?1 and trashed_at is null
         order by number desc"
    );
    sql::many(db, &query, [dataset_id.as_str()], DatasetVersion::read)
}

/// The version with this id, also when it is in the trash: runs and models stand on it.
///
/// # Errors
/// `NotFound`.
pub fn version(db: &Connection, id: &VersionId) -> Result<DatasetVersion> {
    let query = format!("select {VERSION} from dataset_versions where id = ?1");
    sql::first(db, &query, [id.as_str()], DatasetVersion::read)?
        .ok_or_else(|| names::unknown("dataset version", id))
}

/// The version of this number.
///
/// # Errors
/// `NotFound`.
pub fn version_numbered(db: &Connection, dataset_id: &DatasetId, number: u32) -> Result<DatasetVersion> {
    let query = format!(
        "select {VERSION} from dataset_versions
         where dataset_id = ?1 and number = ?2 and trashed_at is null"
    );
    sql::first(db, &query, (dataset_id.as_str(), number), DatasetVersion::read)?
        .ok_or_else(|| names::unknown("dataset version", number))
}

/// The newest version, if there is one.
///
/// # Errors
/// When the workspace cannot be read.
pub fn latest(db: &Connection, dataset_id: &DatasetId) -> Result<Option<DatasetVersion>> {
    let query = format!(
        "select {VERSION} from dataset_versions where dataset_id = ?1 and trashed_at is null
                 order by number desc limit 1"
    );
    sql::first(db, &query, [dataset_id.as_str()], DatasetVersion::read)
}

/// The version of a dataset that holds these bytes, read this way.
///
/// # Errors
/// When the workspace cannot be read.
pub fn find_same(
    db: &Connection,
    dataset_id: &DatasetId,
    content: &Digest,
    parse: &Value,
) -> Result<Option<DatasetVersion>> {
    let query = format!(
        "select {VERSION} from dataset_versions where dataset_id = ?1 and content = ?2 and parse = ?3
             and trashed_at is null order by number desc limit 1"
    );
    sql::first(db, &query, (dataset_id.as_str(), content, canonical_json(parse)), DatasetVersion::read)
}

/// The versions of any dataset that hold these bytes, newest first.
///
/// # Errors
/// When the workspace cannot be read.
pub fn with_content(db: &Connection, content: &Digest) -> Result<Vec<DatasetVersion>> {
    let query = format!(
        "select {VERSION} from dataset_versions where content = ?1 and trashed_at is null
                 order by created_at desc, id"
    );
    sql::many(db, &query, [content], DatasetVersion::read)
}

fn publish(w: &mut Write<'_>, id: &DatasetId) {
    w.touch(Topic::Datasets);
    w.publish(Publication::new("dataset", id).rows("datasets", "id = ?1", &[id.as_str()]));
}
