//! Runs by scripts: begun, described, ended and deleted from outside, at the times and with the
//! words the script says.

use std::collections::HashMap;

use base::{Code, Error, Result, RunId};
use rusqlite::{Connection, Row};

use super::inputs::{self, Inputs};
use super::{Pair, experiments};
use crate::doors::{Change, Write};
use crate::feed::Topic;
use crate::group::Entry;
use crate::metrics::{self, LastMetric};
use crate::runs::RunState;
use crate::{names, sql};

/// The tag that says which run a run is nested under.
pub const PARENT_TAG: &str = "mlflow.parentRunId";
/// The tag that mirrors the name of a run.
pub const NAME_TAG: &str = "mlflow.runName";
/// MLflow's words for how far a run is.
const STATES: [(&str, RunState); 5] = [
    ("RUNNING", RunState::Running),
    ("SCHEDULED", RunState::Queued),
    ("FINISHED", RunState::Done),
    ("FAILED", RunState::Failed),
    ("KILLED", RunState::Cancelled),
];

/// How far a run is, from MLflow's word.
pub fn state_of(word: &str) -> Option<RunState> {
    STATES.iter().find(|(name, _)| *name == word).map(|(_, state)| *state)
}

/// MLflow's word for how far a run is.
pub fn word_of(state: RunState) -> &'static str {
    // One that died with its process was killed, as MLflow sees it.
    STATES.iter().find(|(_, one)| *one == state).map_or("KILLED", |(name, _)| name)
}

/// The tag that mirrors the note of a run.
pub const NOTE_TAG: &str = "mlflow.note.content";

/// A run by a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptRun {
    /// Its id.
    pub id: RunId,
    /// The experiment it is in.
    pub experiment_id: i64,
    /// Its name.
    pub name: String,
    /// Who began it, as the script says.
    pub user_id: String,
    /// How far it is.
    pub state: RunState,
    /// When it began, ms since 1970, as the script says.
    pub started_at: i64,
    /// When it ended, as the script says.
    pub ended_at: Option<i64>,
    /// Where its files go, a URI.
    pub artifact_uri: String,
    /// True when it is in the trash.
    pub is_deleted: bool,
}

/// What is known of a run when a script begins it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewScriptRun {
    /// Its id; a new one if none.
    pub id: Option<RunId>,
    /// The experiment it is in.
    pub experiment_id: i64,
    /// Its name.
    pub name: String,
    /// Who begins it.
    pub user_id: String,
    /// How far it is.
    pub state: RunState,
    /// When it began.
    pub started_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// Its tags, with that of its name.
    pub tags: Vec<Pair>,
}

/// Everything that was logged to a run but its curves.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Logged {
    /// The last point of each curve, by key.
    pub metrics: Vec<LastMetric>,
    /// Its parameters, by key.
    pub params: Vec<Pair>,
    /// Its tags, by key.
    pub tags: Vec<Pair>,
    /// Datasets and models that went in, models that came out.
    pub inputs: Inputs,
}

const SELECT: &str = "select s.run_id, s.experiment_id, r.name, s.user_id, r.state, s.started_at, s.ended_at,
    s.artifact_uri, r.trashed_at is not null as is_deleted
    from script_runs s join runs r on r.id = s.run_id";

impl ScriptRun {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: sql::parsed(row, "run_id")?,
            experiment_id: row.get("experiment_id")?,
            name: row.get("name")?,
            user_id: row.get("user_id")?,
            state: sql::parsed(row, "state")?,
            started_at: row.get("started_at")?,
            ended_at: row.get("ended_at")?,
            artifact_uri: row.get("artifact_uri")?,
            is_deleted: row.get("is_deleted")?,
        })
    }
}

/// Begins a run.
///
/// # Errors
/// `NotFound` for an unknown experiment; `Conflict` when that is deleted; `AlreadyExists` for an id
/// that is taken.
pub fn create(e: &mut Entry<'_>, new: &NewScriptRun) -> Result<ScriptRun> {
    let experiment = experiments::get(e, new.experiment_id)?;
    if experiment.deleted_at.is_some() {
        return Err(Error::new(Code::Conflict, format!("experiment {} is deleted", experiment.id)));
    }
    let number: u32 = sql::value(
        e,
        "update projects set last_run_number = last_run_number + 1 where id = ?1 returning last_run_number",
        [experiment.project_id.as_str()],
    )?;
    let id = new.id.clone().unwrap_or_else(RunId::new);
    if find(e, &id)?.is_some() {
        return Err(names::taken("run", id.as_str()));
    }
    let now = e.now().as_ms();
    sql::change(
        e,
        "insert into runs (id, project_id, pipeline, number, name, experiment, state, note, created_at,
            started_at, finished_at)
         values (?1, ?2, '', ?3, ?4, ?5, ?6, '', ?7, ?8, ?9)",
        (
            id.as_str(),
            experiment.project_id.as_str(),
            number,
            &new.name,
            &experiment.name,
            new.state,
            now,
            new.started_at,
            new.ended_at,
        ),
    )?;
    let artifact_uri = format!("{}/{id}/artifacts", experiment.artifact_location.trim_end_matches('/'));
    sql::change(
        e,
        "insert into script_runs (run_id, experiment_id, user_id, started_at, ended_at, artifact_uri)
         values (?1, ?2, ?3, ?4, ?5, ?6)",
        (id.as_str(), experiment.id, &new.user_id, new.started_at, new.ended_at, artifact_uri),
    )?;
    set_tags(e, &id, &new.tags)?;
    e.touch(Topic::Runs);
    get(e, &id)
}

/// The run with this id, also when it is deleted.
///
/// # Errors
/// `NotFound`.
pub fn get(db: &Connection, id: &RunId) -> Result<ScriptRun> {
    find(db, id)?.ok_or_else(|| names::unknown("run", id))
}

/// The run with this id, if a script began it.
///
/// # Errors
/// When the workspace cannot be read.
pub fn find(db: &Connection, id: &RunId) -> Result<Option<ScriptRun>> {
    let query = format!("{SELECT} where s.run_id = ?1");
    sql::first(db, &query, [id.as_str()], ScriptRun::read)
}

/// These runs, in the order of `ids`; those that are gone are left out.
///
/// # Errors
/// When the workspace cannot be read.
pub fn all(db: &Connection, ids: &[RunId]) -> Result<Vec<ScriptRun>> {
    let query = format!("{SELECT} join json_each(?1) wanted on wanted.value = s.run_id order by wanted.key");
    sql::many(db, &query, [sql::to_json(&ids)], ScriptRun::read)
}

/// How a run is to be described anew; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunUpdate {
    /// How far it is.
    pub state: Option<RunState>,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// Its name.
    pub name: Option<String>,
}

/// Describes a run anew. Of one that is over, the end is known to our tables even when the script
/// does not say it.
///
/// # Errors
/// `NotFound`.
pub fn update(e: &mut Entry<'_>, id: &RunId, new: &RunUpdate) -> Result<ScriptRun> {
    e.unsettle(id.as_str())?;
    if let Some(state) = new.state {
        let now = state.is_final().then_some(e.now().as_ms());
        let query =
            "update runs set state = ?2, finished_at = iif(?3 is null, null, coalesce(finished_at, ?3))
                     where id = ?1";
        sql::change(e, query, (id.as_str(), state, now))?;
    }
    if let Some(ended_at) = new.ended_at {
        sql::change(e, "update runs set finished_at = ?2 where id = ?1", (id.as_str(), ended_at))?;
        sql::change(e, "update script_runs set ended_at = ?2 where run_id = ?1", (id.as_str(), ended_at))?;
    }
    if let Some(name) = &new.name {
        set_tags(e, id, &[(NAME_TAG.to_owned(), name.clone())])?;
    }
    e.touch(Topic::Runs);
    get(e, id)
}

/// Deletes a run, whatever its state, or takes it back.
///
/// # Errors
/// `NotFound`.
pub fn set_deleted(w: &mut Write<'_>, id: &RunId, is_deleted: bool) -> Result<()> {
    let at = is_deleted.then_some(w.now().as_ms());
    w.unsettle_as("run", id.as_str())?;
    if sql::change(w, "update runs set trashed_at = ?2 where id = ?1", (id.as_str(), at))? == 0 {
        return Err(names::unknown("run", id));
    }
    w.touch(Topic::Runs);
    Ok(())
}

/// Sets tags, also those that are there; the name and the note of a run follow their tags.
///
/// # Errors
/// When the workspace cannot be written.
pub fn set_tags(e: &mut Entry<'_>, id: &RunId, tags: &[Pair]) -> Result<()> {
    e.unsettle(id.as_str())?;
    put_tags(e, id, tags)?;
    e.touch(Topic::Runs);
    Ok(())
}

/// Writes tags, and what of the run's row follows from them.
pub(crate) fn put_tags(c: &Change<'_>, id: &RunId, tags: &[Pair]) -> Result<()> {
    for (key, value) in tags {
        sql::change(
            c,
            "insert into run_tags (run_id, key, value) values (?1, ?2, ?3)
             on conflict (run_id, key) do update set value = excluded.value",
            (id.as_str(), key, value),
        )?;
        match key.as_str() {
            NAME_TAG => sql::change(c, "update runs set name = ?2 where id = ?1", (id.as_str(), value))?,
            NOTE_TAG => sql::change(c, "update runs set note = ?2 where id = ?1", (id.as_str(), value))?,
            // A run that names itself would be nowhere.
            PARENT_TAG => sql::change(
                c,
                "update runs set parent_id = nullif(?2, id) where id = ?1",
                (id.as_str(), value),
            )?,
            _ => 0,
        };
    }
    Ok(())
}

/// Keeps the tags that mirror the name and the note of a run what those are.
pub(crate) fn describe(w: &mut Write<'_>, id: &RunId, name: &str, note: &str) -> Result<()> {
    w.unsettle_as("run", id.as_str())?;
    let tags = [(NAME_TAG, name), (NOTE_TAG, note)].map(|(key, value)| (key.to_owned(), value.to_owned()));
    put_tags(w, id, &tags)?;
    Ok(())
}

/// Removes a tag; false when there was none.
///
/// # Errors
/// When the workspace cannot be written.
pub fn delete_tag(e: &mut Entry<'_>, id: &RunId, key: &str) -> Result<bool> {
    e.unsettle(id.as_str())?;
    e.touch(Topic::Runs);
    drop_tag(e, id, key)
}

/// Removes a tag, and what of the run's row follows from it; false when there was none.
pub(crate) fn drop_tag(c: &Change<'_>, id: &RunId, key: &str) -> Result<bool> {
    if key == PARENT_TAG {
        sql::change(c, "update runs set parent_id = null where id = ?1", [id.as_str()])?;
    }
    let query = "delete from run_tags where run_id = ?1 and key = ?2";
    Ok(sql::change(c, query, (id.as_str(), key))? > 0)
}

/// Adds parameters. One that is there keeps its value: those that would get another are given back
/// as (key, value there), and then none was added.
///
/// # Errors
/// When the workspace cannot be written.
pub fn add_params(e: &mut Entry<'_>, id: &RunId, params: &[Pair]) -> Result<Vec<Pair>> {
    let mut conflicts = Vec::new();
    let mut new = Vec::with_capacity(params.len());
    for (key, value) in params {
        let query = "select value from params where run_id = ?1 and step_id = '' and key = ?2";
        let there: Option<String> = sql::first(e, query, (id.as_str(), key), |row| row.get(0))?;
        match there {
            Some(there) if there != *value => conflicts.push((key.clone(), there)),
            Some(_) => {}
            None => new.push((key, value)),
        }
    }
    if !conflicts.is_empty() || new.is_empty() {
        return Ok(conflicts);
    }
    e.unsettle(id.as_str())?;
    for (key, value) in new {
        sql::change(
            e,
            "insert into params (run_id, step_id, key, value) values (?1, '', ?2, ?3)",
            (id.as_str(), key, value),
        )?;
    }
    e.touch(Topic::Runs);
    Ok(conflicts)
}

/// What was logged to these runs, by run.
///
/// # Errors
/// When the workspace cannot be read.
pub fn logged(db: &Connection, ids: &[RunId]) -> Result<HashMap<RunId, Logged>> {
    let mut all: HashMap<RunId, Logged> = ids.iter().map(|id| (id.clone(), Logged::default())).collect();
    for metric in metrics::last_of_runs(db, ids)? {
        if let Some(one) = all.get_mut(&metric.run_id) {
            one.metrics.push(metric);
        }
    }
    for param in metrics::params_of_runs(db, ids)? {
        if let Some(one) = all.get_mut(&param.run_id) {
            one.params.push((param.key, param.value));
        }
    }
    for (id, tag) in tags_of(db, ids)? {
        if let Some(one) = all.get_mut(&id) {
            one.tags.push(tag);
        }
    }
    for (id, inputs) in inputs::of_runs(db, ids)? {
        if let Some(one) = all.get_mut(&id) {
            one.inputs = inputs;
        }
    }
    Ok(all)
}

fn tags_of(db: &Connection, ids: &[RunId]) -> Result<Vec<(RunId, Pair)>> {
    let query = "select run_id, key, value from run_tags
                 where run_id in (select value from json_each(?1)) order by run_id, key";
    sql::many(db, query, [sql::to_json(&ids)], |row| {
        Ok((sql::parsed(row, "run_id")?, (row.get("key")?, row.get("value")?)))
    })
}

/// The tags of a run, by key.
///
/// # Errors
/// When the workspace cannot be read.
pub fn tags(db: &Connection, id: &RunId) -> Result<Vec<Pair>> {
    Ok(tags_of(db, std::slice::from_ref(id))?.into_iter().map(|(_, tag)| tag).collect())
}

/// The value of a tag.
///
/// # Errors
/// When the workspace cannot be read.
pub fn tag(db: &Connection, id: &RunId, key: &str) -> Result<Option<String>> {
    let query = "select value from run_tags where run_id = ?1 and key = ?2";
    sql::first(db, query, (id.as_str(), key), |row| row.get(0))
}

/// Refuses what is not there or deleted.
///
/// # Errors
/// `NotFound`; `Conflict` for a deleted run.
pub fn expect_active(c: &Change<'_>, id: &RunId) -> Result<ScriptRun> {
    let run = get(c, id)?;
    if run.is_deleted {
        return Err(Error::new(Code::Conflict, format!("run {id} is deleted")).hint("restore it first"));
    }
    Ok(run)
}
