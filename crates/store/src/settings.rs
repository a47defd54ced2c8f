//! Settings of a workspace: a key, a value.

use std::collections::BTreeMap;

use base::{Error, Result};
use rusqlite::Connection;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::doors::Write;
use crate::feed::Topic;
use crate::manifests::Publication;
use crate::{names, sql};

/// A setting, if it was ever set.
///
/// # Errors
/// `InvalidInput` when it is there but not a `T`.
pub fn get<T: DeserializeOwned>(db: &Connection, key: &str) -> Result<Option<T>> {
    let text = sql::first(db, "select value from settings where key = ?1", [key], |row| {
        row.get::<_, String>("value")
    })?;
    text.map(|text| {
        serde_json::from_str(&text).map_err(|error| {
            Error::invalid(format!("the setting `{key}` has the value `{text}`"))
                .because(error)
                .hint("set it again")
        })
    })
    .transpose()
}

/// Sets a setting. Secrets do not belong here.
///
/// # Errors
/// `InvalidInput` for a key that is empty or a value that is no JSON.
pub fn set(w: &mut Write<'_>, key: &str, value: &impl Serialize) -> Result<()> {
    let key = names::check("setting", key)?;
    let text = serde_json::to_string(value).map_err(|error| {
        Error::invalid(format!("the setting `{key}` cannot have this value")).because(error)
    })?;
    sql::change(
        w,
        "insert into settings (key, value) values (?1, ?2)
         on conflict (key) do update set value = excluded.value",
        (key, text),
    )?;
    w.touch(Topic::Settings);
    w.publish(Publication::new("setting", key).rows("settings", "key = ?1", &[key]));
    Ok(())
}

/// Forgets a setting, so that its default holds again.
///
/// # Errors
/// When the workspace cannot be written.
pub fn unset(w: &mut Write<'_>, key: &str) -> Result<()> {
    sql::change(w, "delete from settings where key = ?1", [key])?;
    w.touch(Topic::Settings);
    w.publish(Publication::new("setting", key).deleted("settings", serde_json::json!({ "key": key })));
    Ok(())
}

/// All that is set, by key.
///
/// # Errors
/// When the workspace cannot be read.
pub fn all(db: &Connection) -> Result<BTreeMap<String, Value>> {
    let query = "select key, value from settings order by key";
    let rows = sql::many(db, query, [], |row| Ok((row.get("key")?, sql::json(row, "value")?)))?;
    Ok(rows.into_iter().collect())
}
