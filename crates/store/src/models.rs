//! Registered models, their immutable versions, and the aliases that move between them.

use base::{Error, ModelId, ProjectId, Result, RunId, Timestamp, VersionId};
use rusqlite::{Connection, Row};
use serde_json::Value;

use crate::doors::Write;
use crate::feed::Topic;
use crate::manifests::Publication;
use crate::{Digest, names, sql};

/// A registered model over all its versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Its id.
    pub id: ModelId,
    /// The project it is in.
    pub project_id: ProjectId,
    /// Its name, unique in the project.
    pub name: String,
    /// What somebody wrote about it.
    pub note: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// The number of its newest version; 0 before the first.
    pub last_number: u32,
}

/// One version of a model. Only its note changes.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelVersion {
    /// Its id.
    pub id: VersionId,
    /// The model.
    pub model_id: ModelId,
    /// 1, 2, 3 within the model; never given twice.
    pub number: u32,
    /// The model directory, a tree.
    pub package: Digest,
    /// What its files take.
    pub package_bytes: u64,
    /// The run that made it; `None` when it was imported.
    pub run_id: Option<RunId>,
    /// The step of that run.
    pub step_id: Option<String>,
    /// The data it was trained on.
    pub dataset_version_id: Option<VersionId>,
    /// Its metrics.
    pub metrics: Value,
    /// The proof that it predicts outside of the run what it predicted in it.
    pub parity: Option<Value>,
    /// Its inputs and outputs.
    pub signature: Value,
    /// What somebody wrote about it.
    pub note: String,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// What is registered as a version.
#[derive(Debug, Clone, PartialEq)]
pub struct NewModelVersion {
    /// The model directory, a tree.
    pub package: Digest,
    /// What its files take.
    pub package_bytes: u64,
    /// The run that made it.
    pub run_id: Option<RunId>,
    /// The step of that run.
    pub step_id: Option<String>,
    /// The data it was trained on.
    pub dataset_version_id: Option<VersionId>,
    /// Its metrics.
    pub metrics: Value,
    /// The proof that it predicts outside of the run what it predicted in it.
    pub parity: Option<Value>,
    /// Its inputs and outputs.
    pub signature: Value,
    /// What somebody wrote about it.
    pub note: String,
}

/// A name that points to one version of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The model.
    pub model_id: ModelId,
    /// The name, such as `champion`.
    pub name: String,
    /// The version it points to.
    pub number: u32,
    /// Since when.
    pub changed_at: Timestamp,
}

/// One move of an alias.
#[derive(Debug, Clone, PartialEq)]
pub struct Promotion {
    /// The model.
    pub model_id: ModelId,
    /// Its place in the order of all writes.
    pub sequence: i64,
    /// The alias.
    pub alias: String,
    /// Where it was; `None` when it was new.
    pub from: Option<u32>,
    /// Where it went; `None` when it was removed.
    pub to: Option<u32>,
    /// What the gates said.
    pub gates: Option<Value>,
    /// What somebody wrote about it.
    pub note: String,
    /// When.
    pub at: Timestamp,
}

const MODEL: &str = "id, project_id, name, note, created_at, last_number";
const VERSION: &str = "id, model_id, number, package, package_bytes, run_id, step_id, dataset_version_id, \
                       metrics, parity, signature, note, created_at";

impl Model {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: sql::parsed(row, "id")?,
            project_id: sql::parsed(row, "project_id")?,
            name: row.get("name")?,
            note: row.get("note")?,
            created_at: sql::time(row, "created_at")?,
            last_number: row.get("last_number")?,
        })
    }
}

impl ModelVersion {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: sql::parsed(row, "id")?,
            model_id: sql::parsed(row, "model_id")?,
            number: row.get("number")?,
            package: row.get("package")?,
            package_bytes: row.get("package_bytes")?,
            run_id: sql::parsed_option(row, "run_id")?,
            step_id: row.get("step_id")?,
            dataset_version_id: sql::parsed_option(row, "dataset_version_id")?,
            metrics: sql::json(row, "metrics")?,
            parity: sql::json_option(row, "parity")?,
            signature: sql::json(row, "signature")?,
            note: row.get("note")?,
            created_at: sql::time(row, "created_at")?,
        })
    }
}

impl Alias {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            model_id: sql::parsed(row, "model_id")?,
            name: row.get("alias")?,
            number: row.get("number")?,
            changed_at: sql::time(row, "changed_at")?,
        })
    }
}

impl Promotion {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            model_id: sql::parsed(row, "model_id")?,
            sequence: row.get("sequence")?,
            alias: row.get("alias")?,
            from: row.get("from_number")?,
            to: row.get("to_number")?,
            gates: sql::json_option(row, "gates")?,
            note: row.get("note")?,
            at: sql::time(row, "at_ms")?,
        })
    }
}

/// Makes a model with no version yet.
///
/// # Errors
/// `AlreadyExists`; `InvalidInput` for a name that is empty or too long.
pub fn create(w: &mut Write<'_>, project_id: &ProjectId, name: &str) -> Result<Model> {
    let name = names::check("model", name)?;
    if by_name(w, project_id, name)?.is_some() {
        return Err(names::taken("model", name));
    }
    let id = ModelId::new();
    sql::change(
        w,
        "insert into models (id, project_id, name, note, created_at) values (?1, ?2, ?3, '', ?4)",
        (id.as_str(), project_id.as_str(), name, w.now().as_ms()),
    )?;
    publish(w, &id);
    get(w, &id)
}

/// Writes about a model.
///
/// # Errors
/// `NotFound`.
pub fn describe(w: &mut Write<'_>, id: &ModelId, note: &str) -> Result<()> {
    if sql::change(w, "update models set note = ?2 where id = ?1", (id.as_str(), note))? == 0 {
        return Err(names::unknown("model", id));
    }
    publish(w, id);
    Ok(())
}

/// Registers a version.
///
/// # Errors
/// `NotFound` for an unknown model.
pub fn add_version(w: &mut Write<'_>, model_id: &ModelId, new: NewModelVersion) -> Result<ModelVersion> {
    let number = get(w, model_id)?.last_number + 1;
    let id = VersionId::new();
    sql::change(
        w,
        "insert into model_versions (id, model_id, number, package, package_bytes, run_id, step_id,
            dataset_version_id, metrics, parity, signature, note, created_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        (
            id.as_str(),
            model_id.as_str(),
            number,
            new.package,
            new.package_bytes,
            new.run_id.as_ref().map(RunId::as_str),
            &new.step_id,
            new.dataset_version_id.as_ref().map(VersionId::as_str),
            sql::to_json(&new.metrics),
            new.parity.as_ref().map(sql::to_json),
            sql::to_json(&new.signature),
            &new.note,
            w.now().as_ms(),
        ),
    )?;
    sql::change(w, "update models set last_number = ?2 where id = ?1", (model_id.as_str(), number))?;
    publish_version(w, model_id, &id);
    w.detail("version", number);
    version(w, &id)
}

/// Writes about a version.
///
/// # Errors
/// `NotFound`.
pub fn describe_version(w: &mut Write<'_>, id: &VersionId, note: &str) -> Result<()> {
    let model_id = version(w, id)?.model_id;
    sql::change(w, "update model_versions set note = ?2 where id = ?1", (id.as_str(), note))?;
    publish_version(w, &model_id, id);
    Ok(())
}

/// Points an alias to a version, and keeps what the gates said.
///
/// # Errors
/// `NotFound` when the model has no such version; `InvalidInput` for an alias that is no name.
pub fn set_alias(
    w: &mut Write<'_>,
    model_id: &ModelId,
    alias: &str,
    number: u32,
    reasons: &Reasons,
) -> Result<Promotion> {
    let alias = names::check_word("alias", alias)?;
    version_numbered(w, model_id, number)?;
    let from = find_alias(w, model_id, alias)?.map(|alias| alias.number);
    sql::change(
        w,
        "insert into aliases (model_id, alias, number, changed_at) values (?1, ?2, ?3, ?4)
         on conflict (model_id, alias) do update set
            number = excluded.number, changed_at = excluded.changed_at",
        (model_id.as_str(), alias, number, w.now().as_ms()),
    )?;
    promote(w, model_id, alias, (from, Some(number)), reasons)
}

/// Takes an alias away.
///
/// # Errors
/// `NotFound` when the model has no such alias.
pub fn remove_alias(
    w: &mut Write<'_>,
    model_id: &ModelId,
    alias: &str,
    reasons: &Reasons,
) -> Result<Promotion> {
    let from = find_alias(w, model_id, alias)?.ok_or_else(|| names::unknown("alias", alias))?.number;
    sql::change(w, "delete from aliases where model_id = ?1 and alias = ?2", (model_id.as_str(), alias))?;
    promote(w, model_id, alias, (Some(from), None), reasons)
}

/// Why an alias moves.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reasons {
    /// What the gates said.
    pub gates: Option<Value>,
    /// What somebody wrote about it.
    pub note: String,
}

fn promote(
    w: &mut Write<'_>,
    model_id: &ModelId,
    alias: &str,
    (from, to): (Option<u32>, Option<u32>),
    reasons: &Reasons,
) -> Result<Promotion> {
    // One write may move several aliases of a model; each move has a place of its own.
    let taken: i64 = sql::value(
        w,
        "select count(*) from promotions where model_id = ?1 and sequence / 1000 = ?2",
        (model_id.as_str(), w.sequence()),
    )?;
    let sequence = w.sequence() * 1000 + taken;
    sql::change(
        w,
        "insert into promotions (model_id, sequence, alias, from_number, to_number, gates, note, at_ms)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        (
            model_id.as_str(),
            sequence,
            alias,
            from,
            to,
            reasons.gates.as_ref().map(sql::to_json),
            &reasons.note,
            w.now().as_ms(),
        ),
    )?;
    w.touch(Topic::Models);
    let place = sequence.to_string();
    let mut publication = Publication::new("promotion", format!("{model_id}/{place}"))
        .rows("aliases", "model_id = ?1 and alias = ?2", &[model_id.as_str(), alias])
        .rows("promotions", "model_id = ?1 and sequence = ?2", &[model_id.as_str(), &place]);
    if to.is_none() {
        let key = serde_json::json!({"model_id": model_id, "alias": alias});
        publication = publication.deleted("aliases", key);
    }
    w.publish(publication);
    let query = "select model_id, sequence, alias, from_number, to_number, gates, note, at_ms from promotions
                 where model_id = ?1 and sequence = ?2";
    sql::first(w, query, (model_id.as_str(), sequence), Promotion::read)?
        .ok_or_else(|| Error::internal("a promotion vanished inside its own write"))
}

/// The model with this id, also when it is in the trash.
///
/// # Errors
/// `NotFound`.
pub fn get(db: &Connection, id: &ModelId) -> Result<Model> {
    let query = format!("select {MODEL} from models where id = ?1");
    sql::first(db, &query, [id.as_str()], Model::read)?.ok_or_else(|| names::unknown("model", id))
}

/// The model of this name in a project, if there is one.
///
/// # Errors
/// When the workspace cannot be read.
pub fn by_name(db: &Connection, project_id: &ProjectId, name: &str) -> Result<Option<Model>> {
    let query =
        format!("select {MODEL} from models where project_id = ?1 and name = ?2 and trashed_at is null");
    sql::first(db, &query, (project_id.as_str(), name), Model::read)
}

/// The models of a project, by name.
///
/// # Errors
/// When the workspace cannot be read.
pub fn list(db: &Connection, project_id: &ProjectId) -> Result<Vec<Model>> {
    let query = format!(
        "select {MODEL} from models where project_id = ?1 and trashed_at is null
         order by name collate nocase, id"
    );
    sql::many(db, &query, [project_id.as_str()], Model::read)
}

/// The versions of a model, newest first.
///
/// # Errors
/// When the workspace cannot be read.
pub fn versions(db: &Connection, model_id: &ModelId) -> Result<Vec<ModelVersion>> {
    let query = format!("select {VERSION} from model_versions where model_id = ?1 order by number desc");
    sql::many(db, &query, [model_id.as_str()], ModelVersion::read)
}

/// The version with this id.
///
/// # Errors
/// `NotFound`.
pub fn version(db: &Connection, id: &VersionId) -> Result<ModelVersion> {
    let query = format!("select {VERSION} from model_versions where id = ?1");
    sql::first(db, &query, [id.as_str()], ModelVersion::read)?
        .ok_or_else(|| names::unknown("model version", id))
}

/// The version of this number.
///
/// # Errors
/// `NotFound`.
pub fn version_numbered(db: &Connection, model_id: &ModelId, number: u32) -> Result<ModelVersion> {
    let query = format!("select {VERSION} from model_versions where model_id = ?1 and number = ?2");
    sql::first(db, &query, (model_id.as_str(), number), ModelVersion::read)?
        .ok_or_else(|| names::unknown("model version", number))
}

/// The model versions that a run made, by model and number.
///
/// # Errors
/// When the workspace cannot be read.
pub fn of_run(db: &Connection, run_id: &RunId) -> Result<Vec<ModelVersion>> {
    let query = format!("select {VERSION} from model_versions where run_id = ?1 order by model_id, number");
    sql::many(db, &query, [run_id.as_str()], ModelVersion::read)
}

/// The model versions that were trained on a dataset version, newest first.
///
/// # Errors
/// When the workspace cannot be read.
pub fn trained_on(db: &Connection, dataset_version_id: &VersionId) -> Result<Vec<ModelVersion>> {
    let query = format!(
        "select {VERSION} from model_versions where dataset_version_id = ?1 order by created_at desc, id"
    );
    sql::many(db, &query, [dataset_version_id.as_str()], ModelVersion::read)
}

/// Where an alias points, if it is there.
///
/// # Errors
/// When the workspace cannot be read.
pub fn find_alias(db: &Connection, model_id: &ModelId, alias: &str) -> Result<Option<Alias>> {
    let query = "select model_id, alias, number, changed_at from aliases where model_id = ?1 and alias = ?2";
    sql::first(db, query, (model_id.as_str(), alias), Alias::read)
}

/// The aliases of a model, by name.
///
/// # Errors
/// When the workspace cannot be read.
pub fn aliases(db: &Connection, model_id: &ModelId) -> Result<Vec<Alias>> {
    let query = "select model_id, alias, number, changed_at from aliases where model_id = ?1 order by alias";
    sql::many(db, query, [model_id.as_str()], Alias::read)
}

/// Every move of the aliases of a model, newest first.
///
/// # Errors
/// When the workspace cannot be read.
pub fn promotions(db: &Connection, model_id: &ModelId) -> Result<Vec<Promotion>> {
    let query = "select model_id, sequence, alias, from_number, to_number, gates, note, at_ms from promotions
                 where model_id = ?1 order by sequence desc";
    sql::many(db, query, [model_id.as_str()], Promotion::read)
}

fn publish(w: &mut Write<'_>, id: &ModelId) {
    w.touch(Topic::Models);
    w.publish(Publication::new("model", id).rows("models", "id = ?1", &[id.as_str()]));
}

fn publish_version(w: &mut Write<'_>, model_id: &ModelId, id: &VersionId) {
    w.touch(Topic::Models);
    w.publish(Publication::new("model_version", id).rows("models", "id = ?1", &[model_id.as_str()]).rows(
        "model_versions",
        "id = ?1",
        &[id.as_str()],
    ));
}
