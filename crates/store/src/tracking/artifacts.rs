//! Files that scripts bring: rows by path, contents as objects. A path is a text and never the name
//! of a file on this disk.

use base::{Code, Error, Result};
use rusqlite::Connection;

use crate::feed::Topic;
use crate::group::Entry;
use crate::objects::TreeEntry;
use crate::{Digest, sql};

/// Something in a folder of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name in the folder.
    pub name: String,
    /// Its size, or `None` for a folder.
    pub size_bytes: Option<u64>,
}

/// A file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredFile {
    /// Its content.
    pub digest: Digest,
    /// Its size.
    pub size_bytes: u64,
}

/// The scheme of files that we keep.
const SCHEME: &str = "mlflow-artifacts:/";

/// The path of a URI of ours; `None` for files that somebody else keeps.
pub fn path_of(uri: &str) -> Option<&str> {
    let path = uri.strip_prefix(SCHEME)?;
    (!path.starts_with('/')).then_some(path.trim_end_matches('/'))
}

/// Bytes of a path, and of a name in it.
const MOST_PATH_BYTES: usize = 4_096;
const MOST_NAME_BYTES: usize = 255;

/// True for a path that a file can have: plain names with `/` between them, which mean the same to
/// every client.
pub fn is_plain(path: &str) -> bool {
    let is_name = |name: &str| !matches!(name, "" | "." | "..") && name.len() <= MOST_NAME_BYTES;
    let bytes = path.as_bytes();
    let has_drive = bytes.len() >= 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':';
    path.len() <= MOST_PATH_BYTES
        && !has_drive
        && !path.contains(['\\', '#', char::REPLACEMENT_CHARACTER])
        && !path.chars().any(char::is_control)
        && path.split('/').all(is_name)
}

/// Puts a file at a path, in the place of one that is there.
///
/// # Errors
/// `Conflict` when there is a folder, or when a file is where a folder has to be.
pub fn put(e: &mut Entry<'_>, path: &str, file: StoredFile) -> Result<()> {
    if self::is_folder(e, path)? {
        return Err(Error::new(Code::Conflict, format!("`{}` is a folder", path.escape_debug())));
    }
    for (at, _) in path.match_indices('/') {
        if find(e, &path[..at])?.is_some() {
            return Err(Error::new(Code::Conflict, format!("`{}` is a file", path[..at].escape_debug())));
        }
    }
    sql::change(
        e,
        "insert into artifacts (path, digest, size_bytes, changed_at) values (?1, ?2, ?3, ?4)
         on conflict (path) do update set digest = excluded.digest, size_bytes = excluded.size_bytes,
            changed_at = excluded.changed_at",
        (path, file.digest, file.size_bytes, e.now().as_ms()),
    )?;
    unsettle_owner(e, path)
}

fn exists(db: &Connection, query: &str, path: &str) -> Result<bool> {
    sql::value(db, query, [path])
}

/// The file at a path, if there is one.
///
/// # Errors
/// When the workspace cannot be read.
pub fn find(db: &Connection, path: &str) -> Result<Option<StoredFile>> {
    let query = "select digest, size_bytes from artifacts where path = ?1";
    sql::first(db, query, [path], |row| {
        Ok(StoredFile { digest: row.get("digest")?, size_bytes: row.get("size_bytes")? })
    })
}

/// True when files are below a path.
///
/// # Errors
/// When the workspace cannot be read.
pub fn is_folder(db: &Connection, path: &str) -> Result<bool> {
    exists(db, "select exists (select 1 from artifacts where path > ?1 || '/' and path < ?1 || '0')", path)
}

/// What is in a folder, by name; nothing for a file and for what is not there. An empty text names
/// the folder of all.
///
/// # Errors
/// When the workspace cannot be read.
pub fn list(db: &Connection, folder: &str) -> Result<Vec<Listed>> {
    let (start, end) = match folder {
        "" => (String::new(), char::MAX.to_string()),
        _ => (format!("{folder}/"), format!("{folder}0")),
    };
    let mut found: Vec<Listed> = Vec::new();
    // From one name to the next: a folder with a million files costs one step.
    let query = "select path, size_bytes from artifacts where path >= ?1 and path < ?2 order by path limit 1";
    let mut at = start.clone();
    while let Some((path, size)) = sql::first(db, query, (&at, &end), |row| {
        Ok((row.get::<_, String>("path")?, row.get::<_, u64>("size_bytes")?))
    })? {
        let rest = &path[start.len()..];
        match rest.split_once('/') {
            Some((name, _)) => {
                // `0` comes right after `/`.
                at = format!("{start}{name}0");
                found.push(Listed { name: name.to_owned(), size_bytes: None });
            }
            None => {
                at = format!("{path}\0");
                found.push(Listed { name: rest.to_owned(), size_bytes: Some(size) });
            }
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

/// Removes a file, or a folder with all that is in it; how many files that were.
///
/// # Errors
/// When the workspace cannot be written.
pub fn delete(e: &mut Entry<'_>, path: &str) -> Result<usize> {
    unsettle_owner(e, path)?;
    let query = "delete from artifacts where path = ?1 or (path > ?1 || '/' and path < ?1 || '0')";
    sql::change(e, query, [path])
}

/// All files below a folder, as a tree lists them.
///
/// # Errors
/// When the workspace cannot be read.
pub fn tree(db: &Connection, folder: &str) -> Result<Vec<TreeEntry>> {
    let query = "select path, digest, size_bytes from artifacts
                 where path > ?1 || '/' and path < ?1 || '0' order by path";
    sql::many(db, query, [folder], |row| {
        let path: String = row.get("path")?;
        let path = path[folder.len() + 1..].to_owned();
        Ok(TreeEntry { path, mode: 0o644, size: row.get("size_bytes")?, digest: row.get("digest")? })
    })
}

/// The run or the model whose files these are is about to change. Elsewhere nobody owns them.
fn unsettle_owner(e: &mut Entry<'_>, path: &str) -> Result<()> {
    let names = path.split('/').rev().skip(1);
    let mut owners = Vec::new();
    for name in names {
        let is_hex = |text: &str| text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if is_hex(name) {
            owners.push(("run", name.to_owned()));
        } else if name.strip_prefix("m-").is_some_and(is_hex) {
            owners.push(("logged_model", name.to_owned()));
        }
    }
    for (kind, id) in owners {
        let query = match kind {
            "run" => "select exists (select 1 from script_runs where run_id = ?1)",
            _ => "select exists (select 1 from logged_models where id = ?1)",
        };
        if exists(e, query, &id)? {
            e.unsettle_as(kind, &id)?;
        }
    }
    e.touch(Topic::Runs);
    Ok(())
}
