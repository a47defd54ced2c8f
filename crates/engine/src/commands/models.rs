//! Models: versions, aliases, gates, promotion, prediction.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base::{Code, Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::projects::Project;
use ts_rs::TS;

use super::datasets::{ColumnKind, TaskView, reply};
use super::figures::Figure;
use super::jobs::JobRef;
use super::runs::DatasetLink;
use crate::Engine;
use crate::jobs::Title;
use crate::models::{PRODUCTION, Picked};

/// A row of the list of models.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ModelSummary {
    /// Its name.
    pub name: String,
    /// The newest version.
    pub version: u32,
    /// How many versions.
    pub versions: u32,
    /// Version number by alias.
    pub aliases: BTreeMap<String, u32>,
    /// The newest version's metrics.
    pub metrics: BTreeMap<String, f64>,
    /// What it answers; null if a script logged the newest version in another form than ONNX.
    pub task: Option<TaskView>,
    /// When the newest version came, ms since the epoch.
    pub created_at: i64,
    /// Endpoints that serve it.
    pub endpoints: Vec<String>,
}

/// Names a model.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelPick {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// Its name.
    pub model: String,
}

/// Names a version: its number or an alias; the newest if left out.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelVersionPick {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The model.
    pub model: String,
    /// `3`, `champion`, `production` ….
    #[serde(default)]
    pub version: Option<String>,
}

/// A model with its versions.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ModelDetail {
    /// The row of the list.
    pub summary: ModelSummary,
    /// Every version, newest first.
    pub versions: Vec<ModelVersionRow>,
    /// Who moved which alias when, newest first.
    pub history: Vec<AliasMove>,
}

/// A version in the list of a model.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ModelVersionRow {
    /// Its number.
    pub number: u32,
    /// Aliases that point at it.
    pub aliases: Vec<String>,
    /// Its metrics.
    pub metrics: BTreeMap<String, f64>,
    /// The trainer, for people.
    pub trainer: String,
    /// The run it came from.
    pub run_id: String,
    /// That run's number.
    pub run_number: u32,
    /// When it was registered, ms since the epoch.
    pub created_at: i64,
}

/// An alias was moved.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AliasMove {
    /// The alias.
    pub alias: String,
    /// The version it pointed at before.
    pub from: Option<u32>,
    /// The version it points at since.
    pub to: u32,
    /// Why, as the user said.
    pub reason: Option<String>,
    /// When, ms since the epoch.
    pub at: i64,
}

/// A model version with everything about it.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ModelVersionDetail {
    /// The model.
    pub model: String,
    /// The version.
    pub row: ModelVersionRow,
    /// What it answers; null for a model that a script logged in another form than a package of ours.
    pub task: Option<TaskView>,
    /// The column it predicts; empty without a task, as is all else that only a package of ours says.
    pub target: String,
    /// The classes it knows.
    pub classes: Vec<String>,
    /// What goes in.
    pub inputs: Vec<FieldView>,
    /// What comes out.
    pub outputs: Vec<FieldView>,
    /// The trainer's parameters.
    pub params: BTreeMap<String, serde_json::Value>,
    /// The fitted transforms before the trainer, one sentence each.
    pub recipe: Vec<String>,
    /// ROC, confusion, importance ….
    pub figures: Vec<Figure>,
    /// The package scores as the run did: how exactly.
    pub parity: Option<ParityView>,
    /// The dataset version it learned from.
    pub dataset: Option<DatasetLink>,
    /// The step that trained it.
    pub step: String,
    /// The pipeline.
    pub pipeline: String,
    /// Endpoints that serve it.
    pub endpoints: Vec<String>,
    /// Bytes of the package.
    pub size_bytes: u64,
    /// BLAKE3 of the package.
    pub digest: String,
    /// Its files by path, the first two hundred.
    pub files: Vec<ModelFile>,
    /// How many files there are.
    pub file_count: u32,
}

/// A file of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ModelFile {
    /// Its path in the package, with `/` between names.
    pub path: String,
    /// Its size.
    pub size_bytes: u64,
}

/// Files of a version that are listed.
const MOST_FILES: usize = 200;

/// A named value that goes in or out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FieldView {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: ColumnKind,
}

/// Held-out rows scored by the package and by the run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ParityView {
    /// Rows compared.
    pub rows: u64,
    /// Largest absolute difference of any output.
    pub max_abs_diff: f64,
}

/// Registers a model that a run trained.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelRegister {
    /// The run.
    pub run: String,
    /// The step that trained it; the best one if left out.
    #[serde(default)]
    pub step: Option<String>,
    /// The model's name; the pipeline's if left out.
    #[serde(default)]
    pub name: Option<String>,
}

/// Asks what stands between a version and an alias.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelGate {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The model.
    pub model: String,
    /// The version; the newest if left out.
    #[serde(default)]
    pub version: Option<String>,
    /// The alias; `production` if left out.
    #[serde(default)]
    pub alias: Option<String>,
}

/// Every check that must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct GateReport {
    /// The model.
    pub model: String,
    /// The version.
    pub version: u32,
    /// The alias.
    pub alias: String,
    /// The version the alias points at now.
    pub current: Option<u32>,
    /// The checks in order.
    pub checks: Vec<GateCheck>,
    /// True if every check that blocks holds.
    pub is_open: bool,
}

/// One check of a gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct GateCheck {
    /// What is checked.
    pub name: String,
    /// Whether it holds.
    pub status: CheckStatus,
    /// What was found, in a sentence.
    pub message: String,
}

/// Whether a check holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// It holds.
    Passed,
    /// It does not, but does not block.
    Warning,
    /// It does not, and blocks.
    Failed,
}

/// Moves an alias to a version if the gate is open.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelPromote {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The model.
    pub model: String,
    /// The version; the newest if left out.
    #[serde(default)]
    pub version: Option<String>,
    /// The alias; `production` if left out.
    #[serde(default)]
    pub alias: Option<String>,
    /// Why; goes into the audit log.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Scores a file with a version.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelPredict {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The model.
    pub model: String,
    /// The version; the newest if left out.
    #[serde(default)]
    pub version: Option<String>,
    /// A CSV file with the model's inputs.
    pub path: String,
    /// The CSV file to write; it must not exist.
    pub to: String,
}

/// Writes the package as a folder that MLflow, onnxruntime and fettle-serve read.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelExport {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The model.
    pub model: String,
    /// The version; the newest if left out.
    #[serde(default)]
    pub version: Option<String>,
    /// The folder to write; it must not exist.
    pub to: String,
}

/// Points at a model version, with the aliases it has now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ModelLinkView {
    /// The model.
    pub model: String,
    /// The version's number.
    pub version: u32,
    /// Aliases that point at it.
    pub aliases: Vec<String>,
}

fn summary(engine: &Engine, project: &Project, name: &str) -> Result<ModelSummary> {
    let newest = engine.pick(project, name, None)?;
    let (aliases, versions) = engine.store().read(|db| {
        Ok((store::models::aliases(db, &newest.model.id)?, store::models::versions(db, &newest.model.id)?))
    })?;
    let package = known_package(engine, &newest.version)?;
    let mut endpoints = Vec::new();
    for version in &versions {
        endpoints.extend(engine.endpoints_of(version)?);
    }
    Ok(ModelSummary {
        name: newest.model.name,
        version: newest.version.number,
        versions: versions.len() as u32,
        aliases: aliases.into_iter().map(|alias| (alias.name, alias.number)).collect(),
        metrics: metrics_of(&newest.version.metrics),
        task: package.as_ref().and_then(|package| Some(package.card()?.task.into())),
        created_at: newest.version.created_at.as_ms(),
        endpoints,
    })
}

fn metrics_of(metrics: &Value) -> BTreeMap<String, f64> {
    serde_json::from_value(metrics.clone()).unwrap_or_default()
}

/// The package of a version; none for what a script logged in another form, which is listed all the same.
fn known_package(engine: &Engine, version: &store::models::ModelVersion) -> Result<Option<score::Package>> {
    match engine.package(version) {
        Ok(package) => Ok(Some(package)),
        Err(error) if error.code == Code::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn row(engine: &Engine, picked: &Picked) -> Result<ModelVersionRow> {
    let version = &picked.version;
    let run = match &version.run_id {
        Some(id) => Some(engine.store().read(|db| store::runs::get(db, id))?),
        None => None,
    };
    let package = known_package(engine, version)?;
    let card = package.as_ref().and_then(score::Package::card);
    let kind = card.and_then(|card| flow::kinds::find(&card.trainer.kind).ok());
    Ok(ModelVersionRow {
        number: version.number,
        aliases: picked.aliases.clone(),
        metrics: metrics_of(&version.metrics),
        trainer: kind.map_or_else(|| "unknown".to_owned(), |kind| kind.declaration().title.to_owned()),
        run_id: run.as_ref().map_or_else(String::new, |run| run.id.to_string()),
        run_number: run.map_or(0, |run| run.number),
        created_at: version.created_at.as_ms(),
    })
}

pub(super) fn list(engine: &Engine, request: super::datasets::InProject) -> Result<Vec<ModelSummary>> {
    let project = engine.project(request.project.as_deref())?;
    let models = engine.store().read(|db| store::models::list(db, &project.id))?;
    models
        .iter()
        .filter(|model| model.last_number > 0)
        .map(|model| summary(engine, &project, &model.name))
        .collect()
}

pub(super) fn show(engine: &Engine, request: ModelPick) -> Result<ModelDetail> {
    let project = engine.project(request.project.as_deref())?;
    let model = engine.model(&project, &request.model)?;
    let (versions, moves) = engine.store().read(|db| {
        Ok((store::models::versions(db, &model.id)?, store::models::promotions(db, &model.id)?))
    })?;
    let mut rows = Vec::new();
    for version in versions {
        rows.push(row(engine, &engine.model_version(&version.id)?)?);
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.number));
    let mut history: Vec<AliasMove> = moves.into_iter().filter_map(alias_move).collect();
    history.sort_by_key(|one| std::cmp::Reverse(one.at));
    Ok(ModelDetail { summary: summary(engine, &project, &model.name)?, versions: rows, history })
}

fn alias_move(promotion: store::models::Promotion) -> Option<AliasMove> {
    Some(AliasMove {
        alias: promotion.alias,
        from: promotion.from,
        to: promotion.to?,
        reason: Some(promotion.note).filter(|note| !note.is_empty()),
        at: promotion.at.as_ms(),
    })
}

pub(super) fn version(engine: &Engine, request: ModelVersionPick) -> Result<ModelVersionDetail> {
    let project = engine.project(request.project.as_deref())?;
    let picked = engine.pick(&project, &request.model, request.version.as_deref())?;
    let tree = engine.store().objects().tree(&picked.version.package)?;
    let files = tree.entries.iter().take(MOST_FILES);
    let plain = ModelVersionDetail {
        model: picked.model.name.clone(),
        row: row(engine, &picked)?,
        task: None,
        target: String::new(),
        classes: Vec::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        params: BTreeMap::new(),
        recipe: Vec::new(),
        figures: Vec::new(),
        parity: picked.version.parity.clone().and_then(|parity| serde_json::from_value(parity).ok()),
        dataset: None,
        step: String::new(),
        pipeline: String::new(),
        endpoints: engine.endpoints_of(&picked.version)?,
        size_bytes: picked.version.package_bytes,
        digest: picked.version.package.to_hex(),
        files: files.map(|one| ModelFile { path: one.path.clone(), size_bytes: one.size }).collect(),
        file_count: u32::try_from(tree.entries.len()).unwrap_or(u32::MAX),
    };
    let package = known_package(engine, &picked.version)?;
    let Some(card) = package.as_ref().and_then(|package| package.card()) else { return Ok(plain) };
    let (inputs, outputs) = (card.signature.inputs.iter(), card.signature.outputs.iter());
    let origin = engine.origin(&picked.version)?;
    Ok(ModelVersionDetail {
        task: Some(card.task.into()),
        target: card.target.clone(),
        classes: card.classes.clone(),
        inputs: inputs.map(|one| FieldView { name: one.name.clone(), kind: one.kind.into() }).collect(),
        outputs: outputs.map(|one| FieldView { name: one.name.clone(), kind: one.kind.into() }).collect(),
        params: serde_json::from_value(card.trainer.params.clone()).unwrap_or_default(),
        recipe: flow::kinds::recipe_sentences(&card.recipe),
        figures: crate::run_views::figures_in(&engine.package_dir(&picked.version.package)?)?,
        dataset: origin.dataset,
        step: origin.step,
        pipeline: origin.pipeline,
        ..plain
    })
}

pub(super) fn gate(engine: &Engine, request: ModelGate) -> Result<GateReport> {
    let project = engine.project(request.project.as_deref())?;
    let picked = engine.pick(&project, &request.model, request.version.as_deref())?;
    engine.gate(&picked, request.alias.as_deref().unwrap_or(PRODUCTION))
}

pub(super) fn promote(engine: &Engine, request: ModelPromote) -> Result<GateReport> {
    let project = engine.project(request.project.as_deref())?;
    let picked = engine.pick(&project, &request.model, request.version.as_deref())?;
    engine.promote(&picked, request.alias.as_deref().unwrap_or(PRODUCTION), request.reason.as_deref())
}

pub(super) fn register(engine: &Engine, request: ModelRegister) -> Result<super::runs::ModelLink> {
    engine.register_from_run(&request.run, request.step.as_deref(), request.name.as_deref())
}

pub(super) fn verify(engine: &Engine, request: ModelVersionPick) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    let picked = engine.pick(&project, &request.model, request.version.as_deref())?;
    let title = title("model.verify", "Verifying", &picked);
    Ok(engine.start_job(&title, move |engine, _| reply(engine.verify(&picked.version)?))?.into())
}

pub(super) fn predict(engine: &Engine, request: ModelPredict) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    let picked = engine.pick(&project, &request.model, request.version.as_deref())?;
    let (from, to) = (PathBuf::from(request.path), absent(&request.to)?);
    let title = title("model.predict", "Scoring with", &picked);
    let job = engine.start_job(&title, move |engine, progress| {
        let rows = engine.predict_file(&picked.version, &from, &to, progress)?;
        Ok(json!({ "rows": rows, "path": to }))
    })?;
    Ok(job.into())
}

pub(super) fn export(engine: &Engine, request: ModelExport) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    let picked = engine.pick(&project, &request.model, request.version.as_deref())?;
    let to = absent(&request.to)?;
    let title = title("model.export", "Exporting", &picked);
    let job = engine.start_job(&title, move |engine, _| {
        engine.store().objects().get_tree(&picked.version.package, &to)?;
        Ok(json!({ "path": to }))
    })?;
    Ok(job.into())
}

fn title<'a>(kind: &'a str, doing: &str, picked: &Picked) -> Title<'a> {
    let subject = json!({ "model": picked.model.name, "version": picked.version.number });
    Title { kind, title: format!("{doing} {} v{}", picked.model.name, picked.version.number), subject }
}

/// A path that is not taken.
fn absent(path: &str) -> Result<PathBuf> {
    let path = PathBuf::from(path);
    if path.exists() {
        return Err(Error::new(Code::AlreadyExists, format!("`{}` is there already", path.display()))
            .hint("choose another name"));
    }
    Ok(path)
}
