//! The database again, from the manifests alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base::{Code, Error, Progress, Result};
use rusqlite::types::Value;
use rusqlite::{Connection, TransactionBehavior};

use crate::manifests::{self, Column, Signed};
use crate::{nesting, sql};

/// What came of reading all manifests.
#[derive(Debug, Default)]
pub(crate) struct Rebuilt {
    /// Manifests that were used.
    pub(crate) manifests: u64,
    /// Manifests that are not what was written.
    pub(crate) damaged: Vec<Error>,
    /// Rows that had to be left out, because what they belong to is lost.
    pub(crate) orphans: Vec<Error>,
    /// The last place in the order of writes that a manifest has.
    pub(crate) last_sequence: i64,
}

/// Fills an empty database of the newest shape from the manifests in `dir`.
pub(crate) fn rebuild(db: &mut Connection, dir: &Path, progress: &Progress) -> Result<Rebuilt> {
    let mut rebuilt = Rebuilt::default();
    let found = in_order(dir, &mut rebuilt, progress)?;
    let failed = |error| sql::failed("rebuild the index", &error);
    db.pragma_update(None, "foreign_keys", true).map_err(failed)?;
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    // A manifest whose parent is damaged must not stop the others.
    tx.pragma_update(None, "defer_foreign_keys", true).map_err(failed)?;
    let unique = drop_unique_indexes(&tx)?;
    let mut tables = Tables::default();
    for (done, (sequence, path)) in found.iter().enumerate() {
        progress.step("rebuilding the index", done as u64, Some(found.len() as u64))?;
        tx.execute_batch("savepoint manifest").map_err(failed)?;
        match manifests::read(path).and_then(|signed| apply(&tx, &mut tables, path, &signed)) {
            Ok(()) => rebuilt.manifests += 1,
            Err(error) if matches!(error.code, Code::Corrupt | Code::Conflict) => {
                tx.execute_batch("rollback to manifest").map_err(failed)?;
                rebuilt.damaged.push(error.within(format!("cannot use the manifest `{}`", path.display())));
            }
            Err(error) => return Err(error),
        }
        tx.execute_batch("release manifest").map_err(failed)?;
        rebuilt.last_sequence = *sequence;
    }
    recount(&tx)?;
    nesting::fill(&tx)?;
    rebuilt.orphans = drop_orphans(&tx)?;
    for index in unique {
        tx.execute_batch(&index).map_err(failed)?;
    }
    tx.commit().map_err(failed)?;
    Ok(rebuilt)
}

/// The manifests in the order of the commits. Only their places are kept: all texts together may
/// not fit the memory.
fn in_order(dir: &Path, rebuilt: &mut Rebuilt, progress: &Progress) -> Result<Vec<(i64, PathBuf)>> {
    let paths = manifests::files_in(dir)?;
    let total = paths.len() as u64;
    let mut found = Vec::with_capacity(paths.len());
    for (done, path) in paths.into_values().enumerate() {
        progress.step("reading manifests", done as u64, Some(total))?;
        match manifests::read(&path) {
            Ok(signed) => found.push((signed.sequence, path)),
            Err(error) if error.code == Code::Corrupt => rebuilt.damaged.push(error),
            Err(error) => return Err(error),
        }
    }
    found.sort();
    Ok(found)
}

/// A name may have gone from one thing to another within one write, whose manifests have no order
/// among each other; so names are compared only once all are there.
fn drop_unique_indexes(db: &Connection) -> Result<Vec<String>> {
    let query = "select name, sql from sqlite_schema
                 where type = 'index' and sql like 'create unique index %' order by name";
    let indexes =
        sql::many(db, query, [], |row| Ok((row.get::<_, String>("name")?, row.get::<_, String>("sql")?)))?;
    for (name, _) in &indexes {
        sql::change(db, &format!("drop index {name}"), [])?;
    }
    Ok(indexes.into_iter().map(|(_, sql)| sql).collect())
}

/// The columns of each table, asked once.
#[derive(Default)]
struct Tables(BTreeMap<String, Vec<Column>>);

impl Tables {
    fn columns(&mut self, db: &Connection, table: &str) -> Result<&[Column]> {
        if !self.0.contains_key(table) {
            self.0.insert(table.to_owned(), manifests::columns(db, table)?);
        }
        Ok(&self.0[table])
    }
}

fn apply(db: &Connection, tables: &mut Tables, path: &Path, signed: &Signed) -> Result<()> {
    for (table, key) in &signed.manifest.deleted {
        let known = tables.columns(db, table)?;
        let keys: Vec<_> = key.iter().filter(|(name, _)| is_known(known, name)).collect();
        // With no key it would be all rows.
        if keys.is_empty() || keys.len() != key.len() {
            return Err(unknown(table));
        }
        let condition: Vec<_> = keys.iter().map(|(name, _)| format!("{name} = ?")).collect();
        let values = keys.iter().map(|(_, value)| manifests::from_json(value)).collect::<Result<Vec<_>>>()?;
        let query = format!("delete from {table} where {}", condition.join(" and "));
        sql::change(db, &query, rusqlite::params_from_iter(values))?;
    }
    for (table, rows) in &signed.manifest.rows {
        for row in rows {
            upsert(db, table, tables.columns(db, table)?, row)?;
        }
    }
    let hash = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    sql::change(
        db,
        "insert into manifests (hash, sequence, kind, subject) values (?1, ?2, ?3, ?4)",
        (hash, signed.sequence, &signed.manifest.kind, &signed.manifest.subject),
    )?;
    Ok(())
}

fn upsert(db: &Connection, table: &str, known: &[Column], row: &manifests::RowValues) -> Result<()> {
    if known.is_empty() {
        return Err(unknown(table));
    }
    let mut names = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    for (name, value) in row.iter().filter(|(name, _)| is_known(known, name)) {
        names.push(name.as_str());
        values.push(manifests::from_json(value)?);
    }
    let keys: Vec<_> =
        known.iter().filter(|column| column.key > 0).map(|column| column.name.as_str()).collect();
    let updates: Vec<_> = names
        .iter()
        .filter(|name| !keys.contains(name))
        .map(|name| format!("{name} = excluded.{name}"))
        .collect();
    let action =
        if updates.is_empty() { "nothing".to_owned() } else { format!("update set {}", updates.join(", ")) };
    let query = format!(
        "insert into {table} ({}) values ({}) on conflict ({}) do {action}",
        names.join(", "),
        vec!["?"; names.len()].join(", "),
        keys.join(", "),
    );
    sql::change(db, &query, rusqlite::params_from_iter(values))?;
    Ok(())
}

fn is_known(columns: &[Column], name: &str) -> bool {
    columns.iter().any(|column| column.name == name)
}

fn unknown(table: &str) -> Error {
    Error::new(
        Code::Corrupt,
        format!("a manifest speaks of `{}`, which this Fettle does not know", table.escape_debug()),
    )
    .hint("use the Fettle that wrote it, or a newer one")
}

/// Numbers that were given and not used must not be given again: take the largest one known.
fn recount(db: &Connection) -> Result<()> {
    for query in [
        "update projects set last_run_number = max(last_run_number,
            coalesce((select max(number) from runs where project_id = projects.id), 0))",
        "update datasets set last_number = max(last_number,
            coalesce((select max(number) from dataset_versions where dataset_id = datasets.id), 0))",
        "update models set last_number = max(last_number,
            coalesce((select max(number) from model_versions where model_id = models.id), 0))",
        "update deployments set last_number = max(last_number,
            coalesce((select max(number) from revisions where deployment_id = deployments.id), 0))",
    ] {
        sql::change(db, query, [])?;
    }
    Ok(())
}

/// Takes out rows that point to nothing, because the manifest of their parent is lost.
fn drop_orphans(db: &Connection) -> Result<Vec<Error>> {
    let mut troubles = Vec::new();
    loop {
        // Tables without a rowid are told apart only by their name here, so the rows are found
        // again through the foreign key itself.
        let orphans = sql::many(
            db,
            "select distinct \"table\" as child, parent, fkid from pragma_foreign_key_check order by 1, 2, 3",
            [],
            |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?)),
        )?;
        if orphans.is_empty() {
            return Ok(troubles);
        }
        for (child, parent, key) in orphans {
            let pairs = sql::many(
                db,
                "select \"from\", \"to\" from pragma_foreign_key_list(?1) where id = ?2 order by seq",
                (&child, key),
                |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)),
            )?;
            let joined: Vec<_> = pairs.iter().map(|(from, to)| format!("p.{to} = {child}.{from}")).collect();
            let not_null: Vec<_> = pairs.iter().map(|(from, _)| format!("{from} is not null")).collect();
            let removed = sql::change(
                db,
                &format!(
                    "delete from {child} where {} and not exists (select 1 from {parent} p where {})",
                    not_null.join(" and "),
                    joined.join(" and ")
                ),
                [],
            )?;
            if removed == 0 {
                return Err(Error::internal(format!(
                    "rows of `{child}` point to nothing and cannot be found"
                )));
            }
            troubles.push(
                Error::new(
                    Code::Corrupt,
                    format!(
                        "left out {removed} rows of `{child}`: what they belong to in `{parent}` is lost"
                    ),
                )
                .hint("restore the folder `objects/manifests` from a backup and repair again"),
            );
        }
    }
}
