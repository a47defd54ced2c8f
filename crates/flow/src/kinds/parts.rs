//! What the kinds that divide rows have in common: shares, and marking each row with its part.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int8Array};
use base::{Error, Result};
use data::{Column, Kind as ColumnKind, SPLIT_COLUMN};

use super::table::{Part, Table};
use crate::kind::{Misfit, Outcome, TableShape, Work};

/// Checks that shares of training, validation and test rows add up.
///
/// # Errors
/// [`Misfit`] at the share that is wrong.
pub fn check_shares(shares: [f64; 3]) -> Result<(), Misfit> {
    for (name, share) in ["train", "validation", "test"].into_iter().zip(shares) {
        if !(0.0..=1.0).contains(&share) {
            let error = Error::invalid(format!("`{name}` is {share}, which is no share of the rows"));
            return Err(Misfit::param(name, error.hint("write a number from 0 to 1")));
        }
    }
    let sum: f64 = shares.iter().sum();
    if (sum - 1.0).abs() > 1e-9 {
        let error = Error::invalid(format!("the shares add up to {}, not to 1", base::number(sum, 6)));
        return Err(Misfit::param("test", error.hint("change one of them so that all rows are in one part")));
    }
    if shares[0] == 0.0 {
        let error = Error::invalid("there are no rows to learn from").hint("give `train` a share");
        return Err(Misfit::param("train", error));
    }
    Ok(())
}

/// The shape of a table once it is divided.
pub fn divided(shape: &TableShape) -> TableShape {
    TableShape { is_split: true, ..shape.clone() }
}

/// Marks each row with its part and writes the table.
///
/// # Errors
/// There are no rows to learn from; the disk refuses.
pub fn mark(mut table: Table, parts: Vec<i8>, work: &Work) -> Result<Outcome> {
    let count = |part: Part| parts.iter().filter(|other| **other == part.number()).count();
    let [train, validation, test] = [Part::Train, Part::Validation, Part::Test].map(count);
    work.log(&format!("{train} rows to train, {validation} to validate, {test} to test"));
    if train == 0 && !parts.is_empty() {
        return Err(Error::invalid(format!("none of {} rows is left to learn from", parts.len()))
            .hint("move the border, or give `train` a larger share"));
    }
    let values: ArrayRef = Arc::new(Int8Array::from(parts));
    table.put(Column::new(SPLIT_COLUMN, ColumnKind::Integer), values)?;
    table.meta.split = true;
    let outcome = table.write(&work.output("table")?)?;
    Ok(Outcome { summary: format!("{train} / {validation} / {test}"), ..outcome })
}
