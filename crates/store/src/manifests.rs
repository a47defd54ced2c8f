//! Manifests: immutable files that say what each commit made, so that the database is an index
//! that can be rebuilt, not the truth. A manifest holds the rows of the thing it is about, as they
//! were after the commit; a later one about the same rows has the larger sequence.
//!
//! In the transaction a manifest is queued in the database; after the commit it is written and
//! synced, before the caller is told. A crash in between leaves it queued for the next owner.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use base::{Code, Error, Result, Timestamp};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Params};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::canonical::canonical_json;
use crate::{Digest, files, sql};

/// One row of a table, by column.
pub(crate) type RowValues = Map<String, Value>;

/// What one commit made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// What it is about: `dataset_version`, `run`, `promotion`.
    pub(crate) kind: String,
    /// The id of what it is about.
    pub(crate) subject: String,
    /// The rows as they are now, table by table, parents first.
    pub(crate) rows: Vec<(String, Vec<RowValues>)>,
    /// Rows that are no more, by primary key.
    pub(crate) deleted: Vec<(String, RowValues)>,
}

/// A manifest as it lies on the disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Signed {
    /// 1; a larger one is a newer Fettle's.
    pub(crate) format: u32,
    /// The order of the commits; never a clock.
    pub(crate) sequence: i64,
    /// When, for people.
    pub(crate) at_ms: i64,
    #[serde(flatten)]
    pub(crate) manifest: Manifest,
}

const FORMAT: u32 = 1;

/// What a write wants to have in a manifest. The rows are taken when the write is complete, so
/// that manifests of one write agree whatever order they were asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Publication {
    kind: &'static str,
    subject: String,
    rows: Vec<(&'static str, &'static str, Vec<String>)>,
    deleted: Vec<(String, RowValues)>,
}

impl Publication {
    pub(crate) fn new(kind: &'static str, subject: impl std::fmt::Display) -> Self {
        Self { kind, subject: subject.to_string(), rows: Vec::new(), deleted: Vec::new() }
    }

    /// Adds the rows of `table` where `condition` (with `params`) holds. Parents come first.
    pub(crate) fn rows(mut self, table: &'static str, condition: &'static str, params: &[&str]) -> Self {
        self.rows.push((table, condition, params.iter().map(|&param| param.to_owned()).collect()));
        self
    }

    /// Adds that a row is no more; its children go with it.
    pub(crate) fn deleted(mut self, table: &str, key: Value) -> Self {
        let Value::Object(key) = key else { unreachable!("a primary key is written as a JSON object") };
        self.deleted.push((table.to_owned(), key));
        self
    }

    fn take(self, db: &Connection) -> Result<Manifest> {
        let mut rows = Vec::with_capacity(self.rows.len());
        for (table, condition, params) in self.rows {
            rows.push((
                table.to_owned(),
                snapshot(db, table, condition, rusqlite::params_from_iter(params))?,
            ));
        }
        Ok(Manifest { kind: self.kind.to_owned(), subject: self.subject, rows, deleted: self.deleted })
    }
}

/// Rows of a table, each column as JSON, in the order of the primary key.
pub(crate) fn snapshot(
    db: &Connection,
    table: &str,
    condition: &str,
    params: impl Params,
) -> Result<Vec<RowValues>> {
    let columns = columns(db, table)?;
    let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
    let mut keys: Vec<_> = columns.iter().filter(|column| column.key > 0).collect();
    keys.sort_by_key(|column| column.key);
    let keys: Vec<_> = keys.iter().map(|column| column.name.as_str()).collect();
    let query =
        format!("select {} from {table} where {condition} order by {}", names.join(", "), keys.join(", "));
    sql::many(db, &query, params, |row| {
        let mut values = RowValues::new();
        for (at, name) in names.iter().enumerate() {
            values.insert((*name).to_owned(), to_json(row.get_ref(at)?));
        }
        Ok(values)
    })
}

/// A column of a table; `key` is its place in the primary key, from 1, or 0.
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) key: i64,
}

pub(crate) fn columns(db: &Connection, table: &str) -> Result<Vec<Column>> {
    let query = "select name, pk from pragma_table_info(?1) order by cid";
    sql::many(db, query, [table], |row| Ok(Column { name: row.get("name")?, key: row.get("pk")? }))
}

/// A real is written as a text of its shortest exact digits: JSON knows no infinity, and a parser
/// of JSON may give another last digit.
fn to_json(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null | ValueRef::Blob(_) => Value::Null,
        ValueRef::Integer(number) => json!(number),
        ValueRef::Real(number) => json!({ "real": number.to_string() }),
        ValueRef::Text(text) => json!(String::from_utf8_lossy(text)),
    }
}

/// The other way round.
pub(crate) fn from_json(value: &Value) -> Result<rusqlite::types::Value> {
    let wrong = || Error::new(Code::Corrupt, format!("a manifest holds the value `{value}`"));
    Ok(match value {
        Value::Null => rusqlite::types::Value::Null,
        Value::String(text) => text.clone().into(),
        Value::Number(number) => number.as_i64().ok_or_else(wrong)?.into(),
        Value::Object(real) => {
            let number = real.get("real").and_then(Value::as_str).ok_or_else(wrong)?;
            number.parse::<f64>().map_err(|_| wrong())?.into()
        }
        Value::Bool(_) | Value::Array(_) => return Err(wrong()),
    })
}

/// A manifest file that waits: to be written with this text, or with none, to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pending {
    pub(crate) hash: String,
    pub(crate) body: String,
}

/// Queues manifests inside the transaction that they are about.
pub(crate) fn enqueue(
    db: &Connection,
    sequence: i64,
    at: Timestamp,
    publications: Vec<Publication>,
) -> Result<Vec<Pending>> {
    let mut pending = Vec::with_capacity(publications.len());
    for publication in publications {
        let manifest = publication.take(db)?;
        let signed = Signed { format: FORMAT, sequence, at_ms: at.as_ms(), manifest };
        let value = serde_json::to_value(&signed).expect("rows are JSON already");
        let body = canonical_json(&value);
        let hash = Digest::of(body.as_bytes()).to_hex();
        sql::change(
            db,
            "insert into manifests (hash, sequence, kind, subject, body) values (?1, ?2, ?3, ?4, ?5)
             on conflict (hash) do nothing",
            (&hash, sequence, &signed.manifest.kind, &signed.manifest.subject, &body),
        )?;
        pending.push(Pending { hash, body });
    }
    Ok(pending)
}

/// Marks the manifests about a subject to be removed, because it was deleted for good.
pub(crate) fn retire(db: &Connection, subject: &str) -> Result<Vec<Pending>> {
    let query = "update manifests set body = '' where subject = ?1 returning hash";
    sql::many(db, query, [subject], |row| Ok(Pending { hash: row.get("hash")?, body: String::new() }))
}

/// Takes back the manifests about a subject, and remembers that it has none.
pub(crate) fn unsettle(db: &Connection, kind: &str, subject: &str) -> Result<Vec<Pending>> {
    let query = "insert or ignore into unsettled (subject, kind) values (?1, ?2)";
    if sql::change(db, query, (subject, kind))? == 0 { Ok(Vec::new()) } else { retire(db, subject) }
}

/// As [`unsettle`], for each run that a query with one parameter gives.
pub(crate) fn unsettle_runs(db: &Connection, run_ids: &str, id: i64) -> Result<Vec<Pending>> {
    let query =
        format!("insert or ignore into unsettled (subject, kind) select run_id, 'run' from ({run_ids})");
    sql::change(db, &query, [id])?;
    let query = format!("update manifests set body = '' where subject in ({run_ids}) returning hash");
    sql::many(db, &query, [id], |row| Ok(Pending { hash: row.get("hash")?, body: String::new() }))
}

/// Writes manifests to their files, synced, and removes retired ones. Doing it again is harmless.
pub(crate) fn flush(dir: &Path, pending: &[Pending]) -> Result<()> {
    for Pending { hash, body } in pending {
        let path = dir.join(format!("{hash}.json"));
        if body.is_empty() {
            files::remove(&path)?;
        } else if read(&path).is_err() {
            // A file that reads under its name was synced before it got that name.
            let mut file = files::temporary_file(dir)?;
            file.write_all(body.as_bytes()).map_err(|error| files::io_error("write", &path, &error))?;
            files::persist(file, &path)?;
        }
    }
    if pending.is_empty() { Ok(()) } else { files::sync_dir(dir) }
}

/// The manifests whose files are not settled.
pub(crate) fn pending(db: &Connection) -> Result<Vec<Pending>> {
    let query = "select hash, body from manifests where body is not null order by sequence, hash";
    sql::many(db, query, [], |row| Ok(Pending { hash: row.get("hash")?, body: row.get("body")? }))
}

/// Forgets the texts of manifests that are on the disk, and all of those that were removed.
pub(crate) fn settle(db: &Connection, hashes: &[String]) -> Result<()> {
    for hash in hashes {
        sql::change(db, "delete from manifests where hash = ?1 and body = ''", [hash])?;
        sql::change(db, "update manifests set body = null where hash = ?1", [hash])?;
    }
    Ok(())
}

/// Reads and verifies one manifest file.
///
/// # Errors
/// [`Code::Corrupt`] when it is not what was written, [`Code::TooNew`] for a newer format.
pub(crate) fn read(path: &Path) -> Result<Signed> {
    let text = std::fs::read(path).map_err(|error| files::io_error("read", path, &error))?;
    let corrupt = || {
        Error::new(Code::Corrupt, format!("the manifest `{}` is not what was written", path.display()))
            .hint("restore it from a backup; while the index is whole nothing is lost")
    };
    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    if Digest::of(&text).to_hex() != name {
        return Err(corrupt());
    }
    let signed: Signed = serde_json::from_slice(&text).map_err(|error| corrupt().because(error))?;
    if signed.format > FORMAT {
        return Err(Error::new(
            Code::TooNew,
            format!("a newer Fettle wrote the manifest `{}`", path.display()),
        )
        .hint("use the newer Fettle"));
    }
    Ok(signed)
}

/// The manifest files there are, by hash.
pub(crate) fn files_in(dir: &Path) -> Result<BTreeMap<String, std::path::PathBuf>> {
    let mut found = BTreeMap::new();
    for entry in files::read_dir(dir)? {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "json")
            && let Some(stem) = path.file_stem()
        {
            found.insert(stem.to_string_lossy().into_owned(), path);
        }
    }
    Ok(found)
}
