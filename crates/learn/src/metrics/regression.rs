//! How far predicted numbers are from the true ones.

/// Root mean squared error: `sqrt(mean((y - p)^2))`, in the unit of the target.
pub fn rmse(truth: &[f64], predicted: &[f64]) -> f64 {
    let squares = truth.iter().zip(predicted).map(|(y, p)| (y - p) * (y - p));
    (squares.sum::<f64>() / truth.len() as f64).sqrt()
}

/// Mean absolute error: `mean(|y - p|)`.
pub fn mae(truth: &[f64], predicted: &[f64]) -> f64 {
    truth.iter().zip(predicted).map(|(y, p)| (y - p).abs()).sum::<f64>() / truth.len() as f64
}

/// The share of the target's variance that the model explains: `1 - sum((y - p)^2) / sum((y -
/// mean(y))^2)`. A constant target gives 1 if it is hit exactly and 0 otherwise, as
/// scikit-learn's `r2_score` has it.
pub fn r2(truth: &[f64], predicted: &[f64]) -> f64 {
    let mean = truth.iter().sum::<f64>() / truth.len() as f64;
    let error: f64 = truth.iter().zip(predicted).map(|(y, p)| (y - p) * (y - p)).sum();
    let spread: f64 = truth.iter().map(|y| (y - mean) * (y - mean)).sum();
    match (error, spread) {
        (0.0, 0.0) => 1.0,
        (_, 0.0) => 0.0,
        _ => 1.0 - error / spread,
    }
}

/// Mean absolute percentage error, as a share: `mean(|y - p| / |y|)` (scikit-learn's
/// `mean_absolute_percentage_error`). It is not defined where the target has zeros: `NaN` then,
/// where scikit-learn divides by a tiny number and says something huge.
pub fn mape(truth: &[f64], predicted: &[f64]) -> f64 {
    if truth.contains(&0.0) {
        return f64::NAN;
    }
    let of = |(y, p): (&f64, &f64)| (y - p).abs() / y.abs();
    truth.iter().zip(predicted).map(of).sum::<f64>() / truth.len() as f64
}

/// Counts of values in bins of equal width; the outer bins hold what lies beyond the 0.5 % and
/// 99.5 % quantiles too, so that one outlier does not flatten the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// The borders: one more than there are bins.
    pub edges: Vec<f64>,
    /// The number of values in each bin.
    pub counts: Vec<u64>,
}

/// A histogram of these values with at most this many bins; empty if there is no finite value.
pub fn histogram(values: &[f64], bins: usize) -> Histogram {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else {
        return Histogram { edges: Vec::new(), counts: Vec::new() };
    };
    let (low, high) = (sorted[last * 5 / 1000], sorted[last - last * 5 / 1000]);
    if low >= high {
        let margin = (low.abs() * 1e-6).max(1e-6);
        return Histogram { edges: vec![low - margin, high + margin], counts: vec![sorted.len() as u64] };
    }
    let width = (high - low) / bins as f64;
    let edges = (0..=bins).map(|at| if at == bins { high } else { low + at as f64 * width }).collect();
    let mut counts = vec![0; bins];
    for value in sorted {
        counts[(((value - low) / width).max(0.0) as usize).min(bins - 1)] += 1;
    }
    Histogram { edges, counts }
}
