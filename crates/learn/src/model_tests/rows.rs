//! The rows that a model is tested on: raw inputs, true answers, and what the model said of them.

use arrow::array::{Array as _, RecordBatch, UInt32Array};
use base::{Error, Result};
use data::Task;
use score::{Batch, Card, Package};

use crate::matrix::Target;
use crate::metrics::{MetricDoc, evaluate, metric_doc};
use crate::package::{predictions_of, raw_batch};
use crate::predictions::Predictions;
use crate::prepare::{TargetColumn, truth};

/// Labelled rows, scored.
#[derive(Debug, Clone)]
pub struct Rows {
    /// The rows with all their columns, of which groups are made.
    pub table: RecordBatch,
    /// The model's inputs.
    pub batch: Batch,
    /// What is true.
    pub truth: Target,
    /// What the model says.
    pub said: Predictions,
    /// The classes in the order of the probabilities; none for numbers.
    pub classes: Vec<String>,
}

impl Rows {
    /// Scores the rows of a table that have a target.
    ///
    /// # Errors
    /// [`base::Code::InvalidInput`] if the table lacks the target or an input, or no row has a target.
    pub fn score(package: &Package, card: &Card, table: &RecordBatch) -> Result<Self> {
        let Some(column) = table.column_by_name(&card.target) else {
            return Err(Error::invalid(format!(
                "the rows have no column `{}`, which the model predicts",
                card.target
            ))
            .hint("test on rows that hold the true answers"));
        };
        let task = match card.task {
            score::Task::Binary => Task::Binary,
            score::Task::Multiclass => Task::Multiclass,
            score::Task::Regression => Task::Regression,
        };
        let kind = data::Kind::of(column.data_type());
        let target = TargetColumn { name: card.target.clone(), kind, task, classes: card.classes.clone() };
        let (truth, rows) = truth(std::slice::from_ref(table), &target)?;
        if rows.is_empty() {
            return Err(Error::invalid("no row has a true answer to test on").hint("test on other rows"));
        }
        let table = take(table, &rows)?;
        let batch = raw_batch(&card.signature.inputs, &table)?;
        let said = predictions_of(card, &package.predict(&batch)?)?;
        Ok(Self { table, batch, truth, said, classes: card.classes.clone() })
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.truth.rows()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A metric over all rows.
    pub(super) fn metric(&self, metric: &MetricDoc) -> Result<f64> {
        measure(metric, &self.truth, &self.said)
    }

    /// The answer that people follow: the probability of one class, or the number.
    pub(super) fn answer(&self, class: usize) -> Vec<f64> {
        answer(&self.said, class)
    }

    /// The place of a class by its name; of two the second, and the first of several, if none is named.
    pub(super) fn class(&self, name: &str) -> Result<usize> {
        if name.is_empty() || self.classes.is_empty() {
            return Ok(usize::from(self.classes.len() == 2));
        }
        self.classes.iter().position(|class| class == name).ok_or_else(|| {
            Error::invalid(format!("the model knows no class `{name}`"))
                .hint(format!("its classes are {}", self.classes.join(", ")))
        })
    }

    /// Labelled rows that were scored before: what was said of them comes from elsewhere, and there is
    /// no [`Self::batch`] to score again.
    ///
    /// # Panics
    /// If there are not as many rows everywhere.
    pub fn scored(card: &Card, table: RecordBatch, truth: Target, said: Predictions) -> Self {
        assert_eq!((table.num_rows(), truth.rows()), (said.rows(), said.rows()), "each row is whole");
        let batch = Batch { rows: table.num_rows(), columns: Vec::new() };
        Self { table, batch, truth, said, classes: card.classes.clone() }
    }

    /// How wrong the model is about each row: minus the logarithm of the true class's probability, or
    /// the squared difference.
    pub fn losses(&self) -> Vec<f64> {
        losses(&self.truth, &self.said)
    }
}

/// How wrong predictions are about each row, as [`Rows::losses`] says it.
pub fn losses(truth: &Target, said: &Predictions) -> Vec<f64> {
    match (truth, said) {
        (Target::Classes { codes, .. }, Predictions::Probabilities { classes, values }) => codes
            .iter()
            .zip(values.chunks_exact(*classes))
            .map(|(code, row)| -crate::math::ln(row[*code as usize].clamp(1e-9, 1.0)))
            .collect(),
        (Target::Numbers(truth), Predictions::Numbers(said)) => {
            truth.iter().zip(said).map(|(y, p)| (y - p) * (y - p)).collect()
        }
        _ => Vec::new(),
    }
}

/// A metric of some predictions.
pub(super) fn measure(metric: &MetricDoc, truth: &Target, said: &Predictions) -> Result<f64> {
    let found = evaluate(truth, said);
    let value = found.iter().find(|(name, _)| *name == metric.name).map(|(_, value)| *value);
    value.ok_or_else(|| {
        let names: Vec<&str> = found.iter().map(|(name, _)| *name).collect();
        Error::invalid(format!("{} is not defined for these rows", metric.title))
            .hint(format!("choose one of {}", names.join(", ")))
    })
}

/// The probability of one class, or the number.
pub(super) fn answer(said: &Predictions, class: usize) -> Vec<f64> {
    match said {
        Predictions::Numbers(values) => values.clone(),
        Predictions::Probabilities { .. } => said.probability(class).unwrap_or_default(),
    }
}

/// Some of the predictions.
pub(super) fn pick(said: &Predictions, rows: &[u32]) -> Predictions {
    match said {
        Predictions::Numbers(values) => {
            Predictions::Numbers(rows.iter().map(|row| values[*row as usize]).collect())
        }
        Predictions::Probabilities { classes, values } => Predictions::Probabilities {
            classes: *classes,
            values: rows
                .iter()
                .flat_map(|row| values[*row as usize * classes..][..*classes].iter().copied())
                .collect(),
        },
    }
}

/// A metric by its name; the usual one of the task if the name is empty.
pub(super) fn metric_named(name: &str, truth: &Target) -> Result<&'static MetricDoc> {
    let name = match (name, truth) {
        ("", Target::Classes { .. }) => "accuracy",
        ("", Target::Numbers(_)) => "mae",
        (name, _) => name,
    };
    known_metric(name)
}

/// A metric by its name.
pub(super) fn known_metric(name: &str) -> Result<&'static MetricDoc> {
    metric_doc(name).ok_or_else(|| {
        let error = Error::invalid(format!("there is no metric `{name}`"));
        let names = crate::metrics::METRICS.iter().map(|metric| metric.name);
        match data::nearest(name, names.clone()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("choose one of {}", names.collect::<Vec<_>>().join(", "))),
        }
    })
}

fn take(table: &RecordBatch, rows: &[u32]) -> Result<RecordBatch> {
    arrow::compute::take_record_batch(table, &UInt32Array::from(rows.to_vec()))
        .map_err(|e| Error::internal("cannot pick rows of a table").because(e))
}
