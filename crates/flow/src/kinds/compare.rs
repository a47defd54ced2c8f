//! `compare`: choose the best of several evaluated models.

use base::{Error, Result};
use learn::figures::{Figure, ImportanceItem};
use learn::metrics::{MetricDoc, metric_doc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::evaluate::{METRICS_FILE, ModelMetrics, REPORT_FILE, Report, copy_folder, face, write_json};
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// The kind `compare`.
pub struct Compare;

/// Its parameters.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The metric that decides, such as `auc`, `log_loss` or `rmse`; empty for the usual one of the
    /// task: AUC for classes, R2 for numbers.
    by: Option<String>,
}

impl Kind for Compare {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "compare",
            version: 1,
            title: "Compare",
            category: Category::Evaluate,
            summary: "Chooses the best of several models.",
            doc: "All models must have been evaluated on the same number of rows. Of equally good ones the \
                  first wired one wins, so put the simplest first.",
            synonyms: &["best", "select", "leaderboard", "champion", "rank"],
            inputs: const { &[Port::many("models", PortType::Model, "Evaluated models.")] },
            outputs: const {
                &[
                    Port::one("best", PortType::Model, "The best model."),
                    Port::one("metrics", PortType::Metrics, "Its metrics."),
                    Port::one("report", PortType::Report, "All models side by side."),
                ]
            },
            names_inputs: true,
        }
    }

    fn shape(
        &self,
        params: &Params,
        _inputs: &Shapes,
        _source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit> {
        if let Some(by) = params.by.as_deref().filter(|by| !by.is_empty()) {
            known(by).map_err(|error| Misfit::param("by", error))?;
        }
        Ok(None)
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        let mut candidates = Vec::new();
        for input in work.input_all("models") {
            let measured = ModelMetrics::read(&input.folder)?.ok_or_else(|| {
                Error::invalid(format!("the model from `{}` was not evaluated", input.step))
                    .hint("wire an `evaluate` step between the trainer and this one")
            })?;
            candidates.push((input, measured));
        }
        let (_, first) = candidates.first().ok_or_else(|| Error::internal("no model is wired"))?;
        if let Some((input, other)) =
            candidates.iter().find(|(_, one)| (one.rows, &one.on) != (first.rows, &first.on))
        {
            let message = format!(
                "`{}` was measured on {} {} rows, others on {} {}",
                input.step, other.rows, other.on, first.rows, first.on
            );
            return Err(Error::invalid(message).hint("evaluate all models on the same rows"));
        }
        let metric = match params.by.as_deref().filter(|by| !by.is_empty()) {
            Some(by) => known(by)?,
            None => usual(first)?,
        };
        let mut best = None;
        for (input, measured) in &candidates {
            let value = *measured.metrics.get(metric.name).ok_or_else(|| {
                Error::invalid(format!("the model from `{}` has no {}", input.step, metric.title))
                    .hint("choose a metric that fits the task")
            })?;
            work.log(&format!("{}: {} {}", input.step, metric.title, base::number(value, 6)));
            let score = if metric.larger_is_better { value } else { -value };
            if best.is_none_or(|(highest, _, _)| score > highest) {
                best = Some((score, *input, measured));
            }
        }
        let (_, input, measured) = best.ok_or_else(|| Error::internal("no model is wired"))?;
        work.log(&format!("the best is from `{}`", input.step));
        copy_folder(&input.folder, &work.output("best")?)?;
        write_json(&work.output("metrics")?.join(METRICS_FILE), measured)?;
        let bars = candidates.iter().map(|(input, measured)| ImportanceItem {
            feature: input.step.clone(),
            value: measured.metrics[metric.name],
            spread: None,
        });
        let figures = vec![Figure::Importance { measure: metric.title.to_owned(), items: bars.collect() }];
        let notes = vec![format!("the best by {} is the model from `{}`", metric.title, input.step)];
        write_json(&work.output("report")?.join(REPORT_FILE), &Report { figures, notes })?;
        Ok(Outcome {
            summary: format!("{}: {}", input.step, face(&measured.metrics)),
            metrics: measured.metrics.clone(),
            chosen: Some(input.step.clone()),
            ..Outcome::default()
        })
    }
}

/// A metric by its name.
pub fn known(name: &str) -> Result<&'static MetricDoc> {
    metric_doc(name).ok_or_else(|| {
        let error = Error::invalid(format!("there is no metric `{name}`"));
        let names = learn::metrics::METRICS.iter().map(|metric| metric.name);
        match data::nearest(name, names.clone()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("choose one of {}", names.collect::<Vec<_>>().join(", "))),
        }
    })
}

fn usual(measured: &ModelMetrics) -> Result<&'static MetricDoc> {
    let order = ["auc", "accuracy", "r2"];
    let found = order.iter().find(|name| measured.metrics.contains_key(**name));
    known(found.ok_or_else(|| Error::invalid("the models have no metric to compare by").hint("name one"))?)
}
