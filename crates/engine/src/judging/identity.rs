//! Who signs: a name and an Ed25519 key in a file of this user, outside of every workspace, so that a
//! copied workspace carries nobody's key.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use base::{Code, Error, Result};
use serde::{Deserialize, Serialize};

use super::seal::{Purpose, hex, public_key, sign, unhex};

const FILE: &str = "identity.json";

/// A person who can sign.
pub(crate) struct Identity {
    /// The name.
    pub(crate) person: String,
    secret: [u8; 32],
}

/// The file as it lies on the disk.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: u32,
    person: String,
    secret: String,
}

impl Identity {
    /// The person's public key.
    pub(crate) fn key(&self) -> String {
        public_key(&self.secret)
    }

    /// Signs a text.
    pub(crate) fn sign(&self, purpose: Purpose, text: &[u8]) -> String {
        sign(&self.secret, purpose, text)
    }

    /// Who this user is.
    ///
    /// # Errors
    /// [`Code::NotFound`] if nobody said so yet; [`Code::Conflict`] if others can read the key.
    pub(crate) fn load() -> Result<Self> {
        Self::read(&folder()?.join(FILE))
    }

    fn read(path: &Path) -> Result<Self> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::not_found("nobody has said who signs on this machine")
                    .hint("make a key with `fettle identity new NAME`"));
            }
            Err(e) => return Err(Error::io("read", path, &e)),
        };
        refuse_open_file(path)?;
        let corrupt = || {
            Error::new(Code::Corrupt, format!("`{}` holds no key", path.display()))
                .hint("restore it from a backup, or move it away and make a new key")
        };
        let stored: Stored = serde_json::from_str(&text).map_err(|_| corrupt())?;
        let secret = unhex(&stored.secret).filter(|_| stored.format == 1).ok_or_else(corrupt)?;
        Ok(Self { person: stored.person, secret })
    }

    /// Makes a key for a person.
    ///
    /// # Errors
    /// [`Code::AlreadyExists`] if there is one: what it signed can only be checked with its own key.
    pub(crate) fn make(person: &str) -> Result<Self> {
        Self::make_in(&folder()?, person)
    }

    fn make_in(folder: &Path, person: &str) -> Result<Self> {
        let person = check_person(person)?;
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)
            .map_err(|e| Error::internal("the system gives no random numbers").because(e))?;
        std::fs::create_dir_all(folder).map_err(|e| Error::io("create", folder, &e))?;
        let path = folder.join(FILE);
        let stored = Stored { format: 1, person: person.to_owned(), secret: hex(&secret) };
        let text =
            serde_json::to_string(&stored).map_err(|e| Error::internal("cannot write a key").because(e))?;
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(|e| match e.kind() {
            std::io::ErrorKind::AlreadyExists => {
                Error::new(Code::AlreadyExists, format!("there is a key in `{}` already", path.display()))
                    .hint("see `fettle identity show`; move the file away to begin with another key")
            }
            _ => Error::io("write", &path, &e),
        })?;
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(|e| Error::io("write", &path, &e))?;
        Ok(Self { person: person.to_owned(), secret })
    }
}

/// A name that can stand in a policy as it is.
pub(crate) fn check_person(person: &str) -> Result<&str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
    if !person.is_empty() && person.len() <= 100 && person.chars().all(is_plain) {
        return Ok(person);
    }
    Err(Error::invalid(format!("`{}` cannot be the name of a person", person.escape_debug()))
        .hint("use letters, digits, `-`, `_`, `.` and `@`, such as an address"))
}

fn folder() -> Result<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = variable("FETTLE_CONFIG") {
        return Ok(folder);
    }
    let base = if cfg!(windows) {
        variable("APPDATA")
    } else if cfg!(target_os = "macos") {
        variable("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        variable("XDG_CONFIG_HOME").or_else(|| variable("HOME").map(|home| home.join(".config")))
    };
    base.map(|base| base.join("fettle")).ok_or_else(|| {
        Error::new(Code::Unavailable, "cannot tell where this user's settings go")
            .hint("name a folder with FETTLE_CONFIG")
    })
}

/// Fails if others than this user can read the key. Windows keeps a user's folder to that user.
#[cfg(unix)]
fn refuse_open_file(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).map_err(|e| Error::io("read", path, &e))?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(Error::new(Code::Conflict, format!("others can read the key in `{}`", path.display()))
        .hint("run `chmod 600` on it, and make a new key if somebody may have read it"))
}

#[cfg(not(unix))]
fn refuse_open_file(_path: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_read_back_and_kept_to_its_user() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let made = Identity::make_in(place.path(), "ann").expect("made");
        let path = place.path().join(FILE);
        let read = Identity::read(&path).expect("read back");
        assert_eq!((read.person.as_str(), read.key()), ("ann", made.key()));
        let again = Identity::make_in(place.path(), "bob").err().expect("there is one");
        assert_eq!(again.code, Code::AlreadyExists);
        assert!(Identity::make_in(place.path(), "a b").is_err());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&path).expect("there").permissions().mode() & 0o777;
            assert_eq!(mode, 0o600);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("can be set");
            assert!(Identity::read(&path).err().expect("open to all").message.contains("others can read"));
        }
    }
}
