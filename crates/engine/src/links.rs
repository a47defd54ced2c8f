//! From one thing to another: which endpoints serve a version, where a version came from, what
//! process serves a deployment.

use base::{Error, Result};
use flow::execute::Planned;
use store::deployments::{self, Deployment};
use store::models::ModelVersion;
use store::projects::Project;
use store::runs;

use crate::Engine;
use crate::commands::deployments::ProcessView;
use crate::commands::runs::{DatasetLink, LogPage, ModelLink};
use crate::models::Candidate;
use crate::monitor::requests::Requests;
use crate::targets;

/// Where a version came from.
#[derive(Default)]
pub(crate) struct Origin {
    pub(crate) dataset: Option<DatasetLink>,
    /// The step that registered it.
    pub(crate) step: String,
    pub(crate) pipeline: String,
}

impl Engine {
    /// Names of deployments whose current revision serves a version.
    pub(crate) fn endpoints_of(&self, version: &ModelVersion) -> Result<Vec<String>> {
        let serving = self.store().read(|db| deployments::serving(db, &version.id))?;
        Ok(serving.into_iter().map(|deployment| deployment.name).collect())
    }

    /// Where a version came from.
    pub(crate) fn origin(&self, version: &ModelVersion) -> Result<Origin> {
        self.store().read(|db| {
            let dataset = match &version.dataset_version_id {
                Some(id) => {
                    let version = store::datasets::version(db, id)?;
                    let dataset = store::datasets::get(db, &version.dataset_id)?;
                    Some(DatasetLink { dataset: dataset.name, version: version.number })
                }
                None => None,
            };
            let pipeline = match &version.run_id {
                Some(id) => runs::get(db, id)?.pipeline,
                None => String::new(),
            };
            Ok(Origin { dataset, step: version.step_id.clone().unwrap_or_default(), pipeline })
        })
    }

    /// Registers a model of a run that no register step took.
    pub(crate) fn register_from_run(
        &self,
        run: &str,
        step: Option<&str>,
        name: Option<&str>,
    ) -> Result<ModelLink> {
        let told = self.told(self.run(run)?)?;
        let models = told.models();
        let model = match step {
            Some(step) => models.iter().find(|model| model.step == step),
            None => models.first(),
        };
        let model = model.ok_or_else(|| {
            Error::not_found(format!("run {} trained no such model", told.run.number))
                .hint("see `fettle run show`")
        })?;
        let row = told.evaluated_row(&model.step).ok_or_else(|| {
            Error::invalid(format!("the model of step `{}` was not evaluated", model.step))
                .hint("wire an evaluate step behind it and run again")
        })?;
        let key = row.key.clone().unwrap_or_default();
        let folder = self.results().artifact(&key, "model");
        if !folder.is_dir() {
            return Err(Error::new(base::Code::Corrupt, "the model was removed from the cache")
                .hint("run the pipeline again: the same model comes out"));
        }
        let project = self.store().read(|db| store::projects::get(db, &told.run.project_id))?;
        let name = name.map_or_else(|| told.run.pipeline.clone(), str::to_owned);
        let candidate = Candidate {
            project: &project,
            model: &name,
            run_id: &told.run.id,
            step_id: &row.step_id,
            folder: &folder,
        };
        let version = self.register(&candidate)?;
        Ok(ModelLink { model: name, version: version.number })
    }

    /// How long the steps to run took last time, if all of them have run before.
    pub(crate) fn estimate_ms(
        &self,
        project: &Project,
        pipeline: &str,
        plan: &[(String, Planned)],
    ) -> Result<Option<u64>> {
        let mut sum = 0;
        for (step, planned) in plan {
            if !matches!(planned, Planned::Cached(_)) {
                let last = self.store().read(|db| store::cache::latest(db, &project.id, pipeline, step))?;
                let Some(last) = last else { return Ok(None) };
                sum += last.outputs["durationMs"].as_u64().unwrap_or(0);
            }
        }
        Ok(Some(sum))
    }

    /// Requests of a deployment in the last so many ms.
    pub(crate) fn requests_since(&self, deployment: &Deployment, window_ms: i64) -> Result<u64> {
        let folder = targets::requests_dir(&self.store().endpoint_dir(&deployment.id));
        let since = self.store().clock().now().as_ms() - window_ms;
        Ok(Requests::read(&folder, since)?.all.len() as u64)
    }

    /// The process that serves a deployment, if it runs here.
    pub(crate) fn process_of(&self, deployment: &Deployment) -> Result<Option<ProcessView>> {
        let process = self.placed(deployment)?.and_then(|placed| placed.process);
        if process.is_none() || !self.is_serving(deployment)? {
            return Ok(None);
        }
        let current = self.store().read(|db| deployments::current(db, &deployment.id))?;
        Ok(current.zip(process).map(|(revision, endpoint)| ProcessView {
            pid: endpoint.pid,
            memory_bytes: targets::memory_bytes(&endpoint),
            started_at: revision.healthy_at.unwrap_or(revision.created_at).as_ms(),
        }))
    }

    /// The newest part of a deployment's own log.
    pub(crate) fn server_log(&self, deployment: &Deployment) -> Result<LogPage> {
        let text = self.deployment_log(deployment)?;
        Ok(LogPage { next_offset: text.len() as u64, text, is_complete: false })
    }
}
