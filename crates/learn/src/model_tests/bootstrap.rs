//! Intervals by the bootstrap (Efron and Tibshirani 1993): the rows are drawn again with replacement,
//! and the two models are measured on the same draw each time, so that what is hard for both cancels.

use base::{Progress, Result};

use crate::matrix::Target;
use crate::metrics::MetricDoc;
use crate::predictions::Predictions;
use crate::random::Stream;

use super::rows::{measure, pick};

/// Two models on the same rows: by how much the first is better.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gain {
    /// On the rows as they are.
    pub value: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// By how much a model is better than another one on the same rows, larger being better for every
/// metric, with the percentile interval of `repeats` draws. Draws for which the metric is not defined,
/// such as those with rows of one class, are left out.
///
/// # Errors
/// The metric is not defined for the rows; [`base::Code::Cancelled`].
pub fn gain(
    metric: &MetricDoc,
    truth: &Target,
    (first, second): (&Predictions, &Predictions),
    (repeats, confidence, seed): (u32, f64, u64),
    progress: &Progress,
) -> Result<Gain> {
    let sign = if metric.larger_is_better { 1.0 } else { -1.0 };
    let value = sign * (measure(metric, truth, first)? - measure(metric, truth, second)?);
    let rows = truth.rows();
    let mut gains = Vec::with_capacity(repeats as usize);
    for repeat in 0..repeats {
        progress.step("drawing rows again", u64::from(repeat), Some(u64::from(repeats)))?;
        let mut stream = Stream::new(seed, "bootstrap", u64::from(repeat));
        let drawn: Vec<u32> = (0..rows).map(|_| stream.below(rows) as u32).collect();
        let truth = truth.take(&drawn);
        let of = |said: &Predictions| measure(metric, &truth, &pick(said, &drawn));
        if let (Ok(first), Ok(second)) = (of(first), of(second)) {
            gains.push(sign * (first - second));
        }
    }
    gains.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = share * (gains.len().saturating_sub(1)) as f64;
        gains.get(place.round() as usize).copied().unwrap_or(value)
    };
    let tail = (1.0 - confidence) / 2.0;
    Ok(Gain { value, low: at(tail), high: at(1.0 - tail) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::metric_doc;

    #[test]
    fn the_interval_holds_the_gain_and_the_same_seed_gives_the_same() {
        let codes: Vec<u32> = (0..200).map(|row| row % 2).collect();
        let truth = Target::Classes { codes: codes.clone(), count: 2 };
        let right = |wrong_every: usize| {
            let row = |(at, code): (usize, &u32)| {
                let p = if (at % wrong_every == 0) == (*code == 1) { 0.2 } else { 0.8 };
                [1.0 - p, p]
            };
            Predictions::Probabilities {
                classes: 2,
                values: codes.iter().enumerate().flat_map(row).collect(),
            }
        };
        let accuracy = metric_doc("accuracy").expect("a metric");
        let find = |seed| {
            gain(accuracy, &truth, (&right(20), &right(4)), (500, 0.95, seed), &Progress::silent())
                .expect("rows")
        };
        let found = find(1);
        assert!((found.value - 0.2).abs() < 1e-12, "{found:?}");
        assert!(found.low > 0.1 && found.low < found.value && found.value < found.high && found.high < 0.3);
        assert_eq!(found, find(1));
        assert_ne!(found, find(2));
        let same = gain(accuracy, &truth, (&right(4), &right(4)), (100, 0.95, 1), &Progress::silent());
        assert_eq!(same.expect("rows"), Gain { value: 0.0, low: 0.0, high: 0.0 }, "drawn in pairs");
    }
}
