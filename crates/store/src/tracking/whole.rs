//! Records that come whole from another store, with the ids, times and numbers they have there; and
//! the same records of ours, to be compared with them or to go out. What is there already is never
//! written over here: whoever calls this has looked.

use std::collections::BTreeMap;

use base::{ModelId, ProjectId, Result, RunId, VersionId};
use rusqlite::Connection;

use super::Pair;
use super::artifacts::{self, StoredFile};
use super::experiments::{self, Experiment};
use super::inputs::{self, Inputs};
use super::logged_models::{self, LoggedModel};
use super::points::{self, Point};
use super::registry::{self, VersionFacts};
use super::script_runs::{self, ScriptRun};
use crate::doors::Write;
use crate::feed::Topic;
use crate::group::Entry;
use crate::models::NewModelVersion;
use crate::sql;

/// A run with everything that was logged to it.
#[derive(Debug, Clone, PartialEq)]
pub struct WholeRun {
    /// The run. Its name and the tag of its name are one.
    pub run: ScriptRun,
    /// When it went to the trash, if it is there.
    pub deleted_at: Option<i64>,
    /// Its parameters, by key.
    pub params: Vec<Pair>,
    /// Its tags, by key.
    pub tags: Vec<Pair>,
    /// Its curves, by key.
    pub curves: BTreeMap<String, Vec<Point>>,
    /// Datasets and models that went in, models that came out.
    pub inputs: Inputs,
    /// Its files, by their path below its root.
    pub files: Vec<(String, StoredFile)>,
}

/// A logged model with its files.
#[derive(Debug, Clone, PartialEq)]
pub struct WholeModel {
    /// The model.
    pub model: LoggedModel,
    /// When it was deleted, if it was.
    pub deleted_at: Option<i64>,
    /// Its files, by their path below its root.
    pub files: Vec<(String, StoredFile)>,
}

/// A registered model without its versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeRegistered {
    /// Its name.
    pub name: String,
    /// What somebody wrote about it.
    pub note: String,
    /// When it was made, ms since 1970.
    pub created_at: i64,
    /// When it last changed.
    pub updated_at: i64,
    /// Its tags.
    pub tags: Vec<Pair>,
    /// The number of its newest version, also of one that was deleted.
    pub last_number: u32,
}

/// A version with the number it has where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct WholeVersion {
    /// Its number.
    pub number: u32,
    /// When it was registered, ms since 1970.
    pub created_at: i64,
    /// When it last changed.
    pub updated_at: i64,
    /// What it holds.
    pub content: NewModelVersion,
    /// Where it came from and what was said of it.
    pub facts: VersionFacts,
    /// Its tags.
    pub tags: Vec<Pair>,
}

/// Adds an experiment, also a deleted one.
///
/// # Errors
/// `Conflict` when its number or its name is taken.
pub fn put_experiment(w: &mut Write<'_>, new: &Experiment) -> Result<()> {
    sql::change(
        w,
        "insert into experiments (id, project_id, name, artifact_location, created_at, updated_at, deleted_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (
            new.id,
            new.project_id.as_str(),
            &new.name,
            &new.artifact_location,
            new.created_at.as_ms(),
            new.updated_at.as_ms(),
            new.deleted_at.map(base::Timestamp::as_ms),
        ),
    )?;
    for (key, value) in &new.tags {
        let query = "insert into experiment_tags (experiment_id, key, value) values (?1, ?2, ?3)";
        sql::change(w, query, (new.id, key, value))?;
    }
    experiments::publish(w, new.id);
    Ok(())
}

/// Adds a run.
///
/// # Errors
/// `NotFound` for an unknown experiment; `Conflict` when its id is taken.
pub fn put_run(e: &mut Entry<'_>, new: &WholeRun) -> Result<()> {
    let run = &new.run;
    let experiment = experiments::get(e, run.experiment_id)?;
    let number: u32 = sql::value(
        e,
        "update projects set last_run_number = last_run_number + 1 where id = ?1 returning last_run_number",
        [experiment.project_id.as_str()],
    )?;
    sql::change(
        e,
        "insert into runs (id, project_id, pipeline, number, name, experiment, state, note, created_at,
            started_at, finished_at, trashed_at)
         values (?1, ?2, '', ?3, ?4, ?5, ?6, '', ?7, ?7, ?8, ?9)",
        (
            run.id.as_str(),
            experiment.project_id.as_str(),
            number,
            &run.name,
            &experiment.name,
            run.state,
            run.started_at,
            run.ended_at,
            new.deleted_at,
        ),
    )?;
    sql::change(
        e,
        "insert into script_runs (run_id, experiment_id, user_id, started_at, ended_at, artifact_uri)
         values (?1, ?2, ?3, ?4, ?5, ?6)",
        (run.id.as_str(), run.experiment_id, &run.user_id, run.started_at, run.ended_at, &run.artifact_uri),
    )?;
    script_runs::set_tags(e, &run.id, &new.tags)?;
    script_runs::add_params(e, &run.id, &new.params)?;
    points::log(e, &run.id, &new.curves)?;
    inputs::add_datasets(e, &run.id, run.experiment_id, &new.inputs.datasets)?;
    inputs::add_models(e, &run.id, &new.inputs.models)?;
    inputs::add_outputs(e, &run.id, &new.inputs.outputs)?;
    put_files(e, &run.artifact_uri, &new.files)
}

/// Adds files below the root of a run or a model, where that is ours.
///
/// # Errors
/// `Conflict` when a folder is where a file has to be, or the other way round.
pub fn put_files(e: &mut Entry<'_>, root: &str, files: &[(String, StoredFile)]) -> Result<()> {
    let Some(root) = artifacts::path_of(root) else { return Ok(()) };
    files.iter().try_for_each(|(path, file)| artifacts::put(e, &format!("{root}/{path}"), *file))
}

/// A run with everything that was logged to it; `None` when no script began one with this id.
///
/// # Errors
/// When the workspace cannot be read.
pub fn run(db: &Connection, id: &RunId) -> Result<Option<WholeRun>> {
    let Some(run) = script_runs::find(db, id)? else { return Ok(None) };
    let trashed = "select trashed_at from runs where id = ?1";
    let logged = script_runs::logged(db, std::slice::from_ref(id))?.remove(id).unwrap_or_default();
    let mut curves = BTreeMap::new();
    for key in logged.metrics.iter().map(|metric| &metric.last.key) {
        curves.insert(key.clone(), points::history(db, id, key, None, u32::MAX)?);
    }
    Ok(Some(WholeRun {
        deleted_at: sql::value(db, trashed, [id.as_str()])?,
        params: logged.params,
        tags: logged.tags,
        curves,
        inputs: logged.inputs,
        files: files(db, &run.artifact_uri)?,
        run,
    }))
}

/// The ids of all runs by scripts, by experiment and id.
///
/// # Errors
/// When the workspace cannot be read.
pub fn run_ids(db: &Connection) -> Result<Vec<RunId>> {
    sql::many(db, "select run_id from script_runs order by experiment_id, run_id", [], |row| {
        sql::parsed(row, "run_id")
    })
}

/// Adds a logged model, also a deleted one.
///
/// # Errors
/// `Conflict` when its id is taken.
pub fn put_logged_model(e: &mut Entry<'_>, new: &WholeModel) -> Result<()> {
    let model = &new.model;
    sql::change(
        e,
        "insert into logged_models (id, experiment_id, name, model_type, source_run_id, status, artifact_uri,
            created_at, updated_at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        (
            &model.id,
            model.experiment_id,
            &model.name,
            &model.model_type,
            &model.source_run_id,
            model.status,
            &model.artifact_uri,
            model.created_at,
            model.updated_at,
        ),
    )?;
    logged_models::add_params(e, &model.id, &model.params)?;
    logged_models::set_tags(e, &model.id, &model.tags)?;
    logged_models::add_metrics(e, &model.id, &model.metrics)?;
    let query = "update logged_models set deleted_at = ?2 where id = ?1";
    sql::change(e, query, (&model.id, new.deleted_at))?;
    put_files(e, &model.artifact_uri, &new.files)
}

/// A logged model with its files, also a deleted one.
///
/// # Errors
/// When the workspace cannot be read.
pub fn logged_model(db: &Connection, id: &str) -> Result<Option<WholeModel>> {
    let Some(model) = logged_models::find(db, id)? else { return Ok(None) };
    let deleted = "select deleted_at from logged_models where id = ?1";
    Ok(Some(WholeModel {
        deleted_at: sql::value(db, deleted, [id])?,
        files: files(db, &model.artifact_uri)?,
        model,
    }))
}

/// The ids of all logged models, also of deleted ones, by experiment and id.
///
/// # Errors
/// When the workspace cannot be read.
pub fn logged_model_ids(db: &Connection) -> Result<Vec<String>> {
    sql::many(db, "select id from logged_models order by experiment_id, id", [], |row| row.get(0))
}

fn files(db: &Connection, uri: &str) -> Result<Vec<(String, StoredFile)>> {
    let Some(root) = artifacts::path_of(uri) else { return Ok(Vec::new()) };
    let file =
        |entry: crate::TreeEntry| (entry.path, StoredFile { digest: entry.digest, size_bytes: entry.size });
    Ok(artifacts::tree(db, root)?.into_iter().map(file).collect())
}

/// Adds a registered model without versions.
///
/// # Errors
/// `Conflict` when its name is taken in the project.
pub fn put_model(w: &mut Write<'_>, project_id: &ProjectId, new: &WholeRegistered) -> Result<ModelId> {
    let id = ModelId::new();
    sql::change(
        w,
        "insert into models (id, project_id, name, note, created_at, last_number) values (?1, ?2, ?3, ?4, ?5, ?6)",
        (id.as_str(), project_id.as_str(), &new.name, &new.note, new.created_at, new.last_number),
    )?;
    for tag in &new.tags {
        registry::put_model_tag(w, &id, tag)?;
    }
    let query = "insert into model_facts (model_id, updated_at) values (?1, ?2)";
    sql::change(w, query, (id.as_str(), new.updated_at))?;
    registry::publish_model(w, &id);
    Ok(id)
}

/// Adds a version with a number of its own.
///
/// # Errors
/// `Conflict` when the model has a version of that number.
pub fn put_version(w: &mut Write<'_>, model_id: &ModelId, new: &WholeVersion) -> Result<VersionId> {
    let (id, content) = (VersionId::new(), &new.content);
    sql::change(
        w,
        "insert into model_versions (id, model_id, number, package, package_bytes, run_id, step_id,
            dataset_version_id, metrics, parity, signature, note, created_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, null, null, ?7, null, ?8, ?9, ?10)",
        (
            id.as_str(),
            model_id.as_str(),
            new.number,
            content.package,
            content.package_bytes,
            content.run_id.as_ref().map(RunId::as_str),
            sql::to_json(&content.metrics),
            sql::to_json(&content.signature),
            &content.note,
            new.created_at,
        ),
    )?;
    let query = "update models set last_number = max(last_number, ?2) where id = ?1";
    sql::change(w, query, (model_id.as_str(), new.number))?;
    for tag in &new.tags {
        registry::put_version_tag(w, &id, tag)?;
    }
    registry::put_facts(w, &id, &new.facts, new.updated_at)?;
    w.touch(Topic::Models);
    Ok(id)
}
