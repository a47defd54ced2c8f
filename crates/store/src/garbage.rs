//! Freeing space: what neither a row, nor a manifest, nor this process refers to goes.

use std::collections::HashSet;

use base::{Progress, Result};
use rusqlite::Connection;

use crate::audit::Action;
use crate::objects::Swept;
use crate::store::Store;
use crate::{Digest, files, manifests, sql, unfinished};

/// What freeing space found or did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GarbageReport {
    /// Objects that stay.
    pub kept_objects: u64,
    /// Objects that go.
    pub freed_objects: u64,
    /// Bytes that go: those of objects, and of imports that did not come to their end.
    pub freed_bytes: u64,
    /// Packs that are removed or written anew.
    pub packs: u64,
}

impl From<Swept> for GarbageReport {
    fn from(swept: Swept) -> Self {
        Self {
            kept_objects: swept.kept_objects,
            freed_objects: swept.freed_objects,
            freed_bytes: swept.freed_bytes,
            packs: swept.removed_packs,
        }
    }
}

impl Store {
    /// What [`Store::collect_garbage`] would free. What is in the trash counts as needed.
    ///
    /// # Errors
    /// Failures of the database and of the operating system; `Corrupt` when something that is
    /// needed cannot be read.
    pub fn plan_garbage_collection(&self, progress: &Progress) -> Result<GarbageReport> {
        let live = self.live_objects(progress)?;
        let report = GarbageReport::from(self.objects().plan(&live)?);
        let unused = unfinished::unused(&self.inner.layout)?.iter().map(|(_, bytes)| bytes).sum::<u64>();
        Ok(GarbageReport { freed_bytes: report.freed_bytes + unused, ..report })
    }

    /// Frees the space of objects that nothing refers to, and of what imports keep that did not come to
    /// their end. A crash in the middle leaves all that is needed. Nothing calls this by itself: until the
    /// user asks for it, the packs of a put that was killed stay where they are, and the same put goes on
    /// from them.
    ///
    /// # Errors
    /// `Unavailable` while something is being stored, here or in another process; `Corrupt` when
    /// something that is needed cannot be read: then nothing is removed.
    pub fn collect_garbage(&self, progress: &Progress) -> Result<GarbageReport> {
        let mut report = self.objects().alone(|| {
            let live = self.live_objects(progress)?;
            self.objects().sweep(&live, progress).map(GarbageReport::from)
        })?;
        for (dir, bytes) in unfinished::unused(&self.inner.layout)? {
            files::remove(&dir)?;
            report.freed_bytes += bytes;
        }
        if report.freed_bytes > 0 {
            let action = Action::new("workspace.gc", "workspace")
                .with("freedObjects", report.freed_objects)
                .with("freedBytes", report.freed_bytes);
            self.write(action, |_| Ok(()))?;
        }
        Ok(report)
    }

    fn live_objects(&self, progress: &Progress) -> Result<HashSet<Digest>> {
        let mut roots = self.read(|db| digests_in_rows(db, progress))?;
        let paths = manifests::files_in(&self.inner.layout.manifests())?;
        for (done, path) in paths.values().enumerate() {
            progress.step("looking at manifests", done as u64, Some(paths.len() as u64))?;
            let text =
                std::fs::read_to_string(path).map_err(|error| files::io_error("read", path, &error))?;
            digests_in(&text, &mut roots);
        }
        self.objects().mark(roots, progress)
    }
}

/// Whatever looks like a digest in any text of any row. Columns come and go; one that was
/// forgotten in a list here would cost somebody's data, so there is no list.
fn digests_in_rows(db: &Connection, progress: &Progress) -> Result<HashSet<Digest>> {
    /// By far the largest tables, and without a digest by their shape.
    const NUMBERS_ONLY: [&str; 3] = ["metrics", "last_metrics", "points"];
    let query = "select name from pragma_table_list where schema = 'main' and type = 'table'
                 and name not like 'sqlite_%' order by name";
    let tables = sql::many(db, query, [], |row| row.get::<_, String>(0))?;
    let mut found = HashSet::new();
    for table in tables.iter().filter(|table| !NUMBERS_ONLY.contains(&table.as_str())) {
        let columns = manifests::columns(db, table)?;
        let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
        let query = format!("select {} from {table}", names.join(", "));
        let mut rows_seen = 0;
        let mut statement = db.prepare(&query).map_err(|error| sql::failed("read the workspace", &error))?;
        let mut rows = statement.query([]).map_err(|error| sql::failed("read the workspace", &error))?;
        while let Some(row) = rows.next().map_err(|error| sql::failed("read the workspace", &error))? {
            for at in 0..names.len() {
                if let Ok(rusqlite::types::ValueRef::Text(text)) = row.get_ref(at) {
                    digests_in(&String::from_utf8_lossy(text), &mut found);
                }
            }
            rows_seen += 1;
            progress.step("looking at rows", rows_seen, None)?;
        }
    }
    Ok(found)
}

/// Every stretch of exactly 64 hexadecimal digits.
fn digests_in(text: &str, found: &mut HashSet<Digest>) {
    let is_digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    for word in text.split(|c| !is_digit(c)).filter(|word| word.len() == 64) {
        found.extend(word.parse::<Digest>());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_found_in_any_text() {
        let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
        let mut found = HashSet::new();
        digests_in(&format!(r#"{{"a":"{one}","b":["cache/{two}/x"],"c":"{one}0"}}"#), &mut found);
        assert_eq!(found, HashSet::from([one, two]));
    }
}
