//! Runs: one execution of a pipeline each. What a run's steps did is in [`crate::steps`], what it
//! measured in [`crate::metrics`].

use base::{Code, Error, ProjectId, Result, RunId, Timestamp, VersionId};
use rusqlite::{Connection, Row};

use crate::doors::{Change, Write};
use crate::feed::Topic;
use crate::manifests::Publication;
use crate::sql::words;
use crate::tracking::{FILES_OF_RUN, script_runs};
use crate::{Digest, names, sql, steps, sweeps};

words! {
    /// How far a run is.
    RunState, "the state of a run" {
        /// It waits for its turn.
        Queued = "queued",
        /// Its steps are being done.
        Running = "running",
        /// All its steps are done.
        Done = "done",
        /// A step failed.
        Failed = "failed",
        /// The user stopped it.
        Cancelled = "cancelled",
        /// The process that did it died.
        Interrupted = "interrupted",
    }
}

impl RunState {
    /// True once nothing will change any more.
    pub fn is_final(self) -> bool {
        match self {
            Self::Queued | Self::Running => false,
            Self::Done | Self::Failed | Self::Cancelled | Self::Interrupted => true,
        }
    }
}

/// One execution of a pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// The project it is in.
    pub project_id: ProjectId,
    /// The name of the pipeline.
    pub pipeline: String,
    /// 1, 2, 3 within the project; never given twice.
    pub number: u32,
    /// A name for people; empty for none.
    pub name: String,
    /// The experiment it belongs to; `/` makes folders.
    pub experiment: String,
    /// How far it is.
    pub state: RunState,
    /// The pipeline file as it was, an object.
    pub pipeline_digest: Option<Digest>,
    /// The commit of the project's repository it ran from.
    pub git_commit: Option<String>,
    /// How many threads it was given; `None` for as many as there are.
    pub threads: Option<u32>,
    /// What somebody wrote about it.
    pub note: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<Error>,
}

/// What is known of a run when it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRun {
    /// The project it is in.
    pub project_id: ProjectId,
    /// The name of the pipeline.
    pub pipeline: String,
    /// A name for people; empty for none.
    pub name: String,
    /// The experiment it belongs to.
    pub experiment: String,
    /// The pipeline file, an object.
    pub pipeline_digest: Option<Digest>,
    /// The commit of the project's repository.
    pub git_commit: Option<String>,
    /// How many threads it is given.
    pub threads: Option<u32>,
    /// What somebody wrote about it.
    pub note: String,
}

pub(crate) const COLUMNS: &str = "id, project_id, pipeline, number, name, experiment, state, pipeline_digest, \
                                  git_commit, threads, note, created_at, started_at, finished_at, error";

impl Run {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: sql::parsed(row, "id")?,
            project_id: sql::parsed(row, "project_id")?,
            pipeline: row.get("pipeline")?,
            number: row.get("number")?,
            name: row.get("name")?,
            experiment: row.get("experiment")?,
            state: sql::parsed(row, "state")?,
            pipeline_digest: row.get("pipeline_digest")?,
            git_commit: row.get("git_commit")?,
            threads: row.get("threads")?,
            note: row.get("note")?,
            created_at: sql::time(row, "created_at")?,
            started_at: sql::time_option(row, "started_at")?,
            finished_at: sql::time_option(row, "finished_at")?,
            error: sql::json_option(row, "error")?,
        })
    }
}

/// Makes a run that waits for its turn.
///
/// # Errors
/// `NotFound` for an unknown project.
pub fn create(w: &mut Write<'_>, new: NewRun) -> Result<Run> {
    let number = sql::first(
        w,
        "update projects set last_run_number = last_run_number + 1 where id = ?1 returning last_run_number",
        [new.project_id.as_str()],
        |row| row.get::<_, u32>(0),
    )?
    .ok_or_else(|| names::unknown("project", &new.project_id))?;
    let id = RunId::new();
    sql::change(
        w,
        "insert into runs (id, project_id, pipeline, number, name, experiment, state, pipeline_digest,
            git_commit, threads, note, created_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        (
            id.as_str(),
            new.project_id.as_str(),
            &new.pipeline,
            number,
            &new.name,
            &new.experiment,
            RunState::Queued,
            new.pipeline_digest,
            &new.git_commit,
            new.threads,
            &new.note,
            w.now().as_ms(),
        ),
    )?;
    w.touch(Topic::Runs);
    w.detail("run", id.as_str());
    get(w, &id)
}

/// Says that a run begins.
///
/// # Errors
/// `Conflict` when it has begun or ended before.
pub fn start(c: &mut Change<'_>, id: &RunId) -> Result<()> {
    expect_state(c, id, "started", |state| state == RunState::Queued)?;
    let now = c.now().as_ms();
    sql::change(
        c,
        "update runs set state = ?2, started_at = ?3 where id = ?1",
        (id.as_str(), RunState::Running, now),
    )?;
    c.touch(Topic::Runs);
    Ok(())
}

/// Says how a run ended, and writes it down for good.
///
/// # Errors
/// `Conflict` when it has ended before; `InvalidInput` when `state` is no end.
pub fn finish(w: &mut Write<'_>, id: &RunId, state: RunState, error: Option<&Error>) -> Result<()> {
    if !state.is_final() {
        return Err(Error::invalid(format!("a run cannot end as `{state}`")));
    }
    expect_state(w, id, "finished", |state| !state.is_final())?;
    let now = w.now().as_ms();
    sql::change(
        w,
        "update runs set state = ?2, finished_at = ?3, error = ?4 where id = ?1",
        (id.as_str(), state, now, error.map(sql::to_json)),
    )?;
    publish(w, id);
    Ok(())
}

/// Lets a run go on that was interrupted or stopped: it works again, as if it had not ended. Only
/// for a run that holds others together; what a pipeline's run did is never changed.
///
/// # Errors
/// `Conflict` when it works or ended otherwise.
pub fn reopen(w: &mut Write<'_>, id: &RunId) -> Result<()> {
    let can = |state| matches!(state, RunState::Interrupted | RunState::Cancelled | RunState::Failed);
    expect_state(w, id, "continued", can)?;
    sql::change(
        w,
        "update runs set state = ?2, finished_at = null, error = null where id = ?1",
        (id.as_str(), RunState::Running),
    )?;
    publish(w, id);
    Ok(())
}

/// Ends a run whose process died, with all its steps.
pub(crate) fn interrupt(w: &mut Write<'_>, id: &RunId) -> Result<()> {
    steps::interrupt(w, id)?;
    let error = Error::new(Code::Unavailable, "Fettle was stopped while this ran")
        .hint("run it again: the steps that were done are taken from the cache");
    finish(w, id, RunState::Interrupted, Some(&error))
}

/// Gives a run another name and another note.
///
/// # Errors
/// `NotFound`.
pub fn describe(w: &mut Write<'_>, id: &RunId, name: &str, note: &str) -> Result<()> {
    let run = get(w, id)?;
    sql::change(w, "update runs set name = ?2, note = ?3 where id = ?1", (id.as_str(), name, note))?;
    w.touch(Topic::Runs);
    if script_runs::find(w, id)?.is_some() {
        script_runs::describe(w, id, name, note)?;
    } else if run.state.is_final() || sweeps::find(w, id)?.is_some() {
        publish(w, id);
    }
    Ok(())
}

/// The run with this id, also when it is in the trash.
///
/// # Errors
/// `NotFound`.
pub fn get(db: &Connection, id: &RunId) -> Result<Run> {
    let query = format!("select {COLUMNS} from runs where id = ?1");
    sql::first(db, &query, [id.as_str()], Run::read)?.ok_or_else(|| names::unknown("run", id))
}

/// The run of this number.
///
/// # Errors
/// `NotFound`.
pub fn numbered(db: &Connection, project_id: &ProjectId, number: u32) -> Result<Run> {
    let query = format!("select {COLUMNS} from runs where project_id = ?1 and number = ?2");
    sql::first(db, &query, (project_id.as_str(), number), Run::read)?
        .ok_or_else(|| names::unknown("run", number))
}

/// Runs that are queued or running and that only a process of ours can end: a script goes on
/// without us.
///
/// # Errors
/// When the workspace cannot be read.
pub fn unfinished(db: &Connection) -> Result<Vec<RunId>> {
    let query = "select id from runs where state in ('queued', 'running')
                 and id not in (select run_id from script_runs) order by created_at, id";
    sql::many(db, query, [], |row| sql::parsed(row, "id"))
}

/// The experiments of a project with their numbers of runs, by name.
///
/// # Errors
/// When the workspace cannot be read.
pub fn experiments(db: &Connection, project_id: &ProjectId) -> Result<Vec<(String, u64)>> {
    let query = "select experiment, count(*) as runs from runs where project_id = ?1 and trashed_at is null
                 group by experiment order by experiment";
    sql::many(db, query, [project_id.as_str()], |row| Ok((row.get("experiment")?, row.get("runs")?)))
}

/// Says that a step of a run reads a dataset version.
///
/// # Errors
/// When the run or the version is unknown.
pub fn add_input(c: &mut Change<'_>, id: &RunId, step_id: &str, version_id: &VersionId) -> Result<()> {
    sql::change(
        c,
        "insert into run_datasets (run_id, step_id, version_id) values (?1, ?2, ?3) on conflict do nothing",
        (id.as_str(), step_id, version_id.as_str()),
    )?;
    c.touch(Topic::Runs);
    Ok(())
}

/// The dataset versions a run reads, by step.
///
/// # Errors
/// When the workspace cannot be read.
pub fn inputs(db: &Connection, id: &RunId) -> Result<Vec<(String, VersionId)>> {
    let query = "select step_id, version_id from run_datasets where run_id = ?1 order by step_id, version_id";
    sql::many(db, query, [id.as_str()], |row| Ok((row.get("step_id")?, sql::parsed(row, "version_id")?)))
}

/// The runs that read a dataset version, newest first.
///
/// # Errors
/// When the workspace cannot be read.
pub fn reading(db: &Connection, version_id: &VersionId) -> Result<Vec<Run>> {
    let query = format!(
        "select {COLUMNS} from runs where trashed_at is null
         and id in (select run_id from run_datasets where version_id = ?1) order by created_at desc, id"
    );
    sql::many(db, &query, [version_id.as_str()], Run::read)
}

/// The whole of a finished run goes into its manifest.
pub(crate) fn publish(w: &mut Write<'_>, id: &RunId) {
    w.touch(Topic::Runs);
    let of_run: &[&str] = &[id.as_str()];
    w.publish(
        Publication::new("run", id)
            .rows("runs", "id = ?1", of_run)
            .rows("step_runs", "run_id = ?1", of_run)
            .rows("run_datasets", "run_id = ?1", of_run)
            .rows("params", "run_id = ?1", of_run)
            .rows("metrics", "run_id = ?1", of_run)
            .rows("last_metrics", "run_id = ?1", of_run)
            .rows("script_runs", "run_id = ?1", of_run)
            .rows("run_tags", "run_id = ?1", of_run)
            .rows("curves", "run_id = ?1", of_run)
            .rows("points", "curve_id in (select id from curves where run_id = ?1)", of_run)
            .rows("logged_datasets", "id in (select dataset_id from run_inputs where run_id = ?1)", of_run)
            .rows("run_inputs", "run_id = ?1", of_run)
            .rows("run_models", "run_id = ?1", of_run)
            .rows("artifacts", FILES_OF_RUN, of_run)
            .rows("run_origins", "run_id = ?1", of_run)
            .rows("run_receipts", "run_id = ?1", of_run)
            .rows("sweeps", "run_id = ?1", of_run)
            .rows("sweep_trials", "sweep_id = ?1", of_run),
    );
}

/// Refuses what does not fit the state of the run.
pub(crate) fn expect_state(
    db: &Connection,
    id: &RunId,
    what: &str,
    fits: impl FnOnce(RunState) -> bool,
) -> Result<()> {
    let run = get(db, id)?;
    if fits(run.state) {
        return Ok(());
    }
    Err(Error::new(Code::Conflict, format!("run {} cannot be {what}: it is {}", run.number, run.state))
        .hint("look at it again: somebody else may have changed it"))
}
