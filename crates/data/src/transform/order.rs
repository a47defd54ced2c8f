//! Rows put in order and thinned out: sort, deduplicate, sample.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::SortOptions;
use base::{Error, Progress, Result};

use super::keys::Keys;
use super::{array, take_rows};
use crate::profile::mixed;
use crate::split::assign;

/// A column to sort by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortKey {
    /// The column.
    pub column: String,
    /// True for the largest value first.
    pub descending: bool,
}

/// Which of several rows stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// The first one.
    First,
    /// The last one.
    Last,
}

/// How many rows a sample takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sample {
    /// This many; all if there are fewer.
    Rows(usize),
    /// This share of them, from 0 to 1, rounded to whole rows.
    Share(f64),
}

/// The rows in the order of these columns. Rows that are equal in all of them keep their order.
/// Texts are in the order of their Unicode characters.
///
/// # Errors
/// `invalid_input` for a column that is not there; `cancelled`.
pub fn sort(
    batch: &RecordBatch,
    by: &[SortKey],
    missing_first: bool,
    progress: &Progress,
) -> Result<RecordBatch> {
    let rows = sorted_rows(batch, by, missing_first, progress)?;
    take_rows(batch, &rows)
}

pub(super) fn sorted_rows(
    batch: &RecordBatch,
    by: &[SortKey],
    missing_first: bool,
    progress: &Progress,
) -> Result<Vec<u32>> {
    let arrays =
        by.iter().map(|key| array(batch, &key.column).cloned()).collect::<Result<Vec<ArrayRef>>>()?;
    let order = |key: &SortKey| SortOptions { descending: key.descending, nulls_first: missing_first };
    let orders: Vec<SortOptions> = by.iter().map(order).collect();
    Keys::ordered(&arrays, &orders, batch.num_rows())?.sorted(progress)
}

/// One row of those that are equal in these columns, a missing value being equal to another one.
/// The rows that stay keep their order.
///
/// # Errors
/// `invalid_input` for a column that is not there; `cancelled`.
pub fn deduplicate(
    batch: &RecordBatch,
    columns: &[String],
    keep: Keep,
    progress: &Progress,
) -> Result<RecordBatch> {
    let groups = Keys::of(batch, columns)?.groups(progress)?;
    let kept = (0..groups.len()).filter_map(|group| match keep {
        Keep::First => groups.rows(group).first(),
        Keep::Last => groups.rows(group).last(),
    });
    let mut rows: Vec<u32> = kept.copied().collect();
    rows.sort_unstable();
    take_rows(batch, &rows)
}

/// Rows picked at random by a seed, in the order they had. With `strata` every group of rows that
/// are equal in these columns gives its share, to within a row.
///
/// # Errors
/// `invalid_input` for a share that is none and for a column that is not there; `cancelled`.
pub fn sample(
    batch: &RecordBatch,
    size: Sample,
    strata: &[String],
    seed: u64,
    progress: &Progress,
) -> Result<RecordBatch> {
    let all = batch.num_rows();
    let count = match size {
        Sample::Rows(rows) => rows.min(all),
        Sample::Share(share) if (0.0..=1.0).contains(&share) => (share * all as f64).round() as usize,
        Sample::Share(share) => {
            return Err(
                Error::invalid(format!("{share} is no share of the rows")).hint("write a number from 0 to 1")
            );
        }
    };
    let rows: Vec<u32> = if strata.is_empty() || all == 0 {
        let mut rows: Vec<u32> = (0..all as u32).collect();
        rows.sort_unstable_by_key(|row| (mixed(seed ^ mixed(u64::from(*row))), *row));
        rows.truncate(count);
        rows.sort_unstable();
        rows
    } else {
        let groups = Keys::of(batch, strata)?.groups(progress)?;
        let share = count as f64 / all as f64;
        let parts = assign(all, Some(&groups.of_row), [share, 0.0, 1.0 - share], seed)?;
        (0_u32..).zip(&parts).filter(|(_, part)| **part == 0).map(|(row, _)| row).collect()
    };
    take_rows(batch, &rows)
}
