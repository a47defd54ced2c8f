//! Check: is everything there that the rows speak of, and is it what was written?

mod objects;
mod rows;

use base::{Code, Progress, Result};

use crate::sql::words;
use crate::store::Store;

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
        /// The index of the objects does not say what the packs say.
        ObjectIndex = "object_index",
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
            | Self::ObjectIndex
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
            Self::ObjectIndex => "run `fettle workspace repair`: it reads the index from the packs anew",
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
            rows::check_database(db, depth, &mut report)?;
            rows::check_audit(db, &mut report)?;
            rows::check_foreign_keys(db, &mut report)
        });
        if let Err(error) = rows_read {
            // A database that cannot be read is what a check is for.
            report.add(FindingKind::Database, error.to_string());
            return Ok(report);
        }
        let rest_read = objects::check(self, depth, progress, &mut report)
            .and_then(|()| rows::check(self, depth, progress, &mut report));
        match rest_read {
            // A row that cannot be read, too, is for the report.
            Err(error) if matches!(error.code, Code::Corrupt | Code::Internal) => {
                report.add(FindingKind::Database, error.to_string());
            }
            read => read?,
        }
        for path in self.inner.layout.leftovers()? {
            let path = path.strip_prefix(self.root()).unwrap_or(&path).display().to_string();
            report.add(FindingKind::Leftover, format!("`{path}` was left behind"));
        }
        Ok(report)
    }
}
