//! What the tracking API knows of registered models beside what every model has: tags, stages, where
//! a version came from. A version that a pipeline registered has none of it and is there all the same.

use base::{Code, Error, ModelId, ProjectId, Result, VersionId};
use rusqlite::{Connection, Row};

use super::Pair;
use crate::doors::Write;
use crate::feed::Topic;
use crate::manifests::Publication;
use crate::models::{self, Model, ModelVersion, NewModelVersion};
use crate::{names, sql};

/// A registered model as the tracking API shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// The model.
    pub model: Model,
    /// When it or one of its versions last changed, ms since 1970.
    pub updated_at: i64,
    /// Its tags, by key.
    pub tags: Vec<Pair>,
    /// Its aliases with the numbers they point to, by name.
    pub aliases: Vec<(String, u32)>,
}

/// A version as the tracking API shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct RegisteredVersion {
    /// The version.
    pub version: ModelVersion,
    /// The name of its model.
    pub name: String,
    /// Where it came from and what was said of it.
    pub facts: VersionFacts,
    /// When it last changed, ms since 1970.
    pub updated_at: i64,
    /// Its tags, by key.
    pub tags: Vec<Pair>,
    /// Aliases that point to it, by name.
    pub aliases: Vec<String>,
}

/// Where a version came from and what was said of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionFacts {
    /// The URI it was registered from; empty for a version of ours.
    pub source: String,
    /// The run, as the script said; empty for none.
    pub run_ref: String,
    /// A link to that run.
    pub run_link: String,
    /// Who registered it.
    pub user_id: String,
    /// `None`, `Staging`, `Production` or `Archived`.
    pub stage: String,
    /// The logged model it points to.
    pub logged_model_id: Option<String>,
}

/// The stage of a version that has none.
pub const NO_STAGE: &str = "None";

/// The model of this name: of the project that is asked for, else of the oldest that has one.
///
/// # Errors
/// When the workspace cannot be read.
pub fn by_name(db: &Connection, project_id: &ProjectId, name: &str) -> Result<Option<Registered>> {
    let query = "select id from models where name = ?1 and trashed_at is null
                 order by project_id <> ?2, created_at, id limit 1";
    let found = sql::first(db, query, (name, project_id.as_str()), |row| sql::parsed(row, "id"))?;
    found.map(|id| get(db, &id)).transpose()
}

/// The model with this id.
///
/// # Errors
/// `NotFound`.
pub fn get(db: &Connection, id: &ModelId) -> Result<Registered> {
    let model = models::get(db, id)?;
    let updated = "select max(updated_at) from (
        select updated_at from model_facts where model_id = ?1
        union all select created_at from model_versions where model_id = ?1)";
    let updated: Option<i64> = sql::value(db, updated, [id.as_str()])?;
    let tags = "select key, value from model_tags where model_id = ?1 order by key";
    Ok(Registered {
        updated_at: updated.unwrap_or(0).max(model.created_at.as_ms()),
        tags: sql::many(db, tags, [id.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?,
        aliases: models::aliases(db, id)?.into_iter().map(|alias| (alias.name, alias.number)).collect(),
        model,
    })
}

/// Makes a model with these tags. Its name may be what [`models::create`] would not allow.
///
/// # Errors
/// `AlreadyExists`.
pub fn create(
    w: &mut Write<'_>,
    project_id: &ProjectId,
    name: &str,
    note: &str,
    tags: &[Pair],
) -> Result<Registered> {
    if by_name(w, project_id, name)?.is_some() {
        return Err(names::taken("model", name));
    }
    let id = ModelId::new();
    sql::change(
        w,
        "insert into models (id, project_id, name, note, created_at) values (?1, ?2, ?3, ?4, ?5)",
        (id.as_str(), project_id.as_str(), name, note, w.now().as_ms()),
    )?;
    for tag in tags {
        put_model_tag(w, &id, tag)?;
    }
    touch_model(w, &id)?;
    w.detail("model", name);
    get(w, &id)
}

/// Says that a model changed, and writes it down.
fn touch_model(w: &mut Write<'_>, id: &ModelId) -> Result<()> {
    sql::change(
        w,
        "insert into model_facts (model_id, updated_at) values (?1, ?2)
         on conflict (model_id) do update set updated_at = excluded.updated_at",
        (id.as_str(), w.now().as_ms()),
    )?;
    publish_model(w, id);
    Ok(())
}

pub(super) fn publish_model(w: &mut Write<'_>, id: &ModelId) {
    w.touch(Topic::Models);
    let of: &[&str] = &[id.as_str()];
    w.publish(
        Publication::new("model", id)
            .rows("models", "id = ?1", of)
            .rows("model_facts", "model_id = ?1", of)
            .rows("model_tags", "model_id = ?1", of),
    );
}

/// Gives a model another name.
///
/// # Errors
/// `AlreadyExists`.
pub fn rename(w: &mut Write<'_>, model: &Model, name: &str) -> Result<()> {
    if name != model.name && by_name(w, &model.project_id, name)?.is_some() {
        return Err(names::taken("model", name));
    }
    sql::change(w, "update models set name = ?2 where id = ?1", (model.id.as_str(), name))?;
    touch_model(w, &model.id)
}

/// Writes about a model.
///
/// # Errors
/// When the workspace cannot be written.
pub fn describe(w: &mut Write<'_>, id: &ModelId, note: &str) -> Result<()> {
    sql::change(w, "update models set note = ?2 where id = ?1", (id.as_str(), note))?;
    touch_model(w, id)
}

/// Sets a tag of a model, also one that is there.
///
/// # Errors
/// When the workspace cannot be written.
pub fn set_model_tag(w: &mut Write<'_>, id: &ModelId, tag: &Pair) -> Result<()> {
    put_model_tag(w, id, tag)?;
    touch_model(w, id)
}

pub(super) fn put_model_tag(w: &Write<'_>, id: &ModelId, (key, value): &Pair) -> Result<()> {
    sql::change(
        w,
        "insert into model_tags (model_id, key, value) values (?1, ?2, ?3)
         on conflict (model_id, key) do update set value = excluded.value",
        (id.as_str(), key, value),
    )?;
    Ok(())
}

/// Removes a tag of a model, if it is there.
///
/// # Errors
/// When the workspace cannot be written.
pub fn delete_model_tag(w: &mut Write<'_>, id: &ModelId, key: &str) -> Result<()> {
    let query = "delete from model_tags where model_id = ?1 and key = ?2";
    if sql::change(w, query, (id.as_str(), key))? > 0 {
        let row = serde_json::json!({ "model_id": id.as_str(), "key": key });
        w.retire_row("model_tags", row, id.to_string());
        touch_model(w, id)?;
    }
    Ok(())
}

/// Registers a version that came through the tracking API.
///
/// # Errors
/// `NotFound` for an unknown model.
pub fn add_version(
    w: &mut Write<'_>,
    model_id: &ModelId,
    new: NewModelVersion,
    facts: &VersionFacts,
    tags: &[Pair],
) -> Result<RegisteredVersion> {
    let version = models::add_version(w, model_id, new)?;
    for tag in tags {
        put_version_tag(w, &version.id, tag)?;
    }
    save_facts(w, &version.id, facts)?;
    touch_model(w, model_id)?;
    self::version(w, &version.id)
}

fn save_facts(w: &mut Write<'_>, id: &VersionId, facts: &VersionFacts) -> Result<()> {
    let now = w.now().as_ms();
    put_facts(w, id, facts, now)
}

pub(super) fn put_facts(
    w: &mut Write<'_>,
    id: &VersionId,
    facts: &VersionFacts,
    updated_at: i64,
) -> Result<()> {
    sql::change(
        w,
        "insert into version_facts (version_id, source, run_ref, run_link, user_id, stage, logged_model_id,
            updated_at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         on conflict (version_id) do update set source = excluded.source, run_ref = excluded.run_ref,
            run_link = excluded.run_link, user_id = excluded.user_id, stage = excluded.stage,
            logged_model_id = excluded.logged_model_id, updated_at = excluded.updated_at",
        (
            id.as_str(),
            &facts.source,
            &facts.run_ref,
            &facts.run_link,
            &facts.user_id,
            &facts.stage,
            &facts.logged_model_id,
            updated_at,
        ),
    )?;
    publish_version(w, id)
}

fn publish_version(w: &mut Write<'_>, id: &VersionId) -> Result<()> {
    let model_id = models::version(w, id)?.model_id;
    w.touch(Topic::Models);
    let of: &[&str] = &[id.as_str()];
    w.publish(
        Publication::new("model_version", id)
            .rows("models", "id = ?1", &[model_id.as_str()])
            .rows("model_versions", "id = ?1", of)
            .rows("version_facts", "version_id = ?1", of)
            .rows("version_tags", "version_id = ?1", of),
    );
    Ok(())
}

/// The version with this id.
///
/// # Errors
/// `NotFound`.
pub fn version(db: &Connection, id: &VersionId) -> Result<RegisteredVersion> {
    let version = models::version(db, id)?;
    let model = models::get(db, &version.model_id)?;
    let read = |row: &Row<'_>| -> rusqlite::Result<_> {
        let facts = VersionFacts {
            source: row.get("source")?,
            run_ref: row.get("run_ref")?,
            run_link: row.get("run_link")?,
            user_id: row.get("user_id")?,
            stage: row.get("stage")?,
            logged_model_id: row.get("logged_model_id")?,
        };
        Ok((facts, row.get::<_, i64>("updated_at")?))
    };
    let query = "select source, run_ref, run_link, user_id, stage, logged_model_id, updated_at
                 from version_facts where version_id = ?1";
    let (facts, updated_at) = match sql::first(db, query, [id.as_str()], read)? {
        Some(found) => found,
        None => (ours(&version), version.created_at.as_ms()),
    };
    let tags = "select key, value from version_tags where version_id = ?1 order by key";
    let aliases = models::aliases(db, &model.id)?.into_iter().filter(|alias| alias.number == version.number);
    Ok(RegisteredVersion {
        name: model.name,
        facts,
        updated_at,
        tags: sql::many(db, tags, [id.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?,
        aliases: aliases.map(|alias| alias.name).collect(),
        version,
    })
}

/// What is said of a version that a pipeline registered.
fn ours(version: &ModelVersion) -> VersionFacts {
    VersionFacts {
        run_ref: version.run_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        stage: NO_STAGE.to_owned(),
        ..VersionFacts::default()
    }
}

/// The version of this number.
///
/// # Errors
/// `NotFound`.
pub fn numbered(db: &Connection, model_id: &ModelId, number: u32) -> Result<RegisteredVersion> {
    version(db, &models::version_numbered(db, model_id, number)?.id)
}

/// The newest version of each stage, by stage.
///
/// # Errors
/// When the workspace cannot be read.
pub fn latest(db: &Connection, model_id: &ModelId) -> Result<Vec<RegisteredVersion>> {
    let query =
        "select v.id, max(v.number) from model_versions v left join version_facts f on f.version_id = v.id
                 where v.model_id = ?1 group by coalesce(f.stage, 'None') order by 2";
    let ids = sql::many(db, query, [model_id.as_str()], |row| sql::parsed::<VersionId>(row, "id"))?;
    ids.iter().map(|id| version(db, id)).collect()
}

/// Writes about a version.
///
/// # Errors
/// When the workspace cannot be written.
pub fn describe_version(w: &mut Write<'_>, found: &RegisteredVersion, note: &str) -> Result<()> {
    let id = &found.version.id;
    sql::change(w, "update model_versions set note = ?2 where id = ?1", (id.as_str(), note))?;
    save_facts(w, id, &found.facts)
}

/// Moves a version to a stage.
///
/// # Errors
/// When the workspace cannot be written.
pub fn set_stage(w: &mut Write<'_>, found: &RegisteredVersion, stage: &str) -> Result<()> {
    let facts = VersionFacts { stage: stage.to_owned(), ..found.facts.clone() };
    save_facts(w, &found.version.id, &facts)?;
    touch_model(w, &found.version.model_id)
}

/// Sets a tag of a version, also one that is there.
///
/// # Errors
/// When the workspace cannot be written.
pub fn set_version_tag(w: &mut Write<'_>, id: &VersionId, tag: &Pair) -> Result<()> {
    put_version_tag(w, id, tag)?;
    publish_version(w, id)
}

pub(super) fn put_version_tag(w: &Write<'_>, id: &VersionId, (key, value): &Pair) -> Result<()> {
    sql::change(
        w,
        "insert into version_tags (version_id, key, value) values (?1, ?2, ?3)
         on conflict (version_id, key) do update set value = excluded.value",
        (id.as_str(), key, value),
    )?;
    Ok(())
}

/// Removes a tag of a version, if it is there.
///
/// # Errors
/// When the workspace cannot be written.
pub fn delete_version_tag(w: &mut Write<'_>, id: &VersionId, key: &str) -> Result<()> {
    let query = "delete from version_tags where version_id = ?1 and key = ?2";
    if sql::change(w, query, (id.as_str(), key))? > 0 {
        let row = serde_json::json!({ "version_id": id.as_str(), "key": key });
        w.retire_row("version_tags", row, id.to_string());
        publish_version(w, id)?;
    }
    Ok(())
}

/// Deletes a version with the aliases that point to it. Its number is not given again.
///
/// # Errors
/// `Conflict` when it is or was deployed.
pub fn delete_version(w: &mut Write<'_>, found: &RegisteredVersion) -> Result<()> {
    let id = &found.version.id;
    let query = "select exists (select 1 from revisions where model_version_id = ?1)";
    if sql::value::<bool>(w, query, [id.as_str()])? {
        return Err(Error::new(Code::Conflict, format!("version {} is deployed", found.version.number))
            .hint("delete the deployment first"));
    }
    for alias in &found.aliases {
        models::remove_alias(w, &found.version.model_id, alias, &models::Reasons::default())?;
    }
    sql::change(w, "delete from model_versions where id = ?1", [id.as_str()])?;
    w.retire(id.as_str())?;
    w.retire_row("model_versions", serde_json::json!({ "id": id.as_str() }), format!("{id}/deleted"));
    touch_model(w, &found.version.model_id)
}
