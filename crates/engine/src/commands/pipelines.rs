//! Pipelines: step kinds, the document on the canvas, validation, plan, run.

use std::collections::BTreeMap;

use base::{Progress, Result};
use flow::execute::{Plan, Planned};
use flow::file::{Pipeline, Step};
use flow::kind::{Category, Port, Ports};
use serde::{Deserialize, Serialize};
use store::projects::Project;
use ts_rs::TS;

use crate::Engine;
use crate::pipelines::{datasets_of, positions};
use crate::projects::commit_view;
use crate::running::Wanted;

use super::datasets::{ColumnView, TablePage};
use super::documents::{PipelineDoc, Problem};

/// A kind of step, as the palette, the inspector, the CLI help and the docs show it.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct StepKindView {
    /// Its name in the pipeline file.
    pub kind: String,
    /// Its name for people.
    pub title: String,
    /// `data`, `clean`, `prepare`, `train`, `evaluate`, `release`, `code`.
    pub category: String,
    /// One sentence.
    pub summary: String,
    /// More, as Markdown.
    pub doc: String,
    /// Other words people search for.
    pub synonyms: Vec<String>,
    /// What goes in.
    pub inputs: Vec<PortView>,
    /// What comes out.
    pub outputs: Vec<PortView>,
    /// JSON Schema of the parameters; the form is made from it. `x-column`, `x-columns`,
    /// `x-dataset`, `x-expression` mark fields with a picker of their own.
    pub params: serde_json::Value,
    /// The parameters as they are if nobody changes them.
    pub defaults: serde_json::Value,
    /// Parameters to start from.
    pub presets: Vec<PresetView>,
    /// True if a step's ports depend on its parameters: see [`Validation::ports`].
    pub names_ports: bool,
}

/// Parameters that a step may start from.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PresetView {
    /// Its name, unique among all kinds.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// One sentence.
    pub summary: String,
    /// The parameters that differ from their defaults.
    pub params: serde_json::Map<String, serde_json::Value>,
}

/// A port of a step kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PortView {
    /// Its name.
    pub name: String,
    /// What flows through it.
    #[serde(rename = "type")]
    pub port_type: PortType,
    /// True if it takes several wires.
    pub is_many: bool,
    /// True if the step can run without it.
    pub is_optional: bool,
    /// One sentence.
    pub doc: String,
}

/// What flows through a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PortType {
    /// Rows and columns.
    Table,
    /// A model package.
    Model,
    /// Named numbers.
    Metrics,
    /// Figures and tables to look at.
    Report,
    /// Any files.
    Files,
}

/// A row of the list of pipelines.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PipelineSummary {
    /// Its name.
    pub name: String,
    /// How many steps.
    pub steps: u32,
    /// True if the draft differs from what git has.
    pub is_changed: bool,
    /// The datasets it reads.
    pub datasets: Vec<String>,
    /// Its last run.
    pub last_run: Option<super::runs::RunSummary>,
}

/// Names a pipeline.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelinePick {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The pipeline's name.
    pub pipeline: String,
}

/// A pipeline as it is on screen.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PipelineView {
    /// The graph: the draft if there is one, else the file.
    pub doc: PipelineDoc,
    /// The same as TOML.
    pub text: String,
    /// True if the draft differs from what git has.
    pub is_changed: bool,
    /// The last commit that touched the file.
    pub commit: Option<CommitView>,
    /// Its last run, to show states on the canvas.
    pub last_run: Option<super::runs::RunSummary>,
}

/// A commit of the project's git repository.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CommitView {
    /// The first 10 digits of its id.
    pub id: String,
    /// Its message.
    pub message: String,
    /// Who made it.
    pub author: String,
    /// When, ms since the epoch.
    pub at: i64,
}

/// Makes a pipeline: empty, or for a dataset with a target (split, prepare, three trainers,
/// compare, check, register), laid out and ready to run.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelineNew {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// Its name; from the dataset if left out.
    #[serde(default)]
    pub name: Option<String>,
    /// The dataset to build for.
    #[serde(default)]
    pub dataset: Option<String>,
}

/// Saves what is on the canvas as the draft.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelineSave {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The pipeline's name.
    pub pipeline: String,
    /// The graph.
    pub doc: PipelineDoc,
}

/// Saves the TOML text as the draft; refused with the line if it does not parse.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelineSaveText {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The pipeline's name.
    pub pipeline: String,
    /// The file's text.
    pub text: String,
}

/// Commits the draft to the project's git repository.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelineCommit {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The pipeline's name.
    pub pipeline: String,
    /// The commit's message; written for you if left out.
    #[serde(default)]
    pub message: Option<String>,
}

/// Gives a pipeline another name.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelineRename {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// Its name now.
    pub pipeline: String,
    /// Its new name.
    pub to: String,
}

/// Asks for a look at a graph: as given, or else the draft or file of that name.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelineExamine {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The pipeline's name.
    pub pipeline: String,
    /// The graph as it is on screen.
    #[serde(default)]
    pub doc: Option<PipelineDoc>,
    /// Only what this step needs.
    #[serde(default)]
    pub to: Option<String>,
}

/// Asks what a step would give, on the first rows of the data.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelinePreview {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The pipeline's name.
    pub pipeline: String,
    /// The graph as it is on screen.
    #[serde(default)]
    pub doc: Option<PipelineDoc>,
    /// The step.
    pub step: String,
    /// Its output port.
    pub port: String,
    /// How many rows of each dataset to take; 1,000 if left out.
    #[serde(default)]
    pub rows: Option<u32>,
}

/// What a step would give.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PreviewView {
    /// The first rows.
    pub page: TablePage,
    /// True if a dataset has more rows than were taken.
    pub is_sample: bool,
}

/// What is wrong with a graph, and what columns flow through it.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Validation {
    /// What is wrong; empty if it can run.
    pub problems: Vec<Problem>,
    /// Columns by `step.port`, as far as they are known without running.
    pub columns: BTreeMap<String, Vec<ColumnView>>,
    /// Ports by step, of those whose parameters name other ports than their kind has.
    pub ports: BTreeMap<String, StepPorts>,
}

/// The ports of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct StepPorts {
    /// What goes in.
    pub inputs: Vec<PortView>,
    /// What comes out.
    pub outputs: Vec<PortView>,
}

/// Adds a step to the draft of a pipeline.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelineAddStep {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The pipeline's name; it is made if it is not there.
    pub pipeline: String,
    /// The step's id; from its kind or template if left out.
    #[serde(default)]
    pub step: Option<String>,
    /// Its kind; that of the template if left out.
    #[serde(default)]
    pub kind: Option<String>,
    /// The template it starts from.
    #[serde(default)]
    pub template: Option<String>,
    /// Its parameters, over those of the template.
    #[serde(default)]
    pub params: serde_json::Map<String, serde_json::Value>,
    /// Wires by input port: each is `step.port`.
    #[serde(default)]
    pub inputs: BTreeMap<String, Vec<String>>,
}

/// What a run would do.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PlanView {
    /// The steps in the order they could run.
    pub steps: Vec<PlanStep>,
    /// How many come from the cache.
    pub cached: u32,
    /// How many would run.
    pub to_run: u32,
    /// How long it took last time, in ms, where all steps have run before.
    pub estimate_ms: Option<u64>,
}

/// What a run would do with a step.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PlanStep {
    /// The step.
    pub step: String,
    /// What would happen: its result is there, it must run, or that is known only once the
    /// steps before it have run.
    pub action: PlanAction,
    /// Why it must run: one sentence a cause.
    pub reasons: Vec<String>,
}

/// What would happen with a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PlanAction {
    /// Its result is in the cache.
    Cached,
    /// It must run.
    Run,
    /// A step before it must run first; whether this one must is known then.
    Pending,
    /// It is skipped: a run goes past it.
    Skipped,
}

/// Runs a pipeline.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelineRun {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The pipeline's name.
    pub pipeline: String,
    /// The graph as it is on screen; else the draft or file of that name.
    #[serde(default)]
    pub doc: Option<PipelineDoc>,
    /// Only what this step needs.
    #[serde(default)]
    pub to: Option<String>,
    /// This step runs again, with all that need it.
    #[serde(default)]
    #[ts(optional)]
    pub from: Option<String>,
    /// Threads in all; as many as the machine has if left out.
    #[serde(default)]
    pub threads: Option<u32>,
    /// True to run every step again.
    #[serde(default)]
    pub force: bool,
}

/// A run was started.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunStarted {
    /// The run.
    pub run_id: String,
    /// The job that executes it.
    pub job_id: String,
}

/// Asks where the steps of a graph should stand.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelineLayout {
    /// The graph.
    pub doc: PipelineDoc,
}

/// Positions by step id, in pixels.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LayoutView {
    /// Positions by step id.
    pub positions: BTreeMap<String, [f64; 2]>,
}

/// The graph that a request is about: as given, else the draft or file of that name.
pub(super) fn graph(
    engine: &Engine,
    project: &Project,
    name: &str,
    doc: Option<PipelineDoc>,
) -> Result<Pipeline> {
    match doc {
        Some(doc) => doc.try_into(),
        None => Ok(engine.pipeline(project, name)?.pipeline),
    }
}

fn view(engine: &Engine, project: &Project, name: &str) -> Result<PipelineView> {
    let current = engine.pipeline(project, name)?;
    Ok(PipelineView {
        doc: PipelineDoc::from(&current.pipeline),
        text: current.text,
        is_changed: engine.is_pipeline_changed(project, name)?,
        commit: engine.pipeline_commit(project, name)?.map(commit_view),
        last_run: engine.last_run(project, name)?,
    })
}

pub(super) fn kinds(_engine: &Engine, _request: super::workspaces::Nothing) -> Result<Vec<StepKindView>> {
    let view = |kind: &&'static dyn flow::kind::StepKind| {
        let said = kind.declaration();
        Ok(StepKindView {
            kind: said.kind.to_owned(),
            title: said.title.to_owned(),
            category: category_word(said.category).to_owned(),
            summary: said.summary.to_owned(),
            doc: said.doc.to_owned(),
            synonyms: said.synonyms.iter().map(|word| (*word).to_owned()).collect(),
            inputs: said.inputs.iter().map(PortView::from).collect(),
            outputs: said.outputs.iter().map(PortView::from).collect(),
            params: kind.params_schema(),
            defaults: kind.defaults(),
            presets: kind.presets().iter().map(preset_view).collect::<Result<_>>()?,
            names_ports: kind.names_ports(),
        })
    };
    flow::kinds::all().iter().map(view).collect()
}

fn preset_view(preset: &flow::kind::Preset) -> Result<PresetView> {
    Ok(PresetView {
        name: preset.name.to_owned(),
        title: preset.title.to_owned(),
        summary: preset.summary.to_owned(),
        params: preset.read()?,
    })
}

/// The ports of steps whose parameters name other ports than their kind has.
fn own_ports(pipeline: &Pipeline) -> BTreeMap<String, StepPorts> {
    let own = |step: &Step| {
        let kind = flow::kinds::find(&step.kind).ok()?;
        let (said, ports) = (kind.declaration(), kind.ports(&step.params).ok()?);
        let is_own = ports.inputs != said.inputs || ports.outputs != said.outputs;
        is_own.then(|| (step.id.clone(), StepPorts::from(&ports)))
    };
    pipeline.steps.iter().filter_map(own).collect()
}

impl From<&Ports> for StepPorts {
    fn from(ports: &Ports) -> Self {
        let views = |ports: &[Port]| ports.iter().map(PortView::from).collect();
        Self { inputs: views(&ports.inputs), outputs: views(&ports.outputs) }
    }
}

fn category_word(category: Category) -> &'static str {
    match category {
        Category::Data => "data",
        Category::Clean => "clean",
        Category::Prepare => "prepare",
        Category::Train => "train",
        Category::Evaluate => "evaluate",
        Category::Release => "release",
        Category::Code => "code",
    }
}

impl From<&Port> for PortView {
    fn from(port: &Port) -> Self {
        use flow::kind::PortType as Flows;
        let port_type = match port.port_type {
            Flows::Table => PortType::Table,
            Flows::Model => PortType::Model,
            Flows::Metrics => PortType::Metrics,
            Flows::Report => PortType::Report,
            Flows::Files => PortType::Files,
        };
        Self {
            name: port.name.to_string(),
            port_type,
            is_many: port.is_many(),
            is_optional: port.is_optional(),
            doc: port.doc.to_owned(),
        }
    }
}

pub(super) fn list(engine: &Engine, request: super::datasets::InProject) -> Result<Vec<PipelineSummary>> {
    let project = engine.project(request.project.as_deref())?;
    let summary = |name: String| {
        // A file that cannot be read is still listed: opening it says what is wrong with it.
        let pipeline = engine.pipeline(&project, &name).map(|current| current.pipeline);
        Ok(PipelineSummary {
            steps: pipeline.as_ref().map_or(0, |pipeline| pipeline.steps.len() as u32),
            datasets: pipeline.as_ref().map(datasets_of).unwrap_or_default(),
            is_changed: engine.is_pipeline_changed(&project, &name)?,
            last_run: engine.last_run(&project, &name)?,
            name,
        })
    };
    engine.pipeline_names(&project)?.into_iter().map(summary).collect()
}

pub(super) fn show(engine: &Engine, request: PipelinePick) -> Result<PipelineView> {
    let project = engine.project(request.project.as_deref())?;
    view(engine, &project, &request.pipeline)
}

pub(super) fn validate(engine: &Engine, request: PipelineExamine) -> Result<Validation> {
    let project = engine.project(request.project.as_deref())?;
    let pipeline = graph(engine, &project, &request.pipeline, request.doc)?;
    let (examined, expanded) = engine.examine(&project, &pipeline);
    let mut ports = own_ports(&pipeline);
    ports.extend(
        expanded
            .into_iter()
            .flat_map(|expanded| expanded.ports)
            .map(|(step, of)| (step, StepPorts::from(&of))),
    );
    let columns = examined
        .shapes
        .iter()
        .map(|(wire, shape)| (wire.to_string(), shape.columns.iter().map(ColumnView::from).collect()));
    Ok(Validation {
        columns: columns.collect(),
        ports,
        problems: examined.problems.into_iter().map(|found| Problem::of(found, &pipeline)).collect(),
    })
}

pub(super) fn plan(engine: &Engine, request: PipelineExamine) -> Result<PlanView> {
    let project = engine.project(request.project.as_deref())?;
    let pipeline = graph(engine, &project, &request.pipeline, request.doc)?;
    let (plan, skipped) = engine.plan(&project, &pipeline, request.to.as_deref())?;
    let estimate_ms = engine.estimate_ms(&project, &pipeline.name, &plan)?;
    Ok(plan_view(plan, skipped, estimate_ms))
}

pub(super) fn preview(engine: &Engine, request: PipelinePreview) -> Result<PreviewView> {
    let project = engine.project(request.project.as_deref())?;
    let pipeline = graph(engine, &project, &request.pipeline, request.doc)?;
    let expanded = engine.expanded(&project, &pipeline)?;
    let wanted = flow::file::Wire { step: request.step, port: request.port };
    let subject = flow::preview::Subject {
        pipeline: &expanded.pipeline,
        output: expanded.output(&wanted),
        rows: u64::from(request.rows.unwrap_or(1000)),
        find_source: &|source| engine.source_table(&project, source, &Progress::silent()),
    };
    let preview = flow::preview::preview(&subject, &Progress::silent())?;
    Ok(PreviewView { page: preview.page.into(), is_sample: preview.is_sample })
}

fn plan_view(plan: Plan, skipped: Vec<String>, estimate_ms: Option<u64>) -> PlanView {
    let mut steps: Vec<PlanStep> = plan
        .into_iter()
        .map(|(step, planned)| match planned {
            Planned::Cached(_) => PlanStep { step, action: PlanAction::Cached, reasons: Vec::new() },
            Planned::Run(reasons) => PlanStep { step, action: PlanAction::Run, reasons },
            Planned::Pending => {
                let reasons = vec!["a step before it must run first".to_owned()];
                PlanStep { step, action: PlanAction::Pending, reasons }
            }
        })
        .collect();
    let cached = steps.iter().filter(|step| step.action == PlanAction::Cached).count();
    let to_run = (steps.len() - cached) as u32;
    steps.extend(skipped.into_iter().map(|step| {
        let reasons = vec!["a run goes past it".to_owned()];
        PlanStep { step, action: PlanAction::Skipped, reasons }
    }));
    PlanView { cached: cached as u32, to_run, steps, estimate_ms }
}

pub(super) fn layout(_engine: &Engine, request: PipelineLayout) -> Result<LayoutView> {
    Ok(LayoutView { positions: positions(&request.doc.try_into()?) })
}

pub(super) fn new(engine: &Engine, request: PipelineNew) -> Result<PipelineView> {
    let project = engine.project(request.project.as_deref())?;
    let name = engine.new_pipeline(&project, request.name.as_deref(), request.dataset.as_deref())?;
    view(engine, &project, &name)
}

pub(super) fn save(engine: &Engine, request: PipelineSave) -> Result<PipelineView> {
    let project = engine.project(request.project.as_deref())?;
    let pipeline = Pipeline::try_from(request.doc)?;
    engine.save_draft(&project, &request.pipeline, &pipeline.to_text())?;
    view(engine, &project, &request.pipeline)
}

pub(super) fn save_text(engine: &Engine, request: PipelineSaveText) -> Result<PipelineView> {
    let project = engine.project(request.project.as_deref())?;
    engine.save_draft(&project, &request.pipeline, &request.text)?;
    view(engine, &project, &request.pipeline)
}

pub(super) fn add_step(engine: &Engine, request: PipelineAddStep) -> Result<PipelineView> {
    let project = engine.project(request.project.as_deref())?;
    let name = request.pipeline.clone();
    engine.add_step(&project, request)?;
    view(engine, &project, &name)
}

pub(super) fn commit(engine: &Engine, request: PipelineCommit) -> Result<CommitView> {
    let project = engine.project(request.project.as_deref())?;
    Ok(commit_view(engine.commit_pipeline(&project, &request.pipeline, request.message.as_deref())?))
}

pub(super) fn revert(engine: &Engine, request: PipelinePick) -> Result<PipelineView> {
    let project = engine.project(request.project.as_deref())?;
    engine.revert_pipeline(&project, &request.pipeline)?;
    view(engine, &project, &request.pipeline)
}

pub(super) fn rename(engine: &Engine, request: PipelineRename) -> Result<PipelineView> {
    let project = engine.project(request.project.as_deref())?;
    engine.rename_pipeline(&project, &request.pipeline, &request.to)?;
    view(engine, &project, &request.to)
}

pub(super) fn delete(engine: &Engine, request: PipelinePick) -> Result<()> {
    let project = engine.project(request.project.as_deref())?;
    engine.delete_pipeline(&project, &request.pipeline)
}

pub(super) fn run(engine: &Engine, request: PipelineRun) -> Result<RunStarted> {
    let project = engine.project(request.project.as_deref())?;
    let pipeline = graph(engine, &project, &request.pipeline, request.doc)?;
    let wanted = Wanted {
        from: request.from,
        to: request.to,
        threads: request.threads,
        force: request.force,
        ..Wanted::default()
    };
    engine.start_run(&project, pipeline, &wanted)
}
