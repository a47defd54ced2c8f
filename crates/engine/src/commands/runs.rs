//! Runs: list, page, log, outputs, comparison.

use std::collections::BTreeMap;

use base::Result;
use serde::{Deserialize, Serialize};
use store::Page;
use store::run_list::{Nesting, RunFilter, RunOrder};
use ts_rs::TS;

use super::datasets::TablePage;
use super::documents::PipelineDoc;
use super::figures::Figure;
use crate::Engine;
use crate::rpc::Failure;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Waits for its turn.
    Queued,
    /// Works.
    Running,
    /// Every step ended well.
    Done,
    /// A step failed.
    Failed,
    /// Was stopped by the user.
    Cancelled,
    /// Its process died.
    Interrupted,
}

/// Where a step of a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Waits for the steps before it, or for a free core.
    Pending,
    /// Works.
    Running,
    /// Its result was in the cache.
    Cached,
    /// Ended well.
    Done,
    /// Ended with an error.
    Failed,
    /// A step before it failed.
    Blocked,
    /// Was stopped by the user.
    Cancelled,
    /// Its process died.
    Interrupted,
}

/// A row of the runs table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunSummary {
    /// Its id.
    pub id: String,
    /// Its number in the project.
    pub number: u32,
    /// The pipeline; empty for a run by a script.
    pub pipeline: String,
    /// Its name, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub name: Option<String>,
    /// The experiment a script logged it to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub experiment: Option<String>,
    /// Where it stands.
    pub state: RunState,
    /// When it started, ms since the epoch.
    pub started_at: i64,
    /// How long it took, ms.
    pub duration_ms: Option<i64>,
    /// Steps that came from the cache.
    pub cached: u32,
    /// Steps in all.
    pub steps: u32,
    /// The best model's metrics, by name.
    pub metrics: BTreeMap<String, f64>,
    /// The best model's step.
    pub best_step: Option<String>,
    /// Dataset versions that went in, such as `penguins v2`.
    pub datasets: Vec<DatasetLink>,
    /// Model versions that came out.
    pub models: Vec<ModelLink>,
    /// A note by the user.
    pub note: Option<String>,
}

/// Points at a dataset version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DatasetLink {
    /// The dataset.
    pub dataset: String,
    /// The version's number.
    pub version: u32,
}

/// Points at a model version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ModelLink {
    /// The model.
    pub model: String,
    /// The version's number.
    pub version: u32,
}

/// Asks for runs, newest first.
#[derive(Debug, Clone, Default, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunList {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// Only runs of this pipeline.
    #[serde(default)]
    pub pipeline: Option<String>,
    /// Only runs in this state.
    #[serde(default)]
    pub state: Option<RunState>,
    /// The trials of this sweep, by the id of its run; trials are not listed otherwise.
    #[serde(default)]
    #[ts(optional)]
    pub trials_of: Option<String>,
    /// First row, from 0.
    #[serde(default)]
    pub offset: u32,
    /// Rows wanted; 100 if left out, 1,000 at most.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// A page of the runs table.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunPage {
    /// Runs in all.
    pub total: u32,
    /// The rows.
    pub runs: Vec<RunSummary>,
}

/// Names a run.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunPick {
    /// Its id, or `#` and its number.
    pub run: String,
}

/// A run with everything about it.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunDetail {
    /// The row of the table.
    pub summary: RunSummary,
    /// The graph exactly as it ran.
    pub doc: PipelineDoc,
    /// Its steps in the order of the graph.
    pub steps: Vec<StepRunView>,
    /// Why it failed.
    pub error: Option<Failure>,
    /// Git commit of the project, Fettle version, system, threads ….
    pub environment: BTreeMap<String, String>,
    /// The models trained in it, best first.
    pub models: Vec<TrainedModel>,
    /// What a script logged, if a script began it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub script: Option<ScriptRunView>,
    /// Where it comes from, if it was not asked for by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub origin: Option<RunOrigin>,
    /// The runs that go on with it, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<RunLink>>")]
    pub resumed_by: Vec<RunLink>,
}

/// What a script logged to a run.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ScriptRunView {
    /// The experiment; `/` makes folders.
    pub experiment: String,
    /// Who ran it.
    pub user: String,
    /// The run it is nested under, by its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub parent: Option<String>,
    /// The last point of each curve, by key.
    pub metrics: Vec<LoggedMetric>,
    /// Its parameters, by key.
    pub params: Vec<(String, String)>,
    /// Its tags, by key.
    pub tags: Vec<(String, String)>,
    /// Datasets that went in.
    pub datasets: Vec<LoggedDatasetView>,
    /// Logged models that came out, by id.
    pub models: Vec<String>,
}

/// The last point of a curve.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LoggedMetric {
    /// What is measured.
    pub key: String,
    /// The value; none if it is not a number.
    pub value: Option<f64>,
    /// Its step.
    pub step: i64,
    /// Points of the curve.
    pub points: u64,
}

/// A dataset that went into a run, as the script described it.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LoggedDatasetView {
    /// Its name.
    pub name: String,
    /// What the script took as its fingerprint.
    pub digest: String,
    /// What it was used for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub context: Option<String>,
}

/// Where a run comes from.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunOrigin {
    /// `resume`, `trial`, `sweep` or `trigger`.
    pub cause: String,
    /// The run that it goes on with or belongs to.
    pub run: Option<RunLink>,
}

/// Points at a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunLink {
    /// Its id.
    pub id: String,
    /// Its number in the project.
    pub number: u32,
}

/// A step of a run.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct StepRunView {
    /// The step.
    pub step: String,
    /// Its kind.
    pub kind: String,
    /// Where it stands.
    pub state: StepState,
    /// Why it ran, or that its result was there.
    pub reasons: Vec<String>,
    /// How far it is, while it works.
    pub progress: Option<f64>,
    /// What it is doing, while it works.
    pub stage: Option<String>,
    /// When it started, ms since the epoch.
    pub started_at: Option<i64>,
    /// How long it took, ms.
    pub duration_ms: Option<i64>,
    /// Processor time, ms.
    pub cpu_ms: Option<u64>,
    /// Largest memory, bytes.
    pub max_memory_bytes: Option<u64>,
    /// Bytes that went in, once they are there.
    pub input_bytes: Option<u64>,
    /// Bytes that came out.
    pub output_bytes: Option<u64>,
    /// Tries that failed before the last one.
    pub tries: Vec<TryView>,
    /// What it measured, by name: the last value of each.
    pub metrics: BTreeMap<String, f64>,
    /// Programs that took part, with their versions.
    pub environment: BTreeMap<String, String>,
    /// Why it failed.
    pub error: Option<Failure>,
    /// One line for the node's face, such as `344 × 8` or `AUC 0.931`.
    pub summary: Option<String>,
    /// Output ports that have something to look at.
    pub outputs: Vec<String>,
}

/// A try of a step that failed and was followed by another.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TryView {
    /// Its number, from 1.
    pub number: u32,
    /// Why it failed.
    pub error: Failure,
    /// How long it took, ms.
    pub duration_ms: u64,
    /// Processor time, ms.
    pub cpu_ms: u64,
    /// Largest memory, bytes.
    pub max_memory_bytes: u64,
}

/// A file of an output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FileView {
    /// Its path in the output, with `/` on every system.
    pub path: String,
    /// Its size, bytes.
    pub bytes: u64,
}

/// A model trained in a run, evaluated or not.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TrainedModel {
    /// The step that trained it.
    pub step: String,
    /// The trainer, for people.
    pub trainer: String,
    /// Its parameters.
    pub params: BTreeMap<String, serde_json::Value>,
    /// Its metrics, if evaluated.
    pub metrics: BTreeMap<String, f64>,
    /// True if compare chose it.
    pub is_best: bool,
    /// The version it was registered as.
    pub registered: Option<ModelLink>,
}

/// Asks for a step's log from a byte on.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunLog {
    /// The run.
    pub run: String,
    /// The step; the whole run's log if left out.
    #[serde(default)]
    pub step: Option<String>,
    /// First byte wanted.
    #[serde(default)]
    pub offset: u64,
}

/// A piece of a log.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LogPage {
    /// The text.
    pub text: String,
    /// Where to go on.
    pub next_offset: u64,
    /// True if nothing more will come.
    pub is_complete: bool,
}

/// Asks for what came out of a port.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunOutput {
    /// The run.
    pub run: String,
    /// The step.
    pub step: String,
    /// The output port.
    pub port: String,
    /// First row, for tables.
    #[serde(default)]
    pub offset: u64,
    /// Rows wanted, for tables.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// What came out of a port.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum OutputView {
    /// Rows.
    Table {
        /// A window of them.
        page: TablePage,
    },
    /// A model.
    Model {
        /// What it is.
        model: Box<TrainedModel>,
        /// Its figures.
        figures: Vec<Figure>,
    },
    /// Named numbers.
    Metrics {
        /// By name.
        metrics: BTreeMap<String, f64>,
    },
    /// Figures.
    Report {
        /// In the order to be shown.
        figures: Vec<Figure>,
        /// Remarks in plain words.
        notes: Vec<String>,
    },
    /// Any files.
    Files {
        /// The first 1,000 of them, in order.
        files: Vec<FileView>,
    },
    /// The result was removed from the cache; running the pipeline again brings it back.
    Gone,
}

/// Asks for the live curves of a run.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunCurves {
    /// One entry a training step.
    pub curves: Vec<StepCurve>,
}

/// The curve of a training step.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct StepCurve {
    /// The step.
    pub step: String,
    /// What is on the y axis.
    pub metric: String,
    /// `[round, train, validation]`.
    pub points: Vec<(f64, f64, Option<f64>)>,
}

/// Compares models of one or several runs.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunCompare {
    /// Ids of the runs, two to fifty; one is enough to compare its own models.
    pub runs: Vec<String>,
}

/// A comparison: one column a model.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// The models, best first.
    pub models: Vec<ComparedModel>,
    /// Metric names in the order to show, with the direction that is better.
    pub metrics: Vec<MetricView>,
    /// Parameters that differ, by name; one value a model, null where it has none.
    pub params: BTreeMap<String, Vec<Option<serde_json::Value>>>,
    /// The metric that decided the order.
    pub by: String,
}

/// A model in a comparison.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ComparedModel {
    /// The run.
    pub run_id: String,
    /// The run's number.
    pub run_number: u32,
    /// The model.
    pub model: TrainedModel,
    /// Its figures, to be laid over each other.
    pub figures: Vec<Figure>,
}

/// A metric by name.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct MetricView {
    /// Its name, such as `auc`.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// True if more is better.
    pub higher_is_better: bool,
    /// What it is, with its formula.
    pub doc: String,
}

/// Puts a note on a run.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunNote {
    /// The run.
    pub run: String,
    /// The note; empty removes it.
    pub note: String,
}

pub(super) fn list(engine: &Engine, request: RunList) -> Result<RunPage> {
    let project = engine.project(request.project.as_deref())?;
    let nesting = match &request.trials_of {
        Some(sweep) => Nesting::TrialsOf(engine.run(sweep)?.id),
        None => Nesting::Outermost,
    };
    let filter = RunFilter {
        nesting,
        project_id: Some(project.id),
        pipeline: request.pipeline,
        states: request.state.map(stored).into_iter().collect(),
        ..RunFilter::default()
    };
    let page = Page::new(request.offset, request.limit.unwrap_or(100));
    let (total, runs) = engine.store().read(|db| {
        Ok((
            store::run_list::count(db, &filter)?,
            store::run_list::list(db, &filter, &RunOrder::Newest, page)?,
        ))
    })?;
    let runs = runs.into_iter().map(|run| engine.run_summary(run)).collect::<Result<_>>()?;
    Ok(RunPage { total: total as u32, runs })
}

fn stored(state: RunState) -> store::runs::RunState {
    match state {
        RunState::Queued => store::runs::RunState::Queued,
        RunState::Running => store::runs::RunState::Running,
        RunState::Done => store::runs::RunState::Done,
        RunState::Failed => store::runs::RunState::Failed,
        RunState::Cancelled => store::runs::RunState::Cancelled,
        RunState::Interrupted => store::runs::RunState::Interrupted,
    }
}

pub(super) fn show(engine: &Engine, request: RunPick) -> Result<RunDetail> {
    engine.run_detail(engine.run(&request.run)?)
}

pub(super) fn log(engine: &Engine, request: RunLog) -> Result<LogPage> {
    engine.run_log(&engine.run(&request.run)?, request.step.as_deref(), request.offset)
}

pub(super) fn output(engine: &Engine, request: RunOutput) -> Result<OutputView> {
    let limit = u64::from(request.limit.unwrap_or(100).min(1000));
    engine.run_output(engine.run(&request.run)?, &request.step, &request.port, request.offset, limit)
}

pub(super) fn curves(engine: &Engine, request: RunPick) -> Result<RunCurves> {
    Ok(RunCurves { curves: engine.run_curves(engine.run(&request.run)?)? })
}

pub(super) fn compare(engine: &Engine, request: RunCompare) -> Result<Comparison> {
    engine.compare_runs(&request.runs)
}

pub(super) fn cancel(engine: &Engine, request: RunPick) -> Result<()> {
    engine.cancel_run(&engine.run(&request.run)?.id)
}

pub(super) fn note(engine: &Engine, request: RunNote) -> Result<()> {
    let run = engine.run(&request.run)?;
    let action = store::Action::new("run.note", format!("run {}", run.number));
    engine.store().write(action, |w| store::runs::describe(w, &run.id, &run.name, request.note.trim()))
}
