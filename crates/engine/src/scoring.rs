//! Scores the files of a batch deployment: each once by each version, atomically, and so that an
//! interrupted run goes on where it was.
//!
//! Beside the answers of `a.csv`, which are `a.csv.scored.csv`, are `a.csv.errors.jsonl` with the rows
//! that could not be read, if any, and last of all `a.csv.done.json`, which says by what it was scored.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use base::{Code, Error, Progress, Result, Timestamp};
use data::import::ImportReport;
use flow::trigger::Trigger;
use score::Package;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::deployments::Deployment;
use store::files;

use crate::Engine;
use crate::models::Picked;
use crate::targets::{self, BATCH, BatchParams};

/// More files than this are not looked at in one run.
const MOST_FILES: usize = 100_000;
/// The ends of the names of what is written.
const ENDS: [&str; 3] = [".scored.csv", ".errors.jsonl", ".done.json"];

/// What a run of scoring came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Scoring {
    /// Files that were scored.
    pub(crate) files: u64,
    /// Files that this version had scored before.
    pub(crate) skipped: u64,
    /// Files that could not be scored; they are tried again next time.
    pub(crate) failed: u64,
    /// Rows with an answer.
    pub(crate) rows: u64,
    /// Rows that could not be read.
    pub(crate) row_errors: u64,
    /// Where the answers are.
    pub(crate) output: PathBuf,
}

/// What is written down of a file that was scored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Done {
    model: String,
    version: u32,
    /// The package, beyond doubt.
    package: String,
    /// Of the file that was scored.
    size_bytes: u64,
    modified_ms: u64,
    rows: u64,
    row_errors: u64,
    finished_at: i64,
}

/// A file and where its answers go.
struct Item {
    from: PathBuf,
    to: PathBuf,
}

impl Engine {
    /// Scores what the deployment has not scored yet.
    ///
    /// # Errors
    /// The deployment is no batch, or is being scored already; the output cannot be written. A file
    /// that cannot be scored is counted and told of in the log.
    pub(crate) fn score_files(&self, deployment: &Deployment, progress: &Progress) -> Result<Scoring> {
        let (placed, picked) = self.serving(deployment)?;
        let params = batch_params(deployment, &placed.params)?;
        let folder = self.store().endpoint_dir(&deployment.id);
        let _alone = alone(&folder, &deployment.name)?;
        let package = self.package(&picked.version)?;
        let mut log = File::options()
            .create(true)
            .append(true)
            .open(targets::log_file(&folder))
            .map_err(|e| Error::io("write", &targets::log_file(&folder), &e))?;
        let items = find(&params)?;
        let mut sum = Scoring { output: params.output.clone(), ..Scoring::default() };
        for (at, item) in items.iter().enumerate() {
            progress.step("scoring files", at as u64, Some(items.len() as u64))?;
            let stamp = Stamp::of(&item.from)?;
            if item.is_done(&picked, stamp) {
                sum.skipped += 1;
                continue;
            }
            let said = match self.score_item(&package, item, progress) {
                Ok((rows, errors)) => {
                    item.mark(&picked, stamp, (rows, errors), self.store().clock().now())?;
                    sum.files += 1;
                    sum.rows += rows;
                    sum.row_errors += errors;
                    format!("{rows} rows, {errors} that could not be read")
                }
                Err(error) if error.code == Code::Cancelled => return Err(error),
                Err(error) => {
                    sum.failed += 1;
                    format!("failed: {}", error)
                }
            };
            let now = self.store().clock().now();
            // A log that cannot be written is no reason to lose the answers.
            let _ = writeln!(log, "{now} v{} {}: {said}", picked.version.number, item.from.display());
        }
        Ok(sum)
    }

    /// Scores one file, and gives back how many rows have an answer and how many have none.
    fn score_item(&self, package: &Package, item: &Item, progress: &Progress) -> Result<(u64, u64)> {
        let within = |e: Error| e.within(format!("cannot score `{}`", item.from.display()));
        let folder = item.to.parent().unwrap_or(&item.to);
        std::fs::create_dir_all(folder).map_err(|e| Error::io("create", folder, &e))?;
        let read = tempfile::tempdir().map_err(|e| Error::internal("no temporary folder").because(e))?;
        let mut options = self.sniff(&item.from, None)?.options;
        let seen = self.preview(&item.from, &options)?;
        // Told the kinds that the model wants, the reader sets aside the rows that do not fit.
        for (name, kind) in package.columns() {
            if seen.columns.iter().any(|column| column.name == name) {
                options.kinds.insert(name, kind_of(kind));
            }
        }
        let report = self.read_into(&item.from, &options, (read.path(), None), progress)?;
        let table = data::TableFile::open(read.path())?;
        let new = with_end(&item.to, ".scored.csv.new");
        targets::remove_file(&new)?;
        let rows = flow::kinds::score_to_file(package, &table, &new, progress).map_err(within)?;
        write_errors(&with_end(&item.to, ".errors.jsonl"), &report)?;
        let to = with_end(&item.to, ".scored.csv");
        std::fs::rename(&new, &to).map_err(|e| Error::io("write", &to, &e))?;
        Ok((rows, report.rejected_total))
    }

    /// Scores the files of deployments whose time has come.
    pub(crate) fn score_on_schedule(&self, deployment: &Deployment) -> Result<()> {
        let Some(placed) = self.placed(deployment)? else { return Ok(()) };
        let Some(trigger) = batch_params(deployment, &placed.params)?.trigger()? else { return Ok(()) };
        let path = self.store().endpoint_dir(&deployment.id).join("last-scored");
        let now = self.store().clock().now();
        let last = std::fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok());
        let last = last.map(Timestamp);
        let is_due = last.is_some_and(|last| is_due(&trigger, last, now));
        if last.is_none() || is_due {
            files::write_atomic(&path, now.as_ms().to_string().as_bytes())?;
        }
        if is_due {
            crate::commands::deployments::start_scoring(self, deployment)?;
        }
        Ok(())
    }
}

fn batch_params(
    deployment: &Deployment,
    params: &serde_json::Map<String, serde_json::Value>,
) -> Result<BatchParams> {
    if deployment.target != BATCH {
        return Err(Error::new(
            Code::Conflict,
            format!("`{}` answers requests, it scores no files", deployment.name),
        )
        .hint("deploy the model with `--target batch`"));
    }
    flow::kind::read_params(params).map_err(|misfit| misfit.error)
}

/// True if a time of the schedule has come since; several that were missed are one.
fn is_due(trigger: &Trigger, last: Timestamp, now: Timestamp) -> bool {
    trigger.upcoming(last, 1).first().is_some_and(|next| *next <= now)
}

/// Only one run at a time: two would write the same files.
fn alone(folder: &Path, name: &str) -> Result<File> {
    let path = folder.join("scoring.lock");
    let lock = File::create(&path).map_err(|e| Error::io("create", &path, &e))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(_) => Err(Error::new(Code::Conflict, format!("`{name}` is being scored already"))
            .hint("wait until that has ended")),
    }
}

/// The files that the pattern means, in the order of their names.
fn find(params: &BatchParams) -> Result<Vec<Item>> {
    let root = params.root();
    let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::default() };
    let found = glob::glob_with(&params.input, options)
        .map_err(|e| Error::invalid(format!("`{}` is no pattern", params.input)).because(e.msg))?;
    let mut items = Vec::new();
    for path in found.flatten().filter(|path| path.is_file()) {
        let name = path.to_string_lossy();
        // What was written here before may lie where files are looked for.
        if ENDS.iter().any(|end| name.ends_with(end)) || name.ends_with(".scored.csv.new") {
            continue;
        }
        if items.len() == MOST_FILES {
            return Err(Error::new(
                Code::InvalidInput,
                format!("`{}` means more than {MOST_FILES} files", params.input),
            )
            .hint("move those away that are done, or narrow the pattern"));
        }
        let below = path.strip_prefix(root).unwrap_or(&path);
        items.push(Item { to: params.output.join(below), from: path });
    }
    items.sort_by(|one, other| one.from.cmp(&other.from));
    Ok(items)
}

/// What tells that a file is still the one that was scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size_bytes: u64,
    modified_ms: u64,
}

impl Stamp {
    fn of(path: &Path) -> Result<Self> {
        let found = path.metadata().map_err(|e| Error::io("read", path, &e))?;
        let modified = found.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified_ms = modified.and_then(|since| u64::try_from(since.as_millis()).ok()).unwrap_or(0);
        Ok(Self { size_bytes: found.len(), modified_ms })
    }
}

impl Item {
    fn is_done(&self, picked: &Picked, stamp: Stamp) -> bool {
        let text = std::fs::read(with_end(&self.to, ".done.json")).unwrap_or_default();
        // A marker that cannot be read is as good as none.
        serde_json::from_slice::<Done>(&text).is_ok_and(|done| {
            (done.size_bytes, done.modified_ms) == (stamp.size_bytes, stamp.modified_ms)
                && done.package == picked.version.package.to_string()
        }) && with_end(&self.to, ".scored.csv").is_file()
    }

    fn mark(&self, picked: &Picked, stamp: Stamp, counts: (u64, u64), now: Timestamp) -> Result<()> {
        let done = Done {
            model: picked.model.name.clone(),
            version: picked.version.number,
            package: picked.version.package.to_string(),
            size_bytes: stamp.size_bytes,
            modified_ms: stamp.modified_ms,
            rows: counts.0,
            row_errors: counts.1,
            finished_at: now.as_ms(),
        };
        let text = serde_json::to_vec_pretty(&done)
            .map_err(|e| Error::internal("cannot write what was done").because(e))?;
        files::write_atomic(&with_end(&self.to, ".done.json"), &text)
    }
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Writes the rows that were set aside, or takes away what an earlier run wrote of them.
fn write_errors(to: &Path, report: &ImportReport) -> Result<()> {
    if report.rejected.is_empty() {
        return targets::remove_file(to);
    }
    let lines: String = report
        .rejected
        .iter()
        .map(|row| format!("{}\n", json!({ "line": row.line, "reason": row.reason, "excerpt": row.excerpt })))
        .collect();
    files::write_atomic(to, lines.as_bytes())
}

fn kind_of(kind: score::Kind) -> data::Kind {
    match kind {
        score::Kind::Integer => data::Kind::Integer,
        score::Kind::Number => data::Kind::Number,
        score::Kind::Boolean => data::Kind::Boolean,
        score::Kind::Text => data::Kind::Text,
        score::Kind::Time => data::Kind::Time,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_due_once_when_its_time_has_come() {
        let params = BatchParams { schedule: Some("@hourly".to_owned()), ..BatchParams::default() };
        let trigger = params.trigger().expect("a schedule").expect("there is one");
        let minute = |minute: i64| Timestamp(minute * 60_000);
        assert!(!is_due(&trigger, minute(0), minute(59)));
        assert!(is_due(&trigger, minute(0), minute(60)));
        assert!(!is_due(&trigger, minute(60), minute(61)));
        assert!(is_due(&trigger, minute(61), minute(5_000)), "what was missed is made up for");
    }

    #[test]
    fn only_one_run_at_a_time_scores_for_a_deployment() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = alone(folder.path(), "m").expect("nobody else");
        assert_eq!(alone(folder.path(), "m").expect_err("the first is at work").code, Code::Conflict);
        drop(first);
        assert!(alone(folder.path(), "m").is_ok());
    }

    #[test]
    fn what_was_written_here_is_not_scored_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["b.csv", "a.csv", "a.csv.scored.csv", "a.csv.done.json", "a.csv.scored.csv.new", "c.txt"]
        {
            std::fs::write(folder.path().join(name), "").expect("writes");
        }
        let params = BatchParams {
            input: folder.path().join("*.csv").to_string_lossy().into_owned(),
            output: folder.path().to_owned(),
            ..BatchParams::default()
        };
        let found = find(&params).expect("finds");
        let names: Vec<_> = found.iter().filter_map(|item| item.from.file_name()?.to_str()).collect();
        assert_eq!(names, ["a.csv", "b.csv"]);
        assert_eq!(found[0].to, folder.path().join("a.csv"));
    }
}
