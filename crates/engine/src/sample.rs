//! The bundled sample: penguins of the Palmer Archipelago, measured by Kristen Gorman and the
//! Palmer Station LTER, 2007 to 2009 (CC0; Horst, Hill and Gorman, "palmerpenguins", 2020).

use base::{Code, Error, Progress, Result};
use serde_json::{Value, json};

use crate::Engine;
use crate::deploy::Wish;
use crate::importing::Import;
use crate::models::PRODUCTION;
use crate::running::Wanted;

/// The sample as a CSV file: 344 rows, 8 columns, some values missing.
pub const PENGUINS: &[u8] = include_bytes!("../../../samples/penguins.csv");

/// The sample's file name; the dataset is called like it.
pub const FILE_NAME: &str = "penguins.csv";

/// The sample project's name.
const PROJECT: &str = "Penguins";

impl Engine {
    /// Makes the sample project and does the main job in it once, so that every screen has
    /// something to show. Where it is there already, it is only opened.
    pub(crate) fn make_sample(&self, progress: &Progress) -> Result<Value> {
        let slug = PROJECT.to_lowercase();
        let found = self.store().read(|db| store::projects::by_slug(db, &slug))?;
        let project = match found {
            Some(project) => self.open_project(&project.slug)?,
            None => self.new_project(PROJECT)?,
        };
        let folder =
            tempfile::tempdir().map_err(|e| Error::io("create a folder in", &std::env::temp_dir(), &e))?;
        let path = folder.path().join(FILE_NAME);
        std::fs::write(&path, PENGUINS).map_err(|e| Error::io("write", &path, &e))?;
        let imported = self.import(&project, &Import::of(&path), progress)?;
        self.set_target(&project, &imported.dataset, Some("species"), None)?;
        let name = match self.pipelines_reading(&project, &imported.dataset)?.into_iter().next() {
            Some(name) => name,
            None => self.new_pipeline(&project, None, Some(&imported.dataset))?,
        };
        self.commit_pipeline(&project, &name, None)?;
        let pipeline = self.pipeline(&project, &name)?.pipeline;
        let run = self.start_run(&project, pipeline, &Wanted::default())?;
        self.wait_for(&run.job_id, progress)?;
        let picked = self.pick(&project, &imported.dataset, None)?;
        self.promote(&picked, PRODUCTION, Some("the sample"))?;
        let wish = Wish {
            model: picked.model.name.clone(),
            version: None,
            target: Some("local".to_owned()),
            params: serde_json::Map::new(),
            name: None,
            port: None,
        };
        let is_deployed = match self.deployment(&project, &picked.model.name) {
            Ok(deployment) => self.is_serving(&deployment)?,
            Err(error) if error.code == Code::NotFound => false,
            Err(error) => return Err(error),
        };
        if !is_deployed {
            self.deploy(&project, &wish, progress)?;
            self.replay(&self.deployment(&project, &picked.model.name)?, None, progress)?;
        }
        Ok(
            json!({ "project": project.slug, "dataset": imported.dataset, "pipeline": name, "run": run.run_id }),
        )
    }

    /// Waits for another job, as part of this one.
    fn wait_for(&self, job_id: &str, progress: &Progress) -> Result<()> {
        let id = job_id.parse()?;
        loop {
            let job = self.job(&id)?;
            let stage = job.stage.unwrap_or_else(|| job.title.clone());
            if let Err(stopped) = progress.step(&stage, job.done, job.total) {
                self.cancel_job(&id)?;
                return Err(stopped);
            }
            if job.finished_at.is_some() {
                return job.error.map_or(Ok(()), |error| Err(error.into()));
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
}
