//! Where each object is. A small database of its own, because it is only a cache: the packs are
//! the truth, and whatever it lacks after a crash is read from them when it is opened.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base::{Code, Result};
use rusqlite::{Connection, Row, TransactionBehavior};

use super::pack::{self, Entry, Pack};
use super::seen::Seen;
use super::{Kind, missing};
use crate::{Digest, files, sql};

const SCHEMA: &str = "
    create table if not exists packs (
        id integer primary key,
        name text not null unique,
        bytes integer not null
    ) strict;
    create table if not exists objects (
        digest blob not null,
        pack integer not null references packs (id) on delete cascade,
        kind integer not null,
        codec integer not null,
        stored integer not null,
        raw integer not null,
        place integer not null,
        primary key (digest, pack)
    ) strict, without rowid;
    create index if not exists objects_by_pack on objects (pack, place);
    create table if not exists seen (
        id integer primary key,
        place blob not null unique,
        body blob not null
    ) strict;";

/// What was seen longest ago goes when all of it takes more: about two million files.
const MOST_SEEN_BYTES: u64 = 256 << 20;

/// The index of all packs.
pub(super) struct Index {
    db: Mutex<Connection>,
}

/// Where an object is.
#[derive(Debug, Clone)]
pub(super) struct Location {
    pub(super) pack: String,
    pub(super) entry: Entry,
}

impl Index {
    pub(super) fn open(path: &Path, packs: &Path, is_owner: bool) -> Result<Self> {
        match Self::open_once(path, packs) {
            // It can be built anew, but not under the feet of others.
            Err(error) if is_owner && error.code == Code::Corrupt => {
                Self::remove_files(path)?;
                Self::open_once(path, packs)
            }
            opened => opened,
        }
    }

    /// Removes the index; the next opening reads it from the packs.
    pub(super) fn remove_files(path: &Path) -> Result<()> {
        ["", "-wal", "-shm"]
            .iter()
            .try_for_each(|suffix| files::remove(Path::new(&format!("{}{suffix}", path.display()))))
    }

    /// What the database says of itself, and what it remembers that is not what was written.
    pub(super) fn check(&self) -> Result<Vec<String>> {
        let query = "select integrity_check from pragma_integrity_check";
        let mut found = sql::many(&self.db(), query, [], |row| row.get::<_, String>(0))?;
        found.retain(|line| line != "ok");
        let fresh = Connection::open_in_memory().and_then(|db| db.execute_batch(SCHEMA).map(|()| db));
        let fresh = fresh.map_err(|error| sql::failed("check the index of the objects", &error))?;
        if shape(&self.db())? != shape(&fresh)? {
            found.push("its tables have not the shape they were made in".to_owned());
        }
        let query = "select place, body from seen order by id";
        let seen = sql::many(&self.db(), query, [], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?)))?;
        let is_right = |(place, body): &([u8; 32], Vec<u8>)| {
            Seen::parse(body).is_some_and(|seen| seen.place.as_bytes() == place)
        };
        if !seen.iter().all(is_right) {
            found.push("what it remembers of a folder is not what was written".to_owned());
        }
        Ok(found)
    }

    fn open_once(path: &Path, packs: &Path) -> Result<Self> {
        let connect = || {
            let db = Connection::open(path)?;
            db.busy_timeout(Duration::from_secs(10))?;
            db.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
            // Not synced: what a power cut takes from it is read from the packs again.
            db.pragma_update(None, "synchronous", "normal")?;
            db.pragma_update(None, "foreign_keys", true)?;
            db.execute_batch(SCHEMA)?;
            Ok(db)
        };
        let db = connect().map_err(|error| sql::failed("open the index of the objects", &error))?;
        let index = Self { db: Mutex::new(db) };
        index.refresh(packs)?;
        Ok(index)
    }

    /// Makes the index agree with the packs there are.
    pub(super) fn refresh(&self, packs: &Path) -> Result<()> {
        // First what is known: a pack that comes in between is on the disk before it is known.
        let known = self.packs()?;
        let on_disk = packs_in(packs)?;
        for name in known.keys().filter(|name| on_disk.get(*name) != known.get(*name)) {
            self.remove(name)?;
        }
        for name in on_disk.keys().filter(|name| known.get(*name) != on_disk.get(*name)) {
            match pack::list(packs, name) {
                Ok(pack) => self.add(&pack)?,
                // Another process's garbage collection was faster.
                Err(error) if error.code == Code::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Adds a pack that is on the disk, synced.
    pub(super) fn add(&self, pack: &Pack) -> Result<()> {
        let failed = |error| sql::failed("index the objects", &error);
        let mut db = self.db();
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        sql::change(
            &tx,
            "insert into packs (name, bytes) values (?1, ?2)
             on conflict (name) do update set bytes = excluded.bytes",
            (&pack.name, pack.bytes),
        )?;
        let id: i64 = sql::value(&tx, "select id from packs where name = ?1", [&pack.name])?;
        for entry in &pack.entries {
            sql::change(
                &tx,
                "insert into objects (digest, pack, kind, codec, stored, raw, place)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7) on conflict (digest, pack) do nothing",
                (
                    entry.digest.as_bytes(),
                    id,
                    entry.kind.code(),
                    entry.codec,
                    entry.stored,
                    entry.raw,
                    entry.offset,
                ),
            )?;
        }
        tx.commit().map_err(failed)
    }

    /// Forgets a pack.
    pub(super) fn remove(&self, name: &str) -> Result<()> {
        self.forget_seen()?;
        sql::change(&self.db(), "delete from packs where name = ?1", [name])?;
        Ok(())
    }

    /// Forgets one object of a pack, so that putting the content again stores it anew.
    pub(super) fn forget(&self, digest: &Digest, pack: &str) -> Result<()> {
        self.forget_seen()?;
        sql::change(
            &self.db(),
            "delete from objects where digest = ?1 and pack = (select id from packs where name = ?2)",
            (digest.as_bytes(), pack),
        )?;
        Ok(())
    }

    /// What was at a place when it was last stored, if all of that is still in the packs.
    pub(super) fn seen(&self, place: &Digest, packs: &Path) -> Result<Option<Seen>> {
        let query = "select body from seen where place = ?1";
        let body = || sql::first(&self.db(), query, [place.as_bytes()], |row| row.get::<_, Vec<u8>>(0));
        if body()?.is_none() {
            return Ok(None);
        }
        // A pack that somebody took away is noticed here, and what was seen is forgotten with it.
        self.refresh(packs)?;
        Ok(body()?.and_then(|body| Seen::parse(&body)).filter(|seen| seen.place == *place))
    }

    /// Remembers what is at a place, once all of it is in the packs.
    pub(super) fn see(&self, seen: &Seen) -> Result<()> {
        let db = self.db();
        let body = seen.to_bytes();
        let query = "insert or replace into seen (place, body) values (?1, ?2)";
        sql::change(&db, query, (seen.place.as_bytes(), body))?;
        trim_seen(&db, MOST_SEEN_BYTES)
    }

    /// Objects are about to go, and nobody knows in which folders they were.
    fn forget_seen(&self) -> Result<()> {
        sql::change(&self.db(), "delete from seen", [])?;
        Ok(())
    }

    /// One place of an object.
    pub(super) fn find(&self, digest: &Digest) -> Result<Option<Location>> {
        let query = "select name, digest, kind, codec, stored, raw, place
                     from objects join packs on packs.id = objects.pack
                     where digest = ?1 order by pack limit 1";
        sql::first(&self.db(), query, [digest.as_bytes()], read_location)
    }

    /// One place of an object that must be there.
    pub(super) fn locate(&self, digest: &Digest) -> Result<Location> {
        self.find(digest)?.ok_or_else(|| missing(digest))
    }

    /// The objects of a pack, in their order.
    pub(super) fn entries(&self, pack: &str) -> Result<Vec<Entry>> {
        let query = "select name, digest, kind, codec, stored, raw, place
                     from objects join packs on packs.id = objects.pack
                     where name = ?1 order by place";
        sql::many(&self.db(), query, [pack], |row| read_location(row).map(|location| location.entry))
    }

    /// The packs there are, with their sizes.
    pub(super) fn packs(&self) -> Result<BTreeMap<String, u64>> {
        let query = "select name, bytes from packs order by name";
        let packs = sql::many(&self.db(), query, [], |row| Ok((row.get("name")?, row.get("bytes")?)))?;
        Ok(packs.into_iter().collect())
    }

    pub(super) fn stored_bytes(&self) -> Result<u64> {
        sql::value(&self.db(), "select coalesce(sum(bytes), 0) from packs", [])
    }

    fn db(&self) -> MutexGuard<'_, Connection> {
        // A panic while it was held dropped its transaction, which rolled it back.
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The tables and indexes of a database, as they were written.
fn shape(db: &Connection) -> Result<Vec<[Option<String>; 4]>> {
    let query = "select type, name, tbl_name, sql from sqlite_schema order by type, name";
    sql::many(db, query, [], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))
}

/// Removes what was seen longest ago, until the rest takes no more than `most` bytes.
fn trim_seen(db: &Connection, most: u64) -> Result<()> {
    let query = "delete from seen where id not in (
                     select id from (select id, sum(length(body)) over (order by id desc) as total from seen)
                     where total <= ?1)";
    sql::change(db, query, [most])?;
    Ok(())
}

fn read_location(row: &Row<'_>) -> rusqlite::Result<Location> {
    let digest: [u8; 32] = row.get("digest")?;
    let kind: u8 = row.get("kind")?;
    let entry = Entry {
        kind: Kind::from_code(kind).ok_or(rusqlite::Error::IntegralValueOutOfRange(2, i64::from(kind)))?,
        codec: row.get("codec")?,
        stored: row.get("stored")?,
        raw: row.get("raw")?,
        digest: digest.into(),
        offset: row.get("place")?,
    };
    Ok(Location { pack: row.get("name")?, entry })
}

/// The packs on the disk, with their sizes.
fn packs_in(dir: &Path) -> Result<BTreeMap<String, u64>> {
    let mut packs = BTreeMap::new();
    for entry in files::read_dir(dir)? {
        let path = entry.path();
        let is_pack = path.extension().is_some_and(|extension| extension == "pack");
        let Some(stem) = path.file_stem().filter(|_| is_pack) else { continue };
        let name = stem.to_string_lossy().into_owned();
        if let Ok(metadata) = entry.metadata() {
            packs.insert(name, metadata.len());
        }
    }
    Ok(packs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn what_was_seen_longest_ago_makes_room() {
        let dir = tempfile::tempdir().unwrap();
        let packs = dir.path().join("packs");
        files::create_private_dir(&packs).unwrap();
        let index = Index::open(&dir.path().join("index.db"), &packs, true).unwrap();
        let places = [b"one", b"two", b"six"].map(|place| Digest::of(place));
        for place in [0, 1, 2, 0] {
            let place = places[place];
            index.see(&Seen { place, whole: Some(place), files: HashMap::new() }).unwrap();
        }
        // Each takes 97 bytes.
        trim_seen(&index.db(), 200).unwrap();
        let seen = places.map(|place| index.seen(&place, &packs).unwrap().is_some());
        assert_eq!(seen, [true, false, true]);
        index.remove("a pack").unwrap();
        assert_eq!(index.seen(&places[0], &packs).unwrap(), None);
    }
}
