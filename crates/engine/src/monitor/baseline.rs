//! What the traffic of a deployment is compared with: the rows that the version learned from, or, where
//! it learned from the traffic before it as well, that traffic. Old and new rows together look like
//! neither, and the alarm that a retrained version is to end would never end.

use std::path::PathBuf;

use base::{Code, Error, Progress, Result};
use store::deployments::Deployment;
use store::models::ModelVersion;

use super::{Baseline, drift};
use crate::Engine;
use crate::models::Picked;

impl Engine {
    /// The baseline of what a deployment serves; none if the package carries none.
    ///
    /// # Errors
    /// What was kept cannot be read.
    pub(super) fn deployed_baseline(
        &self,
        deployment: &Deployment,
        version: &ModelVersion,
    ) -> Result<Option<Baseline>> {
        let path = self.baseline_file(deployment, version.number);
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|e| {
                Error::new(Code::Corrupt, "the baseline of the deployment cannot be read")
                    .because(e)
                    .hint(format!("remove `{}`: the training data are compared with then", path.display()))
            }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => self.baseline(version),
            Err(e) => Err(Error::io("read", &path, &e)),
        }
    }

    /// Makes the labelled traffic of what serves the baseline of a version that learned from it.
    ///
    /// # Errors
    /// The rows cannot be scored, or the baseline not be written.
    pub(crate) fn keep_traffic_as_baseline(
        &self,
        deployment: &Deployment,
        champion: &Picked,
        challenger: &ModelVersion,
        progress: &Progress,
    ) -> Result<()> {
        let Some(trained) = self.baseline(challenger)? else { return Ok(()) };
        let (rows, columns) = self.labelled_traffic(deployment, champion)?;
        if (rows as u64) < super::ROWS_NEEDED {
            return Ok(());
        }
        let folder = drift::temporary()?;
        let table = flow::kinds::write_columns(folder.path(), &columns, rows, &trained.inputs)?;
        let scored = flow::kinds::score(&self.package(challenger)?, &table, progress)?;
        let kept = serde_json::to_vec(&drift::baseline_of(&scored, &trained)?)
            .map_err(|e| Error::internal("cannot write a baseline").because(e))?;
        store::files::write_atomic(&self.baseline_file(deployment, challenger.number), &kept)
    }

    fn baseline_file(&self, deployment: &Deployment, version: u32) -> PathBuf {
        self.store().endpoint_dir(&deployment.id).join(format!("baseline-{version}.json"))
    }
}
