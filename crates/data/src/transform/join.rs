//! Two tables side by side where their keys are equal. As in SQL, a key with a missing value is
//! equal to none.

use std::collections::HashMap;

use arrow::array::{Array as _, ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::kernels::zip::zip;
use base::{Error, Progress, Result};

use super::keys::Keys;
use super::{
    MAX_ROWS, STEP_ROWS, array, as_kind, check_names, columns_of, find, misshapen, table, take, widened,
};
use crate::schema::{Column, Kind};

/// Which rows stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinKind {
    /// Pairs of rows.
    Inner,
    /// Every row of the left table, with what the right one has.
    Left,
    /// Every row of the right table, with what the left one has.
    Right,
    /// Every row of both.
    Full,
    /// Rows of the left table that have a partner, once, without its columns.
    Semi,
    /// Rows of the left table that have none.
    Anti,
}

/// How two tables are joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Join {
    /// Which rows stay.
    pub kind: JoinKind,
    /// The key in the left table; at least one column.
    pub left_on: Vec<String>,
    /// The key in the right table, column by column.
    pub right_on: Vec<String>,
    /// What is put behind the name of a right column that the left table has too.
    pub suffix: String,
}

/// Rows of the left and the right table that belong together.
#[derive(Default)]
struct Pairs {
    left: Vec<Option<u32>>,
    right: Vec<Option<u32>>,
}

impl Join {
    /// The columns that [`Join::run`] gives: those of the left table, then those of the right one
    /// that are no key. A key is there once, under its left name.
    ///
    /// # Errors
    /// `invalid_input` for keys that are not there or do not fit each other, and for a name that
    /// would stand for two columns.
    pub fn columns(&self, left: &[Column], right: &[Column]) -> Result<Vec<Column>> {
        self.check_keys(left, right)?;
        if matches!(self.kind, JoinKind::Semi | JoinKind::Anti) {
            return Ok(left.to_vec());
        }
        let mut columns: Vec<Column> = left.to_vec();
        for (left_name, right_name) in self.left_on.iter().zip(&self.right_on) {
            let (a, b) = (find(left, left_name)?, find(right, right_name)?);
            let key = columns.iter_mut().find(|column| column.name == *left_name);
            key.into_iter().for_each(|key| key.kind = widened(a.kind, b.kind).unwrap_or(a.kind));
        }
        for column in right.iter().filter(|column| !self.right_on.contains(&column.name)) {
            let is_taken = left.iter().any(|other| other.name == column.name);
            let name = if is_taken { format!("{}{}", column.name, self.suffix) } else { column.name.clone() };
            columns.push(Column::new(name, column.kind));
        }
        check_names(&columns).map_err(|e| e.hint("choose another suffix, or rename the column before"))?;
        Ok(columns)
    }

    fn check_keys(&self, left: &[Column], right: &[Column]) -> Result<()> {
        if self.left_on.is_empty() || self.left_on.len() != self.right_on.len() {
            let (a, b) = (self.left_on.len(), self.right_on.len());
            return Err(Error::invalid(format!("the key has {a} columns on the left and {b} on the right"))
                .hint("name the columns that have to be equal, the same number on both sides"));
        }
        for (left_name, right_name) in self.left_on.iter().zip(&self.right_on) {
            let (a, b) = (find(left, left_name)?, find(right, right_name)?);
            if widened(a.kind, b.kind).is_none() {
                return Err(Error::invalid(format!(
                    "`{left_name}` is {} and `{right_name}` is {}, so they are never equal",
                    a.kind.word(),
                    b.kind.word()
                ))
                .hint("put a `cast` step before this one"));
            }
        }
        Ok(())
    }

    /// Joins the tables. Rows are in the order of the left table and within it of the right one;
    /// right rows without a partner come last. A right join is in the order of the right table.
    ///
    /// # Errors
    /// As [`Join::columns`]; more than [`MAX_ROWS`] pairs; `cancelled`.
    pub fn run(&self, left: &RecordBatch, right: &RecordBatch, progress: &Progress) -> Result<RecordBatch> {
        let columns = self.columns(&columns_of(left), &columns_of(right))?;
        let (left_keys, right_keys) = self.keys(left, right)?;
        let pairs = self.pairs(&left_keys, &right_keys, progress)?;
        let (left_rows, right_rows) = (UInt32Array::from(pairs.left), UInt32Array::from(pairs.right));
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(columns.len());
        for (column, source) in columns.iter().zip(left.columns()) {
            progress.step("joining", arrays.len() as u64, Some(columns.len() as u64))?;
            let values = take(&as_kind(source, column.kind)?, &left_rows)?;
            let key = self.left_on.iter().position(|name| *name == column.name);
            arrays.push(match key {
                Some(at) if left_rows.null_count() > 0 => {
                    let other = as_kind(array(right, &self.right_on[at])?, column.kind)?;
                    let has_left = arrow::compute::is_not_null(&left_rows).map_err(|e| misshapen(&e))?;
                    zip(&has_left, &values, &take(&other, &right_rows)?).map_err(|e| misshapen(&e))?
                }
                _ => values,
            });
        }
        if columns.len() > left.num_columns() {
            let schema = right.schema();
            let others = schema.fields().iter().zip(right.columns());
            for (_, values) in others.filter(|(field, _)| !self.right_on.contains(field.name())) {
                progress.step("joining", arrays.len() as u64, Some(columns.len() as u64))?;
                arrays.push(take(values, &right_rows)?);
            }
        }
        table(&columns, arrays, left_rows.len())
    }

    /// The keys of both sides, of the same kinds so that they can be compared.
    fn keys(&self, left: &RecordBatch, right: &RecordBatch) -> Result<(Keys, Keys)> {
        let (mut lefts, mut rights) = (Vec::new(), Vec::new());
        for (left_name, right_name) in self.left_on.iter().zip(&self.right_on) {
            let (a, b) = (array(left, left_name)?, array(right, right_name)?);
            let kind = widened(Kind::of(a.data_type()), Kind::of(b.data_type()));
            let kind = kind.ok_or_else(|| Error::internal("the kinds of a key were not checked"))?;
            lefts.push(as_kind(a, kind)?);
            rights.push(as_kind(b, kind)?);
        }
        let orders = vec![arrow::compute::SortOptions::default(); lefts.len()];
        let left_keys = Keys::ordered(&lefts, &orders, left.num_rows())?;
        Ok((left_keys, Keys::ordered(&rights, &orders, right.num_rows())?))
    }

    fn pairs(&self, left: &Keys, right: &Keys, progress: &Progress) -> Result<Pairs> {
        match self.kind {
            JoinKind::Inner => matched(left, right, false, progress),
            JoinKind::Left => matched(left, right, true, progress),
            JoinKind::Right => {
                let Pairs { left, right } = matched(right, left, true, progress)?;
                Ok(Pairs { left: right, right: left })
            }
            JoinKind::Full => {
                let mut pairs = matched(left, right, true, progress)?;
                let mut has_partner = vec![false; right.len()];
                pairs.right.iter().flatten().for_each(|row| has_partner[*row as usize] = true);
                let alone = (0..right.len() as u32).filter(|row| !has_partner[*row as usize]);
                pairs.right.extend(alone.map(Some));
                pairs.left.resize(pairs.right.len(), None);
                Ok(pairs)
            }
            JoinKind::Semi | JoinKind::Anti => {
                let index = Index::of(right);
                let keeps = |row: &u32| index.rows(left, *row).is_some() == (self.kind == JoinKind::Semi);
                let rows: Vec<Option<u32>> = (0..left.len() as u32).filter(keeps).map(Some).collect();
                Ok(Pairs { right: vec![None; rows.len()], left: rows })
            }
        }
    }
}

/// The rows of a table by key.
struct Index<'a>(HashMap<&'a [u8], Vec<u32>>);

impl<'a> Index<'a> {
    fn of(keys: &'a Keys) -> Self {
        let mut rows: HashMap<&[u8], Vec<u32>> = HashMap::new();
        for row in (0..keys.len() as u32).filter(|row| !keys.has_missing(*row)) {
            rows.entry(keys.get(row)).or_default().push(row);
        }
        Self(rows)
    }

    fn rows(&self, keys: &Keys, row: u32) -> Option<&[u32]> {
        if keys.has_missing(row) { None } else { self.0.get(keys.get(row)).map(Vec::as_slice) }
    }
}

/// Every row of one side with each of its partners, and alone if it has none and `keeps_lonely`.
fn matched(outer: &Keys, inner: &Keys, keeps_lonely: bool, progress: &Progress) -> Result<Pairs> {
    let index = Index::of(inner);
    let mut pairs = Pairs::default();
    for row in 0..outer.len() as u32 {
        if (row as usize).is_multiple_of(STEP_ROWS) {
            progress.step("matching", u64::from(row), Some(outer.len() as u64))?;
        }
        match index.rows(outer, row) {
            Some(partners) => {
                pairs.left.extend(std::iter::repeat_n(Some(row), partners.len()));
                pairs.right.extend(partners.iter().copied().map(Some));
            }
            None if keeps_lonely => {
                pairs.left.push(Some(row));
                pairs.right.push(None);
            }
            None => (),
        }
        if pairs.left.len() > MAX_ROWS {
            return Err(Error::invalid(format!(
                "the join makes more than {} rows",
                base::count(MAX_ROWS as u64)
            ))
            .hint(
                "the key is not unique on either side: add columns to it, or group one table by it first",
            ));
        }
    }
    Ok(pairs)
}
