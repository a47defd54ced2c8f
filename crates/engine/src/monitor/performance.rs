//! How good a deployment is, window by window and by group of rows: measured where it is known what
//! turned out to be true, and estimated from the model's own probabilities where it is not yet.

use base::{Code, Error, Progress, Result};
use flow::kinds::Columns;
use learn::metrics::estimated::{Calibration, Estimate, estimate};
use learn::metrics::{METRICS, MetricDoc, evaluate, metric_doc};
use learn::model_tests::{Rows, slices, welch_between};
use learn::package::predictions_of;
use learn::{Predictions, Target};
use score::{Card, Task, Values};
use serde_json::Value;
use store::deployments::Deployment;

use super::ROWS_NEEDED;
use super::labels::Labels;
use super::requests::Request;
use super::windows::{MOST_WINDOWS, Window, cut, rows};
use crate::Engine;
use crate::commands::monitors::DriftLevel;
use crate::commands::performance::{
    EstimateView, MetricChoice, MonitorPerformance, PerformanceView, PerformanceWindow, SliceView,
};
use crate::judging::tests::card_of;
use crate::models::Picked;
use crate::targets;

/// So much less of a metric such as accuracy is worth a look, and so much an alarm.
const SHARE_LOST: [f64; 2] = [0.02, 0.05];
/// An error that is by so large a part larger is worth a look, and by so large an alarm.
const ERROR_GROWN: [f64; 2] = [0.1, 0.25];
/// Standard errors beyond which chance explains a worse mean loss in 5 of 100 cases, and in 1.
const BEYOND_CHANCE: [f64; 2] = [1.645, 2.326];
/// Two-sided 95 %.
const INTERVAL: f64 = 1.96;

impl Engine {
    /// Quality over time and by group.
    pub(crate) fn performance(
        &self,
        deployment: &Deployment,
        asked: &MonitorPerformance,
    ) -> Result<PerformanceView> {
        let (_, picked) = self.serving(deployment)?;
        let judge = self.judge(deployment, &picked, asked.metric.as_deref())?;
        let version = picked.version.number.to_string();
        let mut requests = self.requests(deployment, 0)?.all;
        requests.retain(|request| request.version == version && !request.is_error);
        let (enough, small): (Vec<Window>, Vec<Window>) = cut(&requests, asked.size, asked.step, asked.unit)?
            .into_iter()
            .partition(|window| rows(&requests[window.requests.clone()]) >= ROWS_NEEDED);
        let newest = enough.len().saturating_sub(MOST_WINDOWS);
        let windows: Vec<PerformanceWindow> = enough[newest..]
            .iter()
            .map(|window| {
                let look = judge.look(&requests[window.requests.clone()])?;
                Ok(PerformanceWindow {
                    from: window.from,
                    to: window.to,
                    rows: look.rows,
                    labelled: look.labelled,
                    value: look.value,
                    estimated: look.estimated,
                    level: look.level,
                })
            })
            .collect::<Result<_>>()?;
        let whole = judge.look(&requests)?;
        Ok(PerformanceView {
            metric: judge.metric.name.to_owned(),
            metric_title: judge.metric.title.to_owned(),
            larger_is_better: judge.metric.larger_is_better,
            metrics: judge.choices(),
            reference: judge.reference,
            reference_rows: judge.held_out.as_ref().map_or(0, |rows| rows.len() as u64),
            rows: whole.rows,
            labelled: whole.labelled,
            unknown_labels: whole.unknown,
            value: whole.value,
            estimated: whole.estimated,
            is_calibrated: judge.calibration.is_used(),
            level: windows.last().map_or(DriftLevel::None, |window| window.level),
            windows,
            too_small: small.len() as u32,
            rows_needed: ROWS_NEEDED,
            slices: judge.slices(&requests)?,
        })
    }

    /// The rows that a version answered and whose truth is known: the inputs, and the truth under the
    /// name of the target.
    pub(crate) fn labelled_traffic(
        &self,
        deployment: &Deployment,
        picked: &Picked,
    ) -> Result<(usize, Columns)> {
        let package = self.package(&picked.version)?;
        let card = card_of(&package)?;
        let labels = Labels::read(&targets::requests_dir(&self.store().endpoint_dir(&deployment.id)))?;
        let requests = self.requests(deployment, 0)?.answered_by(&picked.version.number.to_string());
        let (mut count, mut columns) = (0, Columns::new());
        for request in &requests {
            for row in 0..request.rows {
                let Some(label) = labels.of(request, row) else { continue };
                count += 1;
                columns.entry(card.target.clone()).or_default().push(label.clone());
                for input in &card.signature.inputs {
                    columns
                        .entry(input.name.clone())
                        .or_default()
                        .push(request.input(&input.name, row).clone());
                }
            }
        }
        Ok((count, columns))
    }

    /// Everything that quality is judged by.
    pub(super) fn judge(
        &self,
        deployment: &Deployment,
        picked: &Picked,
        metric: Option<&str>,
    ) -> Result<Judge> {
        let package = self.package(&picked.version)?;
        let card = card_of(&package)?.clone();
        let folder = self.package_dir(&picked.version.package)?;
        let held_out = match flow::kinds::labelled_rows(&folder, &card.target) {
            Ok(table) => Some(Rows::score(&package, &card, &table)?),
            // A package without held-out rows has nothing to be compared with; what is measured still counts.
            Err(error) if error.code == Code::Conflict => None,
            Err(error) => return Err(error),
        };
        let metric = metric_of(metric, card.task)?;
        let calibration = held_out
            .as_ref()
            .map_or_else(Calibration::default, |rows| Calibration::fit(&rows.truth, &rows.said));
        let reference = held_out.as_ref().and_then(|rows| measured(metric, &rows.truth, &rows.said));
        let labels = Labels::read(&targets::requests_dir(&self.store().endpoint_dir(&deployment.id)))?;
        Ok(Judge { card, held_out, metric, calibration, reference, labels })
    }
}

/// The metric of this name, or the usual one of the task: one that every window has.
fn metric_of(name: Option<&str>, task: Task) -> Result<&'static MetricDoc> {
    let usual = if task == Task::Regression { "mae" } else { "accuracy" };
    let name = name.unwrap_or(usual);
    metric_doc(name).ok_or_else(|| {
        let error = Error::invalid(format!("there is no metric `{}`", name.escape_debug()));
        match data::nearest(name, METRICS.iter().map(|metric| metric.name)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("`{usual}` is the usual one here")),
        }
    })
}

pub(super) fn measured(metric: &MetricDoc, truth: &Target, said: &Predictions) -> Option<f64> {
    evaluate(truth, said).into_iter().find(|(name, _)| *name == metric.name).map(|(_, value)| value)
}

/// What quality is judged by.
pub(super) struct Judge {
    card: Card,
    held_out: Option<Rows>,
    /// What is measured.
    pub(super) metric: &'static MetricDoc,
    calibration: Calibration,
    /// The metric on held-out rows.
    reference: Option<f64>,
    labels: Labels,
}

/// What was found in some requests.
#[derive(Debug, Clone)]
pub(super) struct Quality {
    pub(super) rows: u64,
    pub(super) labelled: u64,
    unknown: u64,
    /// Measured, if enough is known.
    pub(super) value: Option<f64>,
    pub(super) estimated: Option<EstimateView>,
    pub(super) level: DriftLevel,
    /// How much worse than on held-out rows, beyond chance, and in words; none if that cannot be said.
    pub(super) said: Option<(f64, String)>,
}

/// Rows whose truth is known.
struct Known {
    truth: Target,
    said: Predictions,
    inputs: Columns,
    unknown: u64,
}

impl Judge {
    /// Quality in these requests.
    pub(super) fn look(&self, requests: &[Request]) -> Result<Quality> {
        let all =
            self.said(requests.iter().flat_map(|request| (0..request.rows).map(move |row| (request, row))))?;
        let known = self.known(requests, &[])?;
        let rows = rows(requests);
        let labelled = known.truth.rows() as u64;
        let is_enough = labelled >= ROWS_NEEDED;
        let value = is_enough.then(|| measured(self.metric, &known.truth, &known.said)).flatten();
        let estimated: Option<Estimate> = match &all {
            Some(said) if rows >= ROWS_NEEDED => {
                estimate(said, &self.calibration).into_iter().find(|one| one.metric == self.metric.name)
            }
            _ => None,
        };
        let found = match (value, estimated) {
            (Some(value), _) => self.measured_level(value, &known),
            (None, Some(estimate)) => self.estimated_level(estimate),
            (None, None) => None,
        };
        Ok(Quality {
            rows,
            labelled,
            unknown: known.unknown,
            value,
            // Both metrics that can be estimated are shares.
            estimated: estimated.map(|one| EstimateView {
                value: one.value,
                low: (one.value - INTERVAL * one.error).max(0.0),
                high: (one.value + INTERVAL * one.error).min(1.0),
            }),
            level: found.map_or(DriftLevel::None, |(level, _)| level),
            said: found.map(|(_, drop)| {
                let lost = base::number(drop, 3);
                (drop, format!("{}: worse by {lost}", self.sentence(value, estimated, labelled)))
            }),
        })
    }

    fn sentence(&self, value: Option<f64>, estimated: Option<Estimate>, labelled: u64) -> String {
        let (title, shown) = (self.metric.title, |value: f64| base::number(value, 4));
        let before =
            self.reference.map_or_else(String::new, |before| format!(", {} on held-out rows", shown(before)));
        match (value, estimated) {
            (Some(value), _) => format!("{title} is {} over {labelled} labelled rows{before}", shown(value)),
            (None, Some(estimate)) => format!("{title} is estimated at {}{before}", shown(estimate.value)),
            (None, None) => format!("{title} is not known{before}"),
        }
    }

    /// How much worse the metric is than on held-out rows: a share lost, or the part by which an error grew.
    fn drop(&self, value: f64) -> Option<f64> {
        let before = self.reference?;
        Some(if self.metric.larger_is_better {
            before - value
        } else {
            (value - before) / before.abs().max(f64::MIN_POSITIVE)
        })
    }

    /// As with drift, an alarm needs both: a loss that is large, and one that chance does not explain (Welch's
    /// test of the loss of single rows).
    fn measured_level(&self, value: f64, known: &Known) -> Option<(DriftLevel, f64)> {
        let drop = self.drop(value)?;
        let held_out = self.held_out.as_ref()?.losses();
        let now = losses(&known.truth, &known.said);
        let z = welch_between(&now, &held_out)?;
        Some((self.level(drop, |times| z > times), if z > BEYOND_CHANCE[1] { drop } else { 0.0 }))
    }

    fn estimated_level(&self, found: Estimate) -> Option<(DriftLevel, f64)> {
        let drop = self.drop(found.value)?;
        let is_beyond = |times: f64| drop > times * found.error;
        Some((self.level(drop, is_beyond), if is_beyond(BEYOND_CHANCE[1]) { drop } else { 0.0 }))
    }

    fn level(&self, drop: f64, is_beyond: impl Fn(f64) -> bool) -> DriftLevel {
        let [look, act] = if self.metric.larger_is_better { SHARE_LOST } else { ERROR_GROWN };
        if drop > act && is_beyond(BEYOND_CHANCE[1]) {
            DriftLevel::Alarm
        } else if drop > look && is_beyond(BEYOND_CHANCE[0]) {
            DriftLevel::Warning
        } else {
            DriftLevel::None
        }
    }

    /// What the model said of rows; none if the log leaves it out.
    pub(super) fn said<'a>(
        &self,
        rows: impl Iterator<Item = (&'a Request, u64)> + Clone,
    ) -> Result<Option<Predictions>> {
        let outputs = self.card.signature.outputs.iter().map(|output| {
            let values = rows.clone().map(|(request, row)| request.output(&output.name, row));
            let values: Vec<f64> = values.map(|value| value.as_f64().unwrap_or(f64::NAN)).collect();
            (output.name.clone(), Values::F64(values))
        });
        let columns: Vec<(String, Values)> = outputs.collect();
        let said = predictions_of(&self.card, &score::Predictions { rows: rows.count(), columns })?;
        let is_whole = match &said {
            Predictions::Numbers(values) | Predictions::Probabilities { values, .. } => {
                values.iter().all(|value| value.is_finite())
            }
        };
        Ok(is_whole.then_some(said))
    }

    /// The rows whose truth is known, with these inputs of them.
    /// The rows whose truth is known, their truth, and how many labels are of no class that the model knows.
    pub(super) fn labelled<'a>(&self, requests: &'a [Request]) -> (Vec<(&'a Request, u64)>, Target, u64) {
        let (mut places, mut unknown) = (Vec::new(), 0);
        let (mut codes, mut numbers) = (Vec::new(), Vec::new());
        for request in requests {
            for row in 0..request.rows {
                let Some(label) = self.labels.of(request, row) else { continue };
                match self.truth(label) {
                    Some(Truth::Class(code)) => codes.push(code),
                    Some(Truth::Number(number)) => numbers.push(number),
                    None => {
                        unknown += 1;
                        continue;
                    }
                }
                places.push((request, row));
            }
        }
        let truth = match self.card.task {
            Task::Regression => Target::Numbers(numbers),
            Task::Binary | Task::Multiclass => Target::Classes { codes, count: self.card.classes.len() },
        };
        (places, truth, unknown)
    }

    /// The rows whose truth is known, with what was said of them and with these of their inputs.
    fn known(&self, requests: &[Request], inputs: &[&str]) -> Result<Known> {
        let (places, truth, unknown) = self.labelled(requests);
        let said = self.said(places.iter().copied())?.ok_or_else(|| {
            Error::invalid("the request log leaves out what the model answered, so it cannot be judged")
                .hint("do not redact the outputs of the model")
        })?;
        let column = |name: &&str| {
            let values = places.iter().map(|(request, row)| request.input(name, *row).clone());
            ((*name).to_owned(), values.collect())
        };
        Ok(Known { truth, said, inputs: inputs.iter().map(column).collect(), unknown })
    }

    fn truth(&self, label: &Value) -> Option<Truth> {
        if self.card.task == Task::Regression {
            let number = label.as_f64().or_else(|| label.as_str()?.trim().parse().ok());
            return number.filter(|number| number.is_finite()).map(Truth::Number);
        }
        let text = match label {
            Value::String(text) => text.clone(),
            // A whole number is written as one, also where it came as 1.0.
            Value::Number(number) => number.as_f64()?.to_string(),
            Value::Bool(value) => value.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        self.card.classes.iter().position(|class| *class == text).map(|code| Truth::Class(code as u32))
    }

    /// The metrics that these predictions have.
    fn choices(&self) -> Vec<MetricChoice> {
        let is_there = |metric: &&MetricDoc| match &self.held_out {
            Some(rows) => measured(metric, &rows.truth, &rows.said).is_some(),
            None => metric.name == self.metric.name,
        };
        let choice = |metric: &MetricDoc| MetricChoice {
            name: metric.name.to_owned(),
            title: metric.title.to_owned(),
        };
        METRICS.iter().filter(is_there).map(choice).collect()
    }

    /// The groups of labelled rows, worst first; none before enough is known.
    fn slices(&self, requests: &[Request]) -> Result<Vec<SliceView>> {
        let inputs: Vec<&str> = self.card.signature.inputs.iter().map(|input| input.name.as_str()).collect();
        let known = self.known(requests, &inputs)?;
        let count = known.truth.rows();
        if (count as u64) < ROWS_NEEDED || measured(self.metric, &known.truth, &known.said).is_none() {
            return Ok(Vec::new());
        }
        let folder = super::drift::temporary()?;
        let table =
            flow::kinds::write_inputs(folder.path(), &known.inputs, count, &self.card.signature.inputs)?;
        let table = flow::kinds::all_rows(&table, usize::MAX)?;
        let rows = Rows::scored(&self.card, table, known.truth, known.said);
        let found = slices(&rows, &self.card.target, self.metric.name, &Progress::silent())?;
        Ok(found
            .into_iter()
            .map(|group| SliceView {
                name: group.name,
                rows: group.rows,
                value: group.value,
                is_worse: group.is_broken,
            })
            .take(MOST_SLICES)
            .collect())
    }
}

/// Groups that are told of.
const MOST_SLICES: usize = 12;

enum Truth {
    Class(u32),
    Number(f64),
}

/// The loss of single rows, as [`Rows::losses`] has it.
fn losses(truth: &Target, said: &Predictions) -> Vec<f64> {
    learn::model_tests::losses(truth, said)
}
