//! What is about to be written: many runs share one transaction, and each is whole or not there.

use std::sync::Arc;

use base::Result;
use store::tracking::artifacts::StoredFile;
use store::tracking::whole::{self, WholeModel, WholeRun};
use store::{Entry, Store};

use super::is_fatal;
use super::report::{Fate, Report};
use crate::commands::tracking::What;

/// Written together, so that nobody waits long for the writer: runs, and points or files in them.
const MOST_ITEMS: usize = 200;
const MOST_ROWS: usize = 20_000;

/// Something that will be added.
pub(super) enum Item {
    Run(Box<WholeRun>),
    Model(Box<WholeModel>),
    /// Files of a run or model that is here, below its root.
    Files {
        what: String,
        root: String,
        files: Vec<(String, StoredFile)>,
    },
}

impl Item {
    fn put(&self, e: &mut Entry<'_>) -> Result<()> {
        match self {
            Self::Run(run) => whole::put_run(e, run),
            Self::Model(model) => whole::put_logged_model(e, model),
            Self::Files { root, files, .. } => whole::put_files(e, root, files),
        }
    }

    fn kind(&self) -> What {
        match self {
            Self::Run(_) => What::Runs,
            Self::Model(_) => What::LoggedModels,
            Self::Files { .. } => What::Files,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Run(run) => format!("run `{}`", run.run.id),
            Self::Model(model) => format!("logged model `{}`", model.model.id),
            Self::Files { what, .. } => format!("files of {what}"),
        }
    }

    fn rows(&self) -> usize {
        match self {
            Self::Run(run) => run.curves.values().map(Vec::len).sum::<usize>() + run.files.len(),
            Self::Model(model) => model.model.metrics.len() + model.files.len(),
            Self::Files { files, .. } => files.len(),
        }
    }

    fn count(&self, report: &mut Report) {
        match self {
            Self::Run(run) => count_run(report, run, Fate::Added),
            Self::Model(model) => {
                report.count(What::LoggedModels, Fate::Added, 1);
                report.count(What::Files, Fate::Added, model.files.len());
            }
            Self::Files { files, .. } => report.count(What::Files, Fate::Added, files.len()),
        }
    }
}

/// Counts a run with all that is in it.
pub(super) fn count_run(report: &mut Report, run: &WholeRun, fate: Fate) {
    report.count(What::Runs, fate, 1);
    report.count(What::Params, fate, run.params.len());
    report.count(What::Tags, fate, run.tags.len());
    report.count(What::Points, fate, run.curves.values().map(Vec::len).sum());
    report.count(What::Datasets, fate, run.inputs.datasets.len());
    if fate == Fate::Added {
        report.count(What::Files, fate, run.files.len());
    }
}

/// What waits to be written.
#[derive(Default)]
pub(super) struct Waiting {
    items: Vec<Item>,
    rows: usize,
}

impl Waiting {
    /// Adds something, and writes all once it is much.
    pub(super) fn push(&mut self, store: &Store, report: &mut Report, item: Item) -> Result<()> {
        self.rows += item.rows();
        self.items.push(item);
        if self.items.len() >= MOST_ITEMS || self.rows >= MOST_ROWS {
            self.write(store, report)
        } else {
            Ok(())
        }
    }

    /// Writes all. Where that fails, each by itself, so that one takes no other along.
    pub(super) fn write(&mut self, store: &Store, report: &mut Report) -> Result<()> {
        self.rows = 0;
        let items = Arc::new(std::mem::take(&mut self.items));
        if items.is_empty() {
            return Ok(());
        }
        let all = Arc::clone(&items);
        match store.log(move |e| all.iter().try_for_each(|item| item.put(e))) {
            Ok(()) => items.iter().for_each(|item| item.count(report)),
            Err(error) if is_fatal(error.code) => return Err(error),
            Err(_) => {
                for at in 0..items.len() {
                    let all = Arc::clone(&items);
                    match store.log(move |e| all[at].put(e)) {
                        Ok(()) => items[at].count(report),
                        Err(error) if is_fatal(error.code) => return Err(error),
                        Err(error) => report.skipped(items[at].kind(), &items[at].name(), error.to_string()),
                    }
                }
            }
        }
        Ok(())
    }
}
