//! Finds what a transform needs to know, on the training rows only.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use base::{Error, Result};
use data::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cells::{column, is_train, levels, numbers};
use super::{Level, Op};

/// What stands for missing values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImputeMethod {
    /// The middle value: half of the rows lie below it. For numbers.
    Median,
    /// The mean. For numbers.
    Mean,
    /// The most frequent value; of equally frequent ones the first in order. For any kind.
    Mode,
}

/// How numbers are brought to one scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScaleMethod {
    /// Mean 0 and standard deviation 1 (that of the whole, as scikit-learn's `StandardScaler`).
    Standard,
    /// From 0 to 1.
    Minmax,
    /// Median 0 and the middle half of the values 1 wide; outliers do not matter.
    Robust,
}

/// How text becomes numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EncodeMethod {
    /// A 0/1 column for each level.
    OneHot,
    /// One column with the position of the level in alphabetical order.
    Ordinal,
}

/// The transform that fills in missing values of a column.
///
/// # Errors
/// If the column is not there, the method does not fit its kind, or no training row has a value.
pub fn fit_impute(batches: &[RecordBatch], name: &str, method: &ImputeMethod) -> Result<Op> {
    let fill = match method {
        ImputeMethod::Mode => {
            let counts = counts(batches, name)?;
            let most = counts.iter().map(|(_, count)| *count).max();
            counts.into_iter().find(|(_, count)| Some(*count) == most).map(|(level, _)| level)
        }
        ImputeMethod::Median | ImputeMethod::Mean => {
            let mut values = train_numbers(batches, name)?;
            values.sort_unstable_by(f64::total_cmp);
            (!values.is_empty()).then(|| {
                let is_mean = *method == ImputeMethod::Mean;
                Level::Number(if is_mean { mean(&values) } else { quantile(&values, 0.5) })
            })
        }
    };
    let fill = fill.ok_or_else(|| {
        Error::invalid(format!("cannot fill column `{name}`: no training row has a value"))
            .hint("drop the column with a `select` step, or fill it with a constant")
    })?;
    Ok(Op::Impute { column: name.to_owned(), fill })
}

/// The transform that makes numbers of a column's levels: the `max_levels` most frequent ones,
/// in their order. Rarer ones are treated as unknown.
///
/// # Errors
/// If the column is not there or is a time, or no training row has a value.
pub fn fit_levels(
    batches: &[RecordBatch],
    name: &str,
    method: EncodeMethod,
    max_levels: usize,
) -> Result<Op> {
    let mut counts = counts(batches, name)?;
    if counts.is_empty() {
        return Err(Error::invalid(format!("cannot encode column `{name}`: no training row has a value"))
            .hint("drop the column with a `select` step"));
    }
    // The sort keeps equally frequent levels in their order, so ties are broken by value.
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts.truncate(max_levels.max(1));
    let mut levels: Vec<Level> = counts.into_iter().map(|(level, _)| level).collect();
    levels.sort_by(|a, b| a.partial_cmp(b).expect("levels are of one kind and never NaN"));
    let column = name.to_owned();
    Ok(match method {
        EncodeMethod::OneHot => Op::OneHot { column, levels },
        EncodeMethod::Ordinal => Op::Ordinal { column, levels },
    })
}

/// The transform that brings a number column to a common scale. A constant column becomes 0.
///
/// # Errors
/// If the column is not there, is not a number, or no training row has a value.
pub fn fit_scale(batches: &[RecordBatch], name: &str, method: ScaleMethod) -> Result<Op> {
    let mut values = train_numbers(batches, name)?;
    values.sort_unstable_by(f64::total_cmp);
    let (Some(least), Some(most)) = (values.first().copied(), values.last().copied()) else {
        return Err(Error::invalid(format!("cannot scale column `{name}`: no training row has a value"))
            .hint("drop the column with a `select` step"));
    };
    if !(least.is_finite() && most.is_finite()) {
        return Err(Error::invalid(format!("cannot scale column `{name}`: it has infinite values"))
            .hint("filter those rows out first"));
    }
    let (offset, width) = match method {
        ScaleMethod::Standard => {
            let mean = mean(&values);
            let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>();
            (mean, (variance / values.len() as f64).sqrt())
        }
        ScaleMethod::Minmax => (least, most - least),
        ScaleMethod::Robust => (quantile(&values, 0.5), quantile(&values, 0.75) - quantile(&values, 0.25)),
    };
    let factor = if width > 0.0 { 1.0 / width } else { 1.0 };
    Ok(Op::Scale { column: name.to_owned(), offset, factor })
}

/// The values below which these shares of the training rows lie, between neighbours in proportion
/// (numpy's default). A share of 0 is the smallest value, 1 the largest.
///
/// # Errors
/// If the column is not there, is not a number, has infinite values, or no training row has one.
pub fn fit_quantiles(batches: &[RecordBatch], name: &str, shares: &[f64]) -> Result<Vec<f64>> {
    let mut values = train_numbers(batches, name)?;
    values.sort_unstable_by(f64::total_cmp);
    let (Some(least), Some(most)) = (values.first(), values.last()) else {
        return Err(Error::invalid(format!("no training row has a value in column `{name}`"))
            .hint("drop the column with a `select` step, or take it out of the columns"));
    };
    if !(least.is_finite() && most.is_finite()) {
        return Err(Error::invalid(format!("column `{name}` has infinite values"))
            .hint("filter those rows out first"));
    }
    Ok(shares.iter().map(|share| quantile(&values, share.clamp(0.0, 1.0))).collect())
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The quantile of sorted values, between neighbours in proportion (numpy's default).
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    below + (above - below) * at.fract()
}

/// The values of the training rows; missing ones are left out.
fn train_numbers(batches: &[RecordBatch], name: &str) -> Result<Vec<f64>> {
    let mut all = Vec::new();
    for batch in batches {
        let array = column(batch, name)?;
        let kind = Kind::of(array.data_type());
        if matches!(kind, Kind::Boolean | Kind::Time) {
            return Err(Error::invalid(format!("column `{name}` is {}, expected a number", kind.word())));
        }
        let rows = numbers(array, name)?.into_iter().zip(is_train(batch)?);
        all.extend(rows.filter(|(value, is_train)| *is_train && !value.is_nan()).map(|(value, _)| value));
    }
    Ok(all)
}

/// How often each level is in the training rows, in the order of the levels.
fn counts(batches: &[RecordBatch], name: &str) -> Result<Vec<(Level, u64)>> {
    let mut texts: BTreeMap<String, (Level, u64)> = BTreeMap::new();
    for batch in batches {
        let rows = levels(column(batch, name)?, name)?.into_iter().zip(is_train(batch)?);
        for (level, _) in rows.filter(|(_, is_train)| *is_train) {
            if let Some(level) = level {
                texts.entry(sort_key(&level)).or_insert((level, 0)).1 += 1;
            }
        }
    }
    Ok(texts.into_values().collect())
}

/// A text that sorts as the level does.
fn sort_key(level: &Level) -> String {
    match level {
        Level::Text(text) => text.clone(),
        Level::Boolean(_) | Level::Number(_) => {
            let bits = level.as_number().unwrap_or(0.0).to_bits();
            // Turns the order of floating point numbers into that of whole ones.
            let ordered = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
            format!("{ordered:016x}")
        }
    }
}
