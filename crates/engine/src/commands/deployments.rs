//! Deployments: targets, endpoints, try it, rollback.

use std::path::Path;

use base::{Code, Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::deployments::{self as stored, Deployment};
use ts_rs::TS;

use super::datasets::{InProject, reply};
use super::jobs::JobRef;

use super::models::ModelLinkView;
use crate::Engine;
use crate::deploy::{Wish, read_token};
use crate::jobs::Title;
use crate::models::Picked;
use crate::rpc::Failure;
use crate::targets::TARGETS;

/// Where a model can go.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TargetView {
    /// Its name, such as `local`.
    pub kind: String,
    /// Its name for people, such as `This computer`.
    pub title: String,
    /// One sentence.
    pub summary: String,
    /// More, as Markdown.
    pub doc: String,
    /// True if it can be stopped and started again.
    pub runs: bool,
    /// Why it cannot be used here, if so.
    pub unavailable: Option<String>,
    /// JSON Schema of its parameters.
    pub params: serde_json::Value,
    /// The parameters as they are if nobody changes them.
    pub defaults: serde_json::Value,
}

/// What a deployment would do.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentPlan {
    /// A sentence for each step, in their order.
    pub steps: Vec<String>,
}

/// Where a deployment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentState {
    /// A revision is being brought up.
    Starting,
    /// Answers, and its golden row is right.
    Healthy,
    /// Should answer and does not.
    Unhealthy,
    /// Was stopped by the user.
    Stopped,
    /// Its first revision never came up.
    Failed,
}

/// A row of the list of endpoints.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentSummary {
    /// Its id.
    pub id: String,
    /// Its name, unique in the project.
    pub name: String,
    /// The target's name for people.
    pub target: String,
    /// Where it stands.
    pub state: DeploymentState,
    /// What it serves.
    pub model: ModelLinkView,
    /// Its address.
    pub url: Option<String>,
    /// Requests in the last hour.
    pub requests_last_hour: u64,
    /// Alerts nobody has looked at.
    pub open_alerts: u32,
    /// When it was made, ms since the epoch.
    pub created_at: i64,
}

/// Names a deployment by its name or id.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeploymentPick {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// Its name or id.
    pub deployment: String,
}

/// A deployment with everything about it.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentDetail {
    /// The row of the list.
    pub summary: DeploymentSummary,
    /// The target's name in commands.
    pub kind: String,
    /// True if it can be stopped and started again.
    pub runs: bool,
    /// What the target was told for the revision that answers.
    pub params: serde_json::Map<String, serde_json::Value>,
    /// Every revision, newest first.
    pub revisions: Vec<RevisionView>,
    /// The bearer token; shown behind a button.
    pub token: Option<String>,
    /// A command that gets a prediction for the sample row; empty if nothing answers by itself.
    pub curl: String,
    /// The same in Python with nothing but its standard library.
    pub python: String,
    /// A row of the validation data: input by name.
    pub sample: serde_json::Map<String, serde_json::Value>,
    /// Process id and memory of what serves, if it runs here.
    pub process: Option<ProcessView>,
}

/// What serves.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ProcessView {
    /// Its id.
    pub pid: u32,
    /// Its memory, bytes.
    pub memory_bytes: Option<u64>,
    /// When it started, ms since the epoch.
    pub started_at: i64,
}

/// A model version that was put there.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RevisionView {
    /// Its number.
    pub number: u32,
    /// What it serves.
    pub model: ModelLinkView,
    /// True for the one that answers.
    pub is_current: bool,
    /// `starting`, `healthy`, `failed`, `stopped`, `superseded`.
    pub state: String,
    /// When it was made, ms since the epoch.
    pub created_at: i64,
    /// Why it failed.
    pub error: Option<Failure>,
}

/// Puts a model version somewhere. With the name of a deployment that is there, it becomes that
/// deployment's next revision, switched to once it is healthy.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeploymentCreate {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The model.
    pub model: String,
    /// The version: number or alias; `production` or else the newest if left out.
    #[serde(default)]
    pub version: Option<String>,
    /// The target; that of the deployment if there is one, else `local`.
    #[serde(default)]
    pub target: Option<String>,
    /// Parameters of the target that differ from its defaults, or from the revision before.
    #[serde(default)]
    pub params: Option<serde_json::Map<String, serde_json::Value>>,
    /// Its name; the model's if left out.
    #[serde(default)]
    pub name: Option<String>,
    /// The port; a free one if left out.
    #[serde(default)]
    pub port: Option<u16>,
}

/// What a deployment came to (the result of its job).
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Deployed {
    /// The deployment's id.
    pub deployment_id: String,
    /// Its name.
    pub name: String,
    /// Its address.
    pub url: String,
    /// The revision that answers.
    pub revision: u32,
}

/// Goes back to an earlier revision: the one before if left out.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeploymentRollback {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// Its name or id.
    pub deployment: String,
    /// The revision to go back to.
    #[serde(default)]
    pub revision: Option<u32>,
}

/// Sends one row to an endpoint.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeploymentTry {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// Its name or id.
    pub deployment: String,
    /// Input by name; the sample row if left out.
    #[serde(default)]
    pub inputs: Option<serde_json::Map<String, serde_json::Value>>,
}

/// What an endpoint answered.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TryResult {
    /// HTTP status.
    pub status: u16,
    /// Output by name.
    pub outputs: serde_json::Map<String, serde_json::Value>,
    /// What was sent.
    pub request: String,
    /// What came back.
    pub response: String,
    /// How long it took, ms.
    pub latency_ms: f64,
}

pub(super) fn targets(_engine: &Engine, _request: super::workspaces::Nothing) -> Result<Vec<TargetView>> {
    let view = |target: &&'static dyn crate::targets::AnyTarget| {
        let said = target.declaration();
        TargetView {
            kind: said.kind.to_owned(),
            title: said.title.to_owned(),
            summary: said.summary.to_owned(),
            doc: said.doc.to_owned(),
            runs: said.runs,
            unavailable: target.unavailable(),
            params: target.params_schema(),
            defaults: target.defaults(),
        }
    };
    Ok(TARGETS.iter().map(view).collect())
}

fn link(picked: &Picked) -> ModelLinkView {
    ModelLinkView {
        model: picked.model.name.clone(),
        version: picked.version.number,
        aliases: picked.aliases.clone(),
    }
}

/// A deployment in a list; nothing if no revision of it was ever recorded.
pub(crate) fn summary(engine: &Engine, deployment: &Deployment) -> Result<Option<DeploymentSummary>> {
    let revisions = engine.store().read(|db| stored::revisions(db, &deployment.id))?;
    let is_current = |one: &&stored::Revision| Some(one.number) == deployment.current_revision;
    let newest = revisions.iter().max_by_key(|one| one.number);
    let Some(shown) = revisions.iter().find(is_current).or(newest) else { return Ok(None) };
    let target = crate::targets::find(&deployment.target)?;
    let alerts = engine.alerts(Some(deployment))?;
    Ok(Some(DeploymentSummary {
        id: deployment.id.to_string(),
        name: deployment.name.clone(),
        target: target.declaration().title.to_owned(),
        state: state_view(engine.state_of(deployment)?, deployment.current_revision.is_some()),
        model: link(&engine.model_version(&shown.model_version_id)?),
        url: engine.placed(deployment)?.and_then(|placed| placed.url.or(placed.place)),
        requests_last_hour: engine.requests_since(deployment, 3_600_000)?,
        open_alerts: alerts.iter().filter(|alert| !alert.is_acknowledged).count() as u32,
        created_at: deployment.created_at.as_ms(),
    }))
}

fn state_view(state: stored::DeploymentState, has_served: bool) -> DeploymentState {
    match state {
        stored::DeploymentState::Starting => DeploymentState::Starting,
        stored::DeploymentState::Serving => DeploymentState::Healthy,
        stored::DeploymentState::Failed if has_served => DeploymentState::Unhealthy,
        stored::DeploymentState::Failed => DeploymentState::Failed,
        stored::DeploymentState::Stopped | stored::DeploymentState::Deleted => DeploymentState::Stopped,
    }
}

pub(super) fn list(engine: &Engine, request: InProject) -> Result<Vec<DeploymentSummary>> {
    let project = engine.project(request.project.as_deref())?;
    let all = engine.store().read(|db| stored::list(db, Some(&project.id)))?;
    let summaries = all.iter().map(|deployment| summary(engine, deployment)).collect::<Result<Vec<_>>>()?;
    Ok(summaries.into_iter().flatten().collect())
}

pub(super) fn show(engine: &Engine, request: DeploymentPick) -> Result<DeploymentDetail> {
    let project = engine.project(request.project.as_deref())?;
    let deployment = engine.deployment(&project, &request.deployment)?;
    let summary = summary(engine, &deployment)?.ok_or_else(|| {
        Error::new(Code::Conflict, format!("`{}` has no revision yet", deployment.name))
            .hint("deploy a model version to it")
    })?;
    let sample = engine.sample_row(&deployment).unwrap_or_default();
    let folder = engine.store().endpoint_dir(&deployment.id);
    let mut revisions = Vec::new();
    for one in engine.store().read(|db| stored::revisions(db, &deployment.id))? {
        revisions.push(revision_view(engine, &deployment, one)?);
    }
    revisions.sort_by_key(|one| std::cmp::Reverse(one.number));
    let placed = engine.placed(&deployment)?.unwrap_or_default();
    let call = |how: fn(&str, &Path, &serde_json::Map<String, serde_json::Value>) -> String| {
        placed.url.as_deref().map_or_else(String::new, |url| how(url, &folder, &sample))
    };
    let (curl, python) = (call(curl), call(python));
    Ok(DeploymentDetail {
        token: read_token(&folder).ok(),
        curl,
        python,
        kind: deployment.target.clone(),
        runs: crate::targets::find(&deployment.target)?.declaration().runs,
        params: placed.params,
        process: engine.process_of(&deployment)?,
        summary,
        revisions,
        sample,
    })
}

fn revision_view(
    engine: &Engine,
    deployment: &Deployment,
    revision: stored::Revision,
) -> Result<RevisionView> {
    Ok(RevisionView {
        number: revision.number,
        model: link(&engine.model_version(&revision.model_version_id)?),
        is_current: Some(revision.number) == deployment.current_revision,
        state: revision.state.as_str().to_owned(),
        created_at: revision.created_at.as_ms(),
        error: revision.error.map(Into::into),
    })
}

/// The token is read from its file, so that it does not end up in the shell's history.
fn curl(url: &str, folder: &Path, sample: &serde_json::Map<String, serde_json::Value>) -> String {
    let token = crate::targets::token_file(folder);
    let body = json!({ "dataframe_records": [sample] }).to_string().replace('\'', "'\\''");
    format!(
        "curl -s {url}/invocations -H \"Authorization: Bearer $(cat '{}')\" -H 'Content-Type: application/json' -d '{body}'",
        token.display()
    )
}

fn python(url: &str, folder: &Path, sample: &serde_json::Map<String, serde_json::Value>) -> String {
    let token = json!(crate::targets::token_file(folder));
    let body = json!({ "dataframe_records": [sample] });
    format!(
        "import json, urllib.request\n\n\
         token = open({token}).read().strip()\n\
         body = json.loads({})\n\
         request = urllib.request.Request(\n    \"{url}/invocations\",\n    data=json.dumps(body).encode(),\n    \
         headers={{\"Authorization\": f\"Bearer {{token}}\", \"Content-Type\": \"application/json\"}},\n)\n\
         print(json.load(urllib.request.urlopen(request)))\n",
        json!(body.to_string())
    )
}

pub(super) fn log(engine: &Engine, request: DeploymentPick) -> Result<super::runs::LogPage> {
    let project = engine.project(request.project.as_deref())?;
    let deployment = engine.deployment(&project, &request.deployment)?;
    engine.server_log(&deployment)
}

pub(super) fn create(engine: &Engine, request: DeploymentCreate) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    let wish = wish(request);
    // What cannot be is refused before anything is recorded.
    engine.plan_deployment(&project, &wish)?;
    let name = wish.name.clone().unwrap_or_else(|| wish.model.clone());
    let title = title("deployment.create", format!("Deploying {}", wish.model), &name);
    let job =
        engine.start_job(&title, move |engine, progress| reply(engine.deploy(&project, &wish, progress)?))?;
    Ok(job.into())
}

fn wish(request: DeploymentCreate) -> Wish {
    Wish {
        model: request.model,
        version: request.version,
        target: request.target,
        params: request.params.unwrap_or_default(),
        name: request.name,
        port: request.port,
    }
}

pub(super) fn plan(engine: &Engine, request: DeploymentCreate) -> Result<DeploymentPlan> {
    let project = engine.project(request.project.as_deref())?;
    Ok(DeploymentPlan { steps: engine.plan_deployment(&project, &wish(request))? })
}

pub(super) fn remove(engine: &Engine, request: DeploymentPick) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    let deployment = engine.deployment(&project, &request.deployment)?;
    let title = title("deployment.remove", format!("Removing {}", deployment.name), &deployment.name);
    let job = engine.start_job(&title, move |engine, _| {
        engine.remove_deployment(&deployment)?;
        Ok(json!({ "name": deployment.name }))
    })?;
    Ok(job.into())
}

pub(super) fn score(engine: &Engine, request: DeploymentPick) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    start_scoring(engine, &engine.deployment(&project, &request.deployment)?)
}

/// Scores, in a job, what a batch deployment has not scored yet.
pub(crate) fn start_scoring(engine: &Engine, deployment: &Deployment) -> Result<JobRef> {
    let title = title("deployment.score", format!("Scoring for {}", deployment.name), &deployment.name);
    let deployment = deployment.clone();
    let job = engine
        .start_job(&title, move |engine, progress| reply(engine.score_files(&deployment, progress)?))?;
    Ok(job.into())
}

pub(super) fn rollback(engine: &Engine, request: DeploymentRollback) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    let deployment = engine.deployment(&project, &request.deployment)?;
    let title = title("deployment.rollback", format!("Rolling back {}", deployment.name), &deployment.name);
    let job = engine.start_job(&title, move |engine, progress| {
        reply(engine.roll_back(&deployment, request.revision, progress)?)
    })?;
    Ok(job.into())
}

fn title<'a>(kind: &'a str, title: String, deployment: &str) -> Title<'a> {
    Title { kind, title, subject: json!({ "deployment": deployment }) }
}

pub(super) fn stop(engine: &Engine, request: DeploymentPick) -> Result<()> {
    let project = engine.project(request.project.as_deref())?;
    engine.stop_deployment(&engine.deployment(&project, &request.deployment)?)
}

pub(super) fn start(engine: &Engine, request: DeploymentPick) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    let deployment = engine.deployment(&project, &request.deployment)?;
    let title = title("deployment.start", format!("Starting {}", deployment.name), &deployment.name);
    let job = engine
        .start_job(&title, move |engine, progress| reply(engine.start_deployment(&deployment, progress)?))?;
    Ok(job.into())
}

pub(super) fn try_it(engine: &Engine, request: DeploymentTry) -> Result<TryResult> {
    let project = engine.project(request.project.as_deref())?;
    engine.try_row(&engine.deployment(&project, &request.deployment)?, request.inputs)
}
