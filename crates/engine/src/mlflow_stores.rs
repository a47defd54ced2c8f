//! Stores of MLflow come in and go out. What comes in keeps its ids, times and numbers; what is here
//! already is compared and never written over. A run and its files are one change, so that an import
//! that was stopped anywhere goes on where it was when it is asked for again.

mod experiments;
mod files;
mod logged;
mod registry;
mod report;
mod runs;
mod waiting;
mod writing;

use std::collections::BTreeMap;
use std::path::PathBuf;

use base::{Code, Error, Progress, ProjectId, Result};
use connect::mlflow::{Places, Store, Trouble};
use serde_json::json;
use store::Action;

use crate::Engine;
use crate::commands::tracking::{NoteKind, TrackingMoved, What};
use report::Report;
use waiting::Waiting;

/// What to import.
#[derive(Debug, Clone)]
pub(crate) struct Import {
    /// A database of MLflow, a folder `mlruns`, or the folder that either is in.
    pub(crate) path: PathBuf,
    /// More folders in which files of its runs may be.
    pub(crate) artifacts: Vec<PathBuf>,
}

/// An import on its way.
struct Importing<'a> {
    engine: &'a Engine,
    progress: &'a Progress,
    project_id: ProjectId,
    theirs: Store,
    places: Places,
    report: Report,
    /// The numbers that experiments have here, by those they have there.
    experiments: BTreeMap<i64, i64>,
    waiting: Waiting,
}

impl Engine {
    /// Takes in what a store of MLflow holds.
    ///
    /// # Errors
    /// What [`Store::open`] says of a store that cannot be read; [`Code::Cancelled`]; the workspace
    /// cannot be written. What was taken by then stays.
    pub(crate) fn import_store(&self, what: &Import, progress: &Progress) -> Result<TrackingMoved> {
        progress.step("opening", 0, None)?;
        let theirs = Store::open(&what.path)?;
        let mut import = Importing {
            engine: self,
            progress,
            project_id: self.tracking_project()?,
            places: theirs.places(&what.artifacts)?,
            report: Report::default(),
            experiments: BTreeMap::new(),
            waiting: Waiting::default(),
            theirs,
        };
        import.take_experiments()?;
        import.take_runs()?;
        import.take_logged_models()?;
        import.take_registered_models()?;
        for left in import.theirs.not_taken()? {
            import.report.note(NoteKind::Skipped, left.what, left.why);
        }
        import.report.say_missing();
        let title = import.theirs.title();
        let moved = import.report.end(title);
        if moved.is_changed {
            self.record_import(what, &moved)?;
        }
        Ok(moved)
    }

    fn record_import(&self, what: &Import, moved: &TrackingMoved) -> Result<()> {
        let name = what.path.file_name().unwrap_or(what.path.as_os_str()).to_string_lossy();
        self.store().write(Action::new("tracking.import", name), |w| {
            w.detail("from", moved.source.as_str());
            for count in moved.counts.iter().filter(|count| count.added > 0) {
                w.detail(count.what.word(), json!(count.added));
            }
            Ok(())
        })
    }
}

impl Importing<'_> {
    /// Passes on what makes the rest impossible, and names what only concerns `what`.
    fn skip(&mut self, kind: What, what: &str, error: Error) -> Result<()> {
        if is_fatal(error.code) {
            return Err(error);
        }
        self.report.skipped(kind, what, error.to_string());
        Ok(())
    }

    fn name_troubles(&mut self, troubles: Vec<Trouble>) {
        for trouble in troubles {
            self.report.note(NoteKind::Skipped, trouble.what, trouble.why);
        }
    }
}

/// True for what is no matter of one run or model.
fn is_fatal(code: Code) -> bool {
    matches!(
        code,
        Code::Cancelled | Code::Corrupt | Code::DiskFull | Code::Locked | Code::Internal | Code::TooNew
    )
}

/// The fields that differ, of those that are named with whether they are alike.
fn differing(fields: &[(&str, bool)]) -> Option<String> {
    let names: Vec<_> = fields.iter().filter(|(_, is_alike)| !is_alike).map(|(name, _)| *name).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// What is said of something that is here already and not the same.
fn conflict(fields: &str) -> String {
    format!("it is here with other {fields}, and stays as it is here")
}
