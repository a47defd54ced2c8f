//! Deployments: a model version is brought up beside what serves now, must answer its golden row
//! right, and only then takes over. Until then nothing changes for callers; after that, going back
//! is one call.

use std::path::{Path, PathBuf};

use base::{Code, Error, Progress, Result};
use score::{GoldenCheck, Package};
use serde_json::{Map, Value, json};
use store::deployments::{self, Deployment, DeploymentState, NewDeployment, Revision, RevisionState};
use store::projects::Project;
use store::{Action, files};

use crate::Engine;
use crate::commands::deployments::{Deployed, TryResult};
use crate::models::{PRODUCTION, Picked};
use crate::targets::{self, Endpoint, Plan, Target};

/// What to deploy and where.
pub(crate) struct Wish {
    pub(crate) model: String,
    /// A number or an alias; `production` or else the newest if none.
    pub(crate) version: Option<String>,
    pub(crate) target: String,
    /// The deployment's name; the model's if none.
    pub(crate) name: Option<String>,
    pub(crate) port: Option<u16>,
}

impl Engine {
    /// A deployment by its name or id.
    pub(crate) fn deployment(&self, project: &Project, name: &str) -> Result<Deployment> {
        let by_id = name.parse().ok();
        let (found, all) = self.store().read(|db| {
            let found = match &by_id {
                Some(id) => Some(deployments::get(db, id)?),
                None => deployments::by_name(db, &project.id, name)?,
            };
            Ok((found, deployments::list(db, Some(&project.id))?))
        })?;
        found.ok_or_else(|| {
            let error = Error::not_found(format!("there is no deployment `{}`", name.escape_debug()));
            match data::nearest(name, all.iter().map(|one| one.name.as_str())) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("deploy a model first, or see `fettle deployment list`"),
            }
        })
    }

    /// The version that a wish means.
    pub(crate) fn version_to_deploy(&self, project: &Project, wish: &Wish) -> Result<Picked> {
        match &wish.version {
            Some(version) => self.pick(project, &wish.model, Some(version)),
            None => match self.pick(project, &wish.model, Some(PRODUCTION)) {
                Err(error) if error.code == Code::NotFound => self.pick(project, &wish.model, None),
                picked => picked,
            },
        }
    }

    /// Brings a version up, as a new deployment or as the next revision of the one of that name.
    pub(crate) fn deploy(&self, project: &Project, wish: &Wish, progress: &Progress) -> Result<Deployed> {
        let target = targets::find(&wish.target)?;
        if let Some(why) = target.unavailable() {
            return Err(
                Error::new(Code::Unavailable, format!("cannot deploy to `{}`", wish.target)).because(why)
            );
        }
        let picked = self.version_to_deploy(project, wish)?;
        let name = wish.name.clone().unwrap_or_else(|| wish.model.clone());
        check_name(&name)?;
        let existing = self.store().read(|db| deployments::by_name(db, &project.id, &name))?;
        let deployment = match existing {
            Some(deployment) => deployment,
            None => self.store().write(Action::new("deployment.create", &name), |w| {
                deployments::create(
                    w,
                    NewDeployment {
                        project_id: project.id.clone(),
                        name: name.clone(),
                        target: wish.target.clone(),
                        model_id: picked.model.id.clone(),
                        config: json!({}),
                    },
                )
            })?,
        };
        self.switch(&deployment, &picked, wish.port, progress)
    }

    /// Makes a version what a deployment serves.
    pub(crate) fn switch(
        &self,
        deployment: &Deployment,
        picked: &Picked,
        port: Option<u16>,
        progress: &Progress,
    ) -> Result<Deployed> {
        let target = targets::find(&deployment.target)?;
        let folder = self.endpoint_folder(deployment)?;
        let instance = base::JobId::new().to_string();
        let subject = format!("{}: {} v{}", deployment.name, picked.model.name, picked.version.number);
        let mut revision = self.store().write(Action::new("deployment.revision", &subject), |w| {
            deployments::add_revision(w, &deployment.id, &picked.version.id, &instance)
        })?;
        let served = self.bring_up(deployment, picked, &revision, port, target, &folder, progress);
        match served {
            Ok(endpoint) => {
                self.take_over(deployment, &mut revision, &endpoint, &subject)?;
                Ok(Deployed {
                    deployment_id: deployment.id.to_string(),
                    name: deployment.name.clone(),
                    url: target.url(endpoint.port),
                    revision: revision.number,
                })
            }
            Err(error) => {
                let before = self.store().read(|db| deployments::current(db, &deployment.id))?;
                revision.state = RevisionState::Failed;
                revision.error = Some(error.clone());
                self.store().write(Action::new("deployment.failed", &subject), |w| {
                    deployments::save_revision(w, &revision)?;
                    if before.is_none() {
                        deployments::set_state(w, &deployment.id, DeploymentState::Failed)?;
                    }
                    Ok(())
                })?;
                let what = format!(
                    "cannot deploy {} v{} to `{}`",
                    picked.model.name, picked.version.number, deployment.name
                );
                let error = if error.code == Code::Cancelled {
                    error
                } else {
                    Error { code: Code::DeployFailed, ..error }
                };
                let error = error.within(what);
                Err(match before {
                    Some(before) => error.hint(format!("revision {} goes on serving", before.number)),
                    None => error,
                })
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one move, each used once")]
    fn bring_up(
        &self,
        deployment: &Deployment,
        picked: &Picked,
        revision: &Revision,
        port: Option<u16>,
        target: &dyn Target,
        folder: &Path,
        progress: &Progress,
    ) -> Result<Endpoint> {
        progress.step("writing the package", 0, Some(4))?;
        let package = folder.join(format!("revision-{}", revision.number));
        self.store().objects().get_tree(&picked.version.package, &package)?;
        let before =
            self.store().read(|db| deployments::current(db, &deployment.id))?.and_then(|one| endpoint(&one));
        target.sweep(folder, before.as_ref());
        let mut plan = Plan {
            package: &package,
            folder,
            model: &picked.model.name,
            version: picked.version.number,
            port: None,
            instance: &revision.instance,
            records: false,
        };
        let running = before.as_ref().filter(|before| target.is_up(before, folder));
        if running.is_some() {
            // What serves now goes on until its successor has proved itself on another port.
            progress.step("trying it beside the one that serves", 1, Some(4))?;
            let trial = target.start(&plan)?;
            let tried = self.health_gate(&trial, picked, target, folder);
            target.stop(&trial, folder)?;
            tried?;
        }
        progress.step("starting the server", 2, Some(4))?;
        plan.records = true;
        plan.port = port.or(before.as_ref().map(|before| before.port));
        if let Some(before) = running.filter(|before| plan.port == Some(before.port)) {
            target.stop(before, folder)?;
        }
        let started = target.start(&plan).and_then(|new| {
            progress.step("asking for the golden row", 3, Some(4))?;
            match self.health_gate(&new, picked, target, folder) {
                Ok(()) => Ok(new),
                Err(error) => {
                    target.stop(&new, folder)?;
                    Err(error)
                }
            }
        });
        match (&started, running) {
            (Err(_), Some(_)) => self.bring_back(deployment, target, folder)?,
            (Ok(new), Some(before)) if new.port != before.port => target.stop(before, folder)?,
            _ => (),
        }
        started
    }

    /// Starts the current revision again where its successor failed at the last moment.
    fn bring_back(&self, deployment: &Deployment, target: &dyn Target, folder: &Path) -> Result<()> {
        let Some(current) = self.store().read(|db| deployments::current(db, &deployment.id))? else {
            return Ok(());
        };
        let Some(was) = endpoint(&current) else { return Ok(()) };
        if target.is_up(&was, folder) {
            return Ok(());
        }
        let picked = self.model_version(&current.model_version_id)?;
        let endpoint = target.start(&Plan {
            package: &folder.join(format!("revision-{}", current.number)),
            folder,
            model: &picked.model.name,
            version: picked.version.number,
            port: Some(was.port),
            instance: &current.instance,
            records: true,
        })?;
        self.save_endpoint(current, &endpoint)
    }

    fn save_endpoint(&self, mut revision: Revision, endpoint: &Endpoint) -> Result<()> {
        revision.pid = Some(endpoint.pid);
        revision.process_started = endpoint.process_started;
        revision.port = Some(endpoint.port);
        revision.instance.clone_from(&endpoint.instance);
        revision.state = RevisionState::Healthy;
        revision.ended_at = None;
        let subject = revision.deployment_id.to_string();
        self.store()
            .write(Action::new("deployment.restart", subject), |w| deployments::save_revision(w, &revision))
    }

    /// The endpoint must give the answer that the package recorded for its golden row.
    fn health_gate(
        &self,
        endpoint: &Endpoint,
        picked: &Picked,
        target: &dyn Target,
        folder: &Path,
    ) -> Result<()> {
        let package = self.package(&picked.version)?;
        let Some(golden) = package.card().and_then(|card| card.golden.as_ref()) else { return Ok(()) };
        let token = read_token(folder)?;
        let url = target.url(endpoint.port);
        let answer = targets::infer(&url, &token, &picked.model.name, std::slice::from_ref(&golden.inputs))?;
        let refused = |why: String| {
            Error::new(Code::DeployFailed, "the server answers its golden row wrongly").because(why)
        };
        if answer.status != 200 {
            return Err(refused(answer.response));
        }
        for (name, expected) in &golden.outputs {
            let got = answer.outputs.get(name).cloned().unwrap_or(Value::Null);
            if !is_same(&got, expected) {
                return Err(refused(format!("`{name}` is {got}, expected {expected}")));
            }
        }
        Ok(())
    }

    fn take_over(
        &self,
        deployment: &Deployment,
        revision: &mut Revision,
        endpoint: &Endpoint,
        subject: &str,
    ) -> Result<()> {
        let before = self.store().read(|db| deployments::current(db, &deployment.id))?;
        revision.state = RevisionState::Healthy;
        revision.port = Some(endpoint.port);
        revision.pid = Some(endpoint.pid);
        revision.process_started = endpoint.process_started;
        revision.token_file = Some("token".to_owned());
        self.store().write(Action::new("deployment.switch", subject), |w| {
            revision.healthy_at = Some(w.now());
            if let Some(mut before) = before {
                before.state = RevisionState::Stopped;
                before.ended_at = Some(w.now());
                deployments::save_revision(w, &before)?;
            }
            deployments::save_revision(w, revision)?;
            deployments::set_current(w, &deployment.id, Some(revision.number))?;
            deployments::set_state(w, &deployment.id, DeploymentState::Serving)
        })
    }

    /// Goes back to what an earlier revision served, as a revision of its own.
    pub(crate) fn roll_back(
        &self,
        deployment: &Deployment,
        to: Option<u32>,
        progress: &Progress,
    ) -> Result<Deployed> {
        let revisions = self.store().read(|db| deployments::revisions(db, &deployment.id))?;
        let current = deployment.current_revision.unwrap_or(0);
        let was_healthy = |one: &&Revision| one.healthy_at.is_some() && one.number != current;
        let earlier = match to {
            Some(number) => revisions.iter().find(|one| one.number == number),
            None => revisions
                .iter()
                .filter(was_healthy)
                .filter(|one| one.number < current)
                .max_by_key(|one| one.number),
        };
        let earlier = earlier.ok_or_else(|| {
            Error::not_found(format!("`{}` has no earlier revision that served", deployment.name))
                .hint("see `fettle deployment status` for all of them")
        })?;
        let picked = self.model_version(&earlier.model_version_id)?;
        self.switch(deployment, &picked, None, progress)
    }

    /// Stops what serves. It can be started again.
    pub(crate) fn stop_deployment(&self, deployment: &Deployment) -> Result<()> {
        let target = targets::find(&deployment.target)?;
        let current = self.store().read(|db| deployments::current(db, &deployment.id))?;
        if let Some(endpoint) = current.as_ref().and_then(endpoint) {
            target.stop(&endpoint, &self.store().endpoint_dir(&deployment.id))?;
        }
        self.store().write(Action::new("deployment.stop", &deployment.name), |w| {
            deployments::set_state(w, &deployment.id, DeploymentState::Stopped)
        })
    }

    /// Starts what served last.
    pub(crate) fn start_deployment(&self, deployment: &Deployment, progress: &Progress) -> Result<Deployed> {
        let current = self.store().read(|db| deployments::current(db, &deployment.id))?;
        let current = current.ok_or_else(|| {
            Error::new(Code::Conflict, format!("`{}` never served", deployment.name))
                .hint("deploy a model version to it")
        })?;
        let picked = self.model_version(&current.model_version_id)?;
        self.switch(deployment, &picked, current.port, progress)
    }

    /// True if what should serve does.
    pub(crate) fn is_serving(&self, deployment: &Deployment) -> Result<bool> {
        let current = self.store().read(|db| deployments::current(db, &deployment.id))?;
        let target = targets::find(&deployment.target)?;
        let folder = self.store().endpoint_dir(&deployment.id);
        Ok(current.as_ref().and_then(endpoint).is_some_and(|endpoint| target.is_up(&endpoint, &folder)))
    }

    /// Sends a row to a deployment.
    pub(crate) fn try_row(
        &self,
        deployment: &Deployment,
        row: Option<Map<String, Value>>,
    ) -> Result<TryResult> {
        let row = match row {
            Some(row) => row,
            None => self.sample_row(deployment)?,
        };
        self.send(deployment, std::slice::from_ref(&row))
    }

    /// Sends rows to a deployment.
    pub(crate) fn send(&self, deployment: &Deployment, rows: &[Map<String, Value>]) -> Result<TryResult> {
        let (endpoint, picked) = self.serving(deployment)?;
        let token = read_token(&self.store().endpoint_dir(&deployment.id))?;
        let url = targets::find(&deployment.target)?.url(endpoint.port);
        targets::infer(&url, &token, &picked.model.name, rows)
    }

    /// What serves and which version it is.
    pub(crate) fn serving(&self, deployment: &Deployment) -> Result<(Endpoint, Picked)> {
        let current = self.store().read(|db| deployments::current(db, &deployment.id))?;
        let never = || Error::new(Code::Conflict, format!("`{}` does not serve", deployment.name));
        let current = current.ok_or_else(never)?;
        let endpoint = endpoint(&current).ok_or_else(never)?;
        Ok((endpoint, self.model_version(&current.model_version_id)?))
    }

    /// The golden row of what a deployment serves: a real row that was held out.
    pub(crate) fn sample_row(&self, deployment: &Deployment) -> Result<Map<String, Value>> {
        let (_, picked) = self.serving(deployment)?;
        let package: Package = self.package(&picked.version)?;
        Ok(package.card().and_then(|card| card.golden.clone()).unwrap_or_default().inputs)
    }

    fn endpoint_folder(&self, deployment: &Deployment) -> Result<PathBuf> {
        let folder = self.store().endpoint_dir(&deployment.id);
        files::create_private_dir(&folder)?;
        files::create_private_dir(&targets::requests_dir(&folder))?;
        let token = targets::token_file(&folder);
        if !token.exists() {
            // Two random ids are 244 random bits, more than anybody can guess.
            let secret = format!("{}{}", base::JobId::new(), base::JobId::new());
            files::write_atomic(&token, secret.as_bytes())?;
        }
        Ok(folder)
    }
}

/// The token that callers of a deployment must send.
pub(crate) fn read_token(folder: &Path) -> Result<String> {
    let path = targets::token_file(folder);
    Ok(std::fs::read_to_string(&path).map_err(|e| Error::io("read", &path, &e))?.trim().to_owned())
}

/// The process of a revision, as it was recorded.
pub(crate) fn endpoint(revision: &Revision) -> Option<Endpoint> {
    Some(Endpoint {
        pid: revision.pid?,
        process_started: revision.process_started,
        port: revision.port?,
        instance: revision.instance.clone(),
    })
}

fn is_same(got: &Value, expected: &Value) -> bool {
    match (got.as_f64(), expected.as_f64()) {
        (Some(got), Some(expected)) => {
            (got - expected).abs() <= GoldenCheck::TOLERANCE * expected.abs().max(1.0)
        }
        _ => got == expected,
    }
}

fn check_name(name: &str) -> Result<()> {
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if is_plain && name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.len() <= 100 {
        return Ok(());
    }
    Err(Error::invalid(format!("`{}` cannot be the name of a deployment", name.escape_debug()))
        .hint("use letters, digits, `-`, `_` and `.`"))
}
