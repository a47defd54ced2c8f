//! What the columns of a table hold: counts, quantiles, histograms and frequent values. Exact
//! while one column fits into memory; beyond that it says that it is estimated. A profile is also
//! what a monitor compares new rows with, so nobody needs the raw data again.

mod collect;
mod compare;
mod count;
mod missing;
mod numbers;
mod relations;
mod semantic;
mod suggest;
mod whole;

use serde::{Deserialize, Serialize};

pub(crate) use collect::Collector;
pub use compare::{ColumnComparison, Comparison, KindChange, ValueShares, compare};
pub(crate) use count::mixed;
pub use missing::{Missing, MissingPattern};
pub use relations::{MAX_RELATED, Matrix, Relations};
pub use semantic::{Meaning, Semantic};
pub use suggest::{Suggestion, suggest_target, task_of};
pub use whole::{profile, profile_as_it_comes, profile_like};

use crate::schema::Kind;
use count::{TextCounter, TruthCounter};
use numbers::NumberCollector;

/// What every column of a table holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Rows of the table.
    pub rows: u64,
    /// The visible columns in file order.
    pub columns: Vec<ColumnProfile>,
    /// True when no figure of any column is estimated.
    pub exact: bool,
    /// Rows that are copies of an earlier one, by 128-bit hashes of their visible cells. None for
    /// tables of more than 20 million rows, and where it was not asked for.
    #[serde(default)]
    pub duplicate_rows: Option<u64>,
    /// Which columns are missing together.
    #[serde(default)]
    pub missing: Option<Missing>,
    /// How columns go together.
    #[serde(default)]
    pub relations: Option<Relations>,
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
    /// Numbers that are zero.
    #[serde(default)]
    pub zeros: u64,
    /// Numbers outside the range of the profile whose bins these are, if there is one.
    #[serde(default, skip_serializing_if = "is_none")]
    pub outside: u64,
    /// Numbers below zero.
    #[serde(default)]
    pub negatives: u64,
    /// How long texts are.
    #[serde(default)]
    pub lengths: Option<Lengths>,
    /// The longest unit of which all moments are whole multiples.
    #[serde(default)]
    pub granularity: Option<Granularity>,
    /// What the values mean, if nearly all of them mean one thing.
    #[serde(default)]
    pub meaning: Option<Meaning>,
}

/// What few profiles say is not written by the others, so that these keep their bytes.
fn is_none(count: &u64) -> bool {
    *count == 0
}

/// Lengths of texts in characters.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Lengths {
    /// The shortest text.
    pub min: u64,
    /// The mean.
    pub mean: f64,
    /// The longest text.
    pub max: u64,
}

/// How finely moments are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Granularity {
    /// Every moment is a midnight in UTC: these are dates.
    Day,
    /// Whole hours.
    Hour,
    /// Whole minutes.
    Minute,
    /// Whole seconds.
    Second,
    /// Milliseconds.
    Millisecond,
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
            let mut truths = TruthCounter::default();
            values.iter().for_each(|value| truths.add((!value.is_nan()).then_some(*value != 0.0)));
            return truths.finish(name);
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

    /// True for a column with one value only, missing ones aside.
    pub fn is_constant(&self) -> bool {
        self.count > 0 && self.distinct == 1
    }

    /// True for a column without missing values in which no value repeats.
    pub fn is_unique(&self) -> bool {
        self.count > 0 && self.missing == 0 && self.distinct_is_exact && self.distinct == self.count
    }

    /// True if the values seem to belong to persons.
    pub fn is_personal(&self) -> bool {
        self.meaning.is_some_and(|meaning| meaning.semantic.is_personal())
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

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_whole;
