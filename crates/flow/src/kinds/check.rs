//! `check`: a threshold that a metric must hold.

use base::{Code, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::compare::known;
use super::evaluate::{METRICS_FILE, ModelMetrics, write_json};
use crate::kind::{
    Category, Declaration, Kind, Misfit, Outcome, Port, PortType, Shapes, SourceTable, TableShape, Work,
};

/// The kind `check`.
pub struct Check;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The metric, such as `auc`, `log_loss` or `rmse`.
    metric: String,
    /// It must not be smaller than this.
    at_least: Option<f64>,
    /// It must not be larger than this.
    at_most: Option<f64>,
}

impl Default for Params {
    fn default() -> Self {
        Self { metric: "auc".to_owned(), at_least: None, at_most: None }
    }
}

impl Params {
    fn check(&self) -> Result<(), Misfit> {
        known(&self.metric).map_err(|error| Misfit::param("metric", error))?;
        match (self.at_least, self.at_most) {
            (None, None) => {
                let error = Error::invalid("there is no threshold").hint("set `at_least`, `at_most` or both");
                Err(Misfit::param("at_least", error))
            }
            (Some(least), Some(most)) if least > most => {
                let error = Error::invalid(format!("nothing is at least {least} and at most {most}"));
                Err(Misfit::param("at_most", error.hint("swap them")))
            }
            _ => Ok(()),
        }
    }
}

impl Kind for Check {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "check",
            version: 1,
            title: "Check",
            category: Category::Evaluate,
            summary: "Stops what follows unless a metric holds a threshold.",
            doc: "A check that does not hold fails the run with exit code 4, and steps behind it do not run.",
            synonyms: &["gate", "threshold", "assert", "test", "quality"],
            inputs: const {
                &[Port::one("metrics", PortType::Metrics, "Metrics of an evaluation or a comparison.")]
            },
            outputs: const { &[Port::one("passed", PortType::Metrics, "The same metrics, if the check holds.")] },
            names_inputs: false,
        }
    }

    fn shape(
        &self,
        params: &Params,
        _inputs: &Shapes,
        _source: Option<&SourceTable>,
    ) -> Result<Option<TableShape>, Misfit> {
        params.check().map(|()| None)
    }

    fn run(&self, params: &Params, work: &Work) -> Result<Outcome> {
        params.check().map_err(|misfit| misfit.error)?;
        let metric = known(&params.metric)?;
        let measured = ModelMetrics::read(work.input("metrics")?)?
            .ok_or_else(|| Error::new(Code::Corrupt, "the metrics artifact is empty"))?;
        let value = *measured.metrics.get(metric.name).ok_or_else(|| {
            let names: Vec<&str> = measured.metrics.keys().map(String::as_str).collect();
            Error::invalid(format!("there is no `{}` among the metrics", metric.name))
                .hint(format!("choose one of {}", names.join(", ")))
        })?;
        let shown = base::number(value, 4);
        let fails = |limit: f64, word: &str| {
            Error::new(
                Code::GateFailed,
                format!("{} is {shown}, {word} {}", metric.title, base::number(limit, 6)),
            )
            .hint("improve the model, or change the threshold")
        };
        // A value that is not a number fails both.
        if let Some(least) = params.at_least.filter(|least| value.is_nan() || value < *least) {
            return Err(fails(least, "below the least allowed,"));
        }
        if let Some(most) = params.at_most.filter(|most| value.is_nan() || value > *most) {
            return Err(fails(most, "above the most allowed,"));
        }
        work.log(&format!("{} is {shown}: the check holds", metric.title));
        write_json(&work.output("passed")?.join(METRICS_FILE), &measured)?;
        Ok(Outcome { summary: format!("{} {shown}", metric.title), ..Outcome::default() })
    }
}
