//! Rows changed as a whole: ordered, thinned, joined, grouped, reshaped, divided. Everything here
//! takes tables in memory and gives one back whose rows have an order that the input decides, so
//! that the same input is the same bytes. What each function makes is known before it runs: beside
//! it stands one that gives the columns. It does not know recipes, targets or pipelines.

mod call;
mod cast;
mod group;
mod join;
mod keys;
mod order;
mod parts;
mod reshape;
mod sql;
mod text;
mod window;

#[cfg(test)]
mod tests;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use base::{Error, Result};

use crate::schema::{Column, Kind, arrow_schema, nearest};

pub use cast::{Cast, cast, cast_columns};
pub use group::{Measure, group, group_columns};
pub use join::{Join, JoinKind};
pub use order::{Keep, Sample, SortKey, deduplicate, sample, sort};
pub use parts::{by_group, by_time, by_time_shares};
pub use reshape::{Pivot, Unpivot, union, union_columns};
pub use sql::{SqlTable, run_sql, sql_columns};
pub use text::TextFeatures;
pub use window::{Window, WindowColumn};

/// The most rows that a transform makes. A join on a key that is not one makes billions.
pub const MAX_ROWS: usize = 50_000_000;
/// The most columns that a transform makes of values.
pub const MAX_COLUMNS: usize = 1_000;
/// The most cells that columns made of values have: 100 million numbers are 800 MB.
const MAX_CELLS: usize = 100_000_000;
/// Rows between two looks at whether the work was cancelled.
const STEP_ROWS: usize = 1 << 16;

/// These rows of a batch, in this order; a row may be taken more than once.
///
/// # Errors
/// `invalid_input` if the texts of one column would no longer fit into one.
pub fn take_rows(batch: &RecordBatch, rows: &[u32]) -> Result<RecordBatch> {
    let rows = UInt32Array::from(rows.to_vec());
    let arrays = batch.columns().iter().map(|array| take(array, &rows)).collect::<Result<Vec<_>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    RecordBatch::try_new_with_options(batch.schema(), arrays, &options).map_err(|e| misshapen(&e))
}

/// Values by row; a row that is null gives a missing value.
fn take(array: &ArrayRef, rows: &UInt32Array) -> Result<ArrayRef> {
    arrow::compute::take(array, rows, None).map_err(|e| too_much_text(&e))
}

fn too_much_text(error: &arrow::error::ArrowError) -> Error {
    Error::invalid("a column would hold more text than fits into one (2 GiB)")
        .hint("use fewer rows, or drop the long text before this step")
        .because(error)
}

fn misshapen(error: &arrow::error::ArrowError) -> Error {
    Error::internal("columns do not fit into one table").because(error)
}

/// A table of these columns.
fn table(columns: &[Column], arrays: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(arrow_schema(columns), arrays, &options).map_err(|e| misshapen(&e))
}

/// The column of this name.
///
/// # Errors
/// `invalid_input` with the nearest name.
pub fn find<'a>(columns: &'a [Column], name: &str) -> Result<&'a Column> {
    columns.iter().find(|column| column.name == name).ok_or_else(|| {
        let error = Error::invalid(format!("there is no column `{name}`"));
        let visible = columns.iter().filter(|column| !column.is_hidden());
        match nearest(name, visible.map(|column| column.name.as_str())) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("choose one of the columns of the step before"),
        }
    })
}

/// The columns that a batch has.
pub fn columns_of(batch: &RecordBatch) -> Vec<Column> {
    let schema = batch.schema();
    let column = |field: &arrow::datatypes::FieldRef| Column::new(field.name(), Kind::of(field.data_type()));
    schema.fields().iter().map(column).collect()
}

fn array<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef> {
    if let Some(array) = batch.column_by_name(name) {
        return Ok(array);
    }
    find(&columns_of(batch), name)?;
    Err(Error::internal(format!("column `{name}` has no data")))
}

/// Fails if two columns have the same name, or one has none or one of Fettle's own.
///
/// # Errors
/// `invalid_input` naming the column.
pub fn check_names(columns: &[Column]) -> Result<()> {
    let mut seen = std::collections::HashSet::new();
    for column in columns {
        if column.name.trim().is_empty() || column.is_hidden() {
            return Err(Error::invalid(format!("`{}` cannot be the name of a column", column.name))
                .hint("choose a name that is not empty and does not start with `__`"));
        }
        if !seen.insert(column.name.as_str()) {
            return Err(Error::invalid(format!("two columns would be called `{}`", column.name))
                .hint("give one of them another name"));
        }
    }
    Ok(())
}

/// The one kind that holds the values of both: whole numbers are numbers.
fn widened(a: Kind, b: Kind) -> Option<Kind> {
    match (a, b) {
        (a, b) if a == b => Some(a),
        (a, b) if a.is_numeric() && b.is_numeric() => Some(Kind::Number),
        _ => None,
    }
}

fn as_kind(array: &ArrayRef, kind: Kind) -> Result<ArrayRef> {
    arrow::compute::cast(array, &kind.data_type())
        .map_err(|e| Error::internal(format!("cannot read a column as {}", kind.word())).because(e))
}
