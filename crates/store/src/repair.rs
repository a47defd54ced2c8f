//! Repair: a new database from the manifests, the old one kept aside, and what only the old one
//! knew taken over where it can still be read.

use std::path::{Path, PathBuf};

use base::{Clock, Code, Error, Progress, Result};
use rusqlite::{Connection, OpenFlags};

use crate::audit::{self, Action};
use crate::doors::{Opening, connect_writer};
use crate::layout::Layout;
use crate::objects::Objects;
use crate::owner::OwnerLock;
use crate::rebuild::{Rebuilt, rebuild};
use crate::store::Store;
use crate::{files, manifests, projects, sql};

/// What a repair did.
#[derive(Debug, Clone, PartialEq)]
pub struct RepairReport {
    /// Manifests that were used.
    pub manifests: u64,
    /// Where the old database is now; `None` when there was none.
    pub old_database: Option<PathBuf>,
    /// Rows of the audit log, drafts, jobs and cache entries that were taken from the old one.
    pub salvaged_rows: u64,
    /// Folders that were taken as projects, because no manifest speaks of them.
    pub adopted_projects: Vec<String>,
    /// Damaged objects that are forgotten, so that importing the file again heals them.
    pub damaged_objects: u64,
    /// What could not be brought back.
    pub troubles: Vec<Error>,
}

/// Tables that no manifest covers. The old database is the only one that knows them.
const UNCOVERED: [&str; 8] =
    ["audit", "drafts", "jobs", "step_cache", "step_uses", "trigger_states", "trigger_events", "unsettled"];

impl Store {
    /// Rebuilds the index of the workspace in `dir` from its manifests. The workspace must not be
    /// open elsewhere; the old database is kept aside.
    ///
    /// # Errors
    /// `Locked` when another process owns the workspace, `NotFound` when it is none, `TooNew` when
    /// a newer Fettle wrote it.
    pub fn repair(dir: &Path, clock: Clock, progress: &Progress) -> Result<RepairReport> {
        let layout = Layout::new(dir);
        let is_ours = match layout.is_workspace() {
            Ok(is_workspace) => is_workspace || layout.manifests().is_dir(),
            Err(error) if error.code == Code::Corrupt => true,
            Err(error) => return Err(error),
        };
        if !is_ours {
            return Err(Error::not_found(format!("`{}` is not a workspace", dir.display())));
        }
        layout.create_dirs()?;
        let lock = OwnerLock::take(dir, clock.now())?;
        layout.sweep()?;

        let new = layout.root().join(format!("{}index.db", files::TEMPORARY_PREFIX));
        let mut db = connect_writer(&new, Opening::Creating)?;
        let Rebuilt { manifests: used, damaged, orphans, last_sequence } =
            rebuild(&mut db, &layout.manifests(), progress)?;
        let troubles = [damaged, orphans].concat();
        let old = layout.database();
        let salvaged_rows = if old.exists() { salvage(&db, &old)? } else { 0 };
        if last_sequence > audit::head(&db)?.0 {
            // New writes go on after the last manifest, or a later one would count as older.
            let action = Action::new("workspace.rebuild", "workspace").by("fettle");
            audit::append(&db, last_sequence + 1, clock.now(), action, &Default::default())?;
        }
        db.close().map_err(|(_, error)| sql::failed("close the new index", &error))?;
        let old_database = set_aside(&layout)?;
        std::fs::rename(&new, &old).map_err(|error| files::io_error("rename", &new, &error))?;
        layout.write_marker()?;

        let damaged_objects = heal_objects(&layout, progress)?;
        let (store, _) = Self::assemble(layout.clone(), clock, Some(lock))?;
        store.clean_up()?;
        let adopted_projects = adopt_projects(&store, &layout)?;
        let action = Action::new("workspace.repair", "workspace")
            .by("fettle")
            .with("manifests", used)
            .with("troubles", troubles.len());
        store.write(action, |_| Ok(()))?;
        Ok(RepairReport {
            manifests: used,
            old_database,
            salvaged_rows,
            adopted_projects,
            damaged_objects,
            troubles,
        })
    }
}

/// Copies what no manifest covers from the old database, as far as it can be read.
fn salvage(db: &Connection, old: &Path) -> Result<u64> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let Ok(old) = Connection::open_with_flags(old, flags) else { return Ok(0) };
    let failed = |error| sql::failed("rebuild the index", &error);
    let tx = db.unchecked_transaction().map_err(failed)?;
    let mut salvaged = 0;
    for table in UNCOVERED {
        // What cannot be read is lost with the old database, which is why there is a repair.
        let Ok(rows) = manifests::snapshot(&old, table, "true", []) else { continue };
        for row in rows {
            let names: Vec<_> = row.keys().map(String::as_str).collect();
            let values = row.values().map(manifests::from_json).collect::<Result<Vec<_>>>()?;
            let query = format!(
                "insert into {table} ({}) values ({})",
                names.join(", "),
                vec!["?"; names.len()].join(", ")
            );
            // A draft of a project that is lost has nowhere to go.
            salvaged += u64::from(sql::change(&tx, &query, rusqlite::params_from_iter(values)).is_ok());
        }
    }
    tx.commit().map_err(failed)?;
    Ok(salvaged)
}

/// Gives the old database a name that is free.
fn set_aside(layout: &Layout) -> Result<Option<PathBuf>> {
    let old = layout.database();
    if !old.exists() {
        return Ok(None);
    }
    let aside = (1..)
        .map(|number| layout.root().join(format!("fettle.db.before-repair-{number}")))
        .find(|path| !path.exists())
        .expect("some number is free");
    for suffix in ["-wal", "-shm", ""] {
        let from = PathBuf::from(format!("{}{suffix}", old.display()));
        let to = PathBuf::from(format!("{}{suffix}", aside.display()));
        if from.exists() {
            std::fs::rename(&from, &to).map_err(|error| files::io_error("rename", &from, &error))?;
        }
    }
    files::sync_dir(layout.root())?;
    Ok(Some(aside))
}

fn heal_objects(layout: &Layout, progress: &Progress) -> Result<u64> {
    let objects = Objects::open_anew(&layout.objects())?;
    let (damages, _) = objects.verify(progress)?;
    objects.forget_damaged(&damages)?;
    Ok(damages.iter().filter(|damage| damage.digest.is_some()).count() as u64)
}

/// Takes folders of projects that no manifest speaks of, such as one that was cloned by hand.
fn adopt_projects(store: &Store, layout: &Layout) -> Result<Vec<String>> {
    let mut adopted = Vec::new();
    for entry in files::read_dir(&layout.projects())? {
        let slug = entry.file_name().to_string_lossy().into_owned();
        let is_known = store.read(|db| projects::by_slug(db, &slug))?.is_some();
        if is_known || !entry.path().is_dir() {
            continue;
        }
        let action = Action::new("project.adopt", &slug).by("fettle");
        match store.write(action, |w| projects::adopt(w, &slug, &slug)) {
            Ok(project) => adopted.push(project.slug),
            // A folder whose name cannot be a slug is somebody's own.
            Err(error) if error.code == Code::InvalidInput => {}
            Err(error) => return Err(error),
        }
    }
    Ok(adopted)
}
