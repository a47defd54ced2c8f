//! Connections to databases: add, list, test, remove.

use base::Result;
use serde::{Deserialize, Serialize};
use serde_json::json;
use ts_rs::TS;

use super::convert::sniff_view;
use super::datasets::{TablePage, reply};
use super::jobs::JobRef;
use super::workspaces::Nothing;
use crate::Engine;
use crate::connections::{Connection, ConnectionKind, ConnectionTls, usual_tls, variable};
use crate::importing::Question;
use crate::jobs::Title;

/// Adds a connection, or puts it in the place of the one of this name.
#[derive(Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConnectionAdd {
    /// Its name: lower-case letters, digits and `_`.
    pub name: String,
    /// What kind of server it is.
    pub kind: ConnectionKind,
    /// The server's name or address, or the folder of its socket.
    pub host: String,
    /// Its port; the usual one if left out.
    #[serde(default)]
    pub port: Option<u16>,
    /// The database.
    pub database: String,
    /// The user.
    pub user: String,
    /// Whether it is encrypted; it is if left out, unless the server is this machine.
    #[serde(default)]
    pub tls: Option<ConnectionTls>,
    /// The password, which goes into the keychain of this machine's user.
    #[serde(default)]
    pub password: Option<String>,
}

/// What became of a connection that was added.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionAdded {
    /// The connection.
    pub connection: ConnectionView,
    /// Why its password is not in the keychain, and what to do instead.
    pub trouble: Option<String>,
}

/// A connection.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionView {
    /// Its name.
    pub name: String,
    /// What kind of server it is.
    pub kind: ConnectionKind,
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The database.
    pub database: String,
    /// The user.
    pub user: String,
    /// Whether it is encrypted.
    pub tls: ConnectionTls,
    /// The variable that may hold the password where there is no keychain.
    pub password_variable: String,
}

/// Names a connection.
#[derive(Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConnectionPick {
    /// Its name.
    pub name: String,
    /// The password to test it with, if it is not where passwords are looked for.
    #[serde(default)]
    pub password: Option<String>,
}

/// Asks for the first rows that a query would bring.
#[derive(Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConnectionPreview {
    /// The name of the connection.
    pub name: String,
    /// A `select` in the words of that database.
    pub query: String,
    /// The password, if it is not where passwords are looked for.
    #[serde(default)]
    pub password: Option<String>,
}

pub(super) fn add(engine: &Engine, request: ConnectionAdd) -> Result<ConnectionAdded> {
    let connection = Connection {
        kind: request.kind,
        port: request.port.unwrap_or(match request.kind {
            ConnectionKind::Postgres => 5432,
        }),
        database: request.database,
        user: request.user,
        tls: request.tls.unwrap_or_else(|| usual_tls(&request.host)),
        host: request.host,
    };
    let trouble = engine.add_connection(&request.name, &connection, request.password.as_deref())?;
    let said = |error: base::Error| format!("{error}: {}", error.hint.clone().unwrap_or_default());
    Ok(ConnectionAdded { connection: view(request.name, connection), trouble: trouble.map(said) })
}

pub(super) fn list(engine: &Engine, _request: Nothing) -> Result<Vec<ConnectionView>> {
    Ok(engine.connections()?.into_iter().map(|(name, connection)| view(name, connection)).collect())
}

fn view(name: String, connection: Connection) -> ConnectionView {
    let Connection { kind, host, port, database, user, tls } = connection;
    ConnectionView { password_variable: variable(&name), name, kind, host, port, database, user, tls }
}

pub(super) fn test(engine: &Engine, request: ConnectionPick) -> Result<JobRef> {
    engine.connection(&request.name)?;
    let title = Title {
        kind: "connection.test",
        title: format!("Testing {}", request.name),
        subject: json!({ "connection": request.name }),
    };
    let job = engine.start_job(&title, move |engine, progress| {
        let server = engine.test_connection(&request.name, request.password, progress)?;
        Ok(json!({ "server": server }))
    })?;
    Ok(job.into())
}

pub(super) fn preview(engine: &Engine, request: ConnectionPreview) -> Result<JobRef> {
    let ConnectionPreview { name: connection, query: sql, password } = request;
    engine.connection(&connection)?;
    let title = Title {
        kind: "connection.preview",
        title: format!("Asking {connection}"),
        subject: json!({ "connection": connection }),
    };
    let question = Question { connection, sql, password, most_bytes: None };
    let job = engine.start_job(&title, move |engine, progress| {
        let (options, preview) = engine.preview_answer(&question, progress)?;
        let view = sniff_view(options, preview, Vec::new());
        reply(TablePage { total: view.rows.len() as u64, offset: 0, columns: view.columns, rows: view.rows })
    })?;
    Ok(job.into())
}

pub(super) fn remove(engine: &Engine, request: ConnectionPick) -> Result<()> {
    engine.remove_connection(&request.name)
}
