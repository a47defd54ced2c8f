//! What a viewer shows: the cells of a window of rows as text, made here so that the window, the
//! command line and reports agree.

use arrow::array::{
    Array, AsArray as _, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, Int8Type, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use base::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::schema::{Column, Kind, SPLIT_COLUMN};
use crate::table::TableFile;

/// A cell longer than this is cut and ends in an ellipsis.
pub const MAX_CELL_CHARS: usize = 120;
/// The most rows of one page.
pub const MAX_PAGE_ROWS: u64 = 10_000;

/// A window of rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// The number of the first row in the table, from 0.
    pub offset: u64,
    /// How many rows there are in all, where that is known.
    pub total_rows: Option<u64>,
    /// The columns shown.
    pub columns: Vec<PageColumn>,
    /// The cells, row by row; `None` is a missing value.
    pub rows: Vec<Vec<Option<String>>>,
}

/// A column of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageColumn {
    /// Its name in the table.
    pub name: String,
    /// What to write above it: the name, or `split` for the hidden column of the split.
    pub label: String,
    /// The kind of its values.
    pub kind: Kind,
}

impl PageColumn {
    /// The column as a viewer shows it.
    pub(crate) fn of(name: &str, kind: Kind) -> Self {
        let label = if name == SPLIT_COLUMN { "split" } else { name };
        Self { name: name.to_owned(), label: label.to_owned(), kind }
    }
}

impl TableFile {
    /// The cells of up to `limit` rows from `offset` on. Without `columns` these are the visible
    /// ones and the split. Reads only the row groups that hold the rows.
    ///
    /// # Errors
    /// `not_found` for an unknown column, `invalid_input` for more than [`MAX_PAGE_ROWS`] rows.
    pub fn page(&self, offset: u64, limit: u64, columns: Option<&[&str]>) -> Result<Page> {
        if limit > MAX_PAGE_ROWS {
            return Err(Error::invalid(format!("a page of {limit} rows is too long"))
                .hint(format!("ask for {MAX_PAGE_ROWS} rows or fewer")));
        }
        let shown = |column: &&Column| !column.is_hidden() || column.name == SPLIT_COLUMN;
        let columns: Vec<&Column> = match columns {
            Some(names) => names.iter().map(|name| self.meta().column(name)).collect::<Result<_>>()?,
            None => self.meta().columns.iter().filter(shown).collect(),
        };
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let mut rows = Vec::new();
        if offset < self.rows() {
            for batch in self.range(Some(&names), offset, Some(limit))? {
                append_rows(&batch?, &mut rows)?;
            }
        }
        let columns = columns.into_iter().map(|c| PageColumn::of(&c.name, c.kind)).collect();
        Ok(Page { offset, total_rows: Some(self.rows()), columns, rows })
    }
}

/// Appends the formatted rows of a batch.
pub(crate) fn append_rows(batch: &RecordBatch, rows: &mut Vec<Vec<Option<String>>>) -> Result<()> {
    let first = rows.len();
    rows.resize_with(first + batch.num_rows(), || Vec::with_capacity(batch.num_columns()));
    for (at, array) in batch.columns().iter().enumerate() {
        let is_split = batch.schema_ref().field(at).name() == SPLIT_COLUMN;
        for (row, cell) in cells(array.as_ref(), is_split)?.into_iter().enumerate() {
            rows[first + row].push(cell);
        }
    }
    Ok(())
}

fn cells(array: &dyn Array, is_split: bool) -> Result<Vec<Option<String>>> {
    if is_split && array.data_type() == &DataType::Int8 {
        let parts = array.as_primitive::<Int8Type>();
        return Ok(parts.iter().map(|part| part.map(|part| split_word(part).to_owned())).collect());
    }
    let any = array.as_any();
    Ok(if let Some(array) = any.downcast_ref::<Float64Array>() {
        array.iter().map(|value| value.filter(|v| !v.is_nan()).map(number)).collect()
    } else if let Some(array) = any.downcast_ref::<Int64Array>() {
        array.iter().map(|value| value.map(|v| v.to_string())).collect()
    } else if let Some(array) = any.downcast_ref::<BooleanArray>() {
        array.iter().map(|value| value.map(|v| v.to_string())).collect()
    } else if let Some(array) = any.downcast_ref::<StringArray>() {
        array.iter().map(|value| value.map(shorten)).collect()
    } else if let Some(array) = any.downcast_ref::<TimestampMillisecondArray>() {
        array.iter().map(|value| value.map(time)).collect()
    } else {
        return other_cells(array);
    })
}

/// What a query can give beside the five kinds, such as decimals and dates.
fn other_cells(array: &dyn Array) -> Result<Vec<Option<String>>> {
    if matches!(array.data_type(), DataType::Timestamp(..) | DataType::Date32 | DataType::Date64) {
        let target = DataType::Timestamp(TimeUnit::Millisecond, None);
        let moments = arrow::compute::cast(array, &target).map_err(|e| unreadable(&e))?;
        return cells(moments.as_ref(), false);
    }
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(array, &options).map_err(|e| unreadable(&e))?;
    let cell = |row| {
        let text = formatter.value(row).try_to_string().map_err(|e| unreadable(&e))?;
        Ok(array.is_valid(row).then(|| shorten(&text)))
    };
    (0..array.len()).map(cell).collect()
}

fn unreadable(error: &arrow::error::ArrowError) -> Error {
    Error::internal("cannot write a value as text").because(error)
}

fn split_word(part: i8) -> &'static str {
    match part {
        0 => "train",
        1 => "validation",
        2 => "test",
        _ => "none",
    }
}

/// A number with every digit it needs to be read back as itself.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".to_owned()
    } else if value.is_finite() && !(1e-5..1e15).contains(&size) {
        format!("{value:e}")
    } else {
        value.to_string()
    }
}

/// A moment in UTC: a date alone at midnight, otherwise down to the digits that are there.
pub fn time(ms: i64) -> String {
    let Some(moment) = chrono::DateTime::from_timestamp_millis(ms) else {
        return format!("{ms} ms");
    };
    let text = moment.naive_utc().format("%Y-%m-%d %H:%M:%S%.3f").to_string();
    let text = text.strip_suffix(".000").unwrap_or(&text);
    text.strip_suffix(" 00:00:00").unwrap_or(text).to_owned()
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(MAX_CELL_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits_and_stay_short() {
        let written = [0.1 + 0.2, 5.0, -0.0, 1e300, 1.5e-7, f64::INFINITY, 123_456_789.25].map(number);
        assert_eq!(written, ["0.30000000000000004", "5", "0", "1e300", "1.5e-7", "inf", "123456789.25"]);
        assert!([0.1 + 0.2, 1.5e-7, 1e300].iter().all(|v| number(*v).parse() == Ok(*v)));
    }

    #[test]
    fn moments_are_written_as_far_as_they_say_something() {
        let written = [1_795_421_110_123, 1_795_421_110_000, 1_795_392_000_000, -86_400_000].map(time);
        assert_eq!(written, ["2026-11-23 08:05:10.123", "2026-11-23 08:05:10", "2026-11-23", "1969-12-31"]);
    }

    #[test]
    fn a_long_cell_is_cut_at_a_character() {
        let cut = shorten(&"é".repeat(500));
        assert_eq!(cut.chars().count(), MAX_CELL_CHARS + 1);
        assert_eq!(shorten("short"), "short");
    }
}
