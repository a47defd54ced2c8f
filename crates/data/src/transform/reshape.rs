//! Tables put under each other, columns turned into rows and rows into columns.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayRef, AsArray as _, RecordBatch, StringArray, UInt32Array, new_null_array,
};
use arrow::compute::concat;
use base::{Error, Progress, Result};

use super::group::{Measure, compute};
use super::keys::Keys;
use super::{
    MAX_CELLS, MAX_COLUMNS, MAX_ROWS, array, as_kind, check_names, columns_of, find, table, take, take_rows,
    too_much_text, widened,
};
use crate::schema::{Column, Kind};

/// The columns of several tables together: those of the first, then what the others have beside.
///
/// # Errors
/// `invalid_input` for a column whose kinds do not go together.
pub fn union_columns(tables: &[&[Column]]) -> Result<Vec<Column>> {
    let mut all: Vec<Column> = Vec::new();
    for column in tables.iter().copied().flatten() {
        match all.iter_mut().find(|other| other.name == column.name) {
            Some(other) => {
                other.kind = widened(other.kind, column.kind).ok_or_else(|| {
                    let (a, b) = (other.kind.word(), column.kind.word());
                    Error::invalid(format!("`{}` is {a} in one table and {b} in another", column.name))
                        .hint("put a `cast` step before one of them")
                })?;
            }
            None => all.push(column.clone()),
        }
    }
    Ok(all)
}

/// The rows of several tables one after the other, columns found by name. A column that a table
/// does not have is missing in its rows; whole numbers become numbers where another table has
/// those.
///
/// # Errors
/// As [`union_columns`]; more than [`MAX_ROWS`] rows; `cancelled`.
pub fn union(batches: &[RecordBatch], progress: &Progress) -> Result<RecordBatch> {
    let schemas: Vec<Vec<Column>> = batches.iter().map(columns_of).collect();
    let columns = union_columns(&schemas.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    check_rows(rows)?;
    let mut arrays = Vec::with_capacity(columns.len());
    for column in &columns {
        progress.step("putting together", arrays.len() as u64, Some(columns.len() as u64))?;
        let piece = |batch: &RecordBatch| match batch.column_by_name(&column.name) {
            Some(values) => as_kind(values, column.kind),
            None => Ok(new_null_array(&column.kind.data_type(), batch.num_rows())),
        };
        let pieces = batches.iter().map(piece).collect::<Result<Vec<_>>>()?;
        arrays.push(joined(&pieces, column.kind)?);
    }
    table(&columns, arrays, rows)
}

fn joined(pieces: &[ArrayRef], kind: Kind) -> Result<ArrayRef> {
    if pieces.is_empty() {
        return Ok(new_null_array(&kind.data_type(), 0));
    }
    let pieces: Vec<_> = pieces.iter().map(AsRef::as_ref).collect();
    concat(&pieces).map_err(|e| too_much_text(&e))
}

fn check_rows(rows: usize) -> Result<()> {
    if rows <= MAX_ROWS {
        return Ok(());
    }
    let (rows, most) = (base::count(rows as u64), base::count(MAX_ROWS as u64));
    Err(Error::invalid(format!("this makes {rows} rows, and {most} are the most"))
        .hint("filter or sample the rows before this step"))
}

/// Columns to turn into rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpivot {
    /// The columns; the others are repeated.
    pub columns: Vec<String>,
    /// The new column that holds their names.
    pub names: String,
    /// The new column that holds their values.
    pub values: String,
    /// True to leave out missing values.
    pub drops_missing: bool,
}

impl Unpivot {
    /// The columns that [`Unpivot::run`] gives.
    ///
    /// # Errors
    /// `invalid_input` for columns that are not there or of different kinds, and clashing names.
    pub fn columns(&self, columns: &[Column]) -> Result<Vec<Column>> {
        let mut kind: Option<Kind> = None;
        for name in &self.columns {
            let column = find(columns, name)?;
            let common = kind.map_or(Some(column.kind), |kind| widened(kind, column.kind));
            kind = Some(common.ok_or_else(|| {
                Error::invalid(format!("`{name}` is {}, unlike the columns before it", column.kind.word()))
                    .hint("put a `cast` step before this one, or unpivot the kinds one after the other")
            })?);
        }
        let kind = kind.ok_or_else(|| {
            Error::invalid("no column is chosen").hint("choose the columns whose values become rows")
        })?;
        let mut all: Vec<Column> =
            columns.iter().filter(|column| !self.columns.contains(&column.name)).cloned().collect();
        all.extend([Column::new(&self.names, Kind::Text), Column::new(&self.values, kind)]);
        check_names(&all)?;
        Ok(all)
    }

    /// A row for each row and each of its columns, in the order of the rows and then of the columns.
    ///
    /// # Errors
    /// As [`Unpivot::columns`]; more than [`MAX_ROWS`] rows; `cancelled`.
    pub fn run(&self, batch: &RecordBatch, progress: &Progress) -> Result<RecordBatch> {
        let columns = self.columns(&columns_of(batch))?;
        let kind = columns.last().map_or(Kind::Text, |column| column.kind);
        let (rows, width) = (batch.num_rows(), self.columns.len());
        check_rows(rows.saturating_mul(width))?;
        let values = self.columns.iter().map(|name| as_kind(array(batch, name)?, kind));
        let values = values.collect::<Result<Vec<_>>>()?;
        let (mut from, mut column_of) = (Vec::new(), Vec::new());
        for row in 0..rows {
            progress.step("unpivoting", row as u64, Some(rows as u64))?;
            let kept = (0..width).filter(|at| !self.drops_missing || values[*at].is_valid(row));
            kept.for_each(|at| {
                from.push(row as u32);
                column_of.push(at);
            });
        }
        let places = from.iter().zip(&column_of).map(|(row, at)| *at as u32 * rows as u32 + row);
        let places = UInt32Array::from_iter_values(places);
        let kept = take_rows(batch, &from)?;
        let repeated = columns[..columns.len() - 2].iter();
        let mut arrays =
            repeated.map(|column| array(&kept, &column.name).cloned()).collect::<Result<Vec<_>>>()?;
        let names = column_of.iter().map(|at| self.columns[*at].as_str());
        arrays.push(Arc::new(StringArray::from_iter_values(names)));
        arrays.push(take(&joined(&values, kind)?, &places)?);
        table(&columns, arrays, from.len())
    }
}

/// Rows to turn into columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pivot {
    /// What is one row afterwards.
    pub index: Vec<String>,
    /// The column whose values become the names of columns.
    pub names: String,
    /// What stands in them.
    pub measure: Measure,
    /// The values that become columns; empty for all there are.
    pub only: Vec<String>,
}

impl Pivot {
    /// The columns that [`Pivot::run`] gives, if that can be known: without `only` they are in the
    /// rows.
    ///
    /// # Errors
    /// `invalid_input` for columns that are not there and for clashing names.
    pub fn columns(&self, columns: &[Column]) -> Result<Option<Vec<Column>>> {
        find(columns, &self.names)?;
        let made = super::group_columns(columns, &self.index, std::slice::from_ref(&self.measure))?;
        if self.only.is_empty() { Ok(None) } else { self.wide(&made, &self.only).map(Some) }
    }

    fn wide(&self, long: &[Column], names: &[String]) -> Result<Vec<Column>> {
        let (index, measure) = long.split_at(self.index.len());
        let kind = measure.first().map_or(Kind::Number, |column| column.kind);
        let made = names.iter().map(|name| Column::new(name, kind));
        let all: Vec<Column> = index.iter().cloned().chain(made).collect();
        check_names(&all)?;
        Ok(all)
    }

    /// One row for each different combination of values in `index`, in their order, and a column
    /// for each value of `names`, in the order of the names. Where there is no row the cell is
    /// missing, or 0 for a count. Rows in which `names` is missing are left out.
    ///
    /// # Errors
    /// As [`Pivot::columns`]; more than [`MAX_COLUMNS`] columns, or more cells than fit; `cancelled`.
    pub fn run(&self, batch: &RecordBatch, progress: &Progress) -> Result<RecordBatch> {
        let measures = std::slice::from_ref(&self.measure);
        let long = super::group_columns(&columns_of(batch), &self.index, measures)?;
        let labels = as_kind(array(batch, &self.names)?, Kind::Text)?;
        let labels = labels.as_string::<i32>();
        let columns = self.wide(&long, &self.labels(labels)?)?;
        let keys = Keys::of(batch, &self.index)?;
        let groups = keys.groups(progress)?;
        let order = keys.in_order(&groups);
        if order.len().saturating_mul(columns.len()) > MAX_CELLS {
            return Err(Error::invalid(format!(
                "{} rows of {} columns are too many",
                order.len(),
                columns.len()
            ))
            .hint("name fewer values that become columns, or choose an index with fewer values"));
        }
        let firsts: Vec<u32> = order.iter().map(|group| groups.rows(*group)[0]).collect();
        let kept = take_rows(batch, &firsts)?;
        let index = self.index.iter().map(|name| array(&kept, name).cloned());
        let mut arrays = index.collect::<Result<Vec<ArrayRef>>>()?;
        // The rows of each column with their places in the result.
        let mut cells: BTreeMap<&str, Vec<(usize, u32)>> = BTreeMap::new();
        for (place, group) in order.iter().enumerate() {
            for row in groups.rows(*group).iter().filter(|row| labels.is_valid(**row as usize)) {
                cells.entry(labels.value(*row as usize)).or_default().push((place, *row));
            }
        }
        for column in &columns[self.index.len()..] {
            progress.step("pivoting", arrays.len() as u64, Some(columns.len() as u64))?;
            let mut rows: Vec<Vec<u32>> = vec![Vec::new(); order.len()];
            let own = cells.get(column.name.as_str()).into_iter().flatten();
            own.for_each(|(place, row)| rows[*place].push(*row));
            let members: Vec<&[u32]> = rows.iter().map(Vec::as_slice).collect();
            arrays.push(compute(batch, &self.measure, &members, progress)?);
        }
        table(&columns, arrays, order.len())
    }

    /// The names of the new columns.
    fn labels(&self, labels: &StringArray) -> Result<Vec<String>> {
        let mut names = self.only.clone();
        if names.is_empty() {
            let all: std::collections::BTreeSet<&str> = labels.iter().flatten().collect();
            names.extend(all.into_iter().map(str::to_owned));
        }
        if names.len() > MAX_COLUMNS {
            let (found, most) = (base::count(names.len() as u64), base::count(MAX_COLUMNS as u64));
            return Err(Error::invalid(format!(
                "`{}` has {found} different values, and {most} columns are the most",
                self.names
            ))
            .hint("name the values that become columns, or choose a column with fewer"));
        }
        Ok(names)
    }
}
