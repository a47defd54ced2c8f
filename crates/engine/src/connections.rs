//! Connections to other people's databases: what they are called and where they are is kept in the
//! workspace, their passwords in the keychain of this machine's user and nowhere else.

pub(crate) mod secrets;

use std::collections::BTreeMap;

use base::{Code, Error, Progress, Result};
use connect::{Server, Tls};
use serde::{Deserialize, Serialize};
use store::{Action, Topic, settings};
use ts_rs::TS;

use crate::Engine;

/// The setting that holds them, by name.
const SETTING: &str = "connections";

/// A kind of database server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionKind {
    /// PostgreSQL, and what speaks as it does.
    Postgres,
}

/// How a connection is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionTls {
    /// Encrypted, and the server shows a certificate that this machine trusts.
    Verified,
    /// Not at all.
    Off,
}

/// A database, and who asks it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Connection {
    pub(crate) kind: ConnectionKind,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) database: String,
    pub(crate) user: String,
    pub(crate) tls: ConnectionTls,
}

impl Connection {
    /// What the password is kept under: the same in every workspace of this user.
    fn account(&self) -> String {
        format!("postgres://{}@{}:{}/{}", self.user, self.host, self.port, self.database)
    }

    pub(crate) fn server(&self) -> Server {
        Server {
            host: self.host.clone(),
            port: self.port,
            database: self.database.clone(),
            user: self.user.clone(),
            tls: match self.tls {
                ConnectionTls::Verified => Tls::Verified,
                ConnectionTls::Off => Tls::Off,
            },
        }
    }
}

/// A server on this machine needs no encryption; any other does, unless somebody says otherwise.
pub(crate) fn usual_tls(host: &str) -> ConnectionTls {
    let is_here = host.starts_with('/') || ["localhost", "127.0.0.1", "::1"].contains(&host);
    if is_here { ConnectionTls::Off } else { ConnectionTls::Verified }
}

/// The variable that holds the password of a connection where there is no keychain.
pub fn variable(name: &str) -> String {
    format!("FETTLE_CONNECTION_{}_PASSWORD", name.to_uppercase())
}

impl Engine {
    /// Every connection, by name.
    pub(crate) fn connections(&self) -> Result<BTreeMap<String, Connection>> {
        Ok(self.store().read(|db| settings::get(db, SETTING))?.unwrap_or_default())
    }

    /// A connection by its name.
    pub(crate) fn connection(&self, name: &str) -> Result<Connection> {
        let mut all = self.connections()?;
        all.remove(name).ok_or_else(|| {
            let error = Error::not_found(format!("there is no connection `{}`", name.escape_debug()));
            match data::nearest(name, all.keys().map(String::as_str)) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("make one with `fettle connection add`"),
            }
        })
    }

    /// Adds a connection, or puts it in the place of the one of this name. A password goes into the
    /// keychain; where that cannot be, the connection is there without it, and why is given back.
    pub(crate) fn add_connection(
        &self,
        name: &str,
        connection: &Connection,
        password: Option<&str>,
    ) -> Result<Option<Error>> {
        let is_plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !is_plain || !name.starts_with(|c: char| c.is_ascii_lowercase()) || name.len() > 40 {
            return Err(Error::invalid(format!(
                "`{}` cannot be the name of a connection",
                name.escape_debug()
            ))
            .hint("use lower-case letters, digits and `_`, starting with a letter"));
        }
        for (what, text) in
            [("host", &connection.host), ("database", &connection.database), ("user", &connection.user)]
        {
            if text.trim().is_empty() || text.contains(['\0', '\n']) {
                return Err(Error::invalid(format!("a connection has to name its {what}")));
            }
        }
        self.change_connections("connection.add", name, |all| {
            all.insert(name.to_owned(), connection.clone());
        })?;
        let Some(password) = password else { return Ok(None) };
        Ok(secrets::set(&connection.account(), password).err().map(|error| {
            let variable = variable(name);
            error.hint(format!("set `{variable}` where Fettle runs; a password is never written to a file"))
        }))
    }

    /// Removes a connection and its password.
    pub(crate) fn remove_connection(&self, name: &str) -> Result<()> {
        let connection = self.connection(name)?;
        self.change_connections("connection.remove", name, |all| {
            all.remove(name);
        })?;
        // Where there is no keychain there is no password in it.
        let _ = secrets::remove(&connection.account());
        Ok(())
    }

    fn change_connections(
        &self,
        action: &'static str,
        name: &str,
        change: impl FnOnce(&mut BTreeMap<String, Connection>),
    ) -> Result<()> {
        self.store().write(Action::new(action, name), |w| {
            let mut all: BTreeMap<String, Connection> = settings::get(w, SETTING)?.unwrap_or_default();
            change(&mut all);
            w.touch(Topic::Settings);
            settings::set(w, SETTING, &all)
        })
    }

    /// The password of a connection: the one given, that of the environment, that of the keychain;
    /// none where the server may want none.
    pub(crate) fn password(
        &self,
        name: &str,
        connection: &Connection,
        given: Option<String>,
    ) -> Option<String> {
        given
            .or_else(|| std::env::var(variable(name)).ok().filter(|text| !text.is_empty()))
            .or_else(|| secrets::get(&connection.account()).ok().flatten())
    }

    /// Connects, and says what the server is.
    pub(crate) fn test_connection(
        &self,
        name: &str,
        given: Option<String>,
        progress: &Progress,
    ) -> Result<String> {
        let connection = self.connection(name)?;
        let password = self.password(name, &connection, given);
        connect::test(&connection.server(), password.as_deref(), progress)
            .map_err(|error| with_way_in(name, password.is_some(), error))
    }
}

/// Says where a password is looked for, to whoever is not let in for want of one.
pub(crate) fn with_way_in(name: &str, had_password: bool, error: Error) -> Error {
    let lacks = matches!(error.code, Code::Forbidden | Code::Unavailable) && !had_password;
    if !lacks {
        return error;
    }
    let variable = variable(name);
    match &error.hint {
        Some(hint) => {
            let hint = format!("{hint}; no password is known: add the connection again, or set `{variable}`");
            error.hint(hint)
        }
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_server_of_this_machine_is_asked_without_encryption() {
        let usual = ["localhost", "/run/postgresql", "::1", "db.example.org", "10.0.0.1"].map(usual_tls);
        use ConnectionTls::{Off, Verified};
        assert_eq!(usual, [Off, Off, Off, Verified, Verified]);
        assert_eq!(variable("sales_1"), "FETTLE_CONNECTION_SALES_1_PASSWORD");
    }
}
