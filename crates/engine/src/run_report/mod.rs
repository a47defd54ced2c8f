//! What came of a run as one text that goes elsewhere: a comment under a change, a page to send to
//! somebody, the figures a build server draws. A format is a file and a line in [`ReportFormat::write`].

mod html;
mod junit;
mod markdown;
mod openmetrics;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use base::{Error, Result};
use learn::figures::Figure;
use serde::{Deserialize, Serialize};
use store::runs::Run;
use ts_rs::TS;

use crate::Engine;
use crate::commands::runs::{RunDetail, RunState, StepState, TrainedModel};
use crate::run_views::kept_figures;

/// Figures of so many models are drawn: the best ones. A page stays below 2 MB with them.
const MOST_DRAWN: usize = 8;
/// Digits of a metric.
const DIGITS: usize = 4;

/// What a report is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ReportFormat {
    /// Markdown, for a comment.
    Markdown,
    /// One page that needs nothing from elsewhere, with figures.
    Html,
    /// JUnit's XML, one case a step: build servers list what failed.
    Junit,
    /// OpenMetrics text: build servers and Prometheus read it.
    Openmetrics,
}

impl ReportFormat {
    /// Writes a report.
    ///
    /// # Errors
    /// A figure cannot be drawn.
    fn write(self, report: &Report) -> Result<String> {
        match self {
            Self::Markdown => Ok(markdown::write(report)),
            Self::Html => html::write(report),
            Self::Junit => Ok(junit::write(report)),
            Self::Openmetrics => Ok(openmetrics::write(report)),
        }
    }
}

/// What a report tells.
struct Report {
    run: RunDetail,
    /// The run that it is compared with.
    against: Option<RunDetail>,
    /// Figures by the step that trained, of the best models.
    figures: Vec<(String, Vec<Figure>)>,
}

/// A metric of a model, and how it changed.
struct Measured {
    name: &'static str,
    title: &'static str,
    value: f64,
    before: Option<f64>,
    larger_is_better: bool,
}

impl Engine {
    /// A run as a text, compared with another one if that is wanted.
    pub(crate) fn run_report(&self, run: Run, against: Option<Run>, format: ReportFormat) -> Result<String> {
        let is_over = !matches!(run.state, store::runs::RunState::Queued | store::runs::RunState::Running);
        if !is_over {
            return Err(Error::invalid(format!("run {} is not over", run.number))
                .hint("wait for it, or stop it: a report tells what came of a run"));
        }
        let curves = if format == ReportFormat::Html { self.run_curves(run.clone())? } else { Vec::new() };
        let folders =
            if format == ReportFormat::Html { self.model_folders(run.clone())? } else { BTreeMap::new() };
        let run = self.run_detail(run)?;
        let mut figures: Vec<(String, Vec<Figure>)> = Vec::new();
        for model in run.models.iter().take(MOST_DRAWN) {
            let kept = folders.get(&model.step).map(|folder| kept_figures(folder)).transpose()?;
            figures.push((model.step.clone(), kept.unwrap_or_default()));
        }
        for curve in curves.into_iter().take(MOST_DRAWN) {
            let train = curve.points.iter().map(|(round, train, _)| [*round, *train]).collect::<Vec<_>>();
            let validation = curve.points.iter().filter_map(|(round, _, value)| Some([*round, (*value)?]));
            let validation = learn::figures::thin(&validation.collect::<Vec<_>>());
            let drawn =
                Figure::Curves { metric: curve.metric, train: learn::figures::thin(&train), validation };
            match figures.iter_mut().find(|(step, _)| *step == curve.step) {
                Some((_, all)) if all.iter().any(|one| matches!(one, Figure::Curves { .. })) => {}
                Some((_, all)) => all.push(drawn),
                None => figures.push((curve.step, vec![drawn])),
            }
        }
        figures.retain(|(_, all)| !all.is_empty());
        let against = against.map(|run| self.run_detail(run)).transpose()?;
        format.write(&Report { run, against, figures })
    }
}

impl Report {
    /// The run by what it ran and its number.
    fn title(&self) -> String {
        named(&self.run)
    }

    /// What came of it, in a sentence without a full stop.
    fn outcome(&self) -> String {
        let summary = &self.run.summary;
        let mut parts = vec![state_word(summary.state).to_owned()];
        if let Some(took) = summary.duration_ms {
            parts.push(format!("{} s", base::number(took as f64 / 1000.0, 3)));
        }
        if summary.steps > 0 {
            parts.push(format!("{} of {} steps from the cache", summary.cached, summary.steps));
        }
        parts.join(", ")
    }

    /// What went in, such as `birds v2`.
    fn inputs(&self) -> String {
        let named = self.run.summary.datasets.iter().map(|one| format!("{} v{}", one.dataset, one.version));
        named.collect::<Vec<_>>().join(", ")
    }

    /// The model to compare one with: that of the same step, else the best one.
    fn before(&self, model: &TrainedModel) -> Option<&TrainedModel> {
        let models = &self.against.as_ref()?.models;
        models.iter().find(|one| one.step == model.step).or_else(|| models.first().filter(|_| model.is_best))
    }

    /// The metrics of a model in the order of the list of metrics, those it does not know last.
    fn measured(&self, model: &TrainedModel) -> Vec<Measured> {
        let before = self.before(model);
        let known = learn::metrics::METRICS.iter().filter_map(|doc| {
            Some(Measured {
                name: doc.name,
                title: doc.title,
                value: *model.metrics.get(doc.name)?,
                before: before.and_then(|one| one.metrics.get(doc.name).copied()),
                larger_is_better: doc.larger_is_better,
            })
        });
        known.collect()
    }

    /// The metrics that any model of the run has, in the order of the list.
    fn metrics(&self) -> Vec<(&'static str, &'static str)> {
        let is_there = |name: &str| self.run.models.iter().any(|model| model.metrics.contains_key(name));
        let known = learn::metrics::METRICS.iter().filter(|doc| is_there(doc.name));
        known.map(|doc| (doc.name, doc.title)).collect()
    }

    /// Parameters of models that are not what they were: step, name, before and now.
    fn changed_params(&self) -> Vec<(String, String, String, String)> {
        let mut changed = Vec::new();
        for model in &self.run.models {
            let Some(before) = self.before(model) else { continue };
            let names: std::collections::BTreeSet<_> =
                model.params.keys().chain(before.params.keys()).collect();
            for name in names {
                let shown = |of: &TrainedModel| of.params.get(name).map_or("–".to_owned(), plain);
                let (then, now) = (shown(before), shown(model));
                if then != now {
                    changed.push((model.step.clone(), name.clone(), then, now));
                }
            }
        }
        changed
    }
}

impl Measured {
    fn shown(&self) -> String {
        base::number(self.value, DIGITS)
    }

    /// How far it moved and whether that is good, such as `+0.012, better`; none if it did not, or
    /// without a value before.
    fn change(&self) -> Option<(String, Change)> {
        let by = self.value - self.before?;
        if by == 0.0 || by.is_nan() {
            return None;
        }
        let (sign, size) = (if by > 0.0 { "+" } else { "−" }, base::number(by.abs(), 3));
        let change = if (by > 0.0) == self.larger_is_better { Change::Better } else { Change::Worse };
        let word = if change == Change::Better { "better" } else { "worse" };
        Some((format!("{sign}{size}, {word}"), change))
    }
}

/// Which way a metric moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Better,
    Worse,
}

/// A run by what it ran and its number.
fn named(run: &RunDetail) -> String {
    let summary = &run.summary;
    let what = match (&summary.name, &summary.experiment) {
        _ if !summary.pipeline.is_empty() => &summary.pipeline,
        (Some(name), _) => name,
        (None, Some(experiment)) => experiment,
        (None, None) => "script",
    };
    format!("{what}, run {}", summary.number)
}

fn state_word(state: RunState) -> &'static str {
    match state {
        RunState::Queued => "queued",
        RunState::Running => "running",
        RunState::Done => "succeeded",
        RunState::Failed => "failed",
        RunState::Cancelled => "stopped",
        RunState::Interrupted => "interrupted",
    }
}

fn step_word(state: StepState) -> &'static str {
    match state {
        StepState::Pending => "waiting",
        StepState::Running => "running",
        StepState::Cached => "cached",
        StepState::Done => "done",
        StepState::Failed => "failed",
        StepState::Blocked => "not run",
        StepState::Cancelled => "stopped",
        StepState::Interrupted => "interrupted",
    }
}

/// A parameter's value for people: texts without quotes.
fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
