//! Sweeps: a run whose trials are runs of their own, with what was tried and what came of it.

use base::{Error, ProjectId, Result, RunId};
use rusqlite::{Connection, Row};
use serde_json::Value;

use crate::doors::Write;
use crate::feed::Topic;
use crate::manifests::Publication;
use crate::sql::words;
use crate::{Page, names, runs, sql};

words! {
    /// How far a sweep is.
    SweepState, "the state of a sweep" {
        /// Trials are being run, or would be if the process had not died.
        Running = "running",
        /// Somebody stopped it; it can go on.
        Paused = "paused",
        /// Its budget is used up.
        Done = "done",
        /// It cannot go on.
        Failed = "failed",
    }
}

words! {
    /// How far a trial is.
    TrialState, "the state of a trial" {
        /// Its run works, or would if the process had not died.
        Running = "running",
        /// It was measured.
        Done = "done",
        /// It was stopped early, because others were better at the same round.
        Pruned = "pruned",
        /// Its run failed.
        Failed = "failed",
    }
}

/// A sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// Its run, which its trials are nested under.
    pub run_id: RunId,
    /// The name of its file.
    pub name: String,
    /// The text of its file when it began.
    pub spec: String,
    /// How far it is.
    pub state: SweepState,
}

/// A trial of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The sweep.
    pub sweep_id: RunId,
    /// 0, 1, 2 in the order they were begun.
    pub number: u32,
    /// What was tried, by parameter.
    pub params: Value,
    /// How far it is.
    pub state: TrialState,
    /// What it measured.
    pub value: Option<f64>,
    /// What the trainer said after each round, as far as it got.
    pub rounds: Vec<f64>,
    /// Its run.
    pub run_id: Option<RunId>,
    /// Why it failed.
    pub error: Option<Error>,
}

impl Sweep {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            run_id: sql::parsed(row, "run_id")?,
            name: row.get("name")?,
            spec: row.get("spec")?,
            state: sql::parsed(row, "state")?,
        })
    }
}

impl Trial {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let rounds = sql::json(row, "rounds")?;
        Ok(Self {
            sweep_id: sql::parsed(row, "sweep_id")?,
            number: row.get("number")?,
            params: sql::json(row, "params")?,
            state: sql::parsed(row, "state")?,
            value: row.get("value")?,
            rounds: rounds.as_array().into_iter().flatten().filter_map(Value::as_f64).collect(),
            run_id: sql::parsed_option(row, "run_id")?,
            error: sql::json_option(row, "error")?,
        })
    }
}

/// Makes a sweep of a run.
///
/// # Errors
/// `Conflict` when the run is one already.
pub fn create(w: &mut Write<'_>, run_id: &RunId, name: &str, spec: &str) -> Result<()> {
    sql::change(
        w,
        "insert into sweeps (run_id, name, spec, state) values (?1, ?2, ?3, ?4)",
        (run_id.as_str(), name, spec, SweepState::Running),
    )?;
    w.touch(Topic::Runs);
    Ok(())
}

/// Says how far a sweep is, and tells its run as it is now.
///
/// # Errors
/// `NotFound`.
pub fn set_state(w: &mut Write<'_>, run_id: &RunId, state: SweepState) -> Result<()> {
    if sql::change(w, "update sweeps set state = ?2 where run_id = ?1", (run_id.as_str(), state))? == 0 {
        return Err(names::unknown("sweep", run_id));
    }
    runs::publish(w, run_id);
    Ok(())
}

/// Writes down a trial, whether it was known before or not.
///
/// # Errors
/// When the sweep is unknown.
pub fn save_trial(w: &mut Write<'_>, trial: &Trial) -> Result<()> {
    sql::change(
        w,
        "insert into sweep_trials (sweep_id, number, params, state, value, rounds, run_id, error)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         on conflict (sweep_id, number) do update set
            params = excluded.params, state = excluded.state, value = excluded.value,
            rounds = excluded.rounds, run_id = excluded.run_id, error = excluded.error",
        (
            trial.sweep_id.as_str(),
            trial.number,
            sql::to_json(&trial.params),
            trial.state,
            trial.value,
            sql::to_json(&trial.rounds),
            trial.run_id.as_ref().map(RunId::as_str),
            trial.error.as_ref().map(sql::to_json),
        ),
    )?;
    publish_trial(w, trial);
    Ok(())
}

/// A sweep by its run.
///
/// # Errors
/// `NotFound`.
pub fn get(db: &Connection, run_id: &RunId) -> Result<Sweep> {
    find(db, run_id)?.ok_or_else(|| names::unknown("sweep", run_id))
}

/// The sweep of this run, if it is one.
///
/// # Errors
/// When the workspace cannot be read.
pub fn find(db: &Connection, run_id: &RunId) -> Result<Option<Sweep>> {
    let query = "select run_id, name, spec, state from sweeps where run_id = ?1";
    sql::first(db, query, [run_id.as_str()], Sweep::read)
}

/// The sweeps of a project, newest first.
///
/// # Errors
/// When the workspace cannot be read.
pub fn list(db: &Connection, project_id: &ProjectId, page: Page) -> Result<Vec<Sweep>> {
    let query = "select s.run_id, s.name, s.spec, s.state from sweeps s join runs r on r.id = s.run_id
                 where r.project_id = ?1 and r.trashed_at is null order by r.number desc limit ?2 offset ?3";
    sql::many(db, query, (project_id.as_str(), page.limit(), page.offset()), Sweep::read)
}

/// The sweeps of all projects that are in this state, oldest first.
///
/// # Errors
/// When the workspace cannot be read.
pub fn in_state(db: &Connection, state: SweepState) -> Result<Vec<Sweep>> {
    let query = "select s.run_id, s.name, s.spec, s.state from sweeps s join runs r on r.id = s.run_id
                 where s.state = ?1 and r.trashed_at is null order by r.created_at, r.id";
    sql::many(db, query, [state], Sweep::read)
}

/// The trials of a sweep, in their order.
///
/// # Errors
/// When the workspace cannot be read.
pub fn trials(db: &Connection, sweep_id: &RunId) -> Result<Vec<Trial>> {
    let query = "select sweep_id, number, params, state, value, rounds, run_id, error from sweep_trials
                 where sweep_id = ?1 order by number";
    sql::many(db, query, [sweep_id.as_str()], Trial::read)
}

/// Trials are told one by one, so that a long sweep does not tell all of them with each; the sweep
/// is told with its run.
fn publish_trial(w: &mut Write<'_>, trial: &Trial) {
    w.touch(Topic::Runs);
    let (sweep, number) = (trial.sweep_id.to_string(), trial.number.to_string());
    w.publish(Publication::new("sweep_trial", format!("{sweep}/{number}")).rows(
        "sweep_trials",
        "sweep_id = ?1 and number = ?2",
        &[&sweep, &number],
    ));
}
