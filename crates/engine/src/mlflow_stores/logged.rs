//! Logged models of another store.

use base::{Error, Result};
use connect::mlflow::{self, RunKey};
use store::tracking::logged_models::{LoggedModel, ModelMetric, ModelStatus};
use store::tracking::whole::{self, WholeModel};

use super::report::Fate;
use super::waiting::Item;
use super::{Importing, conflict, differing};
use crate::commands::tracking::What;

impl Importing<'_> {
    /// Takes every logged model.
    pub(super) fn take_logged_models(&mut self) -> Result<()> {
        let keys = self.theirs.logged_models()?;
        let total = keys.len() as u64;
        for (done, key) in keys.iter().enumerate() {
            self.progress.step("taking models", done as u64, Some(total))?;
            if let Err(error) = self.take_logged_model(key) {
                self.skip(What::LoggedModels, &format!("logged model `{}`", key.id.escape_debug()), error)?;
            }
        }
        self.waiting.write(self.engine.store(), &mut self.report)
    }

    fn take_logged_model(&mut self, key: &RunKey) -> Result<()> {
        let digits = key.id.strip_prefix("m-").unwrap_or_default();
        if digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(Error::invalid("its id is not `m-` and 32 hexadecimal digits"));
        }
        let experiment_id = self.experiment_of(key)?;
        let what = format!("logged model `{}`", key.id);
        let mut troubles = Vec::new();
        let model = self.theirs.logged_model(key, &mut troubles)?;
        self.name_troubles(troubles);
        let uri = model.artifact_uri.clone();
        let theirs = whole_model(experiment_id, model)?;
        let Some(ours) = self.engine.store().read(|db| whole::logged_model(db, &key.id))? else {
            let files = self.files(&what, &uri, &key.id)?;
            let item = Item::Model(Box::new(WholeModel { files, ..theirs }));
            return self.waiting.push(self.engine.store(), &mut self.report, item);
        };
        if let Some(fields) = difference(&ours, &theirs) {
            self.report.conflict(What::LoggedModels, &what, conflict(&fields));
            return Ok(());
        }
        self.report.count(What::LoggedModels, Fate::Same, 1);
        let files = self.files(&what, &uri, &key.id)?;
        self.add_files(&what, &ours.model.artifact_uri, files, &ours.files)
    }
}

fn whole_model(experiment_id: i64, model: mlflow::LoggedModel) -> Result<WholeModel> {
    let status = match model.status {
        0 | 1 => ModelStatus::Pending,
        2 => ModelStatus::Ready,
        3 => ModelStatus::Failed,
        other => return Err(Error::invalid(format!("its status {other} is none"))),
    };
    let metric = |one: mlflow::ModelMetric| ModelMetric {
        key: one.key,
        value: one.point.value,
        at_ms: one.point.at_ms,
        step: one.point.step,
        run_id: one.run_id,
        dataset_name: one.dataset_name,
        dataset_digest: one.dataset_digest,
    };
    let mut metrics: Vec<_> = model.metrics.into_iter().map(metric).collect();
    // The same measure of the same moment by the same run is one, as in our table.
    metrics.sort_by(|one, other| order(one).cmp(&order(other)));
    metrics.dedup_by(|one, other| order(one) == order(other));
    Ok(WholeModel {
        deleted_at: model.is_deleted.then_some(model.updated_at),
        model: LoggedModel {
            artifact_uri: format!("mlflow-artifacts:/{experiment_id}/models/{}/artifacts", model.id),
            id: model.id,
            experiment_id,
            name: model.name,
            model_type: model.model_type,
            source_run_id: model.source_run_id,
            status,
            created_at: model.created_at,
            updated_at: model.updated_at,
            params: model.params,
            tags: model.tags,
            metrics,
        },
        files: Vec::new(),
    })
}

fn order(metric: &ModelMetric) -> (&str, i64, i64, &str) {
    (&metric.key, metric.at_ms, metric.step, &metric.run_id)
}

fn difference(ours: &WholeModel, theirs: &WholeModel) -> Option<String> {
    let (one, other) = (&ours.model, &theirs.model);
    let measured = |metrics: &[ModelMetric]| -> Vec<String> {
        // As texts, in which not a number is like itself.
        metrics.iter().map(|metric| format!("{metric:?}")).collect()
    };
    differing(&[
        ("experiment", one.experiment_id == other.experiment_id),
        ("name", one.name == other.name),
        ("type", one.model_type == other.model_type),
        ("run", one.source_run_id == other.source_run_id),
        ("status", one.status == other.status),
        ("times", (one.created_at, one.updated_at) == (other.created_at, other.updated_at)),
        ("lifecycle", ours.deleted_at.is_some() == theirs.deleted_at.is_some()),
        ("parameters", one.params == other.params),
        ("tags", one.tags == other.tags),
        ("metrics", measured(&one.metrics) == measured(&other.metrics)),
    ])
}
