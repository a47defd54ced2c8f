//! A table as somebody looks at it: only the rows for which a condition holds, in the order of some
//! columns. It keeps the numbers of the rows and reads the rows themselves when they come into
//! sight, so that a view of a hundred million rows costs four bytes for each that is left.

use arrow::array::{Array as _, ArrayRef, AsArray as _, UInt32Array};
use arrow::compute::{SortColumn, SortOptions, concat, lexsort_to_indices};
use base::{Error, Progress, Result, count};

use crate::expr::{self, Type};
use crate::page::{MAX_PAGE_ROWS, Page, PageColumn};
use crate::pick::pick;
use crate::schema::Column;
use crate::table::TableFile;

/// The most rows that are put in order: their keys are held in memory.
pub const MAX_SORTED_ROWS: u64 = 20_000_000;
/// The most columns to sort by.
const MAX_KEYS: usize = 8;

/// A column to sort by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Order {
    /// The column.
    pub column: String,
    /// True for the largest value first. Missing values always come last.
    pub descending: bool,
}

/// Some rows of a table in some order.
#[derive(Debug)]
pub struct View {
    table: TableFile,
    rows: Vec<u32>,
}

impl View {
    /// Looks through the whole table once. A condition is an expression such as `age > 18`; where it
    /// is unknown because a value is missing, the row is left out. Rows that are equal in all columns
    /// of `order` stay in the order of the table.
    ///
    /// # Errors
    /// `invalid_input` for a condition that is none, an unknown column, or more rows to sort than
    /// [`MAX_SORTED_ROWS`]; `cancelled`.
    pub fn new(
        table: &TableFile,
        condition: Option<&str>,
        order: &[Order],
        progress: &Progress,
    ) -> Result<Self> {
        if u32::try_from(table.rows()).is_err() {
            return Err(Error::invalid(format!("{} rows are too many to look through", count(table.rows())))
                .hint("ask in SQL, or filter in a pipeline"));
        }
        let rows = match condition {
            Some(text) => matching(table, text, progress)?,
            None => (0..table.rows() as u32).collect(),
        };
        let rows = if order.is_empty() { rows } else { sorted(table, rows, order, progress)? };
        Ok(Self { table: table.clone(), rows })
    }

    /// How many rows there are to see.
    pub fn len(&self) -> u64 {
        self.rows.len() as u64
    }

    /// True if no row is left.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The cells of up to `limit` rows from `offset` on, as [`TableFile::page`] gives them.
    ///
    /// # Errors
    /// As [`TableFile::page`].
    pub fn page(&self, offset: u64, limit: u64, columns: Option<&[&str]>) -> Result<Page> {
        if limit > MAX_PAGE_ROWS {
            return Err(Error::invalid(format!("a page of {limit} rows is too long"))
                .hint(format!("ask for {MAX_PAGE_ROWS} rows or fewer")));
        }
        let columns: Vec<&Column> = match columns {
            Some(names) => names.iter().map(|name| self.table.meta().column(name)).collect::<Result<_>>()?,
            None => self.table.meta().visible().collect(),
        };
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let from = offset.min(self.len()) as usize;
        let to = offset.saturating_add(limit).min(self.len()) as usize;
        let mut cells = Vec::new();
        if from < to {
            let rows: Vec<u64> = self.rows[from..to].iter().map(|row| u64::from(*row)).collect();
            cells = pick(&self.table, &names, &rows)?;
        }
        let columns = columns.into_iter().map(|c| PageColumn::of(&c.name, c.kind)).collect();
        Ok(Page { offset, total_rows: Some(self.len()), columns, rows: cells })
    }
}

/// The numbers of the rows for which the condition is true.
fn matching(table: &TableFile, text: &str, progress: &Progress) -> Result<Vec<u32>> {
    let condition = expr::parse(text)?;
    if condition.check(table.schema())? != Type::Boolean {
        return Err(Error::invalid(format!("`{text}` is not true or false"))
            .hint("compare it with something, such as `… > 0`"));
    }
    let names = condition.columns();
    // A condition without columns still has an answer for every row.
    let first = table.meta().columns.first().map(|column| column.name.as_str());
    let names: Vec<&str> = if names.is_empty() { first.into_iter().collect() } else { names };
    let (mut rows, mut at) = (Vec::new(), 0_u32);
    for batch in table.batches(Some(&names))? {
        progress.step("filtering", u64::from(at), Some(table.rows()))?;
        let batch = batch?;
        let answer = condition.eval(&batch)?;
        let answer = answer.as_boolean();
        let is_true = |row: &usize| answer.is_valid(*row) && answer.value(*row);
        rows.extend((0..batch.num_rows()).filter(is_true).map(|row| at + row as u32));
        at += batch.num_rows() as u32;
    }
    Ok(rows)
}

fn sorted(table: &TableFile, rows: Vec<u32>, order: &[Order], progress: &Progress) -> Result<Vec<u32>> {
    if rows.len() as u64 > MAX_SORTED_ROWS {
        return Err(Error::invalid(format!("{} rows are too many to sort", count(rows.len() as u64)))
            .hint(format!("filter them first: up to {} can be sorted", count(MAX_SORTED_ROWS))));
    }
    if order.len() > MAX_KEYS {
        return Err(Error::invalid(format!("{} columns are too many to sort by", order.len()))
            .hint(format!("take up to {MAX_KEYS}")));
    }
    let failed = |e| Error::internal("cannot sort a table").because(e);
    let picked = UInt32Array::from(rows);
    let mut keys = Vec::with_capacity(order.len() + 1);
    for (at, key) in order.iter().enumerate() {
        progress.step("sorting", at as u64, Some(order.len() as u64))?;
        let batches = table.batches(Some(&[key.column.as_str()]))?;
        let parts = batches.map(|batch| Ok(batch?.column(0).clone())).collect::<Result<Vec<ArrayRef>>>()?;
        let parts: Vec<&dyn arrow::array::Array> = parts.iter().map(AsRef::as_ref).collect();
        let values = arrow::compute::take(&concat(&parts).map_err(failed)?, &picked, None).map_err(failed)?;
        let options = SortOptions { descending: key.descending, nulls_first: false };
        keys.push(SortColumn { values, options: Some(options) });
    }
    // The row's own number comes last, so that equal rows stay as they were.
    keys.push(SortColumn { values: std::sync::Arc::new(picked.clone()), options: None });
    let sorted = lexsort_to_indices(&keys, None).map_err(failed)?;
    let rows = arrow::compute::take(&picked, &sorted, None).map_err(failed)?;
    Ok(rows.as_primitive::<arrow::datatypes::UInt32Type>().values().to_vec())
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use arrow::array::{Float64Array, Int64Array, RecordBatch, StringArray};
    use base::Code;

    use super::*;
    use crate::schema::{Kind, TableMeta, arrow_schema};

    const ROWS: i64 = 150_000;

    /// More than two row groups: `n` counts, `m` is `n` modulo 7 with gaps, `t` one of three words.
    fn table(dir: &Path) -> TableFile {
        let columns = [("n", Kind::Integer), ("m", Kind::Number), ("t", Kind::Text)];
        let columns = columns.map(|(name, kind)| Column::new(name, kind)).to_vec();
        let m = (0..ROWS).map(|n| (n % 5 != 0).then_some((n % 7) as f64));
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from_iter_values(0..ROWS)),
            Arc::new(Float64Array::from_iter(m)),
            Arc::new(StringArray::from_iter_values((0..ROWS).map(|n| ["a", "b", "c"][n as usize % 3]))),
        ];
        let batch = RecordBatch::try_new(arrow_schema(&columns), arrays).expect("columns fit");
        crate::table::write(dir, TableMeta::new(columns), [Ok(batch)]).expect("written")
    }

    fn order(column: &str, descending: bool) -> Order {
        Order { column: column.to_owned(), descending }
    }

    fn numbers(page: &Page) -> Vec<&str> {
        page.rows.iter().filter_map(|row| row[0].as_deref()).collect()
    }

    #[test]
    fn a_view_holds_the_rows_for_which_the_condition_is_true() {
        let dir = tempfile::tempdir().expect("a folder");
        let table = table(dir.path());
        let view = View::new(&table, Some("m = 6 and t = 'b'"), &[], &Progress::silent()).expect("a view");
        let expected = (0..ROWS).filter(|n| n % 5 != 0 && n % 7 == 6 && n % 3 == 1);
        assert_eq!(view.len(), expected.clone().count() as u64);
        let page = view.page(view.len() - 3, 10, None).expect("a page");
        let last: Vec<String> = expected.map(|n| n.to_string()).collect();
        assert_eq!(numbers(&page), last[last.len() - 3..]);
        assert_eq!((page.total_rows, page.columns.len()), (Some(view.len()), 3));
        let none = View::new(&table, Some("n < 0"), &[], &Progress::silent()).expect("a view");
        assert!(none.is_empty() && none.page(0, 10, None).expect("a page").rows.is_empty());
    }

    #[test]
    fn rows_are_sorted_by_several_columns_and_missing_values_come_last() {
        let dir = tempfile::tempdir().expect("a folder");
        let table = table(dir.path());
        let by = [order("m", true), order("n", true)];
        let view = View::new(&table, None, &by, &Progress::silent()).expect("a view");
        let mut expected: Vec<i64> = (0..ROWS).collect();
        expected.sort_by_key(|n| (n % 5 == 0, -(n % 7) * i64::from(n % 5 != 0), -n));
        for offset in [0, 40_000, 119_990, 149_995] {
            let page = view.page(offset, 8, Some(&["n"])).expect("a page");
            let found: Vec<i64> = numbers(&page).iter().filter_map(|n| n.parse().ok()).collect();
            let end = expected.len().min(offset as usize + 8);
            assert_eq!(found, expected[offset as usize..end], "{offset}");
        }
    }

    #[test]
    fn what_cannot_be_looked_at_says_why() {
        let dir = tempfile::tempdir().expect("a folder");
        let table = table(dir.path());
        let refused = |condition: Option<&str>, by: &[Order]| {
            View::new(&table, condition, by, &Progress::silent()).expect_err("refused")
        };
        assert!(refused(Some("n + 1"), &[]).message.contains("not true or false"));
        assert!(refused(Some("nn > 1"), &[]).to_string().contains("`nn`"));
        assert!(refused(None, &[order("nn", false)]).message.contains("`nn`"));
        let stopped = Progress::silent();
        stopped.cancel().cancel();
        let error = View::new(&table, Some("n > 1"), &[], &stopped).expect_err("cancelled");
        assert_eq!(error.code, Code::Cancelled);
    }
}
