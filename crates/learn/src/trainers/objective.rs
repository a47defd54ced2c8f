//! What boosting minimises: gradients and second derivatives of a loss, and its mean.

use rayon::iter::{IndexedParallelIterator as _, IntoParallelRefMutIterator as _, ParallelIterator as _};
use rayon::slice::{ParallelSlice as _, ParallelSliceMut as _};

use crate::math::{CHUNK, ln, ordered_sum, sigmoid, softmax};
use crate::matrix::Target;
use crate::trees::{FixedPoint, RowSum};

/// Probabilities are kept this far from 0 and 1: a gradient of exactly 0 would leave a leaf
/// without a second derivative.
const LEAST: f64 = 1e-15;

/// A loss with the truth it is measured against.
#[derive(Debug, Clone)]
pub enum Objective {
    /// Log loss of two classes; the score is the log odds of the second.
    Logistic(Vec<u32>),
    /// Log loss of three and more classes; a score for each.
    Softmax {
        /// The class of each row.
        codes: Vec<u32>,
        /// How many classes there are.
        classes: usize,
    },
    /// Half the squared error; the score is the prediction.
    Squared(Vec<f64>),
}

impl Objective {
    /// The objective for a target.
    pub fn new(target: &Target) -> Self {
        match target {
            Target::Numbers(values) => Self::Squared(values.clone()),
            Target::Classes { codes, count: 2 } => Self::Logistic(codes.clone()),
            Target::Classes { codes, count } => Self::Softmax { codes: codes.clone(), classes: *count },
        }
    }

    /// The number of scores per row.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Logistic(_) | Self::Squared(_) => 1,
            Self::Softmax { classes, .. } => *classes,
        }
    }

    /// The name of the metric that [`Self::mean_loss`] is.
    pub fn metric(&self) -> &'static str {
        match self {
            Self::Logistic(_) | Self::Softmax { .. } => "log_loss",
            Self::Squared(_) => "rmse",
        }
    }

    /// The scores that minimise the loss when nothing is known of a row.
    pub fn start(&self, weights: &[f64]) -> Vec<f32> {
        let total: f64 = weights.iter().sum();
        let share = |codes: &[u32], class: u32| {
            let of_class = codes.iter().zip(weights).filter(|(code, _)| **code == class);
            (of_class.map(|(_, weight)| weight).sum::<f64>() / total).clamp(1e-12, 1.0 - 1e-12)
        };
        match self {
            Self::Logistic(codes) => {
                let p = share(codes, 1);
                vec![ln(p / (1.0 - p)) as f32]
            }
            Self::Softmax { codes, classes } => {
                (0..*classes as u32).map(|class| ln(share(codes, class)) as f32).collect()
            }
            Self::Squared(values) => {
                vec![(values.iter().zip(weights).map(|(y, weight)| y * weight).sum::<f64>() / total) as f32]
            }
        }
    }

    /// Scores as predictions: probabilities, or the scores themselves.
    pub fn predict(&self, scores: &[f64], predictions: &mut [f64]) {
        let outputs = self.outputs();
        let chunks = predictions.par_chunks_mut(CHUNK * outputs).zip(scores.par_chunks(CHUNK * outputs));
        match self {
            Self::Logistic(_) => chunks.for_each(|(predictions, scores)| {
                predictions.iter_mut().zip(scores).for_each(|(p, score)| *p = sigmoid(*score));
            }),
            Self::Softmax { .. } => chunks.for_each(|(predictions, scores)| {
                predictions.copy_from_slice(scores);
                predictions.chunks_exact_mut(outputs).for_each(softmax);
            }),
            Self::Squared(_) => chunks.for_each(|(predictions, scores)| predictions.copy_from_slice(scores)),
        }
    }

    /// The gradient and second derivative of each row's loss by the score of one output.
    pub fn derivatives(
        &self,
        output: usize,
        predictions: &[f64],
        weights: Option<&[f64]>,
        sums: &mut [RowSum],
    ) -> FixedPoint {
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let most_weight = weights.map_or(1.0, |weights| weights.iter().copied().fold(0.0, f64::max));
        let rows = sums.len();
        match self {
            Self::Logistic(codes) => {
                let point = FixedPoint::new(most_weight, most_weight * 0.25, rows);
                each_row(sums, |row| {
                    let p = predictions[row];
                    let curve = (p * (1.0 - p)).max(LEAST);
                    point.row((p - f64::from(codes[row])) * weight(row), curve * weight(row))
                });
                point
            }
            Self::Softmax { codes, classes } => {
                // Scores that all move together change nothing; the factor makes up for the
                // direction that is thereby lost (Friedman 2001, LightGBM).
                let factor = *classes as f64 / (*classes as f64 - 1.0);
                let point = FixedPoint::new(most_weight, most_weight * 0.25 * factor, rows);
                each_row(sums, |row| {
                    let p = predictions[row * classes + output];
                    let truth = f64::from(u8::from(codes[row] as usize == output));
                    let curve = (p * (1.0 - p)).max(LEAST) * factor;
                    point.row((p - truth) * weight(row), curve * weight(row))
                });
                point
            }
            Self::Squared(values) => {
                let most = predictions.iter().zip(values).map(|(p, y)| (p - y).abs()).fold(0.0, f64::max);
                let point = FixedPoint::new(most * most_weight, most_weight, rows);
                each_row(sums, |row| point.row((predictions[row] - values[row]) * weight(row), weight(row)));
                point
            }
        }
    }

    /// The mean loss, as the metric that [`Self::metric`] names.
    pub fn mean_loss(&self, predictions: &[f64], weights: &[f64]) -> f64 {
        let total: f64 = weights.iter().sum();
        match self {
            Self::Logistic(codes) => {
                let right =
                    |row: usize| if codes[row] == 1 { predictions[row] } else { 1.0 - predictions[row] };
                log_of_all(right, weights) / total
            }
            Self::Softmax { codes, classes } => {
                log_of_all(|row| predictions[row * classes + codes[row] as usize], weights) / total
            }
            Self::Squared(values) => {
                let sum = ordered_sum(values.len(), |range| {
                    range.map(|row| weights[row] * (predictions[row] - values[row]).powi(2)).sum()
                });
                (sum / total).sqrt()
            }
        }
    }
}

fn each_row(sums: &mut [RowSum], row_sum: impl Fn(usize) -> RowSum + Sync) {
    sums.par_iter_mut().enumerate().with_min_len(CHUNK).for_each(|(row, sum)| *sum = row_sum(row));
}

/// The weighted sum of `-ln(right(row))`. Rows that weigh 1 are multiplied up, sixteen at a
/// time, before the one logarithm that they cost.
fn log_of_all(right: impl Fn(usize) -> f64 + Sync, weights: &[f64]) -> f64 {
    ordered_sum(weights.len(), |range| {
        let (mut sum, mut product, mut factors) = (0.0, 1.0, 0);
        for row in range {
            let p = right(row).clamp(LEAST, 1.0);
            if weights[row] == 1.0 {
                product *= p;
                factors += 1;
            } else {
                sum -= weights[row] * ln(p);
            }
            if factors == 16 {
                sum -= ln(product);
                (product, factors) = (1.0, 0);
            }
        }
        sum - ln(product)
    })
}
