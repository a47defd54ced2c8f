//! Rows and packages: the proof that a package answers as its trainer did, files scored by a
//! package, and rows as monitors and callers use them.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, Float64Type};
use base::{Code, Error, Progress, Result};
use data::{Column, Kind, Profile, TableFile};
use learn::package::raw_batch;
use score::{Package, Predictions, Values};
use serde_json::{Map, Value, json};

use super::train::{HELD_OUT_FOLDER, OUTPUT_PREFIX, TRUTH_COLUMN, write_table};

/// How near a package's answers are to those of the run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proof {
    /// Rows compared.
    pub rows: u64,
    /// The largest difference of any number, relative to the largest answer where that is above 1.
    pub max_abs_diff: f64,
}

/// Columns of JSON values by name.
pub type Columns = BTreeMap<String, Vec<Value>>;

/// Rows with what a model said of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scored {
    /// How many rows.
    pub rows: usize,
    /// What went in.
    pub inputs: Columns,
    /// What came out.
    pub outputs: Columns,
}

impl Scored {
    /// Adds rows; a column that lacks values has them missing.
    pub fn append(&mut self, rows: usize, inputs: &Columns, outputs: &Columns) {
        let before = self.rows;
        self.rows += rows;
        for (mine, new) in [(&mut self.inputs, inputs), (&mut self.outputs, outputs)] {
            for (name, values) in new {
                let column = mine.entry(name.clone()).or_default();
                column.resize(before, Value::Null);
                column.extend(values.iter().take(rows).cloned());
            }
            mine.values_mut().for_each(|column| column.resize(before + rows, Value::Null));
        }
    }
}

/// Scores the rows that were held out and compares with what the trainer said of them. Nothing if
/// the package carries none.
///
/// # Errors
/// The rows or the package cannot be read.
pub fn prove(folder: &Path, package: &Package) -> Result<Option<Proof>> {
    let held_out = folder.join(HELD_OUT_FOLDER);
    let Some(card) = package.card().filter(|_| held_out.is_dir()) else { return Ok(None) };
    let table = TableFile::open(&held_out)?;
    let mut rows = 0;
    let mut gaps: BTreeMap<String, Gap> = BTreeMap::new();
    for batch in table.batches(None)? {
        let batch = batch?;
        let said = package.predict(&raw_batch(&card.signature.inputs, &batch)?)?;
        rows += batch.num_rows() as u64;
        let schema = batch.schema();
        for (field, expected) in schema.fields().iter().zip(batch.columns()) {
            let Some(name) = field.name().strip_prefix(OUTPUT_PREFIX) else { continue };
            let found = said.column(name).ok_or_else(|| {
                Error::new(Code::Corrupt, format!("the package has no output `{name}` that the run had"))
            })?;
            gaps.entry(name.to_owned()).or_default().add(found, expected.as_primitive::<Float64Type>());
        }
    }
    let max_abs_diff = gaps.values().map(Gap::relative).fold(0.0, f64::max);
    Ok(Some(Proof { rows, max_abs_diff }))
}

/// How far one output of a package is from what the trainer said.
#[derive(Default)]
struct Gap {
    widest: f64,
    largest: f64,
}

impl Gap {
    fn add(&mut self, found: &Values, expected: &Float64Array) {
        for (at, expected) in expected.values().iter().enumerate() {
            let difference = (found.json(at).as_f64().unwrap_or(f64::NAN) - expected).abs();
            self.widest = self.widest.max(if difference.is_nan() { f64::INFINITY } else { difference });
            self.largest = self.largest.max(expected.abs());
        }
    }

    /// Against the largest answer, where that is above 1: the trees of a package add up in 32 bits,
    /// so a small sum of large parts is as exact as its parts, not as itself.
    fn relative(&self) -> f64 {
        self.widest / self.largest.max(1.0)
    }
}

/// Scores a table to a CSV file: the rows of the table, then the answers.
///
/// # Errors
/// The table lacks an input, or the file cannot be written.
pub fn score_to_file(package: &Package, table: &TableFile, to: &Path, progress: &Progress) -> Result<u64> {
    let mut out = tempfile::NamedTempFile::new_in(to.parent().unwrap_or(Path::new(".")))
        .map_err(|e| Error::io("write", to, &e))?;
    let fail = |e: std::io::Error| Error::io("write", to, &e);
    let mut done = 0;
    for batch in table.batches(None)? {
        progress.step("scoring", done, Some(table.rows()))?;
        let batch = batch?;
        let said = answers(package, &batch)?;
        let schema = batch.schema();
        if done == 0 {
            let names = schema.fields().iter().map(|field| field.name().as_str());
            let names = names.chain(said.columns.iter().map(|(name, _)| name.as_str()));
            writeln!(out, "{}", names.map(quoted).collect::<Vec<_>>().join(",")).map_err(fail)?;
        }
        for row in 0..batch.num_rows() {
            let cells = batch.columns().iter().map(|column| json_cell(column, row));
            let cells = cells.chain(said.columns.iter().map(|(_, values)| values.json(row)));
            writeln!(out, "{}", cells.map(|cell| text(&cell)).collect::<Vec<_>>().join(",")).map_err(fail)?;
        }
        done += batch.num_rows() as u64;
    }
    out.as_file().sync_all().map_err(fail)?;
    out.persist_noclobber(to).map_err(|e| fail(e.error))?;
    Ok(done)
}

/// Scores the rows of a table.
///
/// # Errors
/// The table lacks an input.
pub fn score(package: &Package, table: &TableFile, progress: &Progress) -> Result<Scored> {
    let inputs: Vec<String> = package.columns().into_iter().map(|(name, _)| name).collect();
    let mut scored = Scored::default();
    for batch in table.batches(None)? {
        progress.step("scoring", scored.rows as u64, Some(table.rows()))?;
        let batch = batch?;
        let said = answers(package, &batch)?;
        let rows = batch.num_rows();
        let column = |name: &String| {
            let values = batch.column_by_name(name)?;
            Some((name.clone(), (0..rows).map(|row| json_cell(values, row)).collect()))
        };
        let inputs: Columns = inputs.iter().filter_map(column).collect();
        let outputs = said.columns.iter();
        let outputs: Columns = outputs
            .map(|(name, values)| (name.clone(), (0..rows).map(|row| values.json(row)).collect()))
            .collect();
        scored.append(rows, &inputs, &outputs);
    }
    Ok(scored)
}

/// The model's inputs in the rows of a table.
///
/// # Errors
/// The table lacks an input.
pub fn read_rows(package: &Package, table: &TableFile) -> Result<Vec<Map<String, Value>>> {
    for (name, _) in package.columns() {
        table.meta().column(&name).map_err(|e| e.within("the file lacks an input of the model"))?;
    }
    rows_of(table, package)
}

/// The model's inputs in the rows that were held out.
///
/// # Errors
/// The package carries none.
pub fn held_out_rows(folder: &Path, package: &Package) -> Result<Vec<Map<String, Value>>> {
    let held_out = folder.join(HELD_OUT_FOLDER);
    if !held_out.is_dir() {
        return Err(Error::invalid("the package carries no rows").hint("choose a file instead"));
    }
    rows_of(&TableFile::open(&held_out)?, package)
}

/// The rows that were held out with what is true of them, under the name of the target.
///
/// # Errors
/// [`Code::Conflict`] if the package carries no rows, or was made before they held the truth.
pub fn labelled_rows(folder: &Path, target: &str) -> Result<RecordBatch> {
    let held_out = folder.join(HELD_OUT_FOLDER);
    let none = |why: &str| {
        Error::new(Code::Conflict, format!("the package carries no rows to test on: {why}"))
            .hint("name a `dataset` with true answers in the file of tests, or train the model again")
    };
    if !held_out.is_dir() {
        return Err(none("none were held out"));
    }
    let rows = all_rows(&TableFile::open(&held_out)?, usize::MAX)?;
    let schema = rows.schema();
    let mut columns: Vec<(&str, ArrayRef)> = Vec::new();
    for (field, array) in schema.fields().iter().zip(rows.columns()) {
        if field.name() == TRUTH_COLUMN {
            columns.push((target, array.clone()));
        } else if !field.name().starts_with(OUTPUT_PREFIX) {
            columns.push((field.name(), array.clone()));
        }
    }
    if schema.column_with_name(TRUTH_COLUMN).is_none() {
        return Err(none("an older Fettle did not keep what is true of them"));
    }
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .map_err(|e| Error::internal("cannot name the columns of a batch").because(e))
}

/// The rows of a table as one batch; of more than `most` rows evenly picked ones.
///
/// # Errors
/// The table cannot be read.
pub fn all_rows(table: &TableFile, most: usize) -> Result<RecordBatch> {
    let wrong = |e| Error::internal("cannot put the rows of a table together").because(e);
    let batches = table.batches(None)?.collect::<Result<Vec<_>>>()?;
    let Some(first) = batches.first() else {
        return Ok(RecordBatch::new_empty(data::arrow_schema(&table.meta().columns)));
    };
    let rows = arrow::compute::concat_batches(&first.schema(), &batches).map_err(wrong)?;
    if rows.num_rows() <= most {
        return Ok(rows);
    }
    let step = rows.num_rows() as f64 / most as f64;
    let at = arrow::array::UInt32Array::from_iter_values((0..most).map(|at| (at as f64 * step) as u32));
    arrow::compute::take_record_batch(&rows, &at).map_err(wrong)
}

fn rows_of(table: &TableFile, package: &Package) -> Result<Vec<Map<String, Value>>> {
    let names: Vec<String> = package.columns().into_iter().map(|(name, _)| name).collect();
    let mut rows = Vec::new();
    for batch in table.batches(None)? {
        let batch = batch?;
        for row in 0..batch.num_rows() {
            let cell = |name: &String| Some((name.clone(), json_cell(batch.column_by_name(name)?, row)));
            rows.push(names.iter().filter_map(cell).collect());
        }
    }
    Ok(rows)
}

fn answers(package: &Package, batch: &RecordBatch) -> Result<Predictions> {
    let card = package.card().ok_or_else(|| Error::invalid("the package was not written by Fettle"))?;
    let mut inputs = card.signature.inputs.clone();
    inputs.retain(|input| input.required || batch.column_by_name(&input.name).is_some());
    // A number column that is empty throughout is read as text; to the model it is all missing.
    let batch = with_numbers(batch, &inputs)?;
    package.predict(&raw_batch(&inputs, &batch)?)
}

fn with_numbers(batch: &RecordBatch, inputs: &[score::Input]) -> Result<RecordBatch> {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).map(|(field, array)| {
        let input = inputs.iter().find(|input| input.name == *field.name());
        let wants_text = input.is_none_or(|input| input.kind == score::Kind::Text);
        let is_text = array.data_type() == &DataType::Utf8;
        let all_missing = array.null_count() == array.len();
        match (wants_text, is_text) {
            (false, true) if all_missing => {
                (field.name(), arrow::array::new_null_array(&DataType::Float64, array.len()))
            }
            (true, false) if input.is_some() => {
                let text = arrow::compute::cast(array, &DataType::Utf8).unwrap_or_else(|_| array.clone());
                (field.name(), text)
            }
            _ => (field.name(), array.clone()),
        }
    });
    let columns: Vec<(&String, ArrayRef)> = columns.collect();
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .map_err(|e| Error::internal("cannot change the columns of a batch").because(e))
}

/// Writes columns of JSON values as a table with the columns and kinds of a profile, so that the
/// two can be compared.
///
/// # Errors
/// The table cannot be written.
pub fn write_columns(folder: &Path, columns: &Columns, rows: usize, like: &Profile) -> Result<TableFile> {
    let empty = Vec::new();
    let mut made: (Vec<Column>, Vec<ArrayRef>) = (Vec::new(), Vec::new());
    for profile in &like.columns {
        let values = columns.get(&profile.name).unwrap_or(&empty);
        let values = (0..rows).map(|row| values.get(row).unwrap_or(&Value::Null));
        made.0.push(Column::new(&profile.name, profile.kind));
        made.1.push(array(values, profile.kind));
    }
    write_table(folder, made)
}

/// Writes rows as a table with these columns, below those of another one if there is one; what a row
/// lacks is missing.
///
/// # Errors
/// The table cannot be read or written.
pub fn write_rows(
    folder: &Path,
    meta: &data::TableMeta,
    above: Option<&TableFile>,
    (columns, rows): (&Columns, usize),
) -> Result<TableFile> {
    let empty = Vec::new();
    let own = &meta.columns;
    let arrays = own.iter().map(|column| {
        let values = columns.get(&column.name).unwrap_or(&empty);
        array((0..rows).map(|row| values.get(row).unwrap_or(&Value::Null)), column.kind)
    });
    let more = RecordBatch::try_new(data::arrow_schema(own), arrays.collect())
        .map_err(|e| Error::internal("rows do not fit below a table").because(e));
    let before = above.map(|table| table.batches(None)).transpose()?;
    data::write(folder, meta.clone(), before.into_iter().flatten().chain([more]))
}

/// Writes the inputs of a model as a table with the kinds that the model wants.
///
/// # Errors
/// The table cannot be written.
pub fn write_inputs(
    folder: &Path,
    columns: &Columns,
    rows: usize,
    inputs: &[score::Input],
) -> Result<TableFile> {
    let mut made: (Vec<Column>, Vec<ArrayRef>) = (Vec::new(), Vec::new());
    for input in inputs {
        let kind = match input.kind {
            score::Kind::Integer => Kind::Integer,
            score::Kind::Number => Kind::Number,
            score::Kind::Boolean => Kind::Boolean,
            score::Kind::Text => Kind::Text,
            score::Kind::Time => Kind::Time,
        };
        let values = columns.get(&input.name);
        let values = (0..rows).map(|row| values.and_then(|values| values.get(row)).unwrap_or(&Value::Null));
        made.0.push(Column::new(&input.name, kind));
        made.1.push(array(values, kind));
    }
    write_table(folder, made)
}

fn array<'a>(values: impl Iterator<Item = &'a Value>, kind: Kind) -> ArrayRef {
    match kind {
        Kind::Integer => {
            Arc::new(values.map(|value| value.as_f64().map(|value| value as i64)).collect::<Int64Array>())
        }
        Kind::Number => Arc::new(values.map(Value::as_f64).collect::<Float64Array>()),
        Kind::Boolean => Arc::new(values.map(truth).collect::<BooleanArray>()),
        Kind::Text => Arc::new(values.map(words).collect::<StringArray>()),
        Kind::Time => Arc::new(values.map(moment).collect::<TimestampMillisecondArray>()),
    }
}

/// A time as a client sent it: a text, or milliseconds since 1970.
fn moment(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => data::expr::moment(text).ok(),
        other => other.as_f64().map(|ms| ms as i64),
    }
}

fn truth(value: &Value) -> Option<bool> {
    value.as_bool().or_else(|| value.as_f64().map(|value| value != 0.0))
}

fn words(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// A cell as JSON; what JSON has no kind for is text.
pub fn json_cell(array: &ArrayRef, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Int64 => json!(array.as_primitive::<arrow::datatypes::Int64Type>().value(row)),
        DataType::Float64 => json!(array.as_primitive::<Float64Type>().value(row)),
        DataType::Boolean => json!(array.as_boolean().value(row)),
        DataType::Utf8 => json!(array.as_string::<i32>().value(row)),
        _ => match arrow::util::display::array_value_to_string(array, row) {
            Ok(text) => json!(text),
            Err(_) => Value::Null,
        },
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

fn quoted(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_measured_against_the_largest_answer_and_no_number_is_an_infinite_one() {
        let relative = |found: &[f32], expected: &[f64]| {
            let mut gap = Gap::default();
            gap.add(&Values::F32(found.to_vec()), &Float64Array::from(expected.to_vec()));
            gap.relative()
        };
        // A price of 400 that is the sum of parts of 4,000 each, as exact as 32 bits are.
        assert!(relative(&[400.002, 16_000.0], &[400.0, 16_000.0]) < 1e-6);
        assert!(relative(&[400.2, 16_000.0], &[400.0, 16_000.0]) > 1e-5);
        assert!((relative(&[0.25], &[0.5]) - 0.25).abs() < 1e-12, "probabilities are taken as they are");
        assert_eq!(relative(&[f32::NAN], &[1.0]), f64::INFINITY);
    }
}
