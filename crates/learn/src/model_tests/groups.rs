//! Groups of rows that have something in common: a value of a column, or a range of its numbers.

use arrow::array::RecordBatch;
use base::{Error, Result};
use data::{HIDDEN_PREFIX, Kind};

use crate::recipe::{column_levels, column_numbers};

/// Rows that have something in common.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cohort {
    pub(super) name: String,
    pub(super) rows: Vec<u32>,
}

/// A column with more different texts than this makes no groups: it is a name, not a kind.
const MOST_LEVELS: usize = 50;

/// The groups of the rows of a table by one column: a group for each value of texts, truth values and
/// whole numbers with few values, else a group for each of `bins` ranges with equally many rows; and
/// one for missing values. Groups of fewer rows than `least` are left out.
pub(super) fn by_column(table: &RecordBatch, column: &str, bins: usize, least: usize) -> Result<Vec<Cohort>> {
    let array = table.column_by_name(column).ok_or_else(|| {
        let schema = table.schema();
        let error = Error::invalid(format!("the rows have no column `{column}`"));
        match data::nearest(column, schema.fields().iter().map(|field| field.name().as_str())) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("name a column of the rows that are tested on"),
        }
    })?;
    let kind = Kind::of(array.data_type());
    let mut groups = match kind {
        Kind::Text | Kind::Boolean => by_level(table, column)?,
        Kind::Integer | Kind::Number | Kind::Time => by_number(table, column, bins)?,
    };
    groups.retain(|group| group.rows.len() >= least);
    Ok(groups)
}

/// The columns of a table that groups can be made of.
pub(super) fn columns(table: &RecordBatch, target: &str) -> Vec<String> {
    let schema = table.schema();
    let names = schema.fields().iter().map(|field| field.name().clone());
    names.filter(|name| !name.starts_with(HIDDEN_PREFIX) && name != target).collect()
}

fn by_level(table: &RecordBatch, column: &str) -> Result<Vec<Cohort>> {
    let mut groups: std::collections::BTreeMap<Option<String>, Vec<u32>> = std::collections::BTreeMap::new();
    for (row, level) in column_levels(table, column)?.into_iter().enumerate() {
        groups.entry(level.map(|level| level.label())).or_default().push(row as u32);
    }
    if groups.len() > MOST_LEVELS {
        return Ok(Vec::new());
    }
    let name = |level: Option<String>| match level {
        Some(level) => format!("`{column}` is `{level}`"),
        None => format!("`{column}` is missing"),
    };
    Ok(groups.into_iter().map(|(level, rows)| Cohort { name: name(level), rows }).collect())
}

fn by_number(table: &RecordBatch, column: &str, bins: usize) -> Result<Vec<Cohort>> {
    let values = column_numbers(table, column)?;
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let mut distinct = sorted.clone();
    distinct.dedup();
    let shown = |value: f64| base::number(value, 5);
    if distinct.len() <= bins {
        let group = |value: &f64| Cohort {
            name: format!("`{column}` is {}", shown(*value)),
            rows: rows_where(&values, |x| x == *value),
        };
        let mut groups: Vec<Cohort> = distinct.iter().map(group).collect();
        groups.extend(missing(&values, column));
        return Ok(groups);
    }
    // The upper ends of the ranges, each a value that occurs; equal ones make one range.
    let mut ends: Vec<f64> =
        (1..=bins).map(|bin| sorted[(sorted.len() * bin).div_ceil(bins).max(1) - 1]).collect();
    ends.dedup();
    let mut groups = Vec::new();
    for (at, end) in ends.iter().enumerate() {
        let (name, rows) = match at.checked_sub(1).map(|before| ends[before]) {
            None => (format!("`{column}` up to {}", shown(*end)), rows_where(&values, |x| x <= *end)),
            Some(start) => (
                format!("`{column}` above {} up to {}", shown(start), shown(*end)),
                rows_where(&values, |x| x > start && x <= *end),
            ),
        };
        groups.push(Cohort { name, rows });
    }
    groups.extend(missing(&values, column));
    Ok(groups)
}

fn missing(values: &[f64], column: &str) -> Option<Cohort> {
    let rows = rows_where(values, f64::is_nan);
    (!rows.is_empty()).then(|| Cohort { name: format!("`{column}` is missing"), rows })
}

fn rows_where(values: &[f64], fits: impl Fn(f64) -> bool) -> Vec<u32> {
    (0..).zip(values).filter(|(_, value)| fits(**value)).map(|(row, _)| row).collect()
}

/// Rows that are in both groups.
pub(super) fn both(first: &Cohort, second: &Cohort) -> Cohort {
    let known: std::collections::HashSet<u32> = first.rows.iter().copied().collect();
    Cohort {
        name: format!("{} and {}", first.name, second.name),
        rows: second.rows.iter().copied().filter(|row| known.contains(row)).collect(),
    }
}

/// How many standard errors the mean of the values in a group lies above the mean of the others
/// (Welch 1947); nothing if one of them has fewer than two rows.
pub(super) fn welch(values: &[f64], group: &[u32]) -> Option<f64> {
    let mut is_in = vec![false; values.len()];
    group.iter().for_each(|row| is_in[*row as usize] = true);
    let side = |inside: bool| -> Vec<f64> {
        let own = values.iter().zip(&is_in).filter(|(_, is_in)| **is_in == inside);
        own.map(|(value, _)| *value).collect()
    };
    welch_between(&side(true), &side(false))
}

/// How many standard errors the mean of the first values lies above that of the second (Welch 1947);
/// nothing if there are fewer than two of either.
pub fn welch_between(first: &[f64], second: &[f64]) -> Option<f64> {
    let side = |own: &[f64]| {
        let count = own.len() as f64;
        let mean = own.iter().sum::<f64>() / count;
        let spread = own.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (count - 1.0);
        (own.len() > 1).then_some((mean, spread / count))
    };
    let ((inside, a), (outside, b)) = (side(first)?, side(second)?);
    let error = (a + b).sqrt();
    Some(if error > 0.0 {
        (inside - outside) / error
    } else if inside > outside {
        f64::INFINITY
    } else {
        0.0
    })
}

/// The number of standard errors beyond which one of `tries` groups lies by chance in 5 of 100 cases
/// (Bonferroni), by the normal tail bound `exp(-z^2 / 2) / 2`, which errs on the safe side.
pub(super) fn beyond_chance(tries: usize) -> f64 {
    let level = 0.05 / tries.max(1) as f64;
    (-2.0 * crate::math::ln(2.0 * level)).sqrt()
}
