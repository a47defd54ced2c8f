//! Fresh data out of the requests themselves: those whose truth became known are added to the rows that
//! the pipeline learns from, as a version of the dataset.

use base::{Code, Error, Progress, Result};
use store::datasets::{self, Dataset, DatasetVersion};
use store::deployments::Deployment;
use store::models::ModelVersion;
use store::projects::Project;

use super::Retraining;
use crate::Engine;
use crate::commands::retraining::Traffic;
use crate::importing::{Import, Source};
use crate::models::Picked;
use crate::monitor::ROWS_NEEDED;

impl Engine {
    /// Makes a version of the dataset with the labelled requests that the champion answered, and gives
    /// back how many rows those are; with fewer than [`ROWS_NEEDED`] nothing is made.
    ///
    /// They are added to (or take the place of) the newest version that somebody brought, or to the one
    /// the champion learned from if that is newer; never to what an earlier proposal added, so that no
    /// request counts twice.
    pub(super) fn take_in_traffic(
        &self,
        project: &Project,
        wish: &Retraining,
        champion: &Picked,
        progress: &Progress,
    ) -> Result<u64> {
        let (rows, columns) = self.labelled_traffic(&wish.deployment, champion)?;
        if (rows as u64) < ROWS_NEEDED {
            return Ok(0);
        }
        let name = traffic_name(&wish.deployment);
        let (dataset, base) = self.base_of(champion, &name)?;
        let table = self.table(&base, progress)?;
        let folder =
            tempfile::tempdir().map_err(|e| Error::io("create a folder in", &std::env::temp_dir(), &e))?;
        let above = (wish.traffic == Traffic::Add).then_some(&table);
        flow::kinds::write_rows(folder.path(), table.meta(), above, (&columns, rows))?;
        let (from, path) = (folder.path().join(data::DATA_FILE), folder.path().join(&name));
        std::fs::rename(&from, &path).map_err(|e| Error::io("rename", &from, &e))?;
        let import = Import {
            options: Some(self.sniff(&path, None)?.options),
            from: Source::Path(path),
            name: Some(dataset.name),
            folder: None,
        };
        self.import(project, &import, progress)?;
        Ok(rows as u64)
    }

    /// Whether a version learned from requests of the deployment.
    ///
    /// # Errors
    /// Its dataset version cannot be read.
    pub(super) fn learned_from_traffic(
        &self,
        deployment: &Deployment,
        version: &ModelVersion,
    ) -> Result<bool> {
        let Some(id) = &version.dataset_version_id else { return Ok(false) };
        let learnt = self.store().read(|db| datasets::version(db, id))?;
        Ok(learnt.source_name == traffic_name(deployment))
    }

    fn base_of(&self, champion: &Picked, name: &str) -> Result<(Dataset, DatasetVersion)> {
        let id = champion.version.dataset_version_id.as_ref().ok_or_else(|| {
            Error::new(Code::Conflict, "it is not known what data the version that serves was trained on")
                .hint("retrain without the requests")
        })?;
        self.store().read(|db| {
            let learnt = datasets::version(db, id)?;
            let dataset = datasets::get(db, &learnt.dataset_id)?;
            let all = datasets::versions(db, &dataset.id)?;
            let brought =
                all.into_iter().filter(|one| one.source_name != name && one.number >= learnt.number);
            let base = brought.max_by_key(|one| one.number).unwrap_or(learnt);
            Ok((dataset, base))
        })
    }
}

/// What the file is called that requests of a deployment are taken in from.
fn traffic_name(deployment: &Deployment) -> String {
    format!("requests of {}.parquet", deployment.name)
}
