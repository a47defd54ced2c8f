//! Experiments: numbered folders of runs. A deleted one keeps its name and takes its runs along.

use base::{ProjectId, Result, Timestamp};
use rusqlite::{Connection, Row};

use super::Pair;
use crate::doors::{Change, Write};
use crate::feed::Topic;
use crate::manifests::Publication;
use crate::{names, sql};

/// A folder of runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Experiment {
    /// Its number in the workspace; 0 for the one that is always there.
    pub id: i64,
    /// The project it is in.
    pub project_id: ProjectId,
    /// Its name, unique in the workspace; `/` makes folders.
    pub name: String,
    /// Where its files go, a URI.
    pub artifact_location: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it or its tags last changed.
    pub updated_at: Timestamp,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
    /// Its tags, by key.
    pub tags: Vec<Pair>,
}

/// What is known of an experiment when it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewExperiment {
    /// Its number; the next free one if none.
    pub id: Option<i64>,
    /// The project it is in.
    pub project_id: ProjectId,
    /// Its name.
    pub name: String,
    /// Where its files go; below the root of artifacts if none.
    pub artifact_location: Option<String>,
    /// Its tags.
    pub tags: Vec<Pair>,
}

const COLUMNS: &str = "id, project_id, name, artifact_location, created_at, updated_at, deleted_at";

impl Experiment {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            project_id: sql::parsed(row, "project_id")?,
            name: row.get("name")?,
            artifact_location: row.get("artifact_location")?,
            created_at: sql::time(row, "created_at")?,
            updated_at: sql::time(row, "updated_at")?,
            deleted_at: sql::time_option(row, "deleted_at")?,
            tags: Vec::new(),
        })
    }
}

/// Makes an experiment.
///
/// # Errors
/// `AlreadyExists` when the name or the number is taken, also by a deleted one.
pub fn create(w: &mut Write<'_>, new: &NewExperiment) -> Result<Experiment> {
    if by_name(w, &new.name)?.is_some() {
        return Err(names::taken("experiment", &new.name));
    }
    let id: i64 = match new.id {
        Some(id) if find(w, id)?.is_some() => return Err(names::taken("experiment", &id.to_string())),
        Some(id) => id,
        None => sql::value(w, "select coalesce(max(id), 0) + 1 from experiments", [])?,
    };
    let location = new.artifact_location.clone().unwrap_or_else(|| format!("mlflow-artifacts:/{id}"));
    let now = w.now().as_ms();
    sql::change(
        w,
        "insert into experiments (id, project_id, name, artifact_location, created_at, updated_at)
         values (?1, ?2, ?3, ?4, ?5, ?5)",
        (id, new.project_id.as_str(), &new.name, location, now),
    )?;
    for tag in &new.tags {
        put_tag(w, id, tag)?;
    }
    publish(w, id);
    w.detail("experiment", id);
    get(w, id)
}

/// The experiment of this number, also a deleted one.
///
/// # Errors
/// `NotFound`.
pub fn get(db: &Connection, id: i64) -> Result<Experiment> {
    find(db, id)?.ok_or_else(|| names::unknown("experiment", id))
}

/// The experiment of this number, if it is there, also a deleted one.
///
/// # Errors
/// When the workspace cannot be read.
pub fn find(db: &Connection, id: i64) -> Result<Option<Experiment>> {
    let query = format!("select {COLUMNS} from experiments where id = ?1");
    sql::first(db, &query, [id], Experiment::read)?.map(|found| with_tags(db, found)).transpose()
}

/// All of them, also deleted ones, by number.
///
/// # Errors
/// When the workspace cannot be read.
pub fn all(db: &Connection) -> Result<Vec<Experiment>> {
    let query = format!("select {COLUMNS} from experiments order by id");
    let found = sql::many(db, &query, [], Experiment::read)?;
    found.into_iter().map(|one| with_tags(db, one)).collect()
}

/// How many there are that are not deleted.
///
/// # Errors
/// When the workspace cannot be read.
pub fn count(db: &Connection) -> Result<u32> {
    sql::value(db, "select count(*) from experiments where deleted_at is null", [])
}

/// The experiment of this name, also a deleted one.
///
/// # Errors
/// When the workspace cannot be read.
pub fn by_name(db: &Connection, name: &str) -> Result<Option<Experiment>> {
    let query = format!("select {COLUMNS} from experiments where name = ?1");
    sql::first(db, &query, [name], Experiment::read)?.map(|found| with_tags(db, found)).transpose()
}

fn with_tags(db: &Connection, mut experiment: Experiment) -> Result<Experiment> {
    let query = "select key, value from experiment_tags where experiment_id = ?1 order by key";
    experiment.tags = sql::many(db, query, [experiment.id], |row| Ok((row.get("key")?, row.get("value")?)))?;
    Ok(experiment)
}

/// Gives an experiment another name, which its runs show too.
///
/// # Errors
/// `NotFound`; `AlreadyExists`.
pub fn rename(w: &mut Write<'_>, id: i64, name: &str) -> Result<()> {
    if by_name(w, name)?.is_some_and(|other| other.id != id) {
        return Err(names::taken("experiment", name));
    }
    let now = w.now().as_ms();
    sql::change(w, "update experiments set name = ?2, updated_at = ?3 where id = ?1", (id, name, now))?;
    unsettle_runs(w, id)?;
    sql::change(
        w,
        "update runs set experiment = ?2 where id in (select run_id from script_runs where experiment_id = ?1)",
        (id, name),
    )?;
    publish(w, id);
    Ok(())
}

/// Deletes an experiment with all its runs, or takes it and all its runs back.
///
/// # Errors
/// When the workspace cannot be written.
pub fn set_deleted(w: &mut Write<'_>, id: i64, is_deleted: bool) -> Result<()> {
    let now = w.now().as_ms();
    let at = is_deleted.then_some(now);
    sql::change(w, "update experiments set deleted_at = ?2, updated_at = ?3 where id = ?1", (id, at, now))?;
    unsettle_runs(w, id)?;
    sql::change(
        w,
        "update runs set trashed_at = ?2
         where id in (select run_id from script_runs where experiment_id = ?1)
         and (trashed_at is null) = (?2 is not null)",
        (id, at),
    )?;
    publish(w, id);
    Ok(())
}

/// Sets a tag, also one that is there.
///
/// # Errors
/// When the workspace cannot be written.
pub fn set_tag(w: &mut Write<'_>, id: i64, tag: &Pair) -> Result<()> {
    put_tag(w, id, tag)?;
    touched(w, id)
}

/// Removes a tag; false when there was none.
///
/// # Errors
/// When the workspace cannot be written.
pub fn delete_tag(w: &mut Write<'_>, id: i64, key: &str) -> Result<bool> {
    let query = "delete from experiment_tags where experiment_id = ?1 and key = ?2";
    let was_there = sql::change(w, query, (id, key))? > 0;
    if was_there {
        w.retire_row("experiment_tags", serde_json::json!({ "experiment_id": id, "key": key }), subject(id));
        touched(w, id)?;
    }
    Ok(was_there)
}

fn touched(w: &mut Write<'_>, id: i64) -> Result<()> {
    let now = w.now().as_ms();
    sql::change(w, "update experiments set updated_at = ?2 where id = ?1", (id, now))?;
    publish(w, id);
    Ok(())
}

fn put_tag(c: &Change<'_>, id: i64, (key, value): &Pair) -> Result<()> {
    sql::change(
        c,
        "insert into experiment_tags (experiment_id, key, value) values (?1, ?2, ?3)
         on conflict (experiment_id, key) do update set value = excluded.value",
        (id, key, value),
    )?;
    Ok(())
}

/// What the manifests say of the runs of an experiment is about to change.
fn unsettle_runs(w: &mut Write<'_>, id: i64) -> Result<()> {
    w.touch(Topic::Runs);
    w.unsettle_runs("select run_id from script_runs where experiment_id = ?1", id)
}

fn subject(id: i64) -> String {
    format!("experiment/{id}")
}

pub(super) fn publish(w: &mut Write<'_>, id: i64) {
    w.touch(Topic::Runs);
    let of = id.to_string();
    let of: &[&str] = &[&of];
    w.publish(
        Publication::new("experiment", subject(id)).rows("experiments", "id = cast(?1 as integer)", of).rows(
            "experiment_tags",
            "experiment_id = cast(?1 as integer)",
            of,
        ),
    );
}
