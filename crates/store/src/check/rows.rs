//! The rows: is the database sound, and does it say what the audit log and the manifests say?
//!
//! Not covered, because neither tells them: drafts, jobs, the step cache and its uses, triggers,
//! counters, and what scripts log to runs that have not settled.

use std::collections::BTreeMap;

use base::{Error, Progress, Result};
use rusqlite::Connection;
use rusqlite::types::Value;

use super::{CheckReport, Depth, Finding, FindingKind};
use crate::objects::short;
use crate::rebuild::rebuild;
use crate::store::Store;
use crate::{audit, manifests, migrations, sql};

pub(super) fn check(
    store: &Store,
    depth: Depth,
    progress: &Progress,
    report: &mut CheckReport,
) -> Result<()> {
    let before = store.read(audit::head)?;
    check_files(store, report)?;
    if depth == Depth::Quick {
        return Ok(());
    }
    let differences = compare_with_manifests(store, progress, report)?;
    if store.read(audit::head)? == before {
        report.findings.extend(differences);
    } else if !differences.is_empty() {
        report.add(FindingKind::Busy, "something was written during the check");
    }
    Ok(())
}

/// Is every manifest there that the database speaks of, and no other?
fn check_files(store: &Store, report: &mut CheckReport) -> Result<()> {
    // The files first: a file is written after its row, so each one here has a row below.
    let paths = manifests::files_in(&store.inner.layout.manifests())?;
    let known = store.read(|db| {
        let query = "select hash, kind, iif(body is null, 'settled', iif(body = '', 'retired', 'waiting'))
                     as state from manifests order by hash";
        sql::many(db, query, [], |row| {
            let (kind, state): (String, String) = (row.get("kind")?, row.get("state")?);
            Ok((row.get::<_, String>("hash")?, (kind, state)))
        })
    })?;
    let known: BTreeMap<_, _> = known.into_iter().collect();
    report.manifests = known.len() as u64;
    for (hash, (kind, state)) in &known {
        let is_there = store.inner.layout.manifests().join(format!("{hash}.json")).exists();
        // A hash here is whatever the row says, and the row may be damaged.
        let name = format!("the manifest `{}` ({kind})", short(hash));
        match (state.as_str(), is_there) {
            ("settled", false) => report.add(FindingKind::MissingManifest, format!("{name} is missing")),
            ("waiting", false) => report.add(FindingKind::PendingManifest, format!("{name} is not written")),
            ("retired", true) => report.add(FindingKind::PendingManifest, format!("{name} is not removed")),
            _ => {}
        }
    }
    for hash in paths.keys().filter(|hash| !known.contains_key(*hash)) {
        report.add(
            FindingKind::UnknownManifest,
            format!("the index does not know the manifest `{}`", short(hash)),
        );
    }
    Ok(())
}

/// Rebuilds the database from the manifests beside the one there is; gives what differs.
fn compare_with_manifests(
    store: &Store,
    progress: &Progress,
    report: &mut CheckReport,
) -> Result<Vec<Finding>> {
    // A database without a name is SQLite's own: in memory, and in a temporary file when it grows.
    // A check changes nothing in the workspace.
    let failed = |error| sql::failed("compare rows with manifests", &error);
    let mut rebuilt_db = Connection::open("").map_err(failed)?;
    rebuilt_db.pragma_update(None, "synchronous", "off").map_err(failed)?;
    migrations::migrate(&mut rebuilt_db)?;
    let rebuilt = rebuild(&mut rebuilt_db, &store.inner.layout.manifests(), progress)?;
    for trouble in rebuilt.damaged {
        report.add(FindingKind::DamagedManifest, trouble.to_string());
    }
    let database = store.inner.layout.database();
    let database =
        database.to_str().ok_or_else(|| Error::invalid("the path of the workspace is not UTF-8"))?;
    rebuilt_db.execute("attach database ?1 as live", [database]).map_err(failed)?;
    compare(&rebuilt_db, progress)
}

pub(super) fn check_database(db: &Connection, depth: Depth, report: &mut CheckReport) -> Result<()> {
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

pub(super) fn check_audit(db: &Connection, report: &mut CheckReport) -> Result<()> {
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

pub(super) fn check_foreign_keys(db: &Connection, report: &mut CheckReport) -> Result<()> {
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

/// Each row that the manifests tell must be in the database `live`, as they tell it.
fn compare(rebuilt: &Connection, progress: &Progress) -> Result<Vec<Finding>> {
    /// More differences of one table than this say no more.
    const MOST: u32 = 20;
    let mut findings = compare_shapes(rebuilt)?;
    for (done, table) in COVERED.iter().enumerate() {
        progress.step("comparing rows", done as u64, Some(COVERED.len() as u64))?;
        let columns = manifests::columns(rebuilt, table)?;
        // Counters (`last_...`) move on without a manifest; a rebuild counts anew.
        let names: Vec<_> = columns
            .iter()
            .map(|column| column.name.as_str())
            .filter(|name| !name.starts_with("last_") && (*table, *name) != ("manifests", "body"))
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

/// Tables and indexes must be those of the newest shape.
fn compare_shapes(rebuilt: &Connection) -> Result<Vec<Finding>> {
    let query = "select type, name, tbl_name, sql from main.sqlite_schema where name not like 'sqlite_stat%'
                 except select type, name, tbl_name, sql from live.sqlite_schema order by 2";
    let different = sql::many(rebuilt, query, [], |row| row.get::<_, String>("name"))?;
    let finding = |name| {
        Finding::new(
            FindingKind::Database,
            format!("`{name}` in the database has not the shape it was made in"),
        )
    };
    Ok(different.into_iter().map(finding).collect())
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
const COVERED: [&str; 44] = [
    "manifests",
    "projects",
    "datasets",
    "dataset_versions",
    "dataset_tags",
    "runs",
    "step_runs",
    "run_datasets",
    "params",
    "metrics",
    "last_metrics",
    "run_origins",
    "run_receipts",
    "sweeps",
    "sweep_trials",
    "models",
    "model_versions",
    "aliases",
    "promotions",
    "model_tests",
    "approvals",
    "deployments",
    "revisions",
    "alert_rules",
    "alerts",
    "settings",
    "experiments",
    "experiment_tags",
    "script_runs",
    "run_tags",
    "curves",
    "points",
    "logged_datasets",
    "run_inputs",
    "logged_models",
    "logged_model_params",
    "logged_model_tags",
    "logged_model_metrics",
    "run_models",
    "artifacts",
    "model_facts",
    "model_tags",
    "version_facts",
    "version_tags",
];
