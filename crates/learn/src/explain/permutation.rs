//! Permutation importance: how much worse a model gets when one column is shuffled among the
//! rows (Breiman 2001; Fisher, Rudin and Dominici 2019). It is measured on rows the model did
//! not learn from, and says what the model uses, not what causes what.

use base::{Progress, Result};
use score::{Batch, Card, Package};

use crate::figures::ImportanceItem;
use crate::matrix::{Matrix, Target};
use crate::metrics::{metric_doc, ranking_metric};
use crate::package::predictions_of;
use crate::predictions::Predictions;
use crate::random::Stream;
use crate::trainers::Model;

/// How to measure.
#[derive(Debug, Clone, Copy)]
pub struct PermutationSettings {
    /// How often each column is shuffled.
    pub repeats: u32,
    /// Fixes the shuffles.
    pub seed: u64,
}

impl Default for PermutationSettings {
    fn default() -> Self {
        Self { repeats: 5, seed: 1 }
    }
}

/// The metric that importance is measured by: AUC for classes, R2 for numbers.
pub fn importance_metric(truth: &Target) -> &'static str {
    match truth {
        Target::Classes { .. } => "auc",
        Target::Numbers(_) => "r2",
    }
}

/// How much the metric falls when each feature of a model is shuffled: mean and standard
/// deviation over the repeats, in the order of the features.
///
/// # Errors
/// If it was cancelled.
pub fn permutation_importance(
    model: &dyn Model,
    features: &Matrix,
    truth: &Target,
    settings: PermutationSettings,
    progress: &Progress,
) -> Result<Vec<ImportanceItem>> {
    let mut shuffled = features.clone();
    measure(features.names(), features.rows(), truth, settings, progress, |at| match at {
        None => Ok(model.predict(features)),
        Some((feature, order)) => {
            let column = features.column(feature);
            let values = order.iter().map(|row| column[*row as usize]).collect();
            let kept = shuffled.replace(feature, values);
            let predictions = model.predict(&shuffled);
            shuffled.replace(feature, kept);
            Ok(predictions)
        }
    })
}

/// The same for the raw inputs of a package: what a text column matters as a whole, for one,
/// however many features were made of it.
///
/// # Errors
/// If it was cancelled or the package does not answer.
pub fn package_importance(
    (package, card): (&Package, &Card),
    batch: &Batch,
    truth: &Target,
    settings: PermutationSettings,
    progress: &Progress,
) -> Result<Vec<ImportanceItem>> {
    let names: Vec<String> = batch.columns.iter().map(|(name, _)| name.clone()).collect();
    let mut copy = batch.clone();
    measure(&names, batch.rows, truth, settings, progress, |at| match at {
        None => predictions_of(card, &package.predict(batch)?),
        Some((column, order)) => {
            copy.columns[column].1 = batch.columns[column].1.pick(order);
            let predictions = predictions_of(card, &package.predict(&copy)?);
            copy.columns[column].1 = batch.columns[column].1.clone();
            predictions
        }
    })
}

/// The numbers of so many rows in a random order that this seed, name and turn fix.
pub fn shuffled(seed: u64, name: &str, turn: u64, rows: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..rows as u32).collect();
    Stream::new(seed, name, turn).shuffle(&mut order);
    order
}

fn measure(
    names: &[String],
    rows: usize,
    truth: &Target,
    settings: PermutationSettings,
    progress: &Progress,
    mut predict: impl FnMut(Option<(usize, &[u32])>) -> Result<Predictions>,
) -> Result<Vec<ImportanceItem>> {
    let metric = importance_metric(truth);
    let sign = if metric_doc(metric).is_some_and(|metric| metric.larger_is_better) { 1.0 } else { -1.0 };
    let score = |predictions: &Predictions| {
        let value = ranking_metric(truth, predictions);
        if value.is_finite() { value * sign } else { 0.0 }
    };
    let whole = score(&predict(None)?);
    let total = names.len() as u64 * u64::from(settings.repeats);
    let mut items = Vec::with_capacity(names.len());
    for (column, name) in names.iter().enumerate() {
        let mut falls = Vec::new();
        for repeat in 0..settings.repeats {
            let done = column as u64 * u64::from(settings.repeats) + u64::from(repeat);
            progress.step("shuffling", done, Some(total))?;
            let order = shuffled(settings.seed, name, u64::from(repeat), rows);
            falls.push(whole - score(&predict(Some((column, &order)))?));
        }
        let count = falls.len().max(1) as f64;
        let mean = falls.iter().sum::<f64>() / count;
        let variance = falls.iter().map(|fall| (fall - mean) * (fall - mean)).sum::<f64>() / count;
        let spread = (falls.len() > 1).then(|| variance.sqrt());
        items.push(ImportanceItem { feature: name.clone(), value: mean, spread });
    }
    progress.step("shuffling", total, Some(total))?;
    Ok(items)
}
