//! Deployments: a model at an address, and every revision that ever answered there.

use base::{DeploymentId, Error, ModelId, ProjectId, Result, Timestamp, VersionId};
use rusqlite::{Connection, Row};
use serde_json::Value;

use crate::doors::Write;
use crate::feed::Topic;
use crate::manifests::Publication;
use crate::sql::words;
use crate::{names, sql};

words! {
    /// How a deployment is.
    DeploymentState, "the state of a deployment" {
        /// Its first revision is on its way.
        Starting = "starting",
        /// A revision answers.
        Serving = "serving",
        /// Nothing answers, though it should.
        Failed = "failed",
        /// The user stopped it.
        Stopped = "stopped",
        /// The user deleted it; its history stays, its name is free.
        Deleted = "deleted",
    }
}

words! {
    /// How a revision is.
    RevisionState, "the state of a revision" {
        /// It loads, and has not answered well yet.
        Starting = "starting",
        /// It answered its golden row.
        Healthy = "healthy",
        /// It did not become healthy, or died.
        Failed = "failed",
        /// Another took its place, or the user stopped it.
        Stopped = "stopped",
        /// It was taken back for the one before it.
        RolledBack = "rolled_back",
    }
}

/// A model at an address.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    /// Its id.
    pub id: DeploymentId,
    /// The project it is in.
    pub project_id: ProjectId,
    /// Its name, unique in the project.
    pub name: String,
    /// Where it is, such as `local`.
    pub target: String,
    /// The model it serves.
    pub model_id: ModelId,
    /// How it is.
    pub state: DeploymentState,
    /// The revision that answers, once one does.
    pub current_revision: Option<u32>,
    /// What the target needs to know.
    pub config: Value,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A model version put at the address of a deployment.
#[derive(Debug, Clone, PartialEq)]
pub struct Revision {
    /// The deployment.
    pub deployment_id: DeploymentId,
    /// 1, 2, 3 within the deployment; never given twice.
    pub number: u32,
    /// The model version.
    pub model_version_id: VersionId,
    /// How it is.
    pub state: RevisionState,
    /// The port its process listens on.
    pub port: Option<u16>,
    /// Its process.
    pub pid: Option<u32>,
    /// When that process started, in the ticks of the operating system: with the pid it names the
    /// process beyond doubt, after the pid was given to another.
    pub process_started: Option<i64>,
    /// What the process was told to call itself.
    pub instance: String,
    /// The file with its token, relative to the folder of the deployment.
    pub token_file: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it first answered well.
    pub healthy_at: Option<Timestamp>,
    /// When it failed or stopped.
    pub ended_at: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<Error>,
}

/// A deployment that is to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDeployment {
    /// The project it is in.
    pub project_id: ProjectId,
    /// Its name.
    pub name: String,
    /// Where it is to be.
    pub target: String,
    /// The model it is to serve.
    pub model_id: ModelId,
    /// What the target needs to know. Secrets do not belong here.
    pub config: Value,
}

const DEPLOYMENT: &str =
    "id, project_id, name, target, model_id, state, current_revision, config, created_at";
const REVISION: &str = "deployment_id, number, model_version_id, state, port, pid, process_started, \
                        instance, token_file, created_at, healthy_at, ended_at, error";

impl Deployment {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: sql::parsed(row, "id")?,
            project_id: sql::parsed(row, "project_id")?,
            name: row.get("name")?,
            target: row.get("target")?,
            model_id: sql::parsed(row, "model_id")?,
            state: sql::parsed(row, "state")?,
            current_revision: row.get("current_revision")?,
            config: sql::json(row, "config")?,
            created_at: sql::time(row, "created_at")?,
        })
    }
}

impl Revision {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            deployment_id: sql::parsed(row, "deployment_id")?,
            number: row.get("number")?,
            model_version_id: sql::parsed(row, "model_version_id")?,
            state: sql::parsed(row, "state")?,
            port: row.get("port")?,
            pid: row.get("pid")?,
            process_started: row.get("process_started")?,
            instance: row.get("instance")?,
            token_file: row.get("token_file")?,
            created_at: sql::time(row, "created_at")?,
            healthy_at: sql::time_option(row, "healthy_at")?,
            ended_at: sql::time_option(row, "ended_at")?,
            error: sql::json_option(row, "error")?,
        })
    }
}

/// Makes a deployment with no revision yet.
///
/// # Errors
/// `AlreadyExists`; `InvalidInput` for a name that is empty or too long.
pub fn create(w: &mut Write<'_>, new: NewDeployment) -> Result<Deployment> {
    let name = names::check("deployment", &new.name)?;
    if by_name(w, &new.project_id, name)?.is_some() {
        return Err(names::taken("deployment", name));
    }
    let id = DeploymentId::new();
    sql::change(
        w,
        "insert into deployments (id, project_id, name, target, model_id, state, config, created_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        (
            id.as_str(),
            new.project_id.as_str(),
            name,
            &new.target,
            new.model_id.as_str(),
            DeploymentState::Starting,
            sql::to_json(&new.config),
            w.now().as_ms(),
        ),
    )?;
    publish(w, &id);
    get(w, &id)
}

/// Says how a deployment is.
///
/// # Errors
/// `NotFound`.
pub fn set_state(w: &mut Write<'_>, id: &DeploymentId, state: DeploymentState) -> Result<()> {
    if sql::change(w, "update deployments set state = ?2 where id = ?1", (id.as_str(), state))? == 0 {
        return Err(names::unknown("deployment", id));
    }
    publish(w, id);
    Ok(())
}

/// Says which revision answers, and that the deployment serves; or that none does.
///
/// # Errors
/// `NotFound` for an unknown deployment or revision.
pub fn set_current(w: &mut Write<'_>, id: &DeploymentId, number: Option<u32>) -> Result<()> {
    let state = match number {
        Some(number) => {
            revision(w, id, number)?;
            DeploymentState::Serving
        }
        None => get(w, id)?.state,
    };
    sql::change(
        w,
        "update deployments set current_revision = ?2, state = ?3 where id = ?1",
        (id.as_str(), number, state),
    )?;
    publish(w, id);
    Ok(())
}

/// Makes the next revision, which starts.
///
/// # Errors
/// `NotFound` for an unknown deployment.
pub fn add_revision(
    w: &mut Write<'_>,
    id: &DeploymentId,
    model_version_id: &VersionId,
    instance: &str,
) -> Result<Revision> {
    let number = sql::first(
        w,
        "update deployments set last_number = last_number + 1 where id = ?1 returning last_number",
        [id.as_str()],
        |row| row.get::<_, u32>(0),
    )?
    .ok_or_else(|| names::unknown("deployment", id))?;
    sql::change(
        w,
        "insert into revisions (deployment_id, number, model_version_id, state, instance, created_at)
         values (?1, ?2, ?3, ?4, ?5, ?6)",
        (id.as_str(), number, model_version_id.as_str(), RevisionState::Starting, instance, w.now().as_ms()),
    )?;
    publish_revision(w, id, number);
    revision(w, id, number)
}

/// Writes down how a revision is now: its state, process and times. What it is never changes.
///
/// # Errors
/// `NotFound`.
pub fn save_revision(w: &mut Write<'_>, revision: &Revision) -> Result<()> {
    let changed = sql::change(
        w,
        "update revisions set state = ?3, port = ?4, pid = ?5, process_started = ?6, instance = ?7,
            token_file = ?8, healthy_at = ?9, ended_at = ?10, error = ?11
         where deployment_id = ?1 and number = ?2",
        (
            revision.deployment_id.as_str(),
            revision.number,
            revision.state,
            revision.port,
            revision.pid,
            revision.process_started,
            &revision.instance,
            &revision.token_file,
            revision.healthy_at.map(Timestamp::as_ms),
            revision.ended_at.map(Timestamp::as_ms),
            revision.error.as_ref().map(sql::to_json),
        ),
    )?;
    if changed == 0 {
        return Err(names::unknown("revision", revision.number));
    }
    publish_revision(w, &revision.deployment_id, revision.number);
    Ok(())
}

/// The deployment with this id.
///
/// # Errors
/// `NotFound`.
pub fn get(db: &Connection, id: &DeploymentId) -> Result<Deployment> {
    let query = format!("select {DEPLOYMENT} from deployments where id = ?1");
    sql::first(db, &query, [id.as_str()], Deployment::read)?.ok_or_else(|| names::unknown("deployment", id))
}

/// The deployment of this name in a project, if there is one.
///
/// # Errors
/// When the workspace cannot be read.
pub fn by_name(db: &Connection, project_id: &ProjectId, name: &str) -> Result<Option<Deployment>> {
    let query = format!(
        "select {DEPLOYMENT} from deployments where project_id = ?1 and name = ?2 and state <> 'deleted'"
    );
    sql::first(db, &query, (project_id.as_str(), name), Deployment::read)
}

/// The deployments of a project, or of all of them, by name. Deleted ones are left out.
///
/// # Errors
/// When the workspace cannot be read.
pub fn list(db: &Connection, project_id: Option<&ProjectId>) -> Result<Vec<Deployment>> {
    let query = format!(
        "select {DEPLOYMENT} from deployments where state <> 'deleted' and (?1 is null or project_id = ?1)
         order by name collate nocase, id"
    );
    sql::many(db, &query, [project_id.map(ProjectId::as_str)], Deployment::read)
}

/// One revision of a deployment.
///
/// # Errors
/// `NotFound`.
pub fn revision(db: &Connection, id: &DeploymentId, number: u32) -> Result<Revision> {
    let query = format!("select {REVISION} from revisions where deployment_id = ?1 and number = ?2");
    sql::first(db, &query, (id.as_str(), number), Revision::read)?
        .ok_or_else(|| names::unknown("revision", number))
}

/// The revisions of a deployment, newest first.
///
/// # Errors
/// When the workspace cannot be read.
pub fn revisions(db: &Connection, id: &DeploymentId) -> Result<Vec<Revision>> {
    let query = format!("select {REVISION} from revisions where deployment_id = ?1 order by number desc");
    sql::many(db, &query, [id.as_str()], Revision::read)
}

/// The revision that answers, if one does.
///
/// # Errors
/// `NotFound` for an unknown deployment.
pub fn current(db: &Connection, id: &DeploymentId) -> Result<Option<Revision>> {
    get(db, id)?.current_revision.map(|number| revision(db, id, number)).transpose()
}

/// The deployments that ever served a model version, by name.
///
/// # Errors
/// When the workspace cannot be read.
pub fn serving(db: &Connection, model_version_id: &VersionId) -> Result<Vec<Deployment>> {
    let query = format!(
        "select {DEPLOYMENT} from deployments where state <> 'deleted'
         and id in (select deployment_id from revisions where model_version_id = ?1)
         order by name collate nocase, id"
    );
    sql::many(db, &query, [model_version_id.as_str()], Deployment::read)
}

fn publish(w: &mut Write<'_>, id: &DeploymentId) {
    w.touch(Topic::Deployments);
    w.publish(Publication::new("deployment", id).rows("deployments", "id = ?1", &[id.as_str()]));
}

fn publish_revision(w: &mut Write<'_>, id: &DeploymentId, number: u32) {
    w.touch(Topic::Deployments);
    let number = number.to_string();
    w.publish(
        Publication::new("revision", format!("{id}/{number}"))
            .rows("deployments", "id = ?1", &[id.as_str()])
            .rows("revisions", "deployment_id = ?1 and number = ?2", &[id.as_str(), &number]),
    );
}
