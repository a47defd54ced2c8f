//! The audit log: one row per write, each with the hash of the row before it, so that a changed,
//! inserted or removed row shows.

use std::collections::BTreeSet;

use base::{Code, Error, Result, Timestamp};
use rusqlite::{Connection, Row};
use serde_json::{Map, Value, json};

use crate::canonical::canonical_json;
use crate::feed::Topic;
use crate::{Digest, Page, sql};

/// What somebody did, as the audit log keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    name: String,
    actor: String,
    subject: String,
    details: Map<String, Value>,
}

impl Action {
    /// An action named as the command that does it (`dataset.import`), done to `subject`.
    pub fn new(name: &str, subject: impl std::fmt::Display) -> Self {
        Self {
            name: name.to_owned(),
            actor: "user".to_owned(),
            subject: subject.to_string(),
            details: Map::new(),
        }
    }

    /// The same action with one more detail. Secrets do not belong here.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.add(key, value);
        self
    }

    pub(crate) fn add(&mut self, key: &str, value: impl Into<Value>) {
        self.details.insert(key.to_owned(), value.into());
    }

    /// The same action, done by somebody else than the user, such as `fettle` or `trigger`.
    #[must_use]
    pub fn by(mut self, actor: &str) -> Self {
        actor.clone_into(&mut self.actor);
        self
    }
}

/// One row of the audit log.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// Its place in the log; one more than the row before it.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What, as `noun.verb`.
    pub action: String,
    /// To what.
    pub subject: String,
    /// What else there is to say.
    pub details: Value,
    /// What it changed.
    pub topics: BTreeSet<Topic>,
    /// The hash of the row before it.
    pub prev: Digest,
    /// The hash of this row.
    pub hash: Digest,
}

/// A row as it is stored. The hash is over the texts themselves: a number that is parsed and
/// written again may come out with another last digit.
struct Stored {
    id: i64,
    at_ms: i64,
    actor: String,
    action: String,
    subject: String,
    details: String,
    topics: String,
    prev: Digest,
    hash: Digest,
}

impl Stored {
    fn compute_hash(&self) -> Digest {
        let row = json!({
            "id": self.id,
            "atMs": self.at_ms,
            "actor": self.actor,
            "action": self.action,
            "subject": self.subject,
            "details": self.details,
            "topics": self.topics,
            "prev": self.prev,
        });
        Digest::of(canonical_json(&row).as_bytes())
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            at_ms: row.get("at_ms")?,
            actor: row.get("actor")?,
            action: row.get("action")?,
            subject: row.get("subject")?,
            details: row.get("details")?,
            topics: row.get("topics")?,
            prev: row.get("prev")?,
            hash: row.get("hash")?,
        })
    }
}

impl AuditEntry {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            at: sql::time(row, "at_ms")?,
            actor: row.get("actor")?,
            action: row.get("action")?,
            subject: row.get("subject")?,
            details: sql::json(row, "details")?,
            topics: sql::json_option(row, "topics")?.unwrap_or_default(),
            prev: row.get("prev")?,
            hash: row.get("hash")?,
        })
    }
}

const COLUMNS: &str = "id, at_ms, actor, action, subject, details, topics, prev, hash";

/// What the first row of a log calls the row before it.
const GENESIS: [u8; 32] = [0; 32];

/// Where the log stands: the id and the hash of its last row.
pub(crate) fn head(db: &Connection) -> Result<(i64, Digest)> {
    let last = sql::first(db, "select id, hash from audit order by id desc limit 1", [], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(last.unwrap_or((0, GENESIS.into())))
}

/// Appends one row with this id, which is larger than all before.
pub(crate) fn append(
    db: &Connection,
    id: i64,
    at: Timestamp,
    action: Action,
    topics: &BTreeSet<Topic>,
) -> Result<()> {
    let (_, prev) = head(db)?;
    let mut row = Stored {
        id,
        at_ms: at.as_ms(),
        actor: action.actor,
        action: action.name,
        subject: action.subject,
        details: canonical_json(&Value::Object(action.details)),
        topics: sql::to_json(topics),
        prev,
        hash: prev,
    };
    row.hash = row.compute_hash();
    sql::change(
        db,
        "insert into audit (id, at_ms, actor, action, subject, details, topics, prev, hash)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        (row.id, row.at_ms, row.actor, row.action, row.subject, row.details, row.topics, row.prev, row.hash),
    )?;
    Ok(())
}

/// The log, newest first.
///
/// # Errors
/// When the workspace cannot be read.
pub fn list(db: &Connection, page: Page) -> Result<Vec<AuditEntry>> {
    let query = format!("select {COLUMNS} from audit order by id desc limit ?1 offset ?2");
    sql::many(db, &query, (page.limit(), page.offset()), AuditEntry::read)
}

/// How many rows the log has.
///
/// # Errors
/// When the workspace cannot be read.
pub fn count(db: &Connection) -> Result<u64> {
    sql::value(db, "select count(*) from audit", [])
}

/// What rows after `id` changed, and the id of the last of them.
pub(crate) fn topics_since(db: &Connection, id: i64) -> Result<(BTreeSet<Topic>, i64)> {
    let rows = sql::many(db, "select id, topics from audit where id > ?1 order by id", [id], |row| {
        Ok((row.get::<_, i64>("id")?, sql::json_option::<BTreeSet<Topic>>(row, "topics")?))
    })?;
    let last = rows.last().map_or(id, |(last, _)| *last);
    Ok((rows.into_iter().filter_map(|(_, topics)| topics).flatten().collect(), last))
}

/// Walks the whole log and says which rows are not what was written.
///
/// # Errors
/// When the workspace cannot be read.
pub fn verify(db: &Connection) -> Result<Vec<Error>> {
    /// Rows looked at in one go, so that a long log does not fill the memory.
    const BATCH: usize = 10_000;
    let query = format!("select {COLUMNS} from audit where id > ?1 order by id limit {BATCH}");
    let mut troubles = Vec::new();
    let (mut last, mut prev) = (i64::MIN, Digest::from(GENESIS));
    loop {
        let rows = sql::many(db, &query, [last], |row| Ok((row.get::<_, i64>("id")?, Stored::read(row))))?;
        for (id, row) in &rows {
            let trouble = |what: &str| {
                Error::new(Code::Corrupt, format!("row {id} of the audit log {what}"))
                    .hint("somebody edited the database, or the disk did; compare it with a backup")
            };
            last = *id;
            let Ok(row) = row else {
                troubles.push(trouble("cannot be read"));
                continue;
            };
            if row.prev != prev {
                troubles.push(trouble("does not follow the row before it"));
            }
            if row.compute_hash() != row.hash {
                troubles.push(trouble("was changed after it was written"));
            }
            prev = row.hash;
        }
        if rows.len() < BATCH {
            return Ok(troubles);
        }
    }
}
