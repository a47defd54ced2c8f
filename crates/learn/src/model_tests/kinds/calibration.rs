//! `calibration`: what the model calls 80 % sure is true 8 times of 10.

use base::{Error, Progress, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::matrix::Target;
use crate::metrics::binary::calibration;
use crate::model_tests::kind::{Context, Declaration, Finding, Group, Kind, Misfit};
use crate::predictions::Predictions;

/// The kind `calibration`.
pub(in crate::model_tests) struct Calibration;

/// Its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::model_tests) struct Params {
    /// The largest expected calibration error.
    max_ece: Option<f64>,
    /// The largest Brier score.
    max_brier: Option<f64>,
    /// Into how many bins of equal width probabilities are put.
    bins: usize,
}

impl Default for Params {
    fn default() -> Self {
        Self { max_ece: Some(0.1), max_brier: None, bins: 10 }
    }
}

impl Kind for Calibration {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "calibration",
            title: "Calibration",
            summary: "Probabilities come true as often as they say.",
            doc: "The expected calibration error is the mean over bins, by their rows, of |probability said - share \
                  that came true| (Naeini, Cooper and Hauskrecht 2015). The Brier score is the mean of \
                  (probability - outcome)^2. Of two classes both are of the second; of several they are of the \
                  class that the model takes, right or wrong. The bins are the reliability diagram.",
            example: "kind = \"calibration\"\nmax_ece = 0.05\nmax_brier = 0.2",
        }
    }

    fn check(&self, params: &Params) -> Result<(), Misfit> {
        if params.max_ece.is_none() && params.max_brier.is_none() {
            let error = Error::invalid("there is no limit").hint("set `max_ece`, `max_brier` or both");
            return Err(Misfit::param("max_ece", error));
        }
        if !(2..=100).contains(&params.bins) {
            let error = Error::invalid(format!("`bins` cannot be {}", params.bins));
            return Err(Misfit::param("bins", error.hint("write a number from 2 to 100")));
        }
        Ok(())
    }

    fn rule(&self, params: &Params) -> String {
        let limit = |name: &str, most: Option<f64>| {
            most.map(|most| format!("{name} at most {}", base::number(most, 4)))
        };
        let limits = [limit("calibration error", params.max_ece), limit("Brier score", params.max_brier)];
        limits.into_iter().flatten().collect::<Vec<_>>().join(" and ")
    }

    fn judge(&self, params: &Params, context: &Context<'_>, _: &Progress) -> Result<Finding> {
        let (Target::Classes { codes, .. }, Predictions::Probabilities { classes, values }) =
            (&context.rows.truth, &context.rows.said)
        else {
            return Err(Error::invalid("the model gives no probabilities").hint("take this test out"));
        };
        let rows = codes.iter().zip(values.chunks_exact(*classes));
        let (came, said): (Vec<bool>, Vec<f64>) = rows
            .map(|(code, row)| {
                let class = if *classes == 2 { 1 } else { crate::math::arg_max(row) };
                (*code as usize == class, row[class])
            })
            .unzip();
        let bins = calibration(&came, &said, params.bins);
        let count = came.len() as f64;
        let gap = |bin: &crate::metrics::binary::CalibrationBin| (bin.predicted - bin.observed).abs();
        let ece = bins.iter().map(|bin| gap(bin) * bin.rows as f64).sum::<f64>() / count;
        let squares = came.iter().zip(&said).map(|(came, p)| (p - f64::from(u8::from(*came))).powi(2));
        let brier = squares.sum::<f64>() / count;
        let is_passed = params.max_ece.is_none_or(|most| ece <= most)
            && params.max_brier.is_none_or(|most| brier <= most);
        let widest = bins.iter().map(gap).fold(0.0, f64::max);
        let groups = bins.iter().map(|bin| Group {
            name: format!("about {} said", base::number(bin.predicted, 3)),
            rows: bin.rows,
            measure: "share that came true".to_owned(),
            value: bin.observed,
            is_broken: !is_passed && gap(bin) >= widest,
        });
        let measured = format!(
            "calibration error {}, Brier score {} over {} rows",
            base::number(ece, 3),
            base::number(brier, 3),
            base::count(came.len() as u64)
        );
        Ok(Finding { is_passed, measured, groups: groups.collect(), rows: Vec::new() })
    }
}
