//! Linear regression with an L2 penalty, by the normal equations and Cholesky's decomposition.

use base::{Error, Progress, Result};

use super::scaled::ScaledRows;
use crate::math::ordered_parts;

/// Finds the coefficients `b` and intercept `c` that minimise
/// `sum(w (y - c - x b)^2) + l2 |b|^2` over scaled columns: scikit-learn's
/// `make_pipeline(StandardScaler(), Ridge(alpha=l2))`, or `LinearRegression` for `l2 = 0`.
/// The intercept is not penalised.
///
/// # Errors
/// If it was cancelled, or the equations have no finite solution.
pub fn fit_ridge(rows: &ScaledRows, target: &[f64], l2: f64, progress: &Progress) -> Result<(Vec<f64>, f64)> {
    let width = rows.width;
    let total: f64 = rows.weights.iter().sum();
    let mean = rows.weights.iter().zip(target).map(|(weight, y)| weight * y).sum::<f64>() / total;
    progress.step("solving", 0, Some(1))?;
    // Each part holds the products of features with each other (lower half) and with the target.
    let parts = ordered_parts(target.len(), |range| {
        let mut part = vec![0.0; width * (width + 1)];
        let values = rows.values[range.start * width..range.end * width].chunks_exact(width);
        for ((x, y), weight) in values.zip(&target[range.clone()]).zip(&rows.weights[range]) {
            for (a, line) in part.chunks_exact_mut(width + 1).enumerate() {
                let weighted = weight * x[a];
                for (b, cell) in line[..=a].iter_mut().enumerate() {
                    *cell += weighted * x[b];
                }
                line[width] += weighted * (y - mean);
            }
        }
        part
    });
    let mut sums = vec![0.0; width * (width + 1)];
    for part in parts {
        sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
    }
    let mut matrix = vec![0.0; width * width];
    let mut right = vec![0.0; width];
    for (a, line) in sums.chunks_exact(width + 1).enumerate() {
        matrix[a * width..=a * width + a].copy_from_slice(&line[..=a]);
        // Columns that repeat each other leave a zero on the diagonal; a billionth of the
        // total makes the solution unique (nearly that of least norm) and moves no other one.
        matrix[a * width + a] += l2 + total * 1e-9;
        right[a] = line[width];
    }
    solve(&mut matrix, &mut right)?;
    progress.step("solving", 1, Some(1))?;
    Ok((right, mean))
}

/// Solves `matrix x = right` in place for a positive definite matrix given by its lower half.
fn solve(matrix: &mut [f64], right: &mut [f64]) -> Result<()> {
    let width = right.len();
    for a in 0..width {
        for b in 0..=a {
            let dot: f64 = (0..b).map(|k| matrix[a * width + k] * matrix[b * width + k]).sum();
            let rest = matrix[a * width + b] - dot;
            matrix[a * width + b] = if a == b {
                if rest.is_nan() || rest <= 0.0 {
                    return Err(Error::invalid(
                        "the features are too much alike to tell their effects apart",
                    )
                    .hint("raise `l2`, or drop columns that repeat others"));
                }
                rest.sqrt()
            } else {
                rest / matrix[b * width + b]
            };
        }
    }
    for a in 0..width {
        let dot: f64 = (0..a).map(|k| matrix[a * width + k] * right[k]).sum();
        right[a] = (right[a] - dot) / matrix[a * width + a];
    }
    for a in (0..width).rev() {
        let dot: f64 = (a + 1..width).map(|k| matrix[k * width + a] * right[k]).sum();
        right[a] = (right[a] - dot) / matrix[a * width + a];
    }
    Ok(())
}
