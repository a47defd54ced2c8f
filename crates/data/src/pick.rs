//! The cells of chosen rows: what a check or a comparison shows of the few rows it found.

use base::Result;

use crate::page::append_rows;
use crate::table::TableFile;

/// The cells of these columns in these rows (numbers from 0), row by row.
///
/// # Errors
/// `not_found` for an unknown column, `corrupt` for an unreadable table.
pub(crate) fn pick(table: &TableFile, columns: &[&str], rows: &[u64]) -> Result<Vec<Vec<Option<String>>>> {
    if columns.is_empty() || rows.is_empty() {
        return Ok(vec![Vec::new(); rows.len()]);
    }
    let mut cells = Vec::with_capacity(rows.len());
    append_rows(&table.take(rows, columns)?, &mut cells)?;
    Ok(cells)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, RecordBatch};

    use super::*;
    use crate::schema::{Column, Kind, TableMeta, arrow_schema};

    #[test]
    fn rows_near_and_far_come_in_the_order_asked_for() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let columns = vec![Column::new("n", Kind::Integer), Column::new("m", Kind::Integer)];
        let numbers = || Arc::new(Int64Array::from_iter_values(0..40_000)) as ArrayRef;
        let batch = RecordBatch::try_new(arrow_schema(&columns), vec![numbers(), numbers()]).expect("fits");
        let table = crate::table::write(dir.path(), TableMeta::new(columns), [Ok(batch)]).expect("writes");
        let rows = [39_999, 0, 1, 8191, 1, 8192, 16_500];
        let cells = pick(&table, &["m"], &rows).expect("reads");
        let expected: Vec<_> = rows.iter().map(|row| vec![Some(row.to_string())]).collect();
        assert_eq!(cells, expected);
        assert!(pick(&table, &["m"], &[]).expect("nothing to read").is_empty());
    }
}
