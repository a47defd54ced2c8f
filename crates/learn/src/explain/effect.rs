//! How the answer follows one raw column: partial dependence (Friedman 2001), which is the mean answer
//! over rows in which that column is set to one value after the other, and the curve of each row
//! (individual conditional expectation, Goldstein et al. 2015), which shows what the mean hides.

use base::{Error, Progress, Result};
use score::{Batch, Package, Values};
use serde::{Deserialize, Serialize};

use crate::random::Stream;

/// How to measure.
#[derive(Debug, Clone, Copy)]
pub struct EffectSettings {
    /// The most values of the column.
    pub points: usize,
    /// The most rows that the mean is over.
    pub rows: usize,
    /// The most rows whose own curve is given.
    pub curves: usize,
    /// Fixes the draw of the rows.
    pub seed: u64,
}

impl Default for EffectSettings {
    fn default() -> Self {
        Self { points: 20, rows: 500, curves: 30, seed: 1 }
    }
}

/// How the answers follow one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// The column.
    pub column: String,
    /// The answers: probability of each class, or the number.
    pub outputs: Vec<String>,
    /// The rows that the means are over.
    pub rows: usize,
    /// One point for each value, in their order.
    pub points: Vec<EffectPoint>,
}

/// The answers with the column at one value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EffectPoint {
    /// The value; none is missing.
    pub value: serde_json::Value,
    /// The mean of each answer.
    pub means: Vec<f64>,
    /// The first answer of some rows: of two classes, the second's probability.
    pub curves: Vec<f64>,
}

/// Measures how the answers follow a column of these rows.
///
/// # Errors
/// [`base::Code::InvalidInput`] for a column that the model does not read; as [`Package::predict`].
pub fn effect(
    package: &Package,
    batch: &Batch,
    column: &str,
    settings: EffectSettings,
    progress: &Progress,
) -> Result<Effect> {
    let names = batch.columns.iter().map(|(name, _)| name.as_str());
    let Some(place) = batch.columns.iter().position(|(name, _)| name == column) else {
        let error = Error::invalid(format!("the model does not read `{column}`"));
        return Err(match data::nearest(column, names) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("name one of the model's inputs"),
        });
    };
    let chosen = Stream::new(settings.seed, "effect", 0).sample(batch.rows, settings.rows.max(1));
    let mut rows = batch.take(&chosen);
    let values = grid(&batch.columns[place].1, settings.points.max(2));
    let (mut outputs, mut points) = (Vec::new(), Vec::new());
    for (at, value) in values.iter().enumerate() {
        progress.step("following a column", at as u64, Some(values.len() as u64))?;
        rows.columns[place].1 = value.pick(&vec![0; rows.rows]);
        let said = package.predict(&rows)?;
        let numbers: Vec<(&String, Vec<f64>)> =
            said.columns.iter().filter_map(|(name, values)| Some((name, real(values)?))).collect();
        // Of two classes the second probability is the one that people follow.
        let shown = if numbers.len() == 2 { 1 } else { 0 };
        outputs = numbers.iter().map(|(name, _)| (*name).clone()).collect();
        let mean = |values: &Vec<f64>| values.iter().sum::<f64>() / values.len().max(1) as f64;
        points.push(EffectPoint {
            value: value.json(0),
            means: numbers.iter().map(|(_, values)| mean(values)).collect(),
            curves: numbers
                .get(shown)
                .map(|(_, values)| values.iter().take(settings.curves).copied().collect())
                .unwrap_or_default(),
        });
    }
    Ok(Effect { column: column.to_owned(), outputs, rows: rows.rows, points })
}

fn real(values: &Values) -> Option<Vec<f64>> {
    match values {
        Values::F32(values) => Some(values.iter().copied().map(f64::from).collect()),
        Values::F64(values) => Some(values.clone()),
        Values::I64(_) | Values::Bool(_) | Values::Text(_) => None,
    }
}

/// The values that a column is set to, each as a column of one row: texts by how often they occur,
/// numbers evenly over their ranks from the 5th to the 95th percentile.
fn grid(values: &Values, points: usize) -> Vec<Values> {
    match values {
        Values::Text(texts) => {
            let mut counts = std::collections::BTreeMap::<&Option<String>, usize>::new();
            texts.iter().for_each(|text| *counts.entry(text).or_default() += 1);
            let mut levels: Vec<_> = counts.into_iter().collect();
            levels.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
            levels.into_iter().take(points).map(|(text, _)| Values::Text(vec![text.clone()])).collect()
        }
        Values::F64(_) | Values::F32(_) | Values::I64(_) | Values::Bool(_) => {
            let mut numbers: Vec<f64> = values.as_f64().into_iter().filter(|x| x.is_finite()).collect();
            numbers.sort_by(f64::total_cmp);
            let mut distinct = numbers.clone();
            distinct.dedup();
            if distinct.len() > points {
                let (low, high) = (numbers.len() * 5 / 100, (numbers.len() - 1) * 95 / 100);
                let at = |point: usize| low + (high - low) * point / (points - 1);
                distinct = (0..points).map(|point| numbers[at(point)]).collect();
                distinct.dedup();
            }
            distinct.into_iter().map(|value| Values::F64(vec![value])).collect()
        }
    }
}
