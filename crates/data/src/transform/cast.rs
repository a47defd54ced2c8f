//! Columns of another kind. Nothing is rounded or guessed: a value that does not fit is missing or
//! an error, as the caller chooses.

use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayRef, AsArray as _, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMillisecondArray,
};
use arrow::datatypes::{Float64Type, Int64Type, TimestampMillisecondType};
use base::{Error, Progress, Result};

use super::{columns_of, find, table};
use crate::page;
use crate::schema::{Column, Kind};

/// Columns to make another kind of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cast {
    /// The columns.
    pub columns: Vec<String>,
    /// Their kind afterwards.
    pub to: Kind,
    /// True to take a value that does not fit for a missing one, false to fail at it.
    pub forgives: bool,
}

/// The columns that [`cast`] gives.
///
/// # Errors
/// `invalid_input` for a column that is not there or of a kind that cannot become the other.
pub fn cast_columns(columns: &[Column], spec: &Cast) -> Result<Vec<Column>> {
    let mut all = columns.to_vec();
    for name in &spec.columns {
        let kind = find(columns, name)?.kind;
        if matches!((kind, spec.to), (Kind::Boolean, Kind::Time) | (Kind::Time, Kind::Boolean)) {
            let (from, to) = (kind.word(), spec.to.word());
            return Err(Error::invalid(format!("`{name}` is {from}, which cannot become {to}"))
                .hint("take it out of the columns"));
        }
        all.iter_mut().filter(|column| column.name == *name).for_each(|column| column.kind = spec.to);
    }
    Ok(all)
}

/// The same rows with some columns of another kind, and how many values of each did not fit. Text
/// is read as the import reads it, times in one reading only (year first); a time as a number is
/// its milliseconds since 1970 in UTC; a number becomes whole only if it is.
///
/// # Errors
/// As [`cast_columns`]; the first value that does not fit, if none is forgiven; `cancelled`.
pub fn cast(batch: &RecordBatch, spec: &Cast, progress: &Progress) -> Result<(RecordBatch, Vec<u64>)> {
    let columns = cast_columns(&columns_of(batch), spec)?;
    let mut arrays = batch.columns().to_vec();
    let mut unfit = Vec::with_capacity(spec.columns.len());
    for name in &spec.columns {
        progress.step("casting", unfit.len() as u64, Some(spec.columns.len() as u64))?;
        let at = batch.schema().index_of(name).map_err(|e| Error::internal("a column is gone").because(e))?;
        let made = convert(batch.column(at), spec.to);
        let lost = (0..made.len()).filter(|row| made.is_null(*row) && is_there(batch.column(at), *row));
        let lost: Vec<usize> = lost.collect();
        if let Some(row) = lost.first().filter(|_| !spec.forgives) {
            let shown = text_of(batch.column(at), *row).unwrap_or_default();
            return Err(Error::invalid(format!(
                "column `{name}`, row {row}: `{}` is no {}",
                shown.chars().take(60).collect::<String>(),
                spec.to.word()
            ))
            .hint("rows are counted from 0; correct the values, or let those that do not fit be missing"));
        }
        unfit.push(lost.len() as u64);
        arrays[at] = made;
    }
    Ok((table(&columns, arrays, batch.num_rows())?, unfit))
}

/// A text of spaces is missing, as it is in an import.
fn is_there(array: &ArrayRef, row: usize) -> bool {
    let text = array.as_string_opt::<i32>();
    array.is_valid(row) && text.is_none_or(|texts| !texts.value(row).trim().is_empty())
}

fn convert(array: &ArrayRef, to: Kind) -> ArrayRef {
    let rows = 0..array.len();
    match to {
        Kind::Text => Arc::new(rows.map(|row| text_of(array, row)).collect::<StringArray>()),
        Kind::Boolean => Arc::new(rows.map(|row| truth_of(array, row)).collect::<BooleanArray>()),
        Kind::Number => Arc::new(rows.map(|row| number_of(array, row)).collect::<Float64Array>()),
        Kind::Integer => Arc::new(rows.map(|row| whole_of(array, row)).collect::<Int64Array>()),
        Kind::Time => Arc::new(rows.map(|row| moment_of(array, row)).collect::<TimestampMillisecondArray>()),
    }
}

fn text_of(array: &ArrayRef, row: usize) -> Option<String> {
    array.is_valid(row).then(|| match Kind::of(array.data_type()) {
        Kind::Integer => array.as_primitive::<Int64Type>().value(row).to_string(),
        Kind::Number => page::number(array.as_primitive::<Float64Type>().value(row)),
        Kind::Boolean => array.as_boolean().value(row).to_string(),
        Kind::Text => array.as_string::<i32>().value(row).to_owned(),
        Kind::Time => page::time(array.as_primitive::<TimestampMillisecondType>().value(row)),
    })
}

fn number_of(array: &ArrayRef, row: usize) -> Option<f64> {
    let found = array.is_valid(row).then(|| match Kind::of(array.data_type()) {
        Kind::Integer => Some(array.as_primitive::<Int64Type>().value(row) as f64),
        Kind::Number => Some(array.as_primitive::<Float64Type>().value(row)),
        Kind::Boolean => Some(f64::from(u8::from(array.as_boolean().value(row)))),
        Kind::Text => array.as_string::<i32>().value(row).trim().parse().ok(),
        Kind::Time => Some(array.as_primitive::<TimestampMillisecondType>().value(row) as f64),
    });
    found.flatten().filter(|number: &f64| !number.is_nan())
}

fn whole_of(array: &ArrayRef, row: usize) -> Option<i64> {
    let found = array.is_valid(row).then(|| match Kind::of(array.data_type()) {
        Kind::Integer => Some(array.as_primitive::<Int64Type>().value(row)),
        Kind::Time => Some(array.as_primitive::<TimestampMillisecondType>().value(row)),
        Kind::Text => {
            let text = array.as_string::<i32>().value(row).trim();
            text.parse().ok().or_else(|| text.parse().ok().and_then(whole))
        }
        Kind::Number | Kind::Boolean => number_of(array, row).and_then(whole),
    });
    found.flatten()
}

/// A number without a fraction that a whole number of 64 bits can hold.
fn whole(number: f64) -> Option<i64> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    (number.fract() == 0.0 && (-BEYOND..BEYOND).contains(&number)).then_some(number as i64)
}

fn truth_of(array: &ArrayRef, row: usize) -> Option<bool> {
    if let Some(texts) = array.as_string_opt::<i32>() {
        let text = texts.is_valid(row).then(|| texts.value(row).trim().to_lowercase())?;
        return match text.as_str() {
            "true" | "t" | "yes" | "y" | "1" => Some(true),
            "false" | "f" | "no" | "n" | "0" => Some(false),
            _ => None,
        };
    }
    match number_of(array, row)? {
        0.0 => Some(false),
        1.0 => Some(true),
        _ => None,
    }
}

fn moment_of(array: &ArrayRef, row: usize) -> Option<i64> {
    match array.as_string_opt::<i32>() {
        Some(texts) => texts.is_valid(row).then(|| crate::import::iso_moment(texts.value(row)))?,
        None => whole_of(array, row),
    }
}
