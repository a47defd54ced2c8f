//! The columns of two versions: which are in both, in which form their cells can be compared, and
//! which were only given another name.

use std::collections::BTreeSet;

use arrow::array::{Array as _, ArrayRef, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use base::{Error, Progress, Result};

use super::Renamed;
use super::align::Alignment;
use crate::page::append_rows;
use crate::row_hash;
use crate::schema::{Column, Kind};
use crate::table::TableFile;

/// Rows that are looked at to tell whether two columns are one.
const RENAME_ROWS: usize = 2000;
/// The least share of equal cells of a renamed column.
const RENAME_SHARE: f64 = 0.8;
/// Columns beyond these are not looked at for renames: each pair of them would have to be.
const RENAME_COLUMNS: usize = 50;

/// A column of both versions.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub(super) old: Column,
    pub(super) new: Column,
}

/// In which form cells are hashed, so that equal ones have equal hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As they are.
    Plain,
    /// Whole numbers as numbers.
    Number,
    /// As a viewer shows them.
    Shown,
}

impl Shared {
    pub(super) fn form(&self) -> Form {
        if self.old.kind == self.new.kind {
            Form::Plain
        } else if self.old.kind.is_numeric() && self.new.kind.is_numeric() {
            Form::Number
        } else {
            Form::Shown
        }
    }
}

/// The columns that both versions have, in the order of the new one.
pub(super) fn shared(old: &TableFile, new: &TableFile) -> Vec<Shared> {
    let of = |column: &Column| {
        let old = old.meta().visible().find(|old| old.name == column.name)?;
        Some(Shared { old: old.clone(), new: column.clone() })
    };
    new.meta().visible().filter_map(of).collect()
}

/// The hashes of the cells of a column, row by row.
pub(super) fn hashes(table: &TableFile, column: &str, form: Form, progress: &Progress) -> Result<Vec<u128>> {
    let mut rows = vec![0; usize::try_from(table.rows()).unwrap_or(0)];
    add(&mut rows, table, column, (form, 0), progress)?;
    Ok(rows)
}

/// Adds the cells of a column, mixed with a number, to the hashes of the rows.
pub(super) fn add(
    rows: &mut [u128],
    table: &TableFile,
    column: &str,
    (form, salt): (Form, u64),
    progress: &Progress,
) -> Result<()> {
    let mut from = 0;
    for batch in table.batches(Some(&[column]))? {
        if progress.cancel().is_cancelled() {
            return Err(Error::cancelled());
        }
        let batch = batch?;
        let to = from + batch.num_rows();
        // A table may hold fewer columns than asked for only if it is corrupt, which reading says.
        row_hash::add_column(&mut rows[from..to], in_form(&batch, form)?.as_ref(), salt)?;
        from = to;
    }
    Ok(())
}

fn in_form(batch: &RecordBatch, form: Form) -> Result<ArrayRef> {
    let array = batch.column(0);
    match form {
        Form::Plain => Ok(array.clone()),
        Form::Number => cast(array, &DataType::Float64)
            .map_err(|e| Error::internal("cannot compare whole numbers with numbers").because(e)),
        Form::Shown => {
            if array.data_type() == &DataType::Utf8 {
                return Ok(array.clone());
            }
            let mut cells = Vec::with_capacity(batch.num_rows());
            append_rows(batch, &mut cells)?;
            Ok(std::sync::Arc::new(cells.into_iter().flatten().collect::<StringArray>()))
        }
    }
}

/// Columns of one version only that hold nearly the same cells as one of the other.
pub(super) fn renamed(
    old: &TableFile,
    new: &TableFile,
    shared: &[Shared],
    alignment: &Alignment,
    progress: &Progress,
) -> Result<Vec<Renamed>> {
    let gone = old.meta().visible().filter(|c| !shared.iter().any(|s| s.old.name == c.name));
    let fresh = new.meta().visible().filter(|c| !shared.iter().any(|s| s.new.name == c.name));
    let (gone, fresh): (Vec<_>, Vec<_>) =
        (gone.take(RENAME_COLUMNS).collect(), fresh.take(RENAME_COLUMNS).collect());
    if gone.is_empty() || fresh.is_empty() || alignment.pairs.is_empty() {
        return Ok(Vec::new());
    }
    let step = alignment.pairs.len().div_ceil(RENAME_ROWS);
    let sample: Vec<(u32, u32)> = alignment.pairs.iter().step_by(step).copied().collect();
    let of = |table: &TableFile, column: &Column, row: fn(&(u32, u32)) -> u32| -> Result<Vec<u128>> {
        let hashes = hashes(table, &column.name, Form::Plain, progress)?;
        Ok(sample.iter().map(|pair| hashes[row(pair) as usize]).collect())
    };
    let olds = gone.iter().map(|column| of(old, column, |pair| pair.0)).collect::<Result<Vec<_>>>()?;
    let news = fresh.iter().map(|column| of(new, column, |pair| pair.1)).collect::<Result<Vec<_>>>()?;
    let mut found: Vec<(f64, usize, usize)> = Vec::new();
    for (i, before) in gone.iter().enumerate() {
        for j in (0..fresh.len()).filter(|j| fresh[*j].kind == before.kind) {
            let share = equal_share(&olds[i], &news[j]);
            if share >= RENAME_SHARE && can_be_told_apart(before.kind, &olds[i]) {
                found.push((share, i, j));
            }
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let (mut used_old, mut used_new) = (BTreeSet::new(), BTreeSet::new());
    let mut renamed = Vec::new();
    for (equal_share, i, j) in found {
        if !used_old.contains(&i) && !used_new.contains(&j) {
            used_old.insert(i);
            used_new.insert(j);
            renamed.push(Renamed { from: gone[i].name.clone(), to: fresh[j].name.clone(), equal_share });
        }
    }
    Ok(renamed)
}

fn equal_share(a: &[u128], b: &[u128]) -> f64 {
    a.iter().zip(b).filter(|(a, b)| a == b).count() as f64 / a.len() as f64
}

/// Two columns of few values are often equal without being one: a flag needs not be another flag.
fn can_be_told_apart(kind: Kind, cells: &[u128]) -> bool {
    let distinct = cells.iter().collect::<BTreeSet<_>>().len();
    kind != Kind::Boolean && (distinct > 2 || distinct == cells.len() && distinct > 1)
}

/// Adds renamed columns to the shared ones, in the order of the new version.
pub(super) fn add_renamed(shared: &mut Vec<Shared>, renamed: &[Renamed], new: &TableFile) {
    for pair in renamed {
        if let Ok(column) = new.meta().column(&pair.to) {
            let old = Column::new(pair.from.clone(), column.kind);
            shared.push(Shared { old, new: column.clone() });
        }
    }
    let place = |shared: &Shared| new.meta().columns.iter().position(|column| column.name == shared.new.name);
    shared.sort_by_key(place);
}
