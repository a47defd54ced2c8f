//! SQLite databases.

use data::import::{Format, ParseOptions};
use rusqlite::Connection;

use super::case::{Case, refused, table};

/// What is written here is read at once and thrown away, so nothing has to be safe.
const UNSAFE: &str = "pragma journal_mode = off; pragma synchronous = off;";

/// The bytes of a database that these statements make.
fn database(sql: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("x.db");
    let connection = Connection::open(&path).expect("a new database");
    connection.execute_batch(UNSAFE).expect("known settings");
    connection.execute_batch(sql).expect("the statements are right");
    drop(connection);
    std::fs::read(&path).expect("the database is there")
}

pub fn example() -> Vec<u8> {
    database("create table t(a, b); insert into t values (1, 'x'), (2, 'y');")
}

/// A database of these rows of texts in the columns `c0`, `c1` and so on.
pub fn written(rows: &[Vec<Option<String>>]) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("x.db");
    let connection = Connection::open(&path).expect("a new database");
    connection.execute_batch(UNSAFE).expect("known settings");
    let names: Vec<String> = (0..rows[0].len()).map(|at| format!("c{at}")).collect();
    connection.execute_batch(&format!("create table t({})", names.join(", "))).expect("a new table");
    let marks = vec!["?"; names.len()].join(", ");
    for row in rows {
        let sql = format!("insert into t values ({marks})");
        connection.execute(&sql, rusqlite::params_from_iter(row)).expect("a new row");
    }
    drop(connection);
    std::fs::read(&path).expect("the database is there")
}

pub fn cases() -> Vec<Case> {
    let named = |name: &str| ParseOptions {
        format: Format::Sqlite,
        table: Some(name.to_owned()),
        ..ParseOptions::default()
    };
    let two = database(
        "create table first(a); create table second(b text, c real);
         insert into second values ('x', 1.5), ('y', 2); create view v as select b || '!' as d from second;",
    );
    let mut bent = two.clone();
    bent[4096..].fill(0x7F);
    vec![
        table(
            "a table of every storage class",
            database("create table t(a, b); insert into t values (1, 'x'), (NULL, 'NA'), (3, '');"),
            "a:integer b:text | 1 x | ~ NA | 3 ",
        ),
        table("the first table that holds rows", two.clone(), "b:text c:number | x 1.5 | y 2"),
        table("a view", two.clone(), "d:text | x! | y!").read_as(named("v")),
        refused("an empty table", two.clone(), "`FILE` has a header and no rows").read_as(named("first")),
        refused("a table that is not there", two.clone(), "the database `FILE` holds no table `x`")
            .read_as(named("x")),
        table(
            "classes that are mixed",
            database("create table t(a); insert into t values (1), ('x'), (2.5);"),
            "a:text | 1 | x | 2.5",
        ),
        table(
            "truth values by their declaration",
            database("create table t(a boolean); insert into t values (1), (0), (NULL);"),
            "a:boolean | true | false | ~",
        ),
        table(
            "dates as SQLite writes them",
            database("create table t(a); insert into t values ('2026-01-02 03:04:05');"),
            "a:time | 2026-01-02 03:04:05",
        ),
        table(
            "integers of 64 bits",
            database("create table t(a); insert into t values (9223372036854775807);"),
            "a:integer | 9223372036854775807",
        ),
        table(
            "bytes",
            database("create table t(a); insert into t values (x'FF00'), (x'6162');"),
            "a:text | 0xff00 | ab",
        ),
        table(
            "names that need quotes",
            database(
                "create table \"a \"\"b\"(\"select\" integer, \"x y\"); insert into \"a \"\"b\" values (1, 2);",
            ),
            "select:integer x y:integer | 1 2",
        ),
        table(
            "a table without row numbers",
            database(
                "create table t(a primary key, b) without rowid; insert into t values (2, 'y'), (1, 'x');",
            ),
            "a:integer b:text | 1 x | 2 y",
        ),
        table(
            "a text that is no UTF-8",
            database("create table t(a); insert into t values ('x'), (cast(x'FF41' as text));"),
            "a:text | x",
        )
        .rejects(&[(2, "a text of the row is not valid UTF-8")]),
        refused(
            "a database of nothing",
            database("create table t(a); drop table t;"),
            "the database `FILE` holds no tables",
        ),
        refused("a database that is bent", bent, "`FILE` is damaged: it cannot be read as a SQLite database"),
        refused(
            "a mark and nothing behind it",
            b"SQLite format 3\0".as_slice(),
            "`FILE` is damaged: it cannot be read as a SQLite database",
        ),
        refused("text read as a database", b"a,b\n1,2\n".as_slice(), "`FILE` is not a SQLite database")
            .read_as(named("t")),
    ]
}
