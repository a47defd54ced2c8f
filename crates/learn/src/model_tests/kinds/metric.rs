//! `metric`: a metric holds a threshold.

use base::{Error, Progress, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model_tests::kind::{Context, Declaration, Finding, Kind, Misfit};
use crate::model_tests::rows::known_metric;

/// The kind `metric`.
pub(in crate::model_tests) struct Metric;

/// Its parameters.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::model_tests) struct Params {
    /// The metric, such as `auc`, `log_loss` or `rmse`.
    metric: String,
    /// It must not be smaller than this.
    at_least: Option<f64>,
    /// It must not be larger than this.
    at_most: Option<f64>,
}

impl Kind for Metric {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "metric",
            title: "Metric",
            summary: "A metric holds a threshold.",
            doc: "Measured on the rows of the test with the package itself. Both ends are allowed values.",
            example: "kind = \"metric\"\nmetric = \"auc\"\nat_least = 0.9",
        }
    }

    fn check(&self, params: &Params) -> Result<(), Misfit> {
        known_metric(&params.metric).map_err(|error| Misfit::param("metric", error))?;
        match (params.at_least, params.at_most) {
            (None, None) => {
                let error = Error::invalid("there is no threshold").hint("set `at_least`, `at_most` or both");
                Err(Misfit::param("metric", error))
            }
            (Some(least), Some(most)) if least > most => {
                let error = Error::invalid(format!("nothing is at least {least} and at most {most}"));
                Err(Misfit::param("at_most", error.hint("swap them")))
            }
            _ => Ok(()),
        }
    }

    fn rule(&self, params: &Params) -> String {
        let title = known_metric(&params.metric).map_or(params.metric.as_str(), |metric| metric.title);
        let shown = |value: f64| base::number(value, 6);
        match (params.at_least, params.at_most) {
            (Some(least), Some(most)) => format!("{title} between {} and {}", shown(least), shown(most)),
            (Some(least), None) => format!("{title} at least {}", shown(least)),
            (None, Some(most)) => format!("{title} at most {}", shown(most)),
            (None, None) => title.to_owned(),
        }
    }

    fn judge(&self, params: &Params, context: &Context<'_>, _: &Progress) -> Result<Finding> {
        let metric = known_metric(&params.metric)?;
        let value = context.rows.metric(metric)?;
        let holds = params.at_least.is_none_or(|least| value >= least)
            && params.at_most.is_none_or(|most| value <= most);
        let rows = base::count(context.rows.len() as u64);
        Ok(Finding::plain(holds, format!("{} is {} over {rows} rows", metric.title, base::number(value, 4))))
    }
}
