//! SQLite databases: one table or view. The file is opened read-only and as one that nobody
//! changes, so that neither a lock nor a journal is made beside it.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use base::{Error, Result};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use super::{Opened, Reader, Request, Rows, damaged, not_one};
use crate::import::chunk::{Chunk, ChunkBuilder, MAX_RECORD_BYTES, Origin};
use crate::import::convert;
use crate::import::input::Input;
use crate::import::layout::Layout;
use crate::import::options::{Format, ParseOptions, Sniffed, Warning};
use crate::import::pack::listed;

/// Tables that are listed.
const MAX_TABLES: usize = 1000;

/// SQLite.
pub(super) struct Sqlite;

impl Reader for Sqlite {
    fn format(&self) -> Format {
        Format::Sqlite
    }

    fn detect(&self, head: &[u8]) -> bool {
        head.starts_with(b"SQLite format 3\0")
    }

    fn needs_whole(&self) -> bool {
        true
    }

    fn sniff(&self, input: &Input) -> Result<Sniffed> {
        let database = Database::open(input)?;
        let tables = database.tables()?;
        let table = database.choose(&tables, None)?;
        let mut warnings: Vec<Warning> = unwritten(input).into_iter().collect();
        let mut options = ParseOptions { format: Format::Sqlite, ..ParseOptions::default() };
        if tables.len() > 1 {
            let message = format!("the database holds {} tables; `{table}` is read", tables.len());
            warnings.push(Warning::file(message));
            options.table = Some(table);
        }
        Ok(Sniffed { options, confidence: 1.0, tables, warnings })
    }

    fn open(&self, request: &Request<'_>) -> Result<Opened> {
        let input = request.input;
        let database = Database::open(input)?;
        let table = database.choose(&database.tables()?, input.table.as_deref())?;
        let columns = database.columns(&table)?;
        let raw: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        let mut layout = Layout::new(&input.shown, &raw, request.options)?;
        layout.warnings.extend(unwritten(input));
        let (shown, path) = (input.shown.clone(), input.path.clone());
        Ok(Opened::Rows(Box::new(SqliteTable { shown, path, table, columns, layout })))
    }
}

/// Changes that are not in the file yet.
fn unwritten(input: &Input) -> Option<Warning> {
    let has = |ending: &str| {
        let mut beside = input.path.clone().into_os_string();
        beside.push(ending);
        std::fs::metadata(beside).is_ok_and(|metadata| metadata.len() > 0)
    };
    (has("-wal") || has("-journal"))
        .then(|| Warning::file("the database is in use and its latest changes are not read; close it first"))
}

struct Column {
    name: String,
    is_boolean: bool,
}

struct Database {
    shown: PathBuf,
    connection: Connection,
}

impl Database {
    fn open(input: &Input) -> Result<Self> {
        if !Sqlite.detect(&input.first_bytes()?) {
            return Err(not_one(&input.shown, Format::Sqlite));
        }
        Self::at(&input.shown, &input.path)
    }

    fn at(shown: &Path, path: &Path) -> Result<Self> {
        let broken = |e: rusqlite::Error| damaged(shown, Format::Sqlite, &e);
        let flags =
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(uri(path)?, flags).map_err(broken)?;
        // Views of strangers may call nothing but what SQL itself has.
        let guards = "pragma trusted_schema = off; pragma query_only = on; pragma cell_size_check = on; pragma mmap_size = 0;";
        connection.execute_batch(guards).map_err(broken)?;
        Ok(Self { shown: shown.to_owned(), connection })
    }

    fn broken(&self) -> impl Fn(rusqlite::Error) -> Error + '_ {
        |e| damaged(&self.shown, Format::Sqlite, &e)
    }

    /// The tables and views in the order in which they were made.
    fn tables(&self) -> Result<Vec<String>> {
        let sql = "select name from sqlite_schema
            where type in ('table', 'view') and name not like 'sqlite\\_%' escape '\\' order by rowid limit ?1";
        let mut statement = self.connection.prepare(sql).map_err(self.broken())?;
        let names = statement.query_map([MAX_TABLES as i64], |row| row.get(0)).map_err(self.broken())?;
        names.collect::<rusqlite::Result<_>>().map_err(self.broken())
    }

    /// The table that was asked for, or the first that holds a row.
    fn choose(&self, tables: &[String], wanted: Option<&str>) -> Result<String> {
        let shown = self.shown.display();
        if tables.is_empty() {
            return Err(Error::invalid(format!("the database `{shown}` holds no tables"))
                .hint("choose a database with a table in it"));
        }
        if let Some(wanted) = wanted {
            let found = tables.iter().find(|table| *table == wanted);
            return found.cloned().ok_or_else(|| {
                Error::invalid(format!("the database `{shown}` holds no table `{wanted}`"))
                    .hint(format!("it holds {}", listed(tables)))
            });
        }
        let holds_row = |table: &&String| {
            let sql = format!("select 1 from {} limit 1", quoted(table));
            self.connection.prepare(&sql).and_then(|mut found| found.exists([])).unwrap_or(false)
        };
        Ok(tables.iter().find(holds_row).unwrap_or(&tables[0]).clone())
    }

    fn columns(&self, table: &str) -> Result<Vec<Column>> {
        let sql = "select name, type from pragma_table_info(?1) order by cid";
        let mut statement = self.connection.prepare(sql).map_err(self.broken())?;
        let column = |row: &rusqlite::Row<'_>| {
            let declared: String = row.get(1)?;
            let is_boolean = declared.to_ascii_uppercase().starts_with("BOOL");
            Ok(Column { name: row.get(0)?, is_boolean })
        };
        let columns = statement.query_map([table], column).map_err(self.broken())?;
        let columns: Vec<Column> = columns.collect::<rusqlite::Result<_>>().map_err(self.broken())?;
        if columns.is_empty() {
            let message = format!("the table `{table}` of `{}` has no columns", self.shown.display());
            return Err(Error::invalid(message).hint("choose another table"));
        }
        Ok(columns)
    }
}

/// The file as an address with which SQLite makes nothing beside it.
fn uri(path: &Path) -> Result<String> {
    let path = std::path::absolute(path).map_err(|e| Error::io("find", path, &e))?;
    let text = path.to_str().ok_or_else(|| {
        Error::invalid(format!("`{}` has a name that is no text", path.display())).hint("rename the file")
    })?;
    let mut uri = "file:".to_owned();
    if !text.starts_with('/') {
        uri.push('/');
    }
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b':' => {
                uri.push(char::from(byte))
            }
            b'\\' if cfg!(windows) => uri.push('/'),
            // Writing into a text cannot fail.
            _ => drop(write!(uri, "%{byte:02X}")),
        }
    }
    uri.push_str("?immutable=1");
    Ok(uri)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

struct SqliteTable {
    shown: PathBuf,
    path: PathBuf,
    table: String,
    columns: Vec<Column>,
    layout: Layout,
}

impl Rows for SqliteTable {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn total(&self) -> Option<u64> {
        None
    }

    fn read(&self, sink: &mut dyn FnMut(Chunk) -> ControlFlow<()>) -> Result<()> {
        let database = Database::at(&self.shown, &self.path)?;
        let names: Vec<String> = self.columns.iter().map(|column| quoted(&column.name)).collect();
        let sql = format!("select {} from {}", names.join(", "), quoted(&self.table));
        let mut statement = database.connection.prepare(&sql).map_err(database.broken())?;
        let mut rows = statement.query([]).map_err(database.broken())?;
        let mut builder = ChunkBuilder::default();
        let mut number = 0;
        while let Some(row) = rows.next().map_err(database.broken())? {
            number += 1;
            match self.add(row, &mut builder).map_err(database.broken())? {
                Some(reason) => builder.fault(number, reason),
                None => builder.end(number),
            }
            if let Some(chunk) = builder.full(number)
                && sink(chunk).is_break()
            {
                return Ok(());
            }
        }
        // Nothing is left to do if the last rows are not wanted.
        let _ = sink(builder.take(number));
        Ok(())
    }
}

impl SqliteTable {
    /// Adds the cells of a row, or says why it is none.
    fn add(
        &self,
        row: &rusqlite::Row<'_>,
        builder: &mut ChunkBuilder,
    ) -> rusqlite::Result<Option<&'static str>> {
        for (at, column) in self.columns.iter().enumerate() {
            match row.get_ref(at)? {
                ValueRef::Null => builder.cell("", Origin::Null),
                ValueRef::Integer(value @ (0 | 1)) if column.is_boolean => {
                    builder.cell(if value == 1 { "true" } else { "false" }, Origin::Value);
                }
                ValueRef::Integer(value) => builder.cell(&value.to_string(), Origin::Value),
                // The shortest digits that read back as the same number; a whole one ends in `.0`.
                ValueRef::Real(value) => builder.cell(&format!("{value:?}"), Origin::Value),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) if bytes.len() > MAX_RECORD_BYTES => {
                    return Ok(Some("the row is longer than 32 MB"));
                }
                ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                    Ok(text) => builder.cell(text, Origin::Text),
                    Err(_) => return Ok(Some("a text of the row is not valid UTF-8")),
                },
                ValueRef::Blob(bytes) => builder.cell(&convert::bytes(bytes), Origin::Text),
            }
        }
        Ok(None)
    }
}
