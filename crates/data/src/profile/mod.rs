//! What the columns of a table hold: counts, quantiles, histograms and frequent values. Exact
//! while one column fits into memory; beyond that it says that it is estimated. A profile is also
//! what a monitor compares new rows with, so nobody needs the raw data again.

mod count;
mod numbers;
mod suggest;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use arrow::array::{Array as _, AsArray as _};
use arrow::datatypes::{Float64Type, Int64Type, TimestampMillisecondType};
use base::{Error, Progress, Result};
use serde::{Deserialize, Serialize};

pub(crate) use count::mixed;
pub use suggest::{Suggestion, suggest_target, task_of};

use crate::schema::{Column, Kind};
use crate::table::TableFile;
use count::TextCounter;
use numbers::NumberCollector;

/// What every column of a table holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Rows of the table.
    pub rows: u64,
    /// The visible columns in file order.
    pub columns: Vec<ColumnProfile>,
    /// True when no figure of any column is estimated.
    pub exact: bool,
}

/// What one column holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnProfile {
    /// The name of the column.
    pub name: String,
    /// The kind of its values.
    pub kind: Kind,
    /// Values that are there.
    pub count: u64,
    /// Values that are missing.
    pub missing: u64,
    /// Infinite numbers; `count` holds them, the statistics below leave them out.
    #[serde(default)]
    pub infinite: u64,
    /// Different values.
    pub distinct: u64,
    /// False when `distinct` is an estimate (2 in 100 off at most, usually).
    pub distinct_is_exact: bool,
    /// The smallest number or moment (milliseconds).
    pub min: Option<f64>,
    /// The largest number or moment.
    pub max: Option<f64>,
    /// The mean.
    pub mean: Option<f64>,
    /// The standard deviation of the sample (n - 1).
    pub std: Option<f64>,
    /// Quantiles with linear interpolation, as NumPy and R (type 7) compute them.
    pub quantiles: Option<Quantiles>,
    /// How numbers and moments are spread.
    pub histogram: Option<Histogram>,
    /// The most frequent values of texts, booleans and integers with few values.
    pub top: Vec<ValueCount>,
    /// Values beyond `top`.
    pub other: u64,
    /// The share of `true` among the values of a boolean column.
    pub true_share: Option<f64>,
}

/// Seven quantiles.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// 1 in 100 values lies below.
    pub p01: f64,
    /// 5 in 100 values lie below.
    pub p05: f64,
    /// A quarter lies below.
    pub p25: f64,
    /// The median.
    pub p50: f64,
    /// Three quarters lie below.
    pub p75: f64,
    /// 95 in 100 values lie below.
    pub p95: f64,
    /// 99 in 100 values lie below.
    pub p99: f64,
}

/// Up to 20 bins of one width between the 1st and the 99th percentile, so that outliers do not
/// squash them. Values outside are counted in the first and the last bin, and again in `below`
/// and `above`. Integers of a small range have a bin each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// The edges of the bins, one more than there are bins. A value on an inner edge belongs to
    /// the bin on its right.
    pub edges: Vec<f64>,
    /// Values in each bin; they add up to all finite values.
    pub counts: Vec<u64>,
    /// How many of the first bin's values lie below its edge.
    #[serde(default)]
    pub below: u64,
    /// How many of the last bin's values lie above its edge.
    #[serde(default)]
    pub above: u64,
}

/// A value and how often it occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueCount {
    /// The value as text, cut at 200 characters.
    pub value: String,
    /// How often it occurs.
    pub count: u64,
}

/// How much is kept in memory for one column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Numbers of which the quantiles are exact (8 bytes each).
    pub(crate) numbers: usize,
    /// Different texts that are counted exactly.
    pub(crate) texts: usize,
    /// Bytes of those texts.
    pub(crate) text_bytes: usize,
}

impl Limits {
    pub(crate) const STANDARD: Self = Self { numbers: 50_000_000, texts: 1_000_000, text_bytes: 128 << 20 };
}

/// Profiles every visible column of a table.
///
/// # Errors
/// `corrupt` for an unreadable table, `cancelled`.
pub fn profile(table: &TableFile, progress: &Progress) -> Result<Profile> {
    profile_within(table, None, Limits::STANDARD, progress)
}

/// Profiles a table with the bins and values of an earlier profile, so that the two can be
/// compared bin by bin. Columns that the earlier one does not have get bins of their own.
///
/// # Errors
/// As [`profile`].
pub fn profile_like(table: &TableFile, baseline: &Profile, progress: &Progress) -> Result<Profile> {
    profile_within(table, Some(baseline), Limits::STANDARD, progress)
}

pub(crate) fn profile_within(
    table: &TableFile,
    baseline: Option<&Profile>,
    limits: Limits,
    progress: &Progress,
) -> Result<Profile> {
    let columns: Vec<&Column> = table.meta().visible().collect();
    let total = columns.len() as u64;
    progress.step("profiling", 0, Some(total))?;
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<Option<Result<ColumnProfile>>>> = Mutex::new(columns.iter().map(|_| None).collect());
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(column) = columns.get(at) else { return };
            let like = baseline.and_then(|profile| profile.column(&column.name));
            let made = column_profile(table, column, like, limits, progress);
            let has_failed = made.is_err();
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done[at] = Some(made);
            let finished = done.iter().flatten().count() as u64;
            if has_failed || progress.step("profiling", finished, Some(total)).is_err() {
                return;
            }
        }
    };
    // Columns are independent, and each result has its place: the order of work changes nothing.
    // Very long columns go one at a time, so that memory stays below one column's limit.
    let threads = if table.rows() > limits.numbers as u64 / 4 { 1 } else { 2 };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    let made = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    let columns = made.into_iter().map(|column| column.unwrap_or_else(|| Err(Error::cancelled())));
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let exact = columns.iter().all(|c| c.distinct_is_exact) && table.rows() <= limits.numbers as u64;
    Ok(Profile { rows: table.rows(), columns, exact })
}

impl Profile {
    /// The profile of the column of this name.
    pub fn column(&self, name: &str) -> Option<&ColumnProfile> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl ColumnProfile {
    /// The profile of numbers, moments or (as 0 and 1) booleans in memory; `NaN` is missing. With
    /// `like` it has the bins of an earlier profile of the column.
    pub fn of_numbers(name: &str, kind: Kind, values: &[f64], like: Option<&Self>) -> Self {
        if kind == Kind::Boolean {
            let truths = values.iter().map(|value| (!value.is_nan()).then_some(*value != 0.0));
            return count::of_booleans(name, truths);
        }
        let mut collector = NumberCollector::new(values.len() as u64, Limits::STANDARD.numbers);
        for value in values {
            collector.add((!value.is_nan()).then_some(*value));
        }
        collector.finish(name, kind, like)
    }

    /// The profile of texts in memory; `None` is missing. With `like` the values of an earlier
    /// profile of the column are counted first.
    pub fn of_texts<'a>(
        name: &str,
        values: impl IntoIterator<Item = Option<&'a str>>,
        like: Option<&Self>,
    ) -> Self {
        let mut counter = TextCounter::new(Limits::STANDARD);
        values.into_iter().for_each(|value| counter.add(value));
        counter.finish(name, like)
    }

    /// True for a column in which no value repeats, so that it names rows and predicts nothing.
    pub fn is_id_like(&self) -> bool {
        matches!(self.kind, Kind::Integer | Kind::Text)
            && self.count >= 20
            && (if self.distinct_is_exact {
                self.distinct == self.count
            } else {
                self.distinct as f64 >= 0.95 * self.count as f64
            })
    }
}

fn column_profile(
    table: &TableFile,
    column: &Column,
    like: Option<&ColumnProfile>,
    limits: Limits,
    progress: &Progress,
) -> Result<ColumnProfile> {
    let name = column.name.as_str();
    let batches = table.batches(Some(&[name]))?.map(|batch| {
        if progress.cancel().is_cancelled() {
            return Err(Error::cancelled());
        }
        Ok(batch?.column(0).clone())
    });
    match column.kind {
        Kind::Number => {
            let mut collector = NumberCollector::new(table.rows(), limits.numbers);
            for array in batches {
                array?.as_primitive::<Float64Type>().iter().for_each(|value| collector.add(value));
            }
            Ok(collector.finish(name, column.kind, like))
        }
        Kind::Integer | Kind::Time => {
            let mut collector = NumberCollector::new(table.rows(), limits.numbers);
            for array in batches {
                let array = array?;
                if column.kind == Kind::Integer {
                    array.as_primitive::<Int64Type>().iter().for_each(|value| collector.add(value));
                } else {
                    let moments = array.as_primitive::<TimestampMillisecondType>();
                    moments.iter().for_each(|value| collector.add(value));
                }
            }
            Ok(collector.finish(name, column.kind, like))
        }
        Kind::Boolean => {
            let mut all = Vec::new();
            for array in batches {
                all.extend(array?.as_boolean().iter());
            }
            Ok(count::of_booleans(name, all))
        }
        Kind::Text => {
            let mut counter = TextCounter::new(limits);
            for array in batches {
                let array = array?;
                debug_assert!(array.len() <= 8192, "batches are short, so cancelling is quick");
                array.as_string::<i32>().iter().for_each(|value| counter.add(value));
            }
            Ok(counter.finish(name, like))
        }
    }
}

#[cfg(test)]
mod tests;
