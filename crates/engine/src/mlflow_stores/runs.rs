//! Runs of another store, each with everything that was logged to it.

use std::collections::BTreeMap;

use base::{Error, Result, RunId};
use connect::mlflow::{self, Place, RunKey};
use store::tracking::inputs::{DatasetInput, Inputs, LoggedDataset};
use store::tracking::points::Point;
use store::tracking::script_runs::{self, NAME_TAG, ScriptRun};
use store::tracking::whole::{self, WholeRun};

use super::report::Fate;
use super::waiting::{Item, count_run};
use super::{Importing, conflict, differing};
use crate::commands::tracking::{NoteKind, What};

impl Importing<'_> {
    /// Takes every run.
    pub(super) fn take_runs(&mut self) -> Result<()> {
        let keys = self.theirs.runs()?;
        let total = keys.len() as u64;
        for (done, key) in keys.iter().enumerate() {
            self.progress.step("taking runs", done as u64, Some(total))?;
            if let Err(error) = self.take_run(key) {
                self.skip(What::Runs, &format!("run `{}`", key.id.escape_debug()), error)?;
            }
        }
        self.waiting.write(self.engine.store(), &mut self.report)?;
        self.progress.step("taking runs", total, Some(total))
    }

    fn take_run(&mut self, key: &RunKey) -> Result<()> {
        let id: RunId = key.id.parse()?;
        let experiment_id = self.experiment_of(key)?;
        let what = format!("run `{id}`");
        let mut troubles = Vec::new();
        let run = self.theirs.run(key, &mut troubles)?;
        self.name_troubles(troubles);
        let uri = run.artifact_uri.clone();
        let theirs = self.whole_run(id.clone(), experiment_id, run)?;
        let ours = self.engine.store().read(|db| {
            let ours = whole::run(db, &id)?;
            if ours.is_none() && store::runs::get(db, &id).is_ok() {
                return Err(Error::invalid("a run of a pipeline has this id here"));
            }
            Ok(ours)
        })?;
        let Some(ours) = ours else {
            let files = self.files(&what, &uri, &key.id)?;
            let item = Item::Run(Box::new(WholeRun { files, ..theirs }));
            return self.waiting.push(self.engine.store(), &mut self.report, item);
        };
        if let Some(fields) = difference(&ours, &theirs) {
            count_run(&mut self.report, &theirs, Fate::Conflict);
            self.report.note(NoteKind::Conflict, what, conflict(&fields));
            return Ok(());
        }
        count_run(&mut self.report, &theirs, Fate::Same);
        let files = self.files(&what, &uri, &key.id)?;
        self.add_files(&what, &ours.run.artifact_uri, files, &ours.files)
    }

    /// The number here of the experiment that a run or model is in.
    pub(super) fn experiment_of(&self, key: &RunKey) -> Result<i64> {
        let found = self.experiments.get(&key.experiment_id).copied();
        found
            .ok_or_else(|| Error::invalid(format!("its experiment {} could not be taken", key.experiment_id)))
    }

    fn whole_run(&self, id: RunId, experiment_id: i64, run: mlflow::Run) -> Result<WholeRun> {
        let state = script_runs::state_of(&run.status)
            .ok_or_else(|| Error::invalid(format!("its status `{}` is none", run.status.escape_debug())))?;
        let is_remote = self.places.find(&run.artifact_uri, &run.id) == Place::Remote;
        let artifact_uri = if is_remote {
            run.artifact_uri
        } else {
            format!("mlflow-artifacts:/{experiment_id}/{id}/artifacts")
        };
        let name = run.tags.iter().find(|(key, _)| key == NAME_TAG).map(|(_, name)| name.clone());
        let now = self.engine.store().clock().now().as_ms();
        let deleted_at = run.deleted_at.or(run.ended_at).unwrap_or(now);
        Ok(WholeRun {
            run: ScriptRun {
                id,
                experiment_id,
                name: name.unwrap_or(run.name),
                user_id: run.user_id,
                state,
                started_at: run.started_at,
                ended_at: run.ended_at,
                artifact_uri,
                is_deleted: run.is_deleted,
            },
            deleted_at: run.is_deleted.then_some(deleted_at),
            params: run.params,
            tags: run.tags,
            curves: run.curves.into_iter().map(|(key, points)| (key, curve(points))).collect(),
            inputs: inputs(run.datasets, run.models_in, run.models_out),
            files: Vec::new(),
        })
    }
}

/// Points in the order of ours, each once.
fn curve(points: Vec<mlflow::Point>) -> Vec<Point> {
    let point = |one: mlflow::Point| Point { value: one.value, step: one.step, at_ms: one.at_ms };
    sorted(points.into_iter().map(point).collect())
}

fn sorted(mut points: Vec<Point>) -> Vec<Point> {
    points.sort_by(|one, other| order(one).partial_cmp(&order(other)).expect("no value is NaN here"));
    points.dedup_by(|one, other| order(one) == order(other));
    points
}

/// What tells a point from another: not a number counts as 0 and is told from it by a mark.
fn order(point: &Point) -> (i64, i64, f64, bool) {
    let is_nan = point.value.is_nan();
    (point.step, point.at_ms, if is_nan { 0.0 } else { point.value }, is_nan)
}

fn inputs(datasets: Vec<mlflow::Dataset>, models: Vec<String>, outputs: Vec<(String, i64)>) -> Inputs {
    let dataset = |one: mlflow::Dataset| DatasetInput {
        dataset: LoggedDataset {
            name: one.name,
            digest: one.digest,
            source_type: one.source_type,
            source: one.source,
            schema: one.schema,
            profile: one.profile,
        },
        tags: one.tags,
    };
    Inputs { datasets: datasets.into_iter().map(dataset).collect(), models, outputs }
}

/// The fields in which two runs differ.
fn difference(ours: &WholeRun, theirs: &WholeRun) -> Option<String> {
    let (one, other) = (&ours.run, &theirs.run);
    differing(&[
        ("experiment", one.experiment_id == other.experiment_id),
        ("name", one.name == other.name),
        ("user", one.user_id == other.user_id),
        ("state", one.state == other.state),
        ("times", (one.started_at, one.ended_at) == (other.started_at, other.ended_at)),
        ("lifecycle", one.is_deleted == other.is_deleted),
        ("parameters", ours.params == theirs.params),
        ("tags", ours.tags == theirs.tags),
        ("curves", keyed(&ours.curves) == keyed(&theirs.curves)),
        ("inputs", in_order(&ours.inputs) == in_order(&theirs.inputs)),
    ])
}

fn keyed(curves: &BTreeMap<String, Vec<Point>>) -> BTreeMap<&str, Vec<(i64, i64, f64, bool)>> {
    let points = |all: &Vec<Point>| sorted(all.clone()).iter().map(order).collect();
    curves.iter().map(|(key, all)| (key.as_str(), points(all))).collect()
}

/// Inputs in an order that says nothing.
fn in_order(inputs: &Inputs) -> Inputs {
    let mut inputs = inputs.clone();
    inputs.datasets.iter_mut().for_each(|one| one.tags.sort_unstable());
    inputs.datasets.sort_by(|one, other| {
        (&one.dataset.name, &one.dataset.digest).cmp(&(&other.dataset.name, &other.dataset.digest))
    });
    inputs.models.sort_unstable();
    inputs.outputs.sort_unstable();
    inputs
}
