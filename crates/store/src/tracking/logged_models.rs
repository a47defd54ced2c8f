//! Logged models: what a script saved as a model, with where it came from and what was measured of
//! it. A registered version may point to one.

use base::{Code, Error, Result};
use rusqlite::{Connection, Row};

use super::{Pair, experiments};
use crate::feed::Topic;
use crate::group::Entry;
use crate::sql::words;
use crate::{names, sql};

words! {
    /// How far the upload of a model is.
    ModelStatus, "the status of a model" {
        /// Its files are on their way.
        Pending = "pending",
        /// It is whole.
        Ready = "ready",
        /// The script could not bring its files.
        Failed = "failed",
    }
}

/// A logged model.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedModel {
    /// `m-` and 32 hexadecimal digits.
    pub id: String,
    /// The experiment it is in.
    pub experiment_id: i64,
    /// Its name.
    pub name: String,
    /// What kind of model it is, if the script says.
    pub model_type: Option<String>,
    /// The run it came from, as the script says.
    pub source_run_id: Option<String>,
    /// How far its upload is.
    pub status: ModelStatus,
    /// Where its files go, a URI.
    pub artifact_uri: String,
    /// When it was made, ms since 1970.
    pub created_at: i64,
    /// When its status or tags last changed.
    pub updated_at: i64,
    /// Its parameters, by key.
    pub params: Vec<Pair>,
    /// Its tags, by key.
    pub tags: Vec<Pair>,
    /// What was measured of it.
    pub metrics: Vec<ModelMetric>,
}

/// What was measured of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelMetric {
    /// What is measured.
    pub key: String,
    /// The value; NaN stays NaN.
    pub value: f64,
    /// When, ms since 1970.
    pub at_ms: i64,
    /// The step of the run.
    pub step: i64,
    /// The run that measured it.
    pub run_id: String,
    /// The dataset it was measured on.
    pub dataset_name: Option<String>,
    /// The fingerprint of that.
    pub dataset_digest: Option<String>,
}

/// What is known of a model when it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLoggedModel {
    /// Its id; a new one if none.
    pub id: Option<String>,
    /// The experiment it is in.
    pub experiment_id: i64,
    /// Its name.
    pub name: String,
    /// What kind of model it is.
    pub model_type: Option<String>,
    /// The run it comes from.
    pub source_run_id: Option<String>,
    /// Its parameters.
    pub params: Vec<Pair>,
    /// Its tags.
    pub tags: Vec<Pair>,
}

const SELECT: &str = "select id, experiment_id, name, model_type, source_run_id, status, artifact_uri, \
                      created_at, updated_at from logged_models";

impl LoggedModel {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            experiment_id: row.get("experiment_id")?,
            name: row.get("name")?,
            model_type: row.get("model_type")?,
            source_run_id: row.get("source_run_id")?,
            status: sql::parsed(row, "status")?,
            artifact_uri: row.get("artifact_uri")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
            params: Vec::new(),
            tags: Vec::new(),
            metrics: Vec::new(),
        })
    }
}

/// Makes a model whose files are on their way.
///
/// # Errors
/// `NotFound` for an unknown experiment; `Conflict` when that is deleted.
pub fn create(e: &mut Entry<'_>, new: &NewLoggedModel) -> Result<LoggedModel> {
    let experiment = experiments::get(e, new.experiment_id)?;
    if experiment.deleted_at.is_some() {
        return Err(Error::new(Code::Conflict, format!("experiment {} is deleted", experiment.id)));
    }
    let id = new.id.clone().unwrap_or_else(|| format!("m-{}", base::ModelId::new()));
    let location = experiment.artifact_location.trim_end_matches('/');
    let uri = format!("{location}/models/{id}/artifacts");
    sql::change(
        e,
        "insert into logged_models (id, experiment_id, name, model_type, source_run_id, status, artifact_uri,
            created_at, updated_at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
        (
            &id,
            experiment.id,
            &new.name,
            &new.model_type,
            &new.source_run_id,
            ModelStatus::Pending,
            uri,
            e.now().as_ms(),
        ),
    )?;
    add_params(e, &id, &new.params)?;
    put_tags(e, &id, &new.tags)?;
    get(e, &id)
}

/// The model with this id.
///
/// # Errors
/// `NotFound`, also for a deleted one.
pub fn get(db: &Connection, id: &str) -> Result<LoggedModel> {
    let found = all(db, &[id.to_owned()])?.into_iter().next();
    found.ok_or_else(|| names::unknown("logged model", id))
}

/// These models, in the order of `ids`; those that are deleted are left out.
///
/// # Errors
/// When the workspace cannot be read.
pub fn all(db: &Connection, ids: &[String]) -> Result<Vec<LoggedModel>> {
    let query = format!("{SELECT} where id = ?1 and deleted_at is null");
    let mut models = Vec::with_capacity(ids.len());
    for id in ids {
        let found = sql::first(db, &query, [id], LoggedModel::read)?;
        models.extend(found.map(|model| with_logged(db, model)).transpose()?);
    }
    Ok(models)
}

/// The model with this id, also a deleted one.
pub(super) fn find(db: &Connection, id: &str) -> Result<Option<LoggedModel>> {
    let found = sql::first(db, &format!("{SELECT} where id = ?1"), [id], LoggedModel::read)?;
    found.map(|model| with_logged(db, model)).transpose()
}

/// Adds what was logged to a model.
fn with_logged(db: &Connection, mut model: LoggedModel) -> Result<LoggedModel> {
    let pairs = |table: &str| {
        let query = format!("select key, value from {table} where model_id = ?1 order by key");
        sql::many(db, &query, [&model.id], |row| Ok((row.get("key")?, row.get("value")?)))
    };
    model.params = pairs("logged_model_params")?;
    model.tags = pairs("logged_model_tags")?;
    model.metrics = metrics(db, &model.id)?;
    Ok(model)
}

fn metrics(db: &Connection, id: &str) -> Result<Vec<ModelMetric>> {
    let query = "select key, value, at_ms, step, run_id, dataset_name, dataset_digest
                 from logged_model_metrics where model_id = ?1 order by key, at_ms, step, run_id";
    sql::many(db, query, [id], |row| {
        Ok(ModelMetric {
            key: row.get("key")?,
            value: row.get::<_, Option<f64>>("value")?.unwrap_or(f64::NAN),
            at_ms: row.get("at_ms")?,
            step: row.get("step")?,
            run_id: row.get("run_id")?,
            dataset_name: row.get("dataset_name")?,
            dataset_digest: row.get("dataset_digest")?,
        })
    })
}

/// Says how the upload of a model ended.
///
/// # Errors
/// `NotFound`.
pub fn set_status(e: &mut Entry<'_>, id: &str, status: ModelStatus) -> Result<LoggedModel> {
    let now = e.now().as_ms();
    let query = "update logged_models set status = ?2, updated_at = ?3 where id = ?1 and deleted_at is null";
    if sql::change(e, query, (id, status, now))? == 0 {
        return Err(names::unknown("logged model", id));
    }
    unsettle(e, id)?;
    get(e, id)
}

/// Sets tags, also those that are there.
///
/// # Errors
/// `NotFound`.
pub fn set_tags(e: &mut Entry<'_>, id: &str, tags: &[Pair]) -> Result<()> {
    get(e, id)?;
    put_tags(e, id, tags)
}

fn put_tags(e: &mut Entry<'_>, id: &str, tags: &[Pair]) -> Result<()> {
    for (key, value) in tags {
        sql::change(
            e,
            "insert into logged_model_tags (model_id, key, value) values (?1, ?2, ?3)
             on conflict (model_id, key) do update set value = excluded.value",
            (id, key, value),
        )?;
    }
    unsettle(e, id)
}

/// Removes a tag; false when there was none.
///
/// # Errors
/// `NotFound` for an unknown model.
pub fn delete_tag(e: &mut Entry<'_>, id: &str, key: &str) -> Result<bool> {
    get(e, id)?;
    unsettle(e, id)?;
    Ok(sql::change(e, "delete from logged_model_tags where model_id = ?1 and key = ?2", (id, key))? > 0)
}

/// Adds parameters; one that is there keeps its value.
///
/// # Errors
/// When the workspace cannot be written.
pub fn add_params(e: &mut Entry<'_>, id: &str, params: &[Pair]) -> Result<()> {
    for (key, value) in params {
        sql::change(
            e,
            "insert or ignore into logged_model_params (model_id, key, value) values (?1, ?2, ?3)",
            (id, key, value),
        )?;
    }
    unsettle(e, id)
}

/// Adds measurements; the same one again changes nothing.
///
/// # Errors
/// `NotFound`.
pub fn add_metrics(e: &mut Entry<'_>, id: &str, metrics: &[ModelMetric]) -> Result<()> {
    get(e, id)?;
    for metric in metrics {
        let value = (!metric.value.is_nan()).then_some(metric.value);
        sql::change(
            e,
            "insert or ignore into logged_model_metrics (model_id, key, at_ms, step, run_id, value,
                dataset_name, dataset_digest) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            (
                id,
                &metric.key,
                metric.at_ms,
                metric.step,
                &metric.run_id,
                value,
                &metric.dataset_name,
                &metric.dataset_digest,
            ),
        )?;
    }
    unsettle(e, id)
}

/// Hides a model for good; its files stay with what points to them.
///
/// # Errors
/// `NotFound`.
pub fn delete(e: &mut Entry<'_>, id: &str) -> Result<()> {
    let now = e.now().as_ms();
    let query = "update logged_models set deleted_at = ?2 where id = ?1 and deleted_at is null";
    if sql::change(e, query, (id, now))? == 0 {
        return Err(names::unknown("logged model", id));
    }
    unsettle(e, id)
}

fn unsettle(e: &mut Entry<'_>, id: &str) -> Result<()> {
    e.touch(Topic::Runs);
    e.unsettle_as("logged_model", id)
}
