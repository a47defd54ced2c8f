//! Logistic regression for two and more classes with an L2 penalty.

use base::Result;

use super::lbfgs::{Limits, minimise};
use super::scaled::ScaledRows;
use crate::math::{exp, ln, ordered_parts, sigmoid, softmax};

/// A fitted logistic model over scaled columns.
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticFit {
    /// One row of coefficients per output: one output for two classes, one per class otherwise.
    pub coefficients: Vec<f64>,
    /// One per output.
    pub intercepts: Vec<f64>,
    /// The steps taken.
    pub iterations: usize,
    /// False if the steps ran out before the slope was small.
    pub is_converged: bool,
}

/// Finds the coefficients that minimise `sum(w log_loss) + l2 / 2 |b|^2` over scaled columns:
/// scikit-learn's `make_pipeline(StandardScaler(), LogisticRegression(C=1 / l2))`. Intercepts
/// are not penalised. `step` hears of the coefficients, intercepts and mean log loss reached.
///
/// # Errors
/// What `step` returns.
pub fn fit_logistic(
    rows: &ScaledRows,
    codes: &[u32],
    classes: usize,
    l2: f64,
    limits: Limits,
    mut step: impl FnMut(usize, &[f64], &[f64], f64) -> Result<()>,
) -> Result<LogisticFit> {
    let outputs = if classes == 2 { 1 } else { classes };
    let width = rows.width;
    let total: f64 = rows.weights.iter().sum();
    let penalty = l2 / total;
    let value = |point: &[f64]| {
        let (coefficients, intercepts) = point.split_at(outputs * width);
        let (mut loss, mut slope) = loss(rows, codes, coefficients, intercepts);
        slope.iter_mut().for_each(|g| *g /= total);
        loss /= total;
        for (coefficient, g) in coefficients.iter().zip(&mut slope) {
            loss += 0.5 * penalty * coefficient * coefficient;
            *g += penalty * coefficient;
        }
        (loss, slope)
    };
    let start = vec![0.0; outputs * (width + 1)];
    let minimum = minimise(start, limits, value, |iteration, point, height| {
        let (coefficients, intercepts) = point.split_at(outputs * width);
        let squares: f64 = coefficients.iter().map(|coefficient| coefficient * coefficient).sum();
        step(iteration, coefficients, intercepts, height - 0.5 * penalty * squares)
    })?;
    let mut coefficients = minimum.point;
    let intercepts = coefficients.split_off(outputs * width);
    Ok(LogisticFit {
        coefficients,
        intercepts,
        iterations: minimum.iterations,
        is_converged: minimum.is_converged,
    })
}

/// The weighted log loss and its slope by coefficients, then intercepts.
fn loss(rows: &ScaledRows, codes: &[u32], coefficients: &[f64], intercepts: &[f64]) -> (f64, Vec<f64>) {
    let (width, outputs) = (rows.width, intercepts.len());
    let parts = ordered_parts(codes.len(), |range| {
        let mut slope = vec![0.0; outputs * (width + 1)];
        let mut sum = 0.0;
        let mut scores = vec![0.0; outputs];
        for row in range {
            let x = &rows.values[row * width..][..width];
            for (score, (line, intercept)) in
                scores.iter_mut().zip(coefficients.chunks_exact(width).zip(intercepts))
            {
                *score = intercept + line.iter().zip(x).map(|(b, x)| b * x).sum::<f64>();
            }
            let (code, weight) = (codes[row] as usize, rows.weights[row]);
            sum += weight * (log_sum(&scores) - if outputs == 1 { 0.0 } else { scores[code] });
            if outputs == 1 {
                sum -= if code == 1 { weight * scores[0] } else { 0.0 };
                scores[0] = sigmoid(scores[0]);
            } else {
                softmax(&mut scores);
            }
            for (output, p) in scores.iter().enumerate() {
                let is_class = if outputs == 1 { code == 1 } else { code == output };
                let error = weight * (p - f64::from(u8::from(is_class)));
                let line = &mut slope[output * width..][..width];
                line.iter_mut().zip(x).for_each(|(g, x)| *g += error * x);
                slope[outputs * width + output] += error;
            }
        }
        (sum, slope)
    });
    let mut loss = 0.0;
    let mut slope = vec![0.0; outputs * (width + 1)];
    for (part, part_slope) in parts {
        loss += part;
        slope.iter_mut().zip(part_slope).for_each(|(sum, part)| *sum += part);
    }
    (loss, slope)
}

/// The logarithm of the sum of `e^score`; a single score stands against an unwritten one of 0.
/// Without overflow, and without the flat end that clipping probabilities would have.
fn log_sum(scores: &[f64]) -> f64 {
    let zero = if scores.len() == 1 { 0.0 } else { f64::NEG_INFINITY };
    let most = scores.iter().copied().fold(zero, f64::max);
    let sum: f64 = scores.iter().map(|score| exp(score - most)).sum();
    most + ln(sum + exp(zero - most))
}
