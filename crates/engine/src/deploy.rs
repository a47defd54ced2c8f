//! Deployments: a model version is brought up beside what serves now, must answer its golden row
//! right, and only then takes over. Until then nothing changes for callers; after that, going back
//! is one call.

use std::path::{Path, PathBuf};

use base::{Code, Error, Progress, Result};
use score::Package;
use serde_json::{Map, Value, json};
use store::deployments::{self, Deployment, DeploymentState, NewDeployment, Revision, RevisionState};
use store::projects::Project;
use store::{Action, files};

use crate::Engine;
use crate::commands::deployments::{Deployed, TryResult};
use crate::models::{PRODUCTION, Picked};
use crate::targets::{self, Answers, AnyTarget, Endpoint, Placed, Probe, Site, Work, process_url};

/// What to deploy and where.
pub(crate) struct Wish {
    pub(crate) model: String,
    /// A number or an alias; `production` or else the newest if none.
    pub(crate) version: Option<String>,
    /// The target; that of the deployment, or this computer, if none.
    pub(crate) target: Option<String>,
    /// What differs from the defaults of the target, or from the revision before.
    pub(crate) params: Map<String, Value>,
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
        let picked = self.version_to_deploy(project, wish)?;
        let (name, existing) = self.wished(project, wish)?;
        let (target, params) = self.destination(wish, existing.as_ref())?;
        let kind = target.declaration().kind;
        if let Some(why) = target.unavailable() {
            return Err(Error::new(Code::Unavailable, format!("cannot deploy to `{kind}`")).because(why));
        }
        let deployment = match existing {
            Some(deployment) => deployment,
            None => self.store().write(Action::new("deployment.create", &name), |w| {
                crate::monitor::create_watched(
                    w,
                    NewDeployment {
                        project_id: project.id.clone(),
                        name: name.clone(),
                        target: kind.to_owned(),
                        model_id: picked.model.id.clone(),
                        config: json!({}),
                    },
                )
            })?,
        };
        self.switch(&deployment, &picked, &params, wish.port, progress)
    }

    /// What a deployment would do, a sentence each.
    pub(crate) fn plan_deployment(&self, project: &Project, wish: &Wish) -> Result<Vec<String>> {
        let picked = self.version_to_deploy(project, wish)?;
        let (name, existing) = self.wished(project, wish)?;
        let (target, params) = self.destination(wish, existing.as_ref())?;
        let package = self.package_dir(&picked.version.package)?;
        let before = existing.as_ref().map(|one| self.placed(one)).transpose()?.flatten();
        let folder = existing.as_ref().map_or_else(
            || self.store().endpoint_dir(&base::DeploymentId::new()),
            |one| self.store().endpoint_dir(&one.id),
        );
        let site = Site { folder: &folder, deployment: &name, model: &picked.model.name, token: "" };
        target.plan(
            &params,
            &Work {
                site,
                package: &package,
                version: picked.version.number,
                revision: before.as_ref().map_or(0, |before| before.revision) + 1,
                port: wish.port,
                instance: "",
                before: before.as_ref(),
                last: before.as_ref(),
                progress: &Progress::silent(),
            },
        )
    }

    /// The name that a wish means, and the deployment of that name.
    fn wished(&self, project: &Project, wish: &Wish) -> Result<(String, Option<Deployment>)> {
        let name = wish.name.clone().unwrap_or_else(|| wish.model.clone());
        check_name(&name)?;
        let existing = self.store().read(|db| deployments::by_name(db, &project.id, &name))?;
        if let (Some(existing), Some(target)) = (&existing, &wish.target)
            && existing.target != *target
        {
            return Err(Error::new(
                Code::Conflict,
                format!("the deployment `{name}` is at `{}`, not at `{target}`", existing.target),
            )
            .hint("give the new one another `--name`"));
        }
        Ok((name, existing))
    }

    /// The target and its parameters: those that are wished, over those of the revision before.
    fn destination(
        &self,
        wish: &Wish,
        existing: Option<&Deployment>,
    ) -> Result<(&'static dyn AnyTarget, Map<String, Value>)> {
        let kind = wish.target.as_deref().or(existing.map(|one| one.target.as_str())).unwrap_or("local");
        let target = targets::find(kind)?;
        let before = existing.map(|one| self.placed(one)).transpose()?.flatten();
        let mut params = before.map(|before| before.params).unwrap_or_default();
        params.extend(wish.params.clone());
        Ok((target, target.complete(&params)?))
    }

    /// Where the current revision of a deployment is; none if none ever served.
    pub(crate) fn placed(&self, deployment: &Deployment) -> Result<Option<Placed>> {
        let current = self.store().read(|db| deployments::current(db, &deployment.id))?;
        current.map(|revision| self.placed_at(deployment, &revision)).transpose()
    }

    fn placed_at(&self, deployment: &Deployment, revision: &Revision) -> Result<Placed> {
        let folder = self.store().endpoint_dir(&deployment.id);
        if let Some(placed) = Placed::load(&folder, revision.number)? {
            return Ok(placed);
        }
        // Revisions of earlier Fettles are told by the index alone.
        Ok(Placed {
            revision: revision.number,
            version: self.model_version(&revision.model_version_id)?.version.number,
            url: revision.port.map(process_url),
            process: endpoint(revision),
            ..Placed::default()
        })
    }

    /// Makes a version what a deployment serves.
    pub(crate) fn switch(
        &self,
        deployment: &Deployment,
        picked: &Picked,
        params: &Map<String, Value>,
        port: Option<u16>,
        progress: &Progress,
    ) -> Result<Deployed> {
        let folder = self.endpoint_folder(deployment)?;
        let instance = base::JobId::new().to_string();
        let subject = format!("{}: {} v{}", deployment.name, picked.model.name, picked.version.number);
        let mut revision = self.store().write(Action::new("deployment.revision", &subject), |w| {
            deployments::add_revision(w, &deployment.id, &picked.version.id, &instance)
        })?;
        let token = read_token(&folder)?;
        let before = self.placed(deployment)?;
        let package = folder.join(format!("revision-{}", revision.number));
        let work = Work {
            site: Site {
                folder: &folder,
                deployment: &deployment.name,
                model: &picked.model.name,
                token: &token,
            },
            package: &package,
            version: picked.version.number,
            revision: revision.number,
            port,
            instance: &instance,
            before: before.as_ref().filter(|_| deployment.state != DeploymentState::Stopped),
            last: before.as_ref(),
            progress,
        };
        match self.bring_up(deployment, picked, params, &work) {
            Ok(placed) => {
                self.take_over(deployment, &mut revision, &placed, &subject)?;
                Ok(Deployed {
                    deployment_id: deployment.id.to_string(),
                    name: deployment.name.clone(),
                    url: placed.url.or(placed.place).unwrap_or_default(),
                    revision: revision.number,
                })
            }
            Err(error) => Err(self.failed(deployment, picked, revision, error, &subject)?),
        }
    }

    /// Records that a revision failed, and says so with what goes on serving.
    fn failed(
        &self,
        deployment: &Deployment,
        picked: &Picked,
        mut revision: Revision,
        error: Error,
        subject: &str,
    ) -> Result<Error> {
        let before = self.store().read(|db| deployments::current(db, &deployment.id))?;
        revision.state = RevisionState::Failed;
        revision.error = Some(error.clone());
        self.store().write(Action::new("deployment.failed", subject), |w| {
            deployments::save_revision(w, &revision)?;
            if before.is_none() {
                deployments::set_state(w, &deployment.id, DeploymentState::Failed)?;
            }
            Ok(())
        })?;
        let error = match error.code {
            Code::Cancelled => error,
            _ => Error { code: Code::DeployFailed, ..error },
        };
        let (model, version) = (&picked.model.name, picked.version.number);
        let error = error.within(format!("cannot deploy {model} v{version} to `{}`", deployment.name));
        Ok(match before {
            Some(before) => error.hint(format!("revision {} goes on serving", before.number)),
            None => error,
        })
    }

    /// The way that every target goes: build, apply, golden rows, switch, golden rows again.
    fn bring_up(
        &self,
        deployment: &Deployment,
        picked: &Picked,
        params: &Map<String, Value>,
        work: &Work,
    ) -> Result<Placed> {
        let target = targets::find(&deployment.target)?;
        target.plan(params, work)?;
        work.progress.step("writing the package", 0, Some(4))?;
        self.store().objects().get_tree(&picked.version.package, work.package)?;
        let probe = Probe::of(work.package, &work.load()?)?;
        let mut placed = target.build(params, work)?;
        let gate = |placed: &Placed| -> Result<()> {
            if probe.rows.is_empty() {
                return Ok(());
            }
            probe.check(&target.probe(work, placed, &probe)?)
        };
        let served = target
            .apply(work, &mut placed)
            .and_then(|()| gate(&placed))
            .and_then(|()| target.switch(work, &mut placed))
            .and_then(|()| gate(&placed))
            .and_then(|()| placed.save(work.site.folder));
        let Err(error) = served else { return Ok(placed) };
        match target.withdraw(work, &placed) {
            Ok(None) => Err(error),
            Ok(Some(before)) => {
                before.save(work.site.folder)?;
                self.save_process(deployment, &before)?;
                Err(error)
            }
            // The first failure is the one to be told; the second says in what state it left things.
            Err(second) => {
                Err(error.because(format!("and what served before could not be brought back: {second}")))
            }
        }
    }

    /// Writes down the process that a revision has now.
    fn save_process(&self, deployment: &Deployment, placed: &Placed) -> Result<()> {
        let mut revision =
            self.store().read(|db| deployments::revision(db, &deployment.id, placed.revision))?;
        if let Some(endpoint) = &placed.process {
            revision.pid = Some(endpoint.pid);
            revision.process_started = endpoint.process_started;
            revision.port = Some(endpoint.port);
            revision.instance.clone_from(&endpoint.instance);
        }
        revision.state = RevisionState::Healthy;
        revision.ended_at = None;
        let subject = revision.deployment_id.to_string();
        self.store()
            .write(Action::new("deployment.restart", subject), |w| deployments::save_revision(w, &revision))
    }

    fn take_over(
        &self,
        deployment: &Deployment,
        revision: &mut Revision,
        placed: &Placed,
        subject: &str,
    ) -> Result<()> {
        let before = self.store().read(|db| deployments::current(db, &deployment.id))?;
        revision.state = RevisionState::Healthy;
        if let Some(endpoint) = &placed.process {
            revision.port = Some(endpoint.port);
            revision.pid = Some(endpoint.pid);
            revision.process_started = endpoint.process_started;
            revision.instance.clone_from(&endpoint.instance);
        }
        revision.token_file = Some("token".to_owned());
        let digest = placed.digest.clone().unwrap_or_default();
        let action = Action::new("deployment.switch", subject).with("digest", digest);
        self.store().write(action, |w| {
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
        let target = targets::find(&deployment.target)?;
        let mut params = self.params_of(deployment, earlier)?;
        // Who goes back wants everybody to have that version, also if it was only on trial then.
        if params.shift_remove(targets::ROLLOUT).is_some() {
            params = target.complete(&params)?;
        }
        self.switch(deployment, &picked, &params, None, progress)
    }

    /// What the target was told for a revision.
    fn params_of(&self, deployment: &Deployment, revision: &Revision) -> Result<Map<String, Value>> {
        targets::find(&deployment.target)?.complete(&self.placed_at(deployment, revision)?.params)
    }

    /// Stops what serves. It can be started again.
    pub(crate) fn stop_deployment(&self, deployment: &Deployment) -> Result<()> {
        let target = targets::find(&deployment.target)?;
        if let Some(placed) = self.placed(deployment)? {
            self.at_site(deployment, |site| target.stop(site, &placed))?;
        }
        self.store().write(Action::new("deployment.stop", &deployment.name), |w| {
            deployments::set_state(w, &deployment.id, DeploymentState::Stopped)
        })
    }

    /// Takes a deployment away, here and where it was put. Its history stays in the audit log.
    pub(crate) fn remove_deployment(&self, deployment: &Deployment) -> Result<()> {
        let target = targets::find(&deployment.target)?;
        let folder = self.store().endpoint_dir(&deployment.id);
        for revision in self.store().read(|db| deployments::revisions(db, &deployment.id))? {
            let is_current = deployment.current_revision == Some(revision.number);
            let placed = match Placed::load(&folder, revision.number)? {
                Some(placed) => placed,
                None if is_current => self.placed_at(deployment, &revision)?,
                // It never was anywhere.
                None => continue,
            };
            self.at_site(deployment, |site| target.remove(site, &placed))?;
        }
        self.store().write(Action::new("deployment.remove", &deployment.name), |w| {
            deployments::set_current(w, &deployment.id, None)?;
            deployments::set_state(w, &deployment.id, DeploymentState::Deleted)
        })?;
        targets::remove_dir(&folder)
    }

    /// Calls a target with what it knows a deployment by.
    pub(crate) fn at_site<T>(
        &self,
        deployment: &Deployment,
        call: impl FnOnce(&Site) -> Result<T>,
    ) -> Result<T> {
        let folder = self.store().endpoint_dir(&deployment.id);
        let model = self.store().read(|db| store::models::get(db, &deployment.model_id))?;
        let token = read_token(&folder)?;
        call(&Site { folder: &folder, deployment: &deployment.name, model: &model.name, token: &token })
    }

    /// Starts what served last.
    pub(crate) fn start_deployment(&self, deployment: &Deployment, progress: &Progress) -> Result<Deployed> {
        let current = self.store().read(|db| deployments::current(db, &deployment.id))?;
        let current = current.ok_or_else(|| {
            Error::new(Code::Conflict, format!("`{}` never served", deployment.name))
                .hint("deploy a model version to it")
        })?;
        let picked = self.model_version(&current.model_version_id)?;
        let params = self.params_of(deployment, &current)?;
        self.switch(deployment, &picked, &params, current.port, progress)
    }

    /// True if what should serve does.
    pub(crate) fn is_serving(&self, deployment: &Deployment) -> Result<bool> {
        let Some(placed) = self.placed(deployment)? else { return Ok(false) };
        let target = targets::find(&deployment.target)?;
        self.at_site(deployment, |site| Ok(target.is_up(site, &placed)))
    }

    /// The newest part of its log.
    pub(crate) fn deployment_log(&self, deployment: &Deployment) -> Result<String> {
        let Some(placed) = self.placed(deployment)? else {
            return targets::tail(&targets::log_file(&self.store().endpoint_dir(&deployment.id)));
        };
        let target = targets::find(&deployment.target)?;
        self.at_site(deployment, |site| target.log(site, &placed))
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

    /// Sends rows to a deployment, as callers do.
    pub(crate) fn send(&self, deployment: &Deployment, rows: &[Map<String, Value>]) -> Result<TryResult> {
        let (placed, picked) = self.serving(deployment)?;
        let folder = self.store().endpoint_dir(&deployment.id);
        let token = read_token(&folder)?;
        let target = targets::find(&deployment.target)?;
        // An address of another network may lead nowhere from here; the target knows a way.
        let answers = match placed.url.as_ref().filter(|_| !target.declaration().is_remote) {
            Some(url) => targets::infer(url, &token, &targets::infer_path(&picked.model.name, None), rows)?,
            None => {
                let package = folder.join(format!("revision-{}", placed.revision));
                let work = Work {
                    site: Site {
                        folder: &folder,
                        deployment: &deployment.name,
                        model: &picked.model.name,
                        token: &token,
                    },
                    package: &package,
                    version: placed.version,
                    revision: placed.revision,
                    port: None,
                    instance: "try",
                    before: None,
                    last: None,
                    progress: &Progress::silent(),
                };
                target.probe(&work, &placed, &Probe::only(rows))?
            }
        };
        Ok(first_of(answers))
    }

    /// What serves and which version it is.
    pub(crate) fn serving(&self, deployment: &Deployment) -> Result<(Placed, Picked)> {
        let never = || Error::new(Code::Conflict, format!("`{}` does not serve", deployment.name));
        let current = self.store().read(|db| deployments::current(db, &deployment.id))?;
        let current = current.ok_or_else(never)?;
        let placed = self.placed_at(deployment, &current)?;
        Ok((placed, self.model_version(&current.model_version_id)?))
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

/// The answers for the first row.
fn first_of(answers: Answers) -> TryResult {
    let outputs =
        answers.columns.iter().filter_map(|(name, column)| Some((name.clone(), column.get(0)?.clone())));
    TryResult {
        status: answers.status,
        outputs: outputs.collect(),
        request: answers.request,
        response: answers.response,
        latency_ms: answers.latency_ms,
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
