//! What a model says about rows.

use crate::math::arg_max;

/// What a model says about each row of a matrix.
#[derive(Debug, Clone, PartialEq)]
pub enum Predictions {
    /// A number for each row.
    Numbers(Vec<f64>),
    /// The probability of each class, one row after the other.
    Probabilities {
        /// How many classes there are.
        classes: usize,
        /// `classes` numbers for each row.
        values: Vec<f64>,
    },
}

impl Predictions {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        match self {
            Self::Numbers(values) => values.len(),
            Self::Probabilities { classes, values } => values.len() / classes,
        }
    }

    /// The most probable class of each row, the first of equals; nothing for numbers.
    pub fn labels(&self) -> Option<Vec<u32>> {
        match self {
            Self::Numbers(_) => None,
            Self::Probabilities { classes, values } => {
                Some(values.chunks_exact(*classes).map(|row| arg_max(row) as u32).collect())
            }
        }
    }

    /// The probability of one class for each row; nothing for numbers.
    pub fn probability(&self, class: usize) -> Option<Vec<f64>> {
        match self {
            Self::Numbers(_) => None,
            Self::Probabilities { classes, values } => {
                Some(values.chunks_exact(*classes).map(|row| row[class]).collect())
            }
        }
    }
}
