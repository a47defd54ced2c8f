//! `champion`: the model is not worse than the one it would replace, beyond what chance explains.

use base::{Error, Progress, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model_tests::bootstrap::gain;
use crate::model_tests::kind::{Context, Declaration, Finding, Kind, Misfit};
use crate::model_tests::rows::{known_metric, metric_named};
use crate::package::{predictions_of, raw_batch};

/// The kind `champion`.
pub(in crate::model_tests) struct Champion;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::model_tests) struct Params {
    /// The metric; accuracy for classes and the mean absolute error for numbers if left out.
    metric: String,
    /// The lower end of the interval of the gain must be at least this; below zero allows a small loss.
    min_gain: f64,
    /// How sure the interval is.
    confidence: f64,
    /// How often the rows are drawn again.
    repeats: u32,
    /// Fixes the draws.
    seed: u64,
}

impl Default for Params {
    fn default() -> Self {
        Self { metric: String::new(), min_gain: -0.01, confidence: 0.95, repeats: 1000, seed: 1 }
    }
}

impl Kind for Champion {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "champion",
            title: "Against the champion",
            summary: "The model is not worse than the one it would replace, beyond what chance explains.",
            doc: "Both models score the same rows. The rows are drawn again with replacement `repeats` times, and \
                  both are measured on the same draw (paired bootstrap, percentile interval; Efron and Tibshirani \
                  1993). The test holds if the lower end of the interval of the gain is at least `min_gain`: -0.01 \
                  allows a loss of 0.01 of the metric, 0 asks for a gain that is no chance. For errors such as \
                  RMSE a gain is a smaller error. Without a champion the test holds.",
            example: "kind = \"champion\"\nmetric = \"auc\"\nmin_gain = -0.01",
        }
    }

    fn check(&self, params: &Params) -> Result<(), Misfit> {
        if !params.metric.is_empty() {
            known_metric(&params.metric).map_err(|error| Misfit::param("metric", error))?;
        }
        if !(0.5..1.0).contains(&params.confidence) {
            let error = Error::invalid(format!("`confidence` cannot be {}", params.confidence));
            return Err(Misfit::param("confidence", error.hint("write a share such as 0.95")));
        }
        if !(50..=100_000).contains(&params.repeats) {
            let error = Error::invalid(format!("`repeats` cannot be {}", params.repeats));
            return Err(Misfit::param("repeats", error.hint("write a number from 50 to 100,000")));
        }
        Ok(())
    }

    fn rule(&self, params: &Params) -> String {
        let title = known_metric(&params.metric).map_or("the usual metric", |metric| metric.title);
        let share = base::number(params.confidence * 100.0, 4);
        format!(
            "gain in {title} over the champion surely at least {} ({share} % sure)",
            base::number(params.min_gain, 4)
        )
    }

    fn judge(&self, params: &Params, context: &Context<'_>, progress: &Progress) -> Result<Finding> {
        let Some((champion, name)) = context.champion else {
            return Ok(Finding::plain(true, "there is no champion to compare with".to_owned()));
        };
        let metric = metric_named(&params.metric, &context.rows.truth)?;
        let card = champion.card().ok_or_else(|| {
            Error::invalid("the champion was not written by Fettle, so its answers cannot be compared")
        })?;
        if (card.target.as_str(), &card.classes) != (context.card.target.as_str(), &context.card.classes) {
            return Err(
                Error::invalid("the champion predicts something else").hint("compare models of one target")
            );
        }
        let batch = raw_batch(&card.signature.inputs, &context.rows.table)
            .map_err(|e| e.within("the rows lack an input of the champion"))?;
        let said = predictions_of(card, &champion.predict(&batch)?)?;
        let settings = (params.repeats, params.confidence, params.seed);
        let found = gain(metric, &context.rows.truth, (&context.rows.said, &said), settings, progress)?;
        let shown = |value: f64| base::number(value, 3);
        let measured = format!(
            "{} gains {} over {name}, between {} and {} ({} draws)",
            metric.title,
            shown(found.value),
            shown(found.low),
            shown(found.high),
            params.repeats
        );
        Ok(Finding::plain(found.low >= params.min_gain, measured))
    }
}
