//! Runs in groups: those that have the same value of a parameter, a tag or a column, with mean and
//! deviation of what they measured. Runs that differ in the seed alone are such a group.

use std::collections::HashMap;

use base::Result;
use rusqlite::Connection;

use super::scan::{self, Value};
use super::{TableQuery, all};
use crate::Page;
use crate::tracking::search::Field;

/// Runs that have the same value.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The value; `None` for runs that have none.
    pub value: Option<String>,
    /// How many runs.
    pub runs: u64,
    /// For each field what its numbers come to.
    pub stats: Vec<Stat>,
}

/// What the numbers of a group come to.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Stat {
    /// How many runs have a number.
    pub count: u64,
    /// Their mean; 0 if none has.
    pub mean: f64,
    /// Sum of squares of the differences from the mean (Welford 1962).
    squares: f64,
}

impl Stat {
    fn add(&mut self, value: f64) {
        self.count += 1;
        let before = value - self.mean;
        self.mean += before / self.count as f64;
        self.squares += before * (value - self.mean);
    }

    /// The deviation of a sample, with `n - 1` below; `None` of fewer than two.
    pub fn deviation(&self) -> Option<f64> {
        (self.count > 1).then(|| (self.squares / (self.count - 1) as f64).sqrt())
    }
}

/// How groups are put in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Value { is_ascending: bool },
    Mean { field: usize, is_ascending: bool },
}

/// One page of the groups of a query by `by`, with how many there are. They are in the order of
/// the first field that the query's order names, by their means; else in that of their values.
///
/// # Errors
/// When the workspace cannot be read.
pub fn groups(
    db: &Connection,
    query: &TableQuery,
    by: &Field,
    fields: &[Field],
    page: Page,
) -> Result<(u64, Vec<Group>)> {
    let unordered = TableQuery { order: Vec::new(), ..query.clone() };
    let keys = all(db, &unordered)?;
    let of_runs = scan::values(db, query, by)?;
    let mut places: HashMap<Option<String>, usize> = HashMap::new();
    let mut found: Vec<(Option<Value>, Group)> = Vec::new();
    let mut group_of = Vec::with_capacity(keys.len());
    for key in &keys {
        let value = of_runs.get(key);
        let text = value.map(Value::text);
        let place = *places.entry(text.clone()).or_insert_with(|| {
            let stats = vec![Stat::default(); fields.len()];
            found.push((value.cloned(), Group { value: text, runs: 0, stats }));
            found.len() - 1
        });
        found[place].1.runs += 1;
        group_of.push(place);
    }
    for (at, field) in fields.iter().enumerate() {
        let values = scan::values(db, query, field)?;
        for (key, place) in keys.iter().zip(&group_of) {
            // What is not finite has no mean.
            if let Some(number) = values.get(key).and_then(Value::number).filter(|number| number.is_finite())
            {
                found[*place].1.stats[at].add(number);
            }
        }
    }
    sort(&mut found, order_of(query, by, fields));
    let total = found.len() as u64;
    let shown = found.into_iter().skip(page.offset() as usize).take(page.limit() as usize);
    Ok((total, shown.map(|(_, group)| group).collect()))
}

fn order_of(query: &TableQuery, by: &Field, fields: &[Field]) -> By {
    for order in &query.order {
        let is_ascending = order.is_ascending;
        if order.field == *by {
            return By::Value { is_ascending };
        }
        if let Some(field) = fields.iter().position(|field| *field == order.field) {
            return By::Mean { field, is_ascending };
        }
    }
    By::Value { is_ascending: true }
}

fn sort(found: &mut [(Option<Value>, Group)], by: By) {
    let by_value = |one: &(Option<Value>, Group), other: &(Option<Value>, Group), is_ascending| {
        scan::order(one.0.as_ref(), other.0.as_ref(), is_ascending)
    };
    found.sort_by(|one, other| match by {
        By::Value { is_ascending } => by_value(one, other, is_ascending),
        By::Mean { field, is_ascending } => {
            let mean = |group: &Group| Some(group.stats[field]).filter(|stat| stat.count > 0);
            let mean = |group: &Group| mean(group).map(|stat| Value::Number(stat.mean));
            let decided = scan::order(mean(&one.1).as_ref(), mean(&other.1).as_ref(), is_ascending);
            decided.then_with(|| by_value(one, other, true))
        }
    });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn mean_and_deviation_are_those_of_the_definition(
            numbers in proptest::collection::vec(-1e3_f64..1e3, 2..50)
        ) {
            let mut stat = Stat::default();
            numbers.iter().for_each(|number| stat.add(*number));
            let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
            let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
            prop_assert!((stat.mean - mean).abs() < 1e-9);
            let deviation = (squares / (numbers.len() - 1) as f64).sqrt();
            prop_assert!((stat.deviation().unwrap() - deviation).abs() < 1e-9);
        }
    }

    #[test]
    fn one_number_has_no_deviation() {
        let mut stat = Stat::default();
        assert_eq!(stat.deviation(), None);
        stat.add(1.0);
        assert_eq!((stat.mean, stat.deviation()), (1.0, None));
    }
}
