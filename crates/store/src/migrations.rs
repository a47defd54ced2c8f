//! The shape of the index database, version by version. A released entry is frozen: what comes
//! later is added as the next entry, never written into an old one.

use base::{Code, Error, Result};
use rusqlite::{Connection, TransactionBehavior};

use crate::{nesting, sql};

/// Applied in order, all in one transaction; `user_version` says how many have been.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_tags.sql"),
    include_str!("migrations/0003_work.sql"),
    include_str!("migrations/0004_tracking.sql"),
    include_str!("migrations/0005_judgements.sql"),
    include_str!("migrations/0006_runs.sql"),
];

/// Brings a database to the newest shape.
///
/// # Errors
/// [`Code::TooNew`] when a newer Fettle wrote it; it is then left untouched.
pub(crate) fn migrate(db: &mut Connection) -> Result<()> {
    if check_version(db)? == MIGRATIONS.len() {
        return Ok(());
    }
    let apply = |db: &mut Connection| -> Result<()> {
        let failed = |error| sql::failed("bring the workspace to the newest format", &error);
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        // Another process may have done it since we looked.
        let found = check_version(&tx)?;
        for migration in &MIGRATIONS[found..] {
            tx.execute_batch(migration).map_err(failed)?;
        }
        // What came with a migration and follows from rows that were there before it.
        nesting::fill(&tx)?;
        tx.pragma_update(None, "user_version", MIGRATIONS.len()).map_err(failed)?;
        tx.commit().map_err(failed)
    };
    apply(db)
}

/// Refuses a database that has not the newest shape.
///
/// # Errors
/// [`Code::Unavailable`] when it is older: only an owner may change that.
pub(crate) fn expect_newest(db: &Connection) -> Result<()> {
    if check_version(db)? == MIGRATIONS.len() {
        return Ok(());
    }
    Err(Error::new(Code::Unavailable, "this workspace has an older format, and this process does not own it")
        .hint("close the older Fettle that has it open, and try again"))
}

/// How many migrations a database has seen.
///
/// # Errors
/// [`Code::TooNew`] when that is more than we know.
pub(crate) fn check_version(db: &Connection) -> Result<usize> {
    let found: usize = db
        .query_row("pragma user_version", [], |row| row.get(0))
        .map_err(|error| sql::failed("read the version of the workspace", &error))?;
    if found > MIGRATIONS.len() {
        let known = MIGRATIONS.len();
        return Err(Error::new(
            Code::TooNew,
            format!("this workspace has format {found}, this Fettle knows up to {known}"),
        )
        .hint("open it with the newer Fettle that wrote it; nothing was changed"));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_migration_never_changes_once_it_is_written_down_here() {
        // The last one may change until a release ships it; the ones before it never.
        let digests =
            ["2b89cddb6918", "e4c3184f9948", "c895d0cbd25b", "14d15934596b", "aa5ec1ddd341", "7b207f2c1357"];
        let found: Vec<_> =
            MIGRATIONS.iter().map(|migration| crate::Digest::of(migration.as_bytes()).short()).collect();
        assert_eq!(found, digests);
    }

    #[test]
    fn a_database_of_the_first_shape_keeps_its_rows_and_gets_the_newest() {
        let mut db = Connection::open_in_memory().unwrap();
        db.execute_batch(MIGRATIONS[0]).unwrap();
        db.execute_batch(
            "pragma user_version = 1;
             insert into projects (id, slug, name, created_at) values ('p', 'p', 'P', 1);
             insert into datasets (id, project_id, name, created_at) values ('d', 'p', 'D', 1);
             insert into dataset_versions values ('v', 'd', 1, 'c', 1, 1, 1, 0, '{}', '[]', null, 'f', 1);",
        )
        .unwrap();
        migrate(&mut db).unwrap();
        let kept: i64 =
            sql::value(&db, "select count(*) from dataset_versions where trashed_at is null", []).unwrap();
        assert_eq!((kept, check_version(&db).unwrap()), (1, MIGRATIONS.len()));
    }

    #[test]
    fn migrating_twice_changes_nothing() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db).unwrap();
        let schema = |db: &Connection| {
            sql::many(db, "select sql from sqlite_schema order by name", [], |row| {
                row.get::<_, Option<String>>(0)
            })
        };
        let before = schema(&db).unwrap();
        migrate(&mut db).unwrap();
        assert_eq!(schema(&db).unwrap(), before);
        assert!(before.len() > 20);
    }

    #[test]
    fn every_table_is_strict_and_has_a_primary_key() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db).unwrap();
        let tables = sql::many(
            &db,
            "select name, strict from pragma_table_list where schema = 'main' and type = 'table'
             and name not like 'sqlite_%' order by name",
            [],
            |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?)),
        )
        .unwrap();
        for (table, is_strict) in tables {
            assert!(is_strict, "{table}");
            let keys: i64 =
                sql::value(&db, "select count(*) from pragma_table_info(?1) where pk > 0", [&table]).unwrap();
            assert!(keys > 0, "{table}");
        }
    }
}
