//! Transforms applied to a table.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema};
use base::{Error, Result};
use data::{HIDDEN_PREFIX, Kind};

use super::cells::{column, levels, numbers, texts};
use super::{Level, Op, Recipe, missing_column, one_hot_name, raw_name};

impl Recipe {
    /// Applies all transforms to raw rows.
    ///
    /// # Errors
    /// If a column is missing or of another kind than it was.
    pub fn apply(&self, raw: &RecordBatch) -> Result<RecordBatch> {
        let mut so_far = Self { inputs: self.inputs.clone(), ops: Vec::new() };
        let mut batch = raw.clone();
        for op in &self.ops {
            batch = so_far.apply_next(op, &batch)?;
            so_far.ops.push(op.clone());
        }
        Ok(batch)
    }

    /// Applies one more transform to a table that this recipe has made. A raw input that the
    /// transform replaces stays as a hidden column.
    ///
    /// # Errors
    /// If a column is missing or of another kind than it was.
    pub fn apply_next(&self, op: &Op, batch: &RecordBatch) -> Result<RecordBatch> {
        let mut table = Table::new(batch);
        if let Op::Select { columns } = op {
            for name in table.names() {
                if !name.starts_with(HIDDEN_PREFIX) && !columns.contains(&name) {
                    if self.ops.iter().any(|op| op.reads().contains(&name)) {
                        self.keep_raw(&mut table, &name);
                    }
                    table.remove(&name);
                }
            }
            return table.into_batch();
        }
        for name in op.reads() {
            if batch.column_by_name(&name).is_none() {
                let columns: Vec<_> =
                    table.names().iter().map(|name| data::Column::new(name, Kind::Number)).collect();
                return Err(missing_column(&columns, &name));
            }
        }
        let replaced = match op {
            Op::Derive { name, .. } => vec![name.clone()],
            Op::Select { .. }
            | Op::Impute { .. }
            | Op::OneHot { .. }
            | Op::Ordinal { .. }
            | Op::Scale { .. } => op.reads(),
        };
        replaced.iter().for_each(|name| self.keep_raw(&mut table, name));
        match op {
            Op::Select { .. } => unreachable!("handled above"),
            Op::Derive { name, expression } => {
                let array = expression.eval(&without_empty_texts(batch, &op.reads())?)?;
                if table.get(name).is_some() {
                    table.replace(name, vec![(name.clone(), array)]);
                } else {
                    table.columns.push((name.clone(), array));
                }
            }
            Op::Impute { column: name, fill } => {
                table.replace(name, vec![(name.clone(), impute(batch, name, fill)?)])
            }
            Op::OneHot { column: name, levels } => table.replace(name, one_hot(batch, name, levels)?),
            Op::Ordinal { column: name, levels } => {
                table.replace(name, vec![(name.clone(), ordinal(batch, name, levels)?)]);
            }
            Op::Scale { column: name, offset, factor } => {
                let scaled = numbers(column(batch, name)?, name)?.into_iter().map(|x| (x - offset) * factor);
                table.replace(name, vec![(name.clone(), floats(scaled))]);
            }
        }
        table.into_batch()
    }

    /// Keeps a raw input that is about to change, unless it is kept already.
    fn keep_raw(&self, table: &mut Table, name: &str) {
        let hidden = raw_name(name);
        if self.inputs.iter().any(|input| input.name == name)
            && table.get(&hidden).is_none()
            && let Some(array) = table.get(name)
        {
            table.columns.push((hidden, array));
        }
    }
}

/// The columns of a batch while they change.
struct Table {
    columns: Vec<(String, ArrayRef)>,
    rows: usize,
}

impl Table {
    fn new(batch: &RecordBatch) -> Self {
        let schema = batch.schema();
        let names = schema.fields().iter().map(|field| field.name().clone());
        Self { columns: names.zip(batch.columns().iter().cloned()).collect(), rows: batch.num_rows() }
    }

    fn names(&self) -> Vec<String> {
        self.columns.iter().map(|(name, _)| name.clone()).collect()
    }

    fn get(&self, name: &str) -> Option<ArrayRef> {
        self.columns.iter().find(|(own, _)| own == name).map(|(_, array)| Arc::clone(array))
    }

    fn remove(&mut self, name: &str) {
        self.columns.retain(|(own, _)| own != name);
    }

    /// Puts new columns where an old one was.
    fn replace(&mut self, name: &str, new: Vec<(String, ArrayRef)>) {
        if let Some(at) = self.columns.iter().position(|(own, _)| own == name) {
            self.columns.splice(at..=at, new);
        }
    }

    fn into_batch(self) -> Result<RecordBatch> {
        let mut seen: HashMap<&str, ()> = HashMap::new();
        for (name, _) in &self.columns {
            if seen.insert(name, ()).is_some() {
                return Err(Error::invalid(format!("a column `{name}` is there already"))
                    .hint("rename or drop it before this step"));
            }
        }
        let fields: Vec<Field> = self
            .columns
            .iter()
            .map(|(name, array)| Field::new(name, array.data_type().clone(), true))
            .collect();
        let arrays = self.columns.into_iter().map(|(_, array)| array).collect();
        let options = arrow::record_batch::RecordBatchOptions::new().with_row_count(Some(self.rows));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
            .map_err(|error| Error::internal("transformed columns do not make a table").because(error))
    }
}

/// The columns that an expression reads, in which an empty text is a missing one, as it is in
/// the graph of a model.
fn without_empty_texts(batch: &RecordBatch, names: &[String]) -> Result<RecordBatch> {
    let mut table = Table { columns: Vec::new(), rows: batch.num_rows() };
    for name in names {
        let array = column(batch, name)?;
        let is_text = Kind::of(array.data_type()) == Kind::Text;
        let array =
            if is_text { Arc::new(StringArray::from(texts(array, name)?)) } else { Arc::clone(array) };
        table.columns.push((name.clone(), array));
    }
    table.into_batch()
}

fn impute(batch: &RecordBatch, name: &str, fill: &Level) -> Result<ArrayRef> {
    let array = column(batch, name)?;
    let mismatch = || {
        let kind = Kind::of(array.data_type()).word();
        Error::invalid(format!("cannot fill column `{name}` with `{}`: it is {kind}", fill.label()))
    };
    Ok(match Kind::of(array.data_type()) {
        Kind::Text => {
            let Level::Text(fill) = fill else { return Err(mismatch()) };
            let values = texts(array, name)?.into_iter().map(|text| Some(text.unwrap_or(fill)));
            Arc::new(values.collect::<StringArray>())
        }
        Kind::Boolean => {
            let fill = fill.as_number().ok_or_else(mismatch)?;
            let values =
                numbers(array, name)?.into_iter().map(|x| Some((if x.is_nan() { fill } else { x }) == 1.0));
            Arc::new(values.collect::<BooleanArray>())
        }
        Kind::Integer | Kind::Number => {
            let number = fill.as_number().ok_or_else(mismatch)?;
            if let Some(whole) = array.as_any().downcast_ref::<Int64Array>().filter(|_| number.fract() == 0.0)
            {
                return Ok(Arc::new(
                    whole.iter().map(|x| Some(x.unwrap_or(number as i64))).collect::<Int64Array>(),
                ));
            }
            floats(numbers(array, name)?.into_iter().map(|x| if x.is_nan() { number } else { x }))
        }
        Kind::Time => return Err(mismatch()),
    })
}

fn one_hot(batch: &RecordBatch, name: &str, known: &[Level]) -> Result<Vec<(String, ArrayRef)>> {
    let positions = positions(batch, name, known)?;
    Ok(known
        .iter()
        .enumerate()
        .map(|(at, level)| {
            let values = positions.iter().map(|position| Some(i64::from(*position == Some(at))));
            (one_hot_name(name, level), Arc::new(values.collect::<Int64Array>()) as ArrayRef)
        })
        .collect())
}

fn ordinal(batch: &RecordBatch, name: &str, known: &[Level]) -> Result<ArrayRef> {
    let positions = positions(batch, name, known)?;
    let values = positions.into_iter().map(|position| Some(position.map_or(-1, |at| at as i64)));
    Ok(Arc::new(values.collect::<Int64Array>()))
}

/// The position of each row's value among the levels.
fn positions(batch: &RecordBatch, name: &str, known: &[Level]) -> Result<Vec<Option<usize>>> {
    let key = |level: &Level| match level {
        Level::Text(text) => (text.clone(), 0),
        // Both zeros are one level, as they are in the graph.
        Level::Boolean(_) | Level::Number(_) => {
            (String::new(), (level.as_number().unwrap_or(0.0) + 0.0).to_bits())
        }
    };
    let places: HashMap<_, _> = known.iter().enumerate().map(|(at, level)| (key(level), at)).collect();
    let rows = levels(column(batch, name)?, name)?;
    Ok(rows.iter().map(|level| level.as_ref().and_then(|level| places.get(&key(level)).copied())).collect())
}

/// 64 bit numbers as a column, in which `NaN` is missing.
fn floats(values: impl Iterator<Item = f64>) -> ArrayRef {
    Arc::new(values.map(|value| (!value.is_nan()).then_some(value)).collect::<Float64Array>())
}
