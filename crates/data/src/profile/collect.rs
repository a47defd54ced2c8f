//! Takes the values of one column, batch by batch, whatever its kind.

use arrow::array::{Array, AsArray as _};
use arrow::datatypes::{Float64Type, Int64Type, TimestampMillisecondType};

use super::count::{TextCounter, TruthCounter};
use super::numbers::NumberCollector;
use super::{ColumnProfile, Limits};
use crate::schema::Kind;

/// Collects a column until its profile is made.
pub(crate) struct Collector {
    kind: Kind,
    values: Values,
}

enum Values {
    Numbers(NumberCollector<f64>),
    Whole(NumberCollector<i64>),
    Truths(TruthCounter),
    Texts(TextCounter),
}

impl Collector {
    /// For a column of this kind with this many rows.
    pub(super) fn new(kind: Kind, rows: u64, limits: Limits) -> Self {
        let values = match kind {
            Kind::Number => Values::Numbers(NumberCollector::new(rows, limits.numbers)),
            Kind::Integer | Kind::Time => Values::Whole(NumberCollector::new(rows, limits.numbers)),
            Kind::Boolean => Values::Truths(TruthCounter::default()),
            Kind::Text => Values::Texts(TextCounter::new(limits)),
        };
        Self { kind, values }
    }

    /// The same with the limits of every profile.
    pub(crate) fn standard(kind: Kind, rows: u64) -> Self {
        Self::new(kind, rows, Limits::STANDARD)
    }

    /// Takes the next values, in the Arrow type of the kind.
    pub(crate) fn add(&mut self, array: &dyn Array) {
        match &mut self.values {
            Values::Numbers(numbers) => {
                array.as_primitive::<Float64Type>().iter().for_each(|value| numbers.add(value));
            }
            Values::Whole(whole) if self.kind == Kind::Time => {
                array.as_primitive::<TimestampMillisecondType>().iter().for_each(|value| whole.add(value));
            }
            Values::Whole(whole) => {
                array.as_primitive::<Int64Type>().iter().for_each(|value| whole.add(value));
            }
            Values::Truths(truths) => array.as_boolean().iter().for_each(|value| truths.add(value)),
            Values::Texts(texts) => array.as_string::<i32>().iter().for_each(|value| texts.add(value)),
        }
    }

    /// The profile, with the bins and values of an earlier one if there is one.
    pub(crate) fn finish(self, name: &str, like: Option<&ColumnProfile>) -> ColumnProfile {
        match self.values {
            Values::Numbers(numbers) => numbers.finish(name, self.kind, like),
            Values::Whole(whole) => whole.finish(name, self.kind, like),
            Values::Truths(truths) => truths.finish(name),
            Values::Texts(texts) => texts.finish(name, like),
        }
    }
}
