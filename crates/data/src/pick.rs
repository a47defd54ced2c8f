//! The cells of chosen rows: what a check or a comparison shows of the few rows it found. Rows
//! that lie close together are read together.

use arrow::array::{RecordBatch, UInt64Array};
use arrow::compute::{concat_batches, take_record_batch};
use base::{Error, Result};

use crate::page::append_rows;
use crate::table::TableFile;

/// Rows no farther apart than this are read in one go: about a page of a Parquet file.
const GAP_ROWS: u64 = 8192;

/// The cells of these columns in these rows (numbers from 0, ascending), row by row.
///
/// # Errors
/// `not_found` for an unknown column, `corrupt` for an unreadable table.
pub(crate) fn pick(table: &TableFile, columns: &[&str], rows: &[u64]) -> Result<Vec<Vec<Option<String>>>> {
    if columns.is_empty() {
        return Ok(vec![Vec::new(); rows.len()]);
    }
    let mut cells = Vec::with_capacity(rows.len());
    for run in rows.chunk_by(|a, b| b - a <= GAP_ROWS) {
        append_rows(&pick_run(table, columns, run)?, &mut cells)?;
    }
    Ok(cells)
}

/// The rows of one run as a batch.
fn pick_run(table: &TableFile, columns: &[&str], run: &[u64]) -> Result<RecordBatch> {
    let (first, last) = (run[0], run[run.len() - 1]);
    let failed = |e: &arrow::error::ArrowError| Error::internal("cannot pick rows of a table").because(e);
    let mut pieces = Vec::new();
    let mut from = first;
    let mut wanted = run.iter().copied().peekable();
    for batch in table.range(Some(columns), first, Some(last - first + 1))? {
        let batch = batch?;
        let end = from + batch.num_rows() as u64;
        let mut own = Vec::new();
        while let Some(row) = wanted.next_if(|row| *row < end) {
            own.push(row - from);
        }
        if !own.is_empty() {
            pieces.push(take_record_batch(&batch, &UInt64Array::from(own)).map_err(|e| failed(&e))?);
        }
        from = end;
    }
    let Some(schema) = pieces.first().map(RecordBatch::schema) else {
        return Err(Error::internal(format!("the table has no row {first}")));
    };
    concat_batches(&schema, &pieces).map_err(|e| failed(&e))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array};

    use super::*;
    use crate::schema::{Column, Kind, TableMeta, arrow_schema};

    #[test]
    fn rows_near_and_far_come_in_their_order() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let columns = vec![Column::new("n", Kind::Integer), Column::new("m", Kind::Integer)];
        let numbers = || Arc::new(Int64Array::from_iter_values(0..40_000)) as ArrayRef;
        let batch = RecordBatch::try_new(arrow_schema(&columns), vec![numbers(), numbers()]).expect("fits");
        let table = crate::table::write(dir.path(), TableMeta::new(columns), [Ok(batch)]).expect("writes");
        let rows = [0, 1, 8191, 8192, 16_500, 39_999];
        let cells = pick(&table, &["m"], &rows).expect("reads");
        let expected: Vec<_> = rows.iter().map(|row| vec![Some(row.to_string())]).collect();
        assert_eq!(cells, expected);
        assert!(pick(&table, &["m"], &[]).expect("nothing to read").is_empty());
    }
}
