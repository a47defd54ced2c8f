//! How the records speak to SQLite: a statement, its parameters, a reading of each row; and what
//! SQLite's errors mean in ours.

use std::str::FromStr;

use base::{Code, Error, Result, Timestamp};
use rusqlite::types::Type;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Params, Row};
use serde_json::Value;

/// All rows of a query, in its order.
pub(crate) fn many<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>> {
    let rows = || -> rusqlite::Result<Vec<T>> { db.prepare_cached(sql)?.query_map(params, read)?.collect() };
    rows().map_err(|error| failed("read the workspace", &error))
}

/// The first row of a query, if it has any.
pub(crate) fn first<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>> {
    let row = || db.prepare_cached(sql)?.query_row(params, read).optional();
    row().map_err(|error| failed("read the workspace", &error))
}

/// The one value of a query that always has a row, such as a count.
pub(crate) fn value<T: rusqlite::types::FromSql>(
    db: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<T> {
    let value = || db.prepare_cached(sql)?.query_row(params, |row| row.get(0));
    value().map_err(|error| failed("read the workspace", &error))
}

/// Changes rows and says how many.
pub(crate) fn change(db: &Connection, sql: &str, params: impl Params) -> Result<usize> {
    let change = || db.prepare_cached(sql)?.execute(params);
    change().map_err(|error| failed("write the workspace", &error))
}

/// A column whose text another type knows how to read.
pub(crate) fn parsed<T>(row: &Row<'_>, column: &str) -> rusqlite::Result<T>
where
    T: FromStr<Err = Error>,
{
    let text: String = row.get(column)?;
    text.parse().map_err(|error| unreadable(column, error))
}

/// Like [`parsed`], for a column that may be empty.
pub(crate) fn parsed_option<T>(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<T>>
where
    T: FromStr<Err = Error>,
{
    let text: Option<String> = row.get(column)?;
    text.map(|text| text.parse().map_err(|error| unreadable(column, error))).transpose()
}

/// A column that holds JSON.
pub(crate) fn json(row: &Row<'_>, column: &str) -> rusqlite::Result<Value> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| unreadable(column, error))
}

/// Like [`json`], for a column that may be empty.
pub(crate) fn json_option<T: serde::de::DeserializeOwned>(
    row: &Row<'_>,
    column: &str,
) -> rusqlite::Result<Option<T>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| serde_json::from_str(&text).map_err(|error| unreadable(column, error))).transpose()
}

/// A column that holds a moment.
pub(crate) fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp)
}

/// Like [`time`], for a column that may be empty.
pub(crate) fn time_option(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp))
}

/// The JSON text of a value that always has one.
pub(crate) fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("records hold only string keys and finite numbers")
}

fn unreadable(column: &str, error: impl std::fmt::Display) -> rusqlite::Error {
    let error = Error::new(Code::Corrupt, format!("the column `{column}` cannot be read")).because(error);
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error))
}

/// What an error of SQLite means to whoever asked.
pub(crate) fn failed(doing: &str, error: &rusqlite::Error) -> Error {
    let code = match error {
        rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DiskFull => Code::DiskFull,
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Code::Unavailable,
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Code::Corrupt,
            ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied => Code::Unavailable,
            // A write past a quota or `ulimit -f` reaches us as this one.
            ErrorCode::SystemIoFailure if failure.extended_code == rusqlite::ffi::SQLITE_IOERR_WRITE => {
                Code::DiskFull
            }
            ErrorCode::SystemIoFailure => Code::Unavailable,
            ErrorCode::ConstraintViolation => Code::Conflict,
            _ => Code::Internal,
        },
        rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::InvalidColumnType(..) => {
            Code::Corrupt
        }
        _ => Code::Internal,
    };
    let out = Error::new(code, format!("cannot {doing}")).because(error);
    match code {
        Code::DiskFull => out.hint("free some space on this disk and try again; nothing was lost"),
        Code::Corrupt => out.hint("run `fettle workspace check`, then `fettle workspace repair`"),
        Code::Unavailable => out.hint("another program may be using this workspace; try again"),
        _ => out,
    }
}

/// An enum that is the same word in SQL, JSON and Rust.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+ }

        impl $name {
            /// All of them, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = base::Error;

            fn from_str(text: &str) -> base::Result<Self> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(base::Error::invalid(format!(concat!("`{}` is not ", $what), text.escape_debug()))
                        .hint(concat!("one of" $(, " `", $word, "`")+))),
                }
            }
        }

        impl rusqlite::types::ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
                Ok(self.as_str().into())
            }
        }
    };
}
pub(crate) use words;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_may_not_grow_is_a_full_disk() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch("create table t (x blob); pragma max_page_count = 3").unwrap();
        let error = change(&db, "insert into t values (zeroblob(100000))", []).unwrap_err();
        assert_eq!(error.code, Code::DiskFull);
        assert!(error.hint.is_some());
    }

    #[test]
    fn a_file_that_is_no_database_is_corrupt() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.db");
        std::fs::write(&path, "not a database, but long enough to look at ".repeat(100)).unwrap();
        let db = Connection::open(&path).unwrap();
        let error = value::<i64>(&db, "select count(*) from sqlite_schema", []).unwrap_err();
        assert_eq!(error.code, Code::Corrupt);
    }
}
