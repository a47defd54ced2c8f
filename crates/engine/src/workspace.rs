//! The workspace as a whole: looked over, rebuilt, freed; and what to do next in a project.

use std::path::Path;

use base::{Progress, Result};
use store::Depth;
use store::projects::Project;

use crate::Engine;
use crate::commands::deployments::{DeploymentState, DeploymentSummary};
use crate::commands::workspaces::{CheckReport, Finding, GcReport, NextStep};
use crate::models::PRODUCTION;

/// Sizes of the parts of a workspace, bytes.
pub(crate) struct Sizes {
    pub(crate) index_bytes: u64,
    pub(crate) objects_bytes: u64,
    pub(crate) cache_bytes: u64,
}

impl Engine {
    /// Sizes of the parts of the workspace.
    pub(crate) fn sizes(&self) -> Result<Sizes> {
        let root = self.store().root();
        let index =
            ["fettle.db", "fettle.db-wal", "fettle.db-shm"].map(|name| folder_bytes(&root.join(name)));
        Ok(Sizes {
            index_bytes: index.iter().sum(),
            objects_bytes: self.store().objects().stored_bytes()?,
            cache_bytes: folder_bytes(&self.store().cache_dir()),
        })
    }

    /// Looks the workspace over.
    pub(crate) fn check(&self, full: bool, progress: &Progress) -> Result<CheckReport> {
        let depth = if full { Depth::Full } else { Depth::Quick };
        let report = self.store().check(depth, progress)?;
        let finding = |found: &store::Finding| Finding {
            subject: if found.kind.is_trouble() { "trouble".to_owned() } else { "note".to_owned() },
            message: found.message.clone(),
            hint: Some(found.hint.clone()),
        };
        Ok(CheckReport {
            is_clean: report.is_clean(),
            findings: report.findings.iter().map(finding).collect(),
            objects: report.needed_objects,
            bytes: report.verified_bytes,
        })
    }

    /// Frees what nothing needs any more.
    pub(crate) fn gc(&self, dry_run: bool, progress: &Progress) -> Result<GcReport> {
        let report = if dry_run {
            self.store().plan_garbage_collection(progress)?
        } else {
            self.store().collect_garbage(progress)?
        };
        Ok(GcReport { freed_bytes: report.freed_bytes, objects: report.freed_objects })
    }

    /// The next thing to do in a project: the first stage of the main job that is not done.
    pub(crate) fn next_step(&self, project: &Project, deployments: &[DeploymentSummary]) -> Result<NextStep> {
        let datasets = self.store().read(|db| store::datasets::list(db, &project.id))?;
        let Some(dataset) = datasets.last() else { return Ok(NextStep::Import) };
        let pipelines = self.pipeline_names(project)?;
        if pipelines.is_empty() {
            return Ok(NextStep::BuildPipeline { dataset: dataset.name.clone() });
        }
        let models = self.store().read(|db| store::models::list(db, &project.id))?;
        let Some(model) = models.iter().find(|model| model.last_number > 0) else {
            return Ok(NextStep::RunPipeline { pipeline: pipelines[0].clone() });
        };
        let production = self.store().read(|db| store::models::find_alias(db, &model.id, PRODUCTION))?;
        let Some(production) = production else {
            return Ok(NextStep::Promote { model: model.name.clone(), version: model.last_number });
        };
        let healthy = deployments.iter().find(|one| one.state == DeploymentState::Healthy);
        Ok(match healthy {
            Some(deployment) => NextStep::Watch { deployment: deployment.name.clone() },
            None => NextStep::Deploy { model: model.name.clone(), version: production.number },
        })
    }
}

/// Bytes of all files below; what cannot be read counts as nothing.
fn folder_bytes(path: &Path) -> u64 {
    let Ok(found) = std::fs::symlink_metadata(path) else { return 0 };
    if !found.is_dir() {
        return found.len();
    }
    std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| folder_bytes(&entry.path())).sum()
}
