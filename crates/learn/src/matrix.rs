//! What a trainer learns from: features as columns of `f32` (missing is `NaN`), a target, weights,
//! and the part of the split each row is in. Serving computes the same `f32`, so what a model
//! saw in training is to the bit what it sees in use.

use std::ops::Range;

use base::{Error, Result};

/// Features as columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    names: Vec<String>,
    columns: Vec<Vec<f32>>,
    rows: usize,
}

impl Matrix {
    /// Features of these names and columns, all of one length.
    ///
    /// # Errors
    /// If names and columns do not match, lengths differ, or a name stands twice.
    pub fn new(names: Vec<String>, columns: Vec<Vec<f32>>) -> Result<Self> {
        if names.len() != columns.len() {
            return Err(Error::internal(format!("{} names for {} columns", names.len(), columns.len())));
        }
        let rows = columns.first().map_or(0, Vec::len);
        for (name, column) in names.iter().zip(&columns) {
            if column.len() != rows {
                let message = format!("feature `{name}` has {} rows, expected {rows}", column.len());
                return Err(Error::internal(message));
            }
        }
        for (at, name) in names.iter().enumerate() {
            if names[..at].contains(name) {
                return Err(Error::invalid(format!("feature `{name}` stands twice"))
                    .hint("rename one of the two columns"));
            }
        }
        Ok(Self { names, columns, rows })
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of features.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// The names of the features, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The values of one feature.
    pub fn column(&self, feature: usize) -> &[f32] {
        &self.columns[feature]
    }

    /// Some rows, one after the other, as trees and linear models read them.
    pub fn row_major(&self, rows: Range<usize>) -> Vec<f32> {
        let width = self.width();
        let mut out = vec![0.0; rows.len() * width];
        for (feature, column) in self.columns.iter().enumerate() {
            for (at, value) in column[rows.clone()].iter().enumerate() {
                out[at * width + feature] = *value;
            }
        }
        out
    }

    /// A matrix of these rows only.
    #[must_use]
    pub fn take(&self, rows: &[u32]) -> Self {
        let take = |column: &Vec<f32>| rows.iter().map(|row| column[*row as usize]).collect();
        Self { names: self.names.clone(), columns: self.columns.iter().map(take).collect(), rows: rows.len() }
    }

    /// Replaces the values of one feature, such as by a shuffled copy of them.
    pub fn replace(&mut self, feature: usize, values: Vec<f32>) -> Vec<f32> {
        assert_eq!(values.len(), self.rows, "a column keeps its length");
        std::mem::replace(&mut self.columns[feature], values)
    }
}

/// What is to be predicted.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// A class for each row, as its position among `count` classes.
    Classes {
        /// The class of each row.
        codes: Vec<u32>,
        /// How many classes there are; at least 2.
        count: usize,
    },
    /// A number for each row.
    Numbers(Vec<f64>),
}

impl Target {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        match self {
            Self::Classes { codes, .. } => codes.len(),
            Self::Numbers(values) => values.len(),
        }
    }

    /// The target of these rows only.
    #[must_use]
    pub fn take(&self, rows: &[u32]) -> Self {
        match self {
            Self::Classes { codes, count } => {
                Self::Classes { codes: rows.iter().map(|row| codes[*row as usize]).collect(), count: *count }
            }
            Self::Numbers(values) => Self::Numbers(rows.iter().map(|row| values[*row as usize]).collect()),
        }
    }
}

/// The part of a split that a row is in; the numbers are those of the `__split` column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The model learns from it.
    Train = 0,
    /// Early stopping and comparison look at it.
    Validation = 1,
    /// Only the last judgement looks at it.
    Test = 2,
}

/// All that a trainer gets to see.
#[derive(Debug, Clone)]
pub struct Training {
    /// The features.
    pub features: Matrix,
    /// What is to be predicted.
    pub target: Target,
    /// How much each row counts; `None` is 1 for each.
    pub weights: Option<Vec<f32>>,
    /// The part each row is in; `None` is training for each.
    pub parts: Option<Vec<Part>>,
}

impl Training {
    /// Checks that features, target, weights and parts are of one length, and that there is
    /// something to learn.
    ///
    /// # Errors
    /// If lengths differ, nothing is there to train on, a target is not finite, or a class
    /// target has one class only.
    pub fn check(&self) -> Result<()> {
        let rows = self.features.rows();
        let lengths = [
            ("target", Some(self.target.rows())),
            ("weights", self.weights.as_ref().map(Vec::len)),
            ("split", self.parts.as_ref().map(Vec::len)),
        ];
        for (what, length) in lengths {
            if length.is_some_and(|length| length != rows) {
                return Err(Error::internal(format!("the {what} has not the {rows} rows of the features")));
            }
        }
        if self.features.width() == 0 {
            return Err(Error::invalid("there is no feature to learn from")
                .hint("keep at least one number column besides the target, or encode text columns"));
        }
        let train = self.rows_in(Part::Train);
        if train.is_empty() {
            return Err(Error::invalid("there is no row to train on")
                .hint("give the training part of the split a larger share, or loosen the filter"));
        }
        match &self.target {
            Target::Numbers(values) => {
                if train.iter().any(|row| !values[*row as usize].is_finite()) {
                    return Err(Error::invalid("the target has values that are missing or infinite")
                        .hint("filter those rows out with `<target> is not null`"));
                }
            }
            Target::Classes { codes, count } => {
                let first = codes[train[0] as usize];
                if *count < 2 || train.iter().all(|row| codes[*row as usize] == first) {
                    return Err(Error::invalid("the target has only one class in the training rows")
                        .hint("choose another target, or check the filter before this step"));
                }
                if codes.iter().any(|code| *code as usize >= *count) {
                    return Err(Error::internal("a class code is out of range"));
                }
            }
        }
        if self.weights.iter().flatten().any(|weight| !(weight.is_finite() && *weight >= 0.0)) {
            return Err(Error::invalid("a weight is negative or not finite"));
        }
        Ok(())
    }

    /// The rows of one part, ascending.
    pub fn rows_in(&self, part: Part) -> Vec<u32> {
        match &self.parts {
            None if part == Part::Train => (0..self.features.rows() as u32).collect(),
            None => Vec::new(),
            Some(parts) => (0..).zip(parts).filter(|(_, at)| **at == part).map(|(row, _)| row).collect(),
        }
    }

    /// How much this row counts.
    pub fn weight(&self, row: u32) -> f64 {
        self.weights.as_ref().map_or(1.0, |weights| f64::from(weights[row as usize]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn training(target: Target) -> Training {
        let features = Matrix::new(vec!["a".into()], vec![vec![1.0, 2.0, 3.0]]).expect("one column");
        Training { features, target, weights: None, parts: None }
    }

    #[test]
    fn columns_of_different_length_or_one_name_are_refused() {
        assert!(Matrix::new(vec!["a".into(), "b".into()], vec![vec![1.0], vec![]]).is_err());
        let twice = Matrix::new(vec!["a".into(), "a".into()], vec![vec![1.0], vec![2.0]]);
        assert_eq!(twice.expect_err("one name").message, "feature `a` stands twice");
    }

    #[test]
    fn a_target_with_one_class_or_with_missing_numbers_is_refused() {
        let one = training(Target::Classes { codes: vec![0, 0, 0], count: 2 });
        assert!(one.check().expect_err("one class").message.contains("only one class"));
        let missing = training(Target::Numbers(vec![1.0, f64::NAN, 2.0]));
        assert!(missing.check().expect_err("a gap").message.contains("missing"));
        assert!(training(Target::Numbers(vec![1.0, 2.0, 2.0])).check().is_ok());
    }

    #[test]
    fn rows_are_told_apart_by_part() {
        let mut table = training(Target::Numbers(vec![1.0, 2.0, 3.0]));
        assert_eq!(table.rows_in(Part::Train), [0, 1, 2]);
        table.parts = Some(vec![Part::Train, Part::Test, Part::Train]);
        assert_eq!(table.rows_in(Part::Train), [0, 2]);
        assert_eq!(table.rows_in(Part::Test), [1]);
        assert!(table.rows_in(Part::Validation).is_empty());
    }

    #[test]
    fn row_major_turns_columns_into_rows() {
        let matrix = Matrix::new(vec!["a".into(), "b".into()], vec![vec![1.0, 2.0], vec![3.0, 4.0]]);
        assert_eq!(matrix.expect("fits").row_major(1..2), [2.0, 4.0]);
    }
}
