//! What rows are compared by: the values of some columns as bytes, in which a number that is no
//! number is missing and both zeros are one.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray as _, Float64Array, RecordBatch};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Float64Type};
use arrow::row::{RowConverter, Rows, SortField};
use base::{Error, Progress, Result};

use super::{STEP_ROWS, array};

/// The values of some columns, row by row; bytes in the order of the values.
pub(super) struct Keys {
    rows: Option<Rows>,
    has_missing: Vec<bool>,
}

impl Keys {
    /// The keys of these columns, ascending and missing values last. No column gives one key.
    pub(super) fn of(batch: &RecordBatch, names: &[String]) -> Result<Self> {
        let arrays = names.iter().map(|name| array(batch, name).cloned()).collect::<Result<Vec<_>>>()?;
        let order = SortOptions { descending: false, nulls_first: false };
        Self::ordered(&arrays, &vec![order; arrays.len()], batch.num_rows())
    }

    /// The keys of these columns in an order for each.
    pub(super) fn ordered(arrays: &[ArrayRef], orders: &[SortOptions], rows: usize) -> Result<Self> {
        let arrays: Vec<ArrayRef> = arrays.iter().map(canonical).collect();
        let mut has_missing = vec![false; rows];
        for array in arrays.iter().filter(|array| array.null_count() > 0) {
            has_missing.iter_mut().enumerate().for_each(|(row, missing)| *missing |= array.is_null(row));
        }
        if arrays.is_empty() {
            return Ok(Self { rows: None, has_missing });
        }
        let failed = |e| Error::internal("cannot compare the rows of a table").because(e);
        let field = |(array, order): (&ArrayRef, &SortOptions)| {
            SortField::new_with_options(array.data_type().clone(), *order)
        };
        let converter = RowConverter::new(arrays.iter().zip(orders).map(field).collect());
        let rows = converter.and_then(|converter| converter.convert_columns(&arrays)).map_err(failed)?;
        Ok(Self { rows: Some(rows), has_missing })
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.has_missing.len()
    }

    /// The key of a row.
    pub(super) fn get(&self, row: u32) -> &[u8] {
        self.rows.as_ref().map_or(&[], |rows| rows.row(row as usize).data())
    }

    /// True if a value of the row's key is missing.
    pub(super) fn has_missing(&self, row: u32) -> bool {
        self.has_missing[row as usize]
    }

    /// All rows in the order of their keys; rows of one key stay in theirs.
    pub(super) fn sorted(&self, progress: &Progress) -> Result<Vec<u32>> {
        let mut rows: Vec<u32> = (0..self.len() as u32).collect();
        // In pieces that are merged, so that a long sort can be stopped.
        for piece in rows.chunks_mut(STEP_ROWS) {
            progress.step("sorting", 0, None)?;
            piece.sort_by(|a, b| self.get(*a).cmp(self.get(*b)));
        }
        let mut width = STEP_ROWS;
        while width < rows.len() {
            let mut merged = Vec::with_capacity(rows.len());
            for pair in rows.chunks(2 * width) {
                self.merge(pair.split_at(width.min(pair.len())), &mut merged, progress)?;
            }
            (rows, width) = (merged, width * 2);
        }
        Ok(rows)
    }

    fn merge(&self, (mut a, mut b): (&[u32], &[u32]), out: &mut Vec<u32>, progress: &Progress) -> Result<()> {
        while let ([first, a_rest @ ..], [second, b_rest @ ..]) = (a, b) {
            if out.len().is_multiple_of(STEP_ROWS) {
                progress.step("sorting", out.len() as u64, None)?;
            }
            if self.get(*second) < self.get(*first) {
                out.push(*second);
                b = b_rest;
            } else {
                out.push(*first);
                a = a_rest;
            }
        }
        out.extend_from_slice(a);
        out.extend_from_slice(b);
        Ok(())
    }

    /// The rows that have the same key, keys in the order in which they first occur.
    pub(super) fn groups(&self, progress: &Progress) -> Result<Groups> {
        let mut numbers: HashMap<&[u8], u32> = HashMap::new();
        let mut of_row = Vec::with_capacity(self.len());
        for row in 0..self.len() as u32 {
            if (row as usize).is_multiple_of(STEP_ROWS) {
                progress.step("grouping", u64::from(row), Some(self.len() as u64))?;
            }
            let next = numbers.len() as u32;
            of_row.push(*numbers.entry(self.get(row)).or_insert(next));
        }
        Ok(Groups::new(of_row, numbers.len()))
    }
}

impl Keys {
    /// The groups in the order of their keys.
    pub(super) fn in_order(&self, groups: &Groups) -> Vec<usize> {
        let mut order: Vec<usize> = (0..groups.len()).collect();
        order.sort_by(|a, b| self.get(groups.rows(*a)[0]).cmp(self.get(groups.rows(*b)[0])));
        order
    }
}

/// Rows divided into groups, numbered from 0.
pub(super) struct Groups {
    /// The group of each row.
    pub(super) of_row: Vec<u32>,
    starts: Vec<usize>,
    rows: Vec<u32>,
}

impl Groups {
    fn new(of_row: Vec<u32>, count: usize) -> Self {
        let mut starts = vec![0; count + 1];
        of_row.iter().for_each(|group| starts[*group as usize + 1] += 1);
        for at in 0..count {
            starts[at + 1] += starts[at];
        }
        let mut next = starts.clone();
        let mut rows = vec![0; of_row.len()];
        for (row, group) in (0_u32..).zip(&of_row) {
            rows[next[*group as usize]] = row;
            next[*group as usize] += 1;
        }
        Self { of_row, starts, rows }
    }

    /// How many groups there are.
    pub(super) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// The rows of a group, ascending.
    pub(super) fn rows(&self, group: usize) -> &[u32] {
        &self.rows[self.starts[group]..self.starts[group + 1]]
    }
}

/// A column in which values that are equal have the same bits.
fn canonical(array: &ArrayRef) -> ArrayRef {
    if array.data_type() != &DataType::Float64 {
        return Arc::clone(array);
    }
    let values = array.as_primitive::<Float64Type>().iter();
    Arc::new(values.map(|value| value.filter(|v| !v.is_nan()).map(|v| v + 0.0)).collect::<Float64Array>())
}
