//! Runs that stand in a line with others: one that goes on where another ended, and one that is
//! repeated from what it recorded, to prove that the same comes out.

use std::collections::{BTreeMap, BTreeSet};

use base::{Code, Error, Progress, Result, RunId};
use flow::cache::{Entry, Kept, Ledger, Use};
use flow::execute::{Execution, Observer, Planner, Summary, Update};
use flow::explain::{Explained, PROGRAM, system};
use flow::file::Pipeline;
use flow::graph::{Graph, Problem};
use flow::kind::Source;
use flow::receipt::{Receipt, Recorded, Setting, compare};
use serde_json::json;
use store::Action;
use store::origins::{self, Cause};
use store::projects::Project;
use store::runs::{Run, RunState};
use store::steps::StepState;

use crate::Engine;
use crate::commands::pipelines::RunStarted;
use crate::commands::runs::{RunLink, RunOrigin};
use crate::components::needed;
use crate::run_views::Told;
use crate::running::{RunFacts, Wanted};

impl Engine {
    /// What a run wrote down beside its rows; nothing for one of an older Fettle.
    pub(crate) fn run_facts(&self, id: &RunId) -> Result<RunFacts> {
        let origin = self.store().read(|db| origins::find(db, id))?;
        // What cannot be read was written by another version, and is known no better than nothing.
        Ok(origin.and_then(|origin| serde_json::from_value(origin.facts).ok()).unwrap_or_default())
    }

    /// Says why the steps of a graph would run.
    pub(crate) fn explain(
        &self,
        project: &Project,
        pipeline: &Pipeline,
        to: Option<&str>,
    ) -> Result<Vec<Explained>> {
        let (expanded, graph) = self.runnable(project, pipeline)?;
        let steps = needed(&expanded, &graph, to)?;
        self.with_planner(project, (&pipeline.name, &graph), &steps, |planner| planner.explain())
    }

    /// A run by its id, if it is still there.
    pub(crate) fn run_if_there(&self, id: &str) -> Result<Option<Run>> {
        let id: RunId = id.parse()?;
        match self.store().read(|db| store::runs::get(db, &id)) {
            Ok(run) => Ok(Some(run)),
            Err(error) if error.code == Code::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Points at a run, if it is still there.
    pub(crate) fn run_link(&self, id: &RunId) -> Result<Option<RunLink>> {
        let run = self.run_if_there(id.as_str())?;
        Ok(run.map(|run| RunLink { id: run.id.to_string(), number: run.number }))
    }

    /// Where a run comes from, if it was not asked for by itself.
    pub(crate) fn run_origin(&self, id: &RunId) -> Result<Option<RunOrigin>> {
        let Some(origin) = self.store().read(|db| origins::find(db, id))? else { return Ok(None) };
        if origin.cause == Cause::Asked {
            return Ok(None);
        }
        let run = origin.of_run.as_ref().map(|id| self.run_link(id)).transpose()?.flatten();
        Ok(Some(RunOrigin { cause: origin.cause.to_string(), run }))
    }

    /// The runs that go on with a run.
    pub(crate) fn resumed_by(&self, id: &RunId) -> Result<Vec<RunLink>> {
        let ids = self.store().read(|db| origins::descendants(db, id, Cause::Resume))?;
        ids.iter().filter_map(|id| self.run_link(id).transpose()).collect()
    }

    /// Goes on with a run that did not come to its end: the same pipeline over the same dataset
    /// versions, as a new run, with all that was done taken from the cache.
    pub(crate) fn resume_run(&self, run: Run, threads: Option<u32>) -> Result<RunStarted> {
        if self.store().read(|db| store::sweeps::find(db, &run.id))?.is_some() {
            return self.resume_sweep(run, threads);
        }
        match run.state {
            RunState::Queued | RunState::Running => {
                let error = Error::new(Code::Conflict, format!("run {} still works", run.number));
                return Err(error.hint("cancel it first, or wait for its end"));
            }
            RunState::Done => {
                return Err(Error::new(Code::Conflict, format!("run {} came to its end", run.number))
                    .hint("run the pipeline again, or `fettle run reproduce` this run"));
            }
            RunState::Failed | RunState::Cancelled | RunState::Interrupted => (),
        }
        let project = self.store().read(|db| store::projects::get(db, &run.project_id))?;
        let facts = self.run_facts(&run.id)?;
        let id = run.id.clone();
        let told = self.told(run)?;
        let wanted = Wanted {
            threads,
            origin: Some((Cause::Resume, Some(id))),
            pins: facts.datasets,
            only: Some(told.steps.iter().map(|row| row.step_id.clone()).collect()),
            again: &facts.again - &ended_well(&told),
            name: Some(told.run.name.clone()),
            experiment: Some(told.run.experiment.clone()),
            ..Wanted::default()
        };
        self.start_run(&project, told.pipeline, &wanted)
    }

    /// Repeats a run from what it recorded, without the cache, compares every output, and keeps the
    /// receipt with the run.
    pub(crate) fn reproduce(&self, run: Run, threads: Option<u32>, progress: &Progress) -> Result<Receipt> {
        if !run.state.is_final() {
            return Err(Error::new(Code::Conflict, format!("run {} has not ended yet", run.number))
                .hint("wait for its end"));
        }
        let project = self.store().read(|db| store::projects::get(db, &run.project_id))?;
        let facts = self.run_facts(&run.id)?;
        let told = self.told(run)?;
        let recorded = recorded(&told, &facts);
        if recorded.is_empty() {
            return Err(Error::invalid(format!("run {} came to no result", told.run.number))
                .hint("choose a run with a step that ended well"));
        }
        let threads = self.threads(threads.or(told.run.threads))?;
        let graph = Graph::build(&told.pipeline).map_err(|problems| Problem::to_error(&problems))?;
        let repeated = self.repeat((&project, &told), &graph, &facts, threads, progress)?;
        let then = Setting {
            program: facts.program.clone(),
            system: facts.system.clone(),
            threads: told.run.threads.unwrap_or_default(),
        };
        let now = Setting { program: PROGRAM.to_owned(), system: system(), threads: threads as u32 };
        let receipt = Receipt {
            pipeline: told.pipeline.name.clone(),
            pipeline_digest: told.run.pipeline_digest.as_ref().map(store::Digest::to_hex).unwrap_or_default(),
            steps: compare(&graph, &recorded, &repeated, (&then, &now)),
            then,
            now,
            datasets: facts.datasets.shown(),
            is_identical: false,
            first_difference: None,
        }
        .concluded();
        let action = Action::new("run.reproduce", format!("run {}", told.run.number))
            .with("identical", receipt.is_identical);
        self.store().write(action, |w| {
            origins::add_receipt(w, &told.run.id, receipt.is_identical, &json!(receipt))
        })?;
        Ok(receipt)
    }

    /// Runs the steps that ended well once more, in a folder that goes away afterwards.
    fn repeat(
        &self,
        (project, told): (&Project, &Told),
        graph: &Graph,
        facts: &RunFacts,
        threads: usize,
        progress: &Progress,
    ) -> Result<Summary> {
        let draft = self.results().draft()?;
        let steps = ended_well(told);
        let logs = draft.path().join("logs");
        std::fs::create_dir_all(&logs).map_err(|e| Error::io("create", &logs, &e))?;
        let execution = Execution {
            planner: Planner {
                pipeline: &told.pipeline.name,
                graph,
                steps: &steps,
                results: &flow::cache::Results::below(draft.path()),
                ledger: &Forgetful,
                find_source: &|source: &Source| {
                    self.pinned_table(project, source, &facts.datasets).map_err(|error| {
                        let error = error.within("a dataset that the run read is not there as it was");
                        Error { code: Code::Corrupt, ..error }
                    })
                },
                place: &self.place(project),
            },
            again: &steps,
            threads,
            launcher: &self.launcher(),
            logs,
            progress,
            observer: &Unheard,
        };
        let summary = execution.run()?;
        // That the data is gone says nothing about the run, so it is no receipt but an error.
        match summary.failure {
            Some((step, error)) if error.code == Code::Corrupt => {
                Err(error.within(format!("cannot repeat step `{step}`")))
            }
            _ => Ok(summary),
        }
    }
}

/// The steps of a run whose results count.
fn ended_well(told: &Told) -> BTreeSet<String> {
    let rows = told.steps.iter().filter(|row| matches!(row.state, StepState::Done | StepState::Cached));
    rows.map(|row| row.step_id.clone()).collect()
}

fn recorded(told: &Told, facts: &RunFacts) -> BTreeMap<String, Recorded> {
    let good = ended_well(told);
    let rows = told.steps.iter().filter(|row| good.contains(&row.step_id));
    rows.map(|row| {
        let outputs = serde_json::from_value(row.outputs.clone()).unwrap_or_default();
        let kind_version = facts.kinds.get(&row.step_id).copied();
        // Runs of an older Fettle did not write down what their steps depended on outside the graph.
        let outside = serde_json::from_value(row.summary["outside"].clone()).unwrap_or_default();
        (row.step_id.clone(), Recorded { outputs, kind_version, outside })
    })
    .collect()
}

/// A ledger that knows nothing, so that everything runs.
struct Forgetful;

impl Ledger for Forgetful {
    fn find(&self, _key: &str) -> Result<Option<Entry>> {
        Ok(None)
    }

    fn last(&self, _pipeline: &str, _step: &str) -> Result<Option<Use>> {
        Ok(None)
    }

    fn put(&self, _pipeline: &str, _kept: &[Kept<'_>]) -> Result<()> {
        Ok(())
    }
}

/// Nobody watches a repetition: what counts is what comes out.
struct Unheard;

impl Observer for Unheard {
    fn on_step(&self, _step: &str, _update: &Update) -> Result<()> {
        Ok(())
    }

    fn on_message(&self, _step: &str, _message: &flow::child::Message) {}
}
