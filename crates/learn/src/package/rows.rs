//! Rows of a table as a model package reads them, and its answers as predictions.

use arrow::array::RecordBatch;
use base::{Error, Result};
use score::{Batch, Card, Input, Kind, Values};
use serde_json::{Map, Value};

use crate::predictions::Predictions;
use crate::recipe::{column_numbers, column_texts, raw_name};

/// The raw inputs of a model out of a table: where a transform has replaced a column, the raw
/// one that was kept.
///
/// # Errors
/// If an input is missing or of another kind.
pub fn raw_batch(inputs: &[Input], batch: &RecordBatch) -> Result<Batch> {
    let mut columns = Vec::with_capacity(inputs.len());
    for input in inputs {
        let raw = raw_name(&input.name);
        let name = if batch.column_by_name(&raw).is_some() { raw.as_str() } else { input.name.as_str() };
        let values = match input.kind {
            Kind::Text => Values::Text(column_texts(batch, name)?),
            Kind::Integer | Kind::Number | Kind::Boolean | Kind::Time => {
                Values::F64(column_numbers(batch, name)?)
            }
        };
        columns.push((input.name.clone(), values));
    }
    Ok(Batch { rows: batch.num_rows(), columns })
}

/// One raw row from JSON.
pub(super) fn example_batch(inputs: &[Input], row: &Map<String, Value>) -> Result<Batch> {
    let mut columns = Vec::with_capacity(inputs.len());
    for input in inputs {
        let value = row.get(&input.name).unwrap_or(&Value::Null);
        let values = match (input.kind, value) {
            (Kind::Text, Value::String(text)) => Values::Text(vec![Some(text.clone())]),
            (Kind::Text, Value::Null) => Values::Text(vec![None]),
            (_, Value::Null) => Values::F64(vec![f64::NAN]),
            (_, Value::Bool(value)) => Values::F64(vec![f64::from(u8::from(*value))]),
            (_, Value::Number(value)) => Values::F64(vec![value.as_f64().unwrap_or(f64::NAN)]),
            _ => {
                let message = format!("the example `{value}` does not fit column `{}`", input.name);
                return Err(Error::invalid(message));
            }
        };
        columns.push((input.name.clone(), values));
    }
    Ok(Batch { rows: 1, columns })
}

/// The answers of a package in the form that metrics and figures take.
///
/// # Errors
/// If an answer that the card promises is not there.
pub fn predictions_of(card: &Card, answers: &score::Predictions) -> Result<Predictions> {
    let outputs = &card.signature.outputs;
    let wanted = if card.classes.is_empty() { outputs.get(..1) } else { outputs.get(1..) };
    let mut columns = Vec::new();
    for output in wanted.unwrap_or_default() {
        columns.push(match answers.column(&output.name) {
            Some(Values::F32(values)) => values.iter().map(|value| f64::from(*value)).collect(),
            Some(Values::F64(values)) => values.clone(),
            _ => {
                return Err(Error::new(
                    base::Code::Corrupt,
                    format!("the model gives no number `{}`", output.name),
                )
                .hint("the package was changed after it was written; register the model again"));
            }
        });
    }
    match columns.as_slice() {
        [only] if card.classes.is_empty() => Ok(Predictions::Numbers(only.clone())),
        all => {
            let values =
                (0..answers.rows).flat_map(|row| all.iter().map(move |column| column[row])).collect();
            Ok(Predictions::Probabilities { classes: all.len(), values })
        }
    }
}
