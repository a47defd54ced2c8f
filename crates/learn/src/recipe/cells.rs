//! Arrow columns as the numbers and texts that transforms work on.

use arrow::array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int8Array, Int64Array, RecordBatch, StringArray,
    TimestampMillisecondArray,
};
use base::{Error, Result};
use data::{Kind, SPLIT_COLUMN};

use super::Level;

/// The column of this name.
pub fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef> {
    batch.column_by_name(name).ok_or_else(|| Error::not_found(format!("there is no column `{name}`")))
}

/// A number, truth value, whole number or time (milliseconds since 1970) as 64 bit floating point;
/// missing is `NaN`.
pub fn numbers(array: &ArrayRef, name: &str) -> Result<Vec<f64>> {
    let any = array.as_any();
    if let Some(values) = any.downcast_ref::<Float64Array>() {
        return Ok(values.iter().map(|value| value.unwrap_or(f64::NAN)).collect());
    }
    if let Some(values) = any.downcast_ref::<Int64Array>() {
        return Ok(values.iter().map(|value| value.map_or(f64::NAN, |value| value as f64)).collect());
    }
    if let Some(values) = any.downcast_ref::<BooleanArray>() {
        return Ok(values
            .iter()
            .map(|value| value.map_or(f64::NAN, |value| f64::from(u8::from(value))))
            .collect());
    }
    if let Some(values) = any.downcast_ref::<TimestampMillisecondArray>() {
        return Ok(values.iter().map(|value| value.map_or(f64::NAN, |value| value as f64)).collect());
    }
    if let Some(values) = any.downcast_ref::<Int8Array>() {
        return Ok(values.iter().map(|value| value.map_or(f64::NAN, f64::from)).collect());
    }
    let kind = Kind::of(array.data_type()).word();
    Err(Error::invalid(format!("column `{name}` is {kind}, expected a number or a boolean")))
}

/// Text; missing and empty are both nothing, because a graph has no other way to say missing.
pub fn texts<'a>(array: &'a ArrayRef, name: &str) -> Result<Vec<Option<&'a str>>> {
    let values = array.as_any().downcast_ref::<StringArray>().ok_or_else(|| {
        let kind = Kind::of(array.data_type()).word();
        Error::invalid(format!("column `{name}` is {kind}, expected text"))
    })?;
    Ok(values.iter().map(|value| value.filter(|text| !text.is_empty())).collect())
}

/// The values of a column of any kind as levels; missing is nothing.
pub fn levels(array: &ArrayRef, name: &str) -> Result<Vec<Option<Level>>> {
    match Kind::of(array.data_type()) {
        Kind::Text => Ok(texts(array, name)?
            .into_iter()
            .map(|text| text.map(|text| Level::Text(text.to_owned())))
            .collect()),
        Kind::Boolean => {
            let level = |value: f64| (!value.is_nan()).then_some(Level::Boolean(value == 1.0));
            Ok(numbers(array, name)?.into_iter().map(level).collect())
        }
        Kind::Integer | Kind::Number => {
            let level = |value: f64| (!value.is_nan()).then_some(Level::Number(value));
            Ok(numbers(array, name)?.into_iter().map(level).collect())
        }
        Kind::Time => Err(Error::invalid(format!("column `{name}` is a time, which has no levels"))
            .hint("derive a number from it first")),
    }
}

/// True for the rows that transforms are fitted on: those of the training part, or all rows if
/// there is no split.
pub fn is_train(batch: &RecordBatch) -> Result<Vec<bool>> {
    let Some(array) = batch.column_by_name(SPLIT_COLUMN) else { return Ok(vec![true; batch.num_rows()]) };
    let parts = array.as_any().downcast_ref::<Int8Array>().ok_or_else(|| {
        Error::new(base::Code::Corrupt, format!("the column `{SPLIT_COLUMN}` is not of small numbers"))
    })?;
    Ok(parts.iter().map(|part| part == Some(0)).collect())
}
