//! Why steps run, and runs that stand in a line with others: gone on with, repeated, nested.

use base::Result;
use flow::explain::{Explained, Fate, What, sentences};
use flow::receipt::Receipt;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::documents::PipelineDoc;
use super::jobs::JobRef;
use super::pipelines::{PlanAction, RunStarted, graph};
use super::runs::RunPick;
use crate::Engine;
use crate::jobs::Title;

/// Asks why the steps of a pipeline would run.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelineExplain {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The pipeline's name.
    pub pipeline: String,
    /// The graph as it is on screen; else the draft or file of that name.
    #[serde(default)]
    pub doc: Option<PipelineDoc>,
    /// Only this step.
    #[serde(default)]
    pub step: Option<String>,
    /// Only what this step needs.
    #[serde(default)]
    pub to: Option<String>,
}

/// Why the steps of a pipeline would run.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ExplainView {
    /// The steps in the order they could run.
    pub steps: Vec<ExplainedStep>,
    /// How many come from the cache.
    pub cached: u32,
    /// How many would run, or may.
    pub to_run: u32,
}

/// Why a step would run.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedStep {
    /// The step.
    pub step: String,
    /// What would happen.
    pub action: PlanAction,
    /// What is different from the last time, causes first.
    pub changes: Vec<ChangeView>,
    /// The same in sentences.
    pub reasons: Vec<String>,
    /// The steps right before it that have no result yet.
    pub waits_for: Vec<String>,
    /// The last run in which this step came to a result, if it is known.
    pub last_run: Option<LastUse>,
}

/// The last run in which a step came to a result.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LastUse {
    /// The run.
    pub run_id: String,
    /// Its number.
    pub number: u32,
    /// When, ms since the epoch.
    pub at: i64,
}

/// One thing that is different from the last time.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChangeView {
    /// What it is about.
    pub what: ChangeSubject,
    /// Which one: the parameter, the column, the input.
    pub name: String,
    /// What it was, if there was something.
    pub before: Option<String>,
    /// What it is, if there is something.
    pub after: Option<String>,
    /// True if the step must run for this; false for what only explains.
    pub is_cause: bool,
    /// The sentence.
    pub text: String,
}

/// What a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ChangeSubject {
    /// The step has never come to a result in this pipeline.
    First,
    /// A parameter.
    Parameter,
    /// The content at an input.
    Input,
    /// A column at an input.
    Column,
    /// The dataset's content, target or task.
    Dataset,
    /// The step is of another kind.
    Kind,
    /// The kind works differently since an update.
    Version,
    /// A file of the project that the step declares.
    File,
    /// Something else that the kind depends on, such as the version of an interpreter.
    Fact,
    /// The steps wired to an input have other names.
    Names,
    /// The result was removed from the cache.
    Removed,
    /// The program or the system.
    Environment,
}

/// Goes on with a run that did not come to its end.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunResume {
    /// Its id, or its number.
    pub run: String,
    /// Threads in all; as many as the machine has if left out.
    #[serde(default)]
    pub threads: Option<u32>,
}

/// Repeats a run from what it recorded.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunReproduce {
    /// Its id, or its number.
    pub run: String,
    /// Threads in all; as many as the run had if left out. The result does not depend on it.
    #[serde(default)]
    pub threads: Option<u32>,
}

/// A receipt that is kept with a run.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptView {
    /// 1, 2, 3 for each time the run was repeated.
    pub number: u32,
    /// When, ms since the epoch.
    pub at: i64,
    /// True if every step came to the same bytes.
    pub is_identical: bool,
    /// The receipt for people.
    pub text: String,
    /// The receipt for programs.
    pub receipt: serde_json::Value,
}

pub(super) fn explain(engine: &Engine, request: PipelineExplain) -> Result<ExplainView> {
    let project = engine.project(request.project.as_deref())?;
    let pipeline = graph(engine, &project, &request.pipeline, request.doc)?;
    let to = request.to.as_deref().or(request.step.as_deref());
    let mut steps = engine.explain(&project, &pipeline, to)?;
    if let Some(step) = &request.step {
        let own = engine.expanded(&project, &pipeline)?.steps_of(step);
        steps.retain(|one| own.contains(&one.step));
    }
    let steps = steps.into_iter().map(|one| explained(engine, one)).collect::<Result<Vec<_>>>()?;
    let cached = steps.iter().filter(|step| step.action == PlanAction::Cached).count();
    Ok(ExplainView { cached: cached as u32, to_run: (steps.len() - cached) as u32, steps })
}

fn explained(engine: &Engine, one: Explained) -> Result<ExplainedStep> {
    let action = match one.fate {
        Fate::Cached => PlanAction::Cached,
        Fate::Run => PlanAction::Run,
        Fate::Pending => PlanAction::Pending,
    };
    let mut reasons = sentences(&one.changes);
    if !one.waits_for.is_empty() {
        reasons.insert(0, format!("{} must run first", one.waits_for.join(", ")));
    }
    let changes = one.changes.iter().map(|change| ChangeView {
        what: change_kind(change.what),
        name: change.name.clone(),
        before: change.before.clone(),
        after: change.after.clone(),
        is_cause: change.is_cause(),
        text: change.to_string(),
    });
    let last_run = match one.last.as_ref().and_then(|last| Some((last.run.as_ref()?, last.at_ms))) {
        Some((id, at)) => {
            engine.run_if_there(id)?.map(|run| LastUse { run_id: run.id.to_string(), number: run.number, at })
        }
        None => None,
    };
    Ok(ExplainedStep {
        step: one.step,
        action,
        changes: changes.collect(),
        reasons,
        waits_for: one.waits_for,
        last_run,
    })
}

fn change_kind(what: What) -> ChangeSubject {
    match what {
        What::First => ChangeSubject::First,
        What::Parameter => ChangeSubject::Parameter,
        What::Input => ChangeSubject::Input,
        What::Column => ChangeSubject::Column,
        What::Dataset => ChangeSubject::Dataset,
        What::Kind => ChangeSubject::Kind,
        What::Version => ChangeSubject::Version,
        What::File => ChangeSubject::File,
        What::Fact => ChangeSubject::Fact,
        What::Names => ChangeSubject::Names,
        What::Removed => ChangeSubject::Removed,
        What::Environment => ChangeSubject::Environment,
    }
}

pub(super) fn resume(engine: &Engine, request: RunResume) -> Result<RunStarted> {
    engine.resume_run(engine.run(&request.run)?, request.threads)
}

pub(super) fn reproduce(engine: &Engine, request: RunReproduce) -> Result<JobRef> {
    let run = engine.run(&request.run)?;
    let title = Title {
        kind: "run.reproduce",
        title: format!("Repeating run {} of {}", run.number, run.pipeline),
        subject: serde_json::json!({ "run": run.id.to_string(), "pipeline": run.pipeline }),
    };
    let job = engine.start_job(&title, move |engine, progress| {
        let receipt = engine.reproduce(run, request.threads, progress)?;
        Ok(serde_json::json!({ "text": receipt.to_text(), "receipt": receipt }))
    })?;
    Ok(JobRef { job_id: job.to_string() })
}

pub(super) fn receipts(engine: &Engine, request: RunPick) -> Result<Vec<ReceiptView>> {
    let run = engine.run(&request.run)?;
    let kept = engine.store().read(|db| store::origins::receipts(db, &run.id))?;
    let view = |kept: store::origins::Receipt| {
        let text = serde_json::from_value::<Receipt>(kept.body.clone()).map(|receipt| receipt.to_text());
        ReceiptView {
            number: kept.number,
            at: kept.at.as_ms(),
            is_identical: kept.is_identical,
            // One that another version wrote is still there for programs.
            text: text.unwrap_or_default(),
            receipt: kept.body,
        }
    };
    Ok(kept.into_iter().map(view).collect())
}
