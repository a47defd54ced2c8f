//! Check: is everything there that the rows speak of, and is it what was written?

use std::collections::{BTreeMap, HashSet};

use base::{Code, Error, Progress, Result};
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::rebuild::rebuild;
use crate::sql::words;
use crate::store::Store;
use crate::{Digest, audit, files, manifests, migrations, sql};

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Is everything there? Seconds.
    Quick,
    /// Is every byte of every object and manifest what was written? As long as reading them takes.
    Full,
}

words! {
    /// What a check can find.
    FindingKind, "a kind of finding" {
        /// The database is damaged.
        Database = "database",
        /// The audit log was changed, or lacks rows.
        AuditLog = "audit_log",
        /// A row points to nothing.
        DanglingRow = "dangling_row",
        /// An object that a row needs is not there.
        MissingObject = "missing_object",
        /// An object is not what was written.
        DamagedObject = "damaged_object",
        /// A pack is not what was written, though all objects in it that are known may be.
        DamagedPack = "damaged_pack",
        /// A manifest is not what was written.
        DamagedManifest = "damaged_manifest",
        /// A manifest is not there.
        MissingManifest = "missing_manifest",
        /// A manifest is there that the database does not know: it may be an old copy.
        UnknownManifest = "unknown_manifest",
        /// A row is not what its manifest says.
        DifferentRow = "different_row",
        /// A manifest waits to be written or removed; the next owner does it.
        PendingManifest = "pending_manifest",
        /// A crashed writer left a temporary file; the next owner removes it.
        Leftover = "leftover",
        /// Something was written meanwhile, so rows and manifests were not compared.
        Busy = "busy",
    }
}

impl FindingKind {
    /// False for what the next owner puts right by itself.
    pub fn is_trouble(self) -> bool {
        match self {
            Self::PendingManifest | Self::Leftover | Self::Busy => false,
            Self::Database
            | Self::AuditLog
            | Self::DanglingRow
            | Self::MissingObject
            | Self::DamagedObject
            | Self::DamagedPack
            | Self::DamagedManifest
            | Self::MissingManifest
            | Self::UnknownManifest
            | Self::DifferentRow => true,
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Self::Database | Self::DanglingRow | Self::UnknownManifest | Self::DifferentRow => {
                "run `fettle workspace repair`: it rebuilds the index from the manifests"
            }
            Self::AuditLog => "somebody edited the database, or the disk did; compare it with a backup",
            Self::MissingObject | Self::DamagedObject => {
                "run `fettle workspace repair`, then import the same file again, or restore a backup"
            }
            Self::DamagedPack => "look at the disk; restore this pack from a backup",
            Self::DamagedManifest | Self::MissingManifest => {
                "restore `objects/manifests` from a backup; while the index is whole nothing is lost"
            }
            Self::PendingManifest | Self::Leftover => "nothing to do: the next start puts it right",
            Self::Busy => "check again when nothing runs",
        }
    }
}

/// One thing a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// What is affected, in a sentence.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl Finding {
    fn new(kind: FindingKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: kind.hint().to_owned() }
    }
}

/// What a check looked at and found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// What was found.
    pub findings: Vec<Finding>,
    /// Objects that rows need, and that were looked for.
    pub needed_objects: u64,
    /// Bytes of objects that were read and verified; 0 for a quick check.
    pub verified_bytes: u64,
    /// Manifests that were looked for.
    pub manifests: u64,
}

impl CheckReport {
    /// True when nothing was found but what puts itself right.
    pub fn is_clean(&self) -> bool {
        !self.findings.iter().any(|finding| finding.kind.is_trouble())
    }

    fn add(&mut self, kind: FindingKind, message: impl Into<String>) {
        self.findings.push(Finding::new(kind, message));
    }
}

impl Store {
    /// Checks the workspace; changes nothing.
    ///
    /// # Errors
    /// `Cancelled`; failures of the operating system. What is wrong with the workspace is in the
    /// report, not an error.
    pub fn check(&self, depth: Depth, progress: &Progress) -> Result<CheckReport> {
        let mut report = CheckReport::default();
        progress.step("checking the index", 0, None)?;
        let rows_read = self.read(|db| {
            check_database(db, depth, &mut report)?;
            check_audit(db, &mut report)?;
            check_foreign_keys(db, &mut report)
        });
        if let Err(error) = rows_read {
            // A database that cannot be read is what a check is for.
            report.add(FindingKind::Database, error.to_string());
            return Ok(report);
        }
        self.check_objects(depth, progress, &mut report)?;
        self.check_manifests(depth, progress, &mut report)?;
        for path in self.inner.layout.leftovers()? {
            let path = path.strip_prefix(self.root()).unwrap_or(&path).display().to_string();
            report.add(FindingKind::Leftover, format!("`{path}` was left behind"));
        }
        Ok(report)
    }

    fn check_objects(&self, depth: Depth, progress: &Progress, report: &mut CheckReport) -> Result<()> {
        let needed = self.read(needed_objects)?;
        let mut damaged: HashSet<Digest> = HashSet::new();
        if depth == Depth::Full {
            let (damages, bytes) = self.objects().verify(progress)?;
            report.verified_bytes = bytes;
            for damage in damages {
                match damage.digest {
                    Some(digest) => {
                        damaged.insert(digest);
                    }
                    None => report.add(
                        FindingKind::DamagedPack,
                        format!("the pack `{}` is not what was written", damage.pack),
                    ),
                }
            }
        }
        let mut accounted = HashSet::new();
        for (done, (root, owner)) in needed.iter().enumerate() {
            progress.step("looking for objects", done as u64, Some(needed.len() as u64))?;
            match self.objects().below(root) {
                Ok(objects) => {
                    report.needed_objects += objects.len() as u64;
                    for (digest, is_there) in objects {
                        if !is_there {
                            report.add(
                                FindingKind::MissingObject,
                                format!("the object `{}` of {owner} is missing", digest.short()),
                            );
                        } else if damaged.contains(&digest) && accounted.insert((digest, owner)) {
                            report.add(
                                FindingKind::DamagedObject,
                                format!("the object `{}` of {owner} is not what was written", digest.short()),
                            );
                        }
                    }
                }
                Err(error) if error.code == Code::Corrupt => {
                    accounted.insert((*root, owner));
                    report.add(FindingKind::DamagedObject, format!("{owner}: {error}"));
                }
                Err(error) => return Err(error),
            }
        }
        for digest in &damaged {
            if !accounted.iter().any(|(known, _)| known == digest) {
                report.add(
                    FindingKind::DamagedObject,
                    format!("the object `{}`, which nothing needs, is not what was written", digest.short()),
                );
            }
        }
        Ok(())
    }

    fn check_manifests(&self, depth: Depth, progress: &Progress, report: &mut CheckReport) -> Result<()> {
        // The files first: a file is written after its row, so each one here has a row below.
        let paths = manifests::files_in(&self.inner.layout.manifests())?;
        let before = self.read(audit::head)?;
        let known = self.read(|db| {
            let query =
                "select hash, kind, iif(body is null, 'settled', iif(body = '', 'retired', 'waiting'))
                         as state from manifests order by hash";
            sql::many(db, query, [], |row| {
                let (kind, state): (String, String) = (row.get("kind")?, row.get("state")?);
                Ok((row.get::<_, String>("hash")?, (kind, state)))
            })
        })?;
        let known: BTreeMap<_, _> = known.into_iter().collect();
        report.manifests = known.len() as u64;
        for (hash, (kind, state)) in &known {
            let is_there = self.inner.layout.manifests().join(format!("{hash}.json")).exists();
            let name = format!("the manifest `{}` ({kind})", &hash[..12]);
            match (state.as_str(), is_there) {
                ("settled", false) => report.add(FindingKind::MissingManifest, format!("{name} is missing")),
                ("waiting", false) => {
                    report.add(FindingKind::PendingManifest, format!("{name} is not written"))
                }
                ("retired", true) => {
                    report.add(FindingKind::PendingManifest, format!("{name} is not removed"))
                }
                _ => {}
            }
        }
        for hash in paths.keys().filter(|hash| !known.contains_key(*hash)) {
            report.add(
                FindingKind::UnknownManifest,
                format!(
                    "the index does not know the manifest `{}`",
                    hash.chars().take(12).collect::<String>()
                ),
            );
        }
        if depth == Depth::Quick {
            return Ok(());
        }
        // Outside of the workspace: a check changes nothing, and a new owner would sweep it.
        let aside = tempfile::tempdir()
            .map_err(|error| files::io_error("write in", &std::env::temp_dir(), &error))?;
        let failed = |error| sql::failed("compare rows with manifests", &error);
        let mut rebuilt_db = Connection::open(aside.path().join("rebuilt.db")).map_err(failed)?;
        rebuilt_db.pragma_update(None, "synchronous", "off").map_err(failed)?;
        migrations::migrate(&mut rebuilt_db)?;
        let rebuilt = rebuild(&mut rebuilt_db, &self.inner.layout.manifests(), progress)?;
        for trouble in rebuilt.damaged {
            report.add(FindingKind::DamagedManifest, trouble.to_string());
        }
        let database = self.inner.layout.database();
        let database =
            database.to_str().ok_or_else(|| Error::invalid("the path of the workspace is not UTF-8"))?;
        rebuilt_db.execute("attach database ?1 as live", [database]).map_err(failed)?;
        let differences = compare(&rebuilt_db, progress)?;
        if self.read(audit::head)? == before {
            report.findings.extend(differences);
        } else if !differences.is_empty() {
            report.add(FindingKind::Busy, "something was written during the check");
        }
        Ok(())
    }
}

fn check_database(db: &Connection, depth: Depth, report: &mut CheckReport) -> Result<()> {
    let query = match depth {
        Depth::Quick => "select quick_check from pragma_quick_check",
        Depth::Full => "select integrity_check from pragma_integrity_check",
    };
    for line in sql::many(db, query, [], |row| row.get::<_, String>(0))? {
        if line != "ok" {
            report.add(FindingKind::Database, format!("the database says: {line}"));
        }
    }
    Ok(())
}

fn check_audit(db: &Connection, report: &mut CheckReport) -> Result<()> {
    for trouble in audit::verify(db)? {
        report.add(FindingKind::AuditLog, trouble.message);
    }
    let last: Option<i64> = sql::value(db, "select max(sequence) from manifests", [])?;
    let (head, _) = audit::head(db)?;
    if last.is_some_and(|last| last > head) {
        report
            .add(FindingKind::AuditLog, format!("the audit log ends at row {head}, before the last commit"));
    }
    Ok(())
}

fn check_foreign_keys(db: &Connection, report: &mut CheckReport) -> Result<()> {
    let query = "select \"table\" as child, parent, count(*) as rows from pragma_foreign_key_check
                 group by 1, 2 order by 1, 2";
    let dangling = sql::many(db, query, [], |row| {
        Ok((row.get::<_, String>("child")?, row.get::<_, String>("parent")?, row.get::<_, u64>("rows")?))
    })?;
    for (child, parent, rows) in dangling {
        report
            .add(FindingKind::DanglingRow, format!("{rows} rows of `{child}` point to no row of `{parent}`"));
    }
    Ok(())
}

/// The objects that rows cannot do without, and whose they are.
fn needed_objects(db: &Connection) -> Result<Vec<(Digest, String)>> {
    let query = "
        select v.content as digest, 'version ' || v.number || ' of the dataset `' || d.name || '`' as owner
            from dataset_versions v join datasets d on d.id = v.dataset_id
        union
        select v.profile, 'the profile of version ' || v.number || ' of the dataset `' || d.name || '`'
            from dataset_versions v join datasets d on d.id = v.dataset_id where v.profile is not null
        union
        select v.package, 'version ' || v.number || ' of the model `' || m.name || '`'
            from model_versions v join models m on m.id = v.model_id
        union
        select pipeline_digest, 'a run of the pipeline `' || pipeline || '`'
            from runs where pipeline_digest is not null
        order by 2, 1";
    sql::many(db, query, [], |row| Ok((row.get("digest")?, row.get("owner")?)))
}

/// Each row that the manifests tell must be in the database `live`, as they tell it.
fn compare(rebuilt: &Connection, progress: &Progress) -> Result<Vec<Finding>> {
    /// More differences of one table than this say no more.
    const MOST: u32 = 20;
    let mut findings = Vec::new();
    for (done, table) in COVERED.iter().enumerate() {
        progress.step("comparing rows", done as u64, Some(COVERED.len() as u64))?;
        let columns = manifests::columns(rebuilt, table)?;
        // Counters (`last_...`) move on without a manifest; a rebuild counts anew.
        let names: Vec<_> = columns
            .iter()
            .map(|column| column.name.as_str())
            .filter(|name| !name.starts_with("last_"))
            .collect();
        let keys: Vec<_> =
            columns.iter().filter(|column| column.key > 0).map(|column| &column.name).collect();
        let names = names.join(", ");
        let query = format!(
            "select {names} from main.{table} except select {names} from live.{table} order by 1, 2 limit {MOST}"
        );
        let different = sql::many(rebuilt, &query, [], |row| {
            let values = keys.iter().map(|key| row.get::<_, Value>(key.as_str()));
            values.collect::<rusqlite::Result<Vec<_>>>()
        })?;
        for key in different {
            let key = key.iter().map(text_of).collect::<Vec<_>>().join("/");
            let message = format!("the row `{key}` of `{table}` is not what its manifest says");
            findings.push(Finding::new(FindingKind::DifferentRow, message));
        }
    }
    Ok(findings)
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Blob(bytes) => format!("{} bytes", bytes.len()),
    }
}

/// The tables whose rows are in manifests.
const COVERED: [&str; 18] = [
    "projects",
    "datasets",
    "dataset_versions",
    "runs",
    "step_runs",
    "run_datasets",
    "params",
    "metrics",
    "last_metrics",
    "models",
    "model_versions",
    "aliases",
    "promotions",
    "deployments",
    "revisions",
    "alert_rules",
    "alerts",
    "settings",
];
