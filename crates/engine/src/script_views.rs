//! Runs by scripts as the screens show them: what was logged to them, and their curves.

use base::{Result, RunId};
use store::tracking::points;
use store::tracking::script_runs::{self, PARENT_TAG};

use crate::Engine;
use crate::commands::runs::{LoggedDatasetView, LoggedMetric, ScriptRunView, StepCurve};

/// Points of a curve on a screen: more than there are pixels.
const POINTS: u64 = 1_000;
/// Curves of a run on a screen.
const CURVES: usize = 60;

impl Engine {
    /// What a script logged to a run; `None` for the run of a pipeline.
    pub(crate) fn script_view(&self, id: &RunId) -> Result<Option<ScriptRunView>> {
        self.store().read(|db| {
            let Some(run) = script_runs::find(db, id)? else { return Ok(None) };
            let logged = script_runs::logged(db, std::slice::from_ref(id))?.remove(id).unwrap_or_default();
            let metric = |one: store::metrics::LastMetric| LoggedMetric {
                key: one.last.key,
                value: Some(one.last.value).filter(|value| !value.is_nan()),
                step: one.last.step,
                points: one.points,
            };
            let dataset = |one: store::tracking::inputs::DatasetInput| LoggedDatasetView {
                name: one.dataset.name,
                digest: one.dataset.digest,
                context: one
                    .tags
                    .into_iter()
                    .find(|(key, _)| key == "mlflow.data.context")
                    .map(|(_, value)| value),
            };
            let parent =
                logged.tags.iter().find(|(key, _)| key == PARENT_TAG).map(|(_, value)| value.clone());
            Ok(Some(ScriptRunView {
                experiment: store::runs::get(db, id)?.experiment,
                user: run.user_id,
                parent,
                metrics: logged.metrics.into_iter().map(metric).collect(),
                params: logged.params,
                tags: logged.tags,
                datasets: logged.inputs.datasets.into_iter().map(dataset).collect(),
                models: logged.inputs.outputs.into_iter().map(|(model, _)| model).collect(),
            }))
        })
    }

    /// The curves of a run by a script, by key, thinned where they are long.
    pub(crate) fn script_curves(&self, id: &RunId) -> Result<Vec<StepCurve>> {
        self.store().read(|db| {
            let mut curves = Vec::new();
            for one in store::metrics::last(db, id)?.into_iter().filter(|one| one.points > 1).take(CURVES) {
                let key = one.last.key;
                let all = points::sample(db, id, &key, (i64::MIN, i64::MAX), POINTS)?;
                let points = all.iter().filter(|point| point.value.is_finite());
                let points = points.map(|point| (point.step as f64, point.value, None)).collect();
                curves.push(StepCurve { step: String::new(), metric: key, points });
            }
            Ok(curves)
        })
    }
}
