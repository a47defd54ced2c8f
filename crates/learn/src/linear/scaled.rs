//! Columns with mean 0 and variance 1 over the training rows.

use base::{Error, Result};

use crate::matrix::{Matrix, Part, Training};

/// How columns are moved and scaled. Both numbers are kept as 64 bit.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaled {
    /// What is taken away from each feature.
    pub offsets: Vec<f64>,
    /// What the rest is then multiplied by; 0 for a constant feature, which says nothing.
    pub factors: Vec<f64>,
}

/// The training rows of a table, scaled, row by row, with target weights.
pub struct ScaledRows {
    /// The features, `width` numbers per row.
    pub values: Vec<f64>,
    /// The number of features.
    pub width: usize,
    /// How much each row counts.
    pub weights: Vec<f64>,
}

impl Scaled {
    /// Finds mean and deviation of each feature over the training rows.
    ///
    /// # Errors
    /// If a feature has missing or infinite values, which a linear model has no way to use.
    pub fn fit(training: &Training, rows: &[u32]) -> Result<Self> {
        check_complete(training)?;
        let total: f64 = rows.iter().map(|row| training.weight(*row)).sum();
        let mut scaled = Self { offsets: Vec::new(), factors: Vec::new() };
        for feature in 0..training.features.width() {
            let column = training.features.column(feature);
            let mean = rows.iter().map(|row| training.weight(*row) * f64::from(column[*row as usize]));
            let mean = mean.sum::<f64>() / total;
            let square =
                |row: &u32| training.weight(*row) * (f64::from(column[*row as usize]) - mean).powi(2);
            let deviation = (rows.iter().map(square).sum::<f64>() / total).sqrt();
            // A deviation that is rounding noise of the mean belongs to a constant column.
            let is_constant = deviation <= mean.abs() * 1e-9;
            scaled.offsets.push(mean);
            scaled.factors.push(if is_constant { 0.0 } else { 1.0 / deviation });
        }
        Ok(scaled)
    }

    /// Some rows of a matrix, scaled.
    pub fn rows(&self, training: &Training, rows: &[u32]) -> ScaledRows {
        let width = training.features.width();
        let mut values = vec![0.0; rows.len() * width];
        for feature in 0..width {
            let column = training.features.column(feature);
            let (offset, factor) = (self.offsets[feature], self.factors[feature]);
            for (at, row) in rows.iter().enumerate() {
                values[at * width + feature] = (f64::from(column[*row as usize]) - offset) * factor;
            }
        }
        ScaledRows { values, width, weights: rows.iter().map(|row| training.weight(*row)).collect() }
    }

    /// The sums of products of each row with the coefficients of each output: `outputs` numbers
    /// per row. `coefficients` holds one row of features per output.
    pub fn predict(&self, matrix: &Matrix, coefficients: &[f64], intercepts: &[f64]) -> Vec<f64> {
        let outputs = intercepts.len();
        let mut sums = intercepts.repeat(matrix.rows());
        for feature in 0..matrix.width() {
            let (offset, factor) = (self.offsets[feature], self.factors[feature]);
            for (value, sums) in matrix.column(feature).iter().zip(sums.chunks_exact_mut(outputs)) {
                let scaled = (f64::from(*value) - offset) * factor;
                for (output, sum) in sums.iter_mut().enumerate() {
                    *sum += scaled * coefficients[output * matrix.width() + feature];
                }
            }
        }
        sums
    }
}

fn check_complete(training: &Training) -> Result<()> {
    // Validation rows are predicted while training, so they must be complete too.
    let mut rows = training.rows_in(Part::Train);
    rows.extend(training.rows_in(Part::Validation));
    for (feature, name) in training.features.names().iter().enumerate() {
        let column = training.features.column(feature);
        let missing = rows.iter().filter(|row| column[**row as usize].is_nan()).count();
        if missing > 0 {
            let message = format!(
                "a linear model cannot use missing values, and feature `{name}` has {missing} of them"
            );
            return Err(Error::invalid(message)
                .hint("add an `impute` step before this one, or choose boosting or a forest"));
        }
        if rows.iter().any(|row| column[*row as usize].is_infinite()) {
            let message = format!("a linear model cannot use infinite values, and feature `{name}` has some");
            return Err(Error::invalid(message).hint("filter those rows out, or derive a bounded column"));
        }
    }
    Ok(())
}
