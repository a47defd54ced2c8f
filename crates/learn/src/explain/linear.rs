//! Exact Shapley values of a weighted sum: a feature adds its weight times how far it is from its
//! mean, if features are taken to be independent (Štrumbelj and Kononenko 2014; `shap.LinearExplainer`
//! with an independent masker).

use base::{Error, Result};
use score::{FeatureRows, Weights};

/// A weighted sum ready to be explained.
#[derive(Debug, Clone)]
pub struct LinearShap {
    weights: Weights,
    means: Vec<f64>,
    base: Vec<f64>,
}

impl LinearShap {
    /// The means are those of these rows, missing values left out.
    ///
    /// # Errors
    /// [`base::Code::InvalidInput`] for rows of another width.
    pub fn new(weights: Weights, rows: &FeatureRows) -> Result<Self> {
        if rows.width != weights.features {
            return Err(Error::invalid(format!(
                "the model reads {} features, a row has {}",
                weights.features, rows.width
            )));
        }
        let mean = |feature: usize| {
            let there = rows.rows().map(|row| row[feature]).filter(|value| value.is_finite());
            let (count, sum) = there.fold((0_u64, 0.0), |(count, sum), value| (count + 1, sum + value));
            if count == 0 { 0.0 } else { sum / count as f64 }
        };
        let means: Vec<f64> = (0..weights.features).map(mean).collect();
        let base = sums(&weights, &means);
        Ok(Self { weights, means, base })
    }

    /// The sums of the mean row, for each target.
    pub fn base(&self) -> &[f64] {
        &self.base
    }

    /// The sums of a row, for each target.
    pub fn raw(&self, row: &[f64]) -> Vec<f64> {
        sums(&self.weights, row)
    }

    /// What each feature of a row adds to the sums: a list of features for each target.
    pub fn contributions(&self, row: &[f64]) -> Vec<Vec<f64>> {
        let lines = self.weights.coefficients.chunks_exact(self.weights.features.max(1));
        let parts = |line: &[f64]| {
            let moved = row.iter().zip(&self.means).map(|(value, mean)| value - mean);
            line.iter().zip(moved).map(|(weight, moved)| weight * moved).collect()
        };
        lines.map(parts).collect()
    }
}

fn sums(weights: &Weights, row: &[f64]) -> Vec<f64> {
    let lines = weights.coefficients.chunks_exact(weights.features.max(1));
    let sum = |(line, start): (&[f64], &f64)| {
        start + line.iter().zip(row).map(|(weight, value)| weight * value).sum::<f64>()
    };
    lines.zip(&weights.intercepts).map(sum).collect()
}
