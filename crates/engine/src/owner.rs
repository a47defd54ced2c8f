//! How a daemon says where it is, and how others find it: `owner.json` has the address,
//! `daemon.token` the token, which only this user may read.

use std::path::Path;

use base::{Error, Result};

use crate::Engine;

const TOKEN_FILE: &str = "daemon.token";

/// Where a daemon answers and what callers must send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaemonAddress {
    /// Such as `http://127.0.0.1:4321`.
    pub url: String,
    /// The bearer token.
    pub token: String,
}

/// The daemon that owns the workspace in this folder, if one does.
///
/// # Errors
/// Its token is there and cannot be read.
pub fn daemon_of(folder: &Path) -> Result<Option<DaemonAddress>> {
    let Some(url) = store::owner_of(folder)?.and_then(|owner| owner.url) else { return Ok(None) };
    let path = folder.join(TOKEN_FILE);
    match std::fs::read_to_string(&path) {
        Ok(token) => Ok(Some(DaemonAddress { url, token: token.trim().to_owned() })),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::io("read", &path, &e)),
    }
}

impl Engine {
    /// Tells others where this process answers.
    ///
    /// # Errors
    /// The workspace cannot be written.
    pub fn announce(&self, url: &str, token: &str) -> Result<()> {
        store::files::write_atomic(&self.store().root().join(TOKEN_FILE), token.as_bytes())?;
        self.store().announce_url(url)
    }
}
