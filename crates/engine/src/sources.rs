//! Which dataset versions a run reads. They are fixed when the run begins, so that an import in the
//! middle of it changes nothing, and so that the run can go on or be repeated later.

use std::collections::BTreeMap;

use base::{Progress, Result};
use flow::graph::Graph;
use flow::kind::{Source, SourceTable};
use serde::{Deserialize, Serialize};
use store::projects::Project;

use crate::Engine;
use crate::datasets::{task_from, task_word};

/// A dataset version that a step of a run reads, and as what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pinned {
    /// The dataset's name.
    pub(crate) dataset: String,
    /// The version that the step names; none if it reads the newest.
    #[serde(default)]
    pub(crate) asked: Option<u32>,
    /// The version's number.
    pub(crate) number: u32,
    /// The version's id.
    pub(crate) version_id: String,
    /// The dataset's target at that time.
    pub(crate) target: Option<String>,
    /// The dataset's task at that time.
    pub(crate) task: Option<String>,
}

/// The dataset versions of a run, by step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Pins(pub(crate) BTreeMap<String, Pinned>);

impl Pins {
    /// The version that is fixed for a source, if one is.
    fn of(&self, source: &Source) -> Option<&Pinned> {
        self.0.values().find(|pinned| pinned.dataset == source.dataset && pinned.asked == source.version)
    }

    /// The versions as people read them, by step: `penguins v2`.
    pub(crate) fn shown(&self) -> BTreeMap<String, String> {
        let shown = |pinned: &Pinned| format!("{} v{}", pinned.dataset, pinned.number);
        self.0.iter().map(|(step, pinned)| (step.clone(), shown(pinned))).collect()
    }
}

impl Engine {
    /// Fixes the dataset versions of these steps: those in `known` as they are there, the others as
    /// they are now.
    pub(crate) fn pin(
        &self,
        project: &Project,
        graph: &Graph,
        steps: &std::collections::BTreeSet<String>,
        known: &Pins,
    ) -> Result<Pins> {
        let mut pins = Pins::default();
        for node in graph.nodes().iter().filter(|node| steps.contains(&node.step.id)) {
            let source = node.kind.source(&node.step.params).map_err(|misfit| misfit.error)?;
            let Some(source) = source else { continue };
            let table = self.pinned_table(project, &source, known)?;
            let pinned = Pinned {
                dataset: table.dataset,
                asked: source.version,
                number: table.number,
                version_id: table.version_id,
                target: table.target,
                task: table.task.map(task_word).map(str::to_owned),
            };
            pins.0.insert(node.step.id.clone(), pinned);
        }
        Ok(pins)
    }

    /// The table of a source: the version that is fixed, with the target it had then; else the
    /// newest.
    pub(crate) fn pinned_table(
        &self,
        project: &Project,
        source: &Source,
        pins: &Pins,
    ) -> Result<SourceTable> {
        let Some(pinned) = pins.of(source) else {
            return self.source_table(project, source, &Progress::silent());
        };
        let exact = Source { version: Some(pinned.number), ..source.clone() };
        let table = self.source_table(project, &exact, &Progress::silent())?;
        Ok(SourceTable {
            target: pinned.target.clone(),
            task: pinned.task.as_deref().and_then(task_from),
            ..table
        })
    }
}
