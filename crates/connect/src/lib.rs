//! Reads what belongs to others, and only reads. The answer of a query comes out of their database
//! into a file: Arrow IPC, with the types of the database kept exactly. What scripts logged comes out
//! of a store of MLflow as records ([`mlflow`]). What a connection is called, where its password is
//! kept and what becomes of what was read is not known here.

mod arrive;
mod field;
pub mod mlflow;
mod postgres;

use std::path::Path;

use base::{Progress, Result};

/// A database server, and who asks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its name or address; a path is that of the folder of a socket.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The database.
    pub database: String,
    /// The user.
    pub user: String,
    /// Whether what is said is encrypted.
    pub tls: Tls,
}

/// How a connection is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Encrypted, and the server shows a certificate for its name that this machine trusts.
    Verified,
    /// Not at all.
    Off,
}

/// What an answer was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// How many rows.
    pub rows: u64,
    /// What a person should know, one sentence each.
    pub warnings: Vec<String>,
}

/// An answer of more bytes is refused, unless somebody allows more.
pub const MOST_BYTES: u64 = 8 << 30;

/// Connects and says what the server is.
///
/// # Errors
/// `unavailable` if it cannot be reached, `forbidden` if it does not let this user in, `not_found`
/// for a database that is not there; `cancelled`.
pub fn test(server: &Server, password: Option<&str>, progress: &Progress) -> Result<String> {
    postgres::version(server, password, progress)
}

/// Asks `query` and writes the rows of its answer to `out`, a file that is not there yet, as an Arrow
/// IPC file. The server is asked in a transaction that cannot change anything.
///
/// The columns have these types: whole numbers 64 bits, `real` and `double precision` as they are,
/// `numeric` decimals with all digits (a text if there are more than 76), `boolean`, `date`,
/// `timestamp` and `timestamptz` in microseconds, the latter in UTC, `bytea` bytes, and everything
/// else the text that the server writes for it. What a type cannot hold is missing, and counted in a
/// warning: dates before our era and beyond the year 9999, `infinity`, and a `numeric` that is
/// no number.
///
/// # Errors
/// As [`test`]; `invalid_input` for a query that the server refuses, that would change something, or
/// whose answer is larger than `most_bytes`.
pub fn query(
    server: &Server,
    password: Option<&str>,
    query: &str,
    (out, most_bytes): (&Path, u64),
    progress: &Progress,
) -> Result<Answer> {
    postgres::query(server, password, query, (out, most_bytes), progress)
}
