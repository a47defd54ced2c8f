//! What changed from one version of a table to another: columns, rows and single cells. Rows are
//! matched by a key, which is named, or found, or (where there is none) by their content. Counts
//! are exact; cells are compared by 128-bit hashes and read again when a page of them is shown.

mod align;
mod changes;
mod columns;
mod content;
mod key;

use base::{Error, Progress, Result};
use serde::{Deserialize, Serialize};

use crate::page::{MAX_PAGE_ROWS, Page, PageColumn};
use crate::pick::pick;
use crate::schema::{Column, Kind};
use crate::table::TableFile;
use align::Alignment;
use changes::Changes;
use columns::Shared;

/// How two versions are compared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// The columns whose values, taken together, name a row. If empty, a key is looked for.
    pub key: Vec<String>,
}

/// What changed, in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Columns that only the new version has.
    pub added_columns: Vec<Column>,
    /// Columns that only the old version has.
    pub removed_columns: Vec<Column>,
    /// Columns that have another name and nearly the same cells. They are compared as one.
    pub renamed_columns: Vec<Renamed>,
    /// Columns whose kind changed. Their values are compared as numbers, or else as text.
    pub retyped_columns: Vec<Retyped>,
    /// How rows were matched.
    pub matching: Matching,
    /// Rows of the old version.
    pub old_rows: u64,
    /// Rows of the new version.
    pub new_rows: u64,
    /// Rows that only the new version has.
    pub added_rows: u64,
    /// Rows that only the old version has.
    pub removed_rows: u64,
    /// Rows in both with at least one changed cell.
    pub changed_rows: u64,
    /// Rows in both without a changed cell.
    pub unchanged_rows: u64,
    /// Changed cells of rows that are in both.
    pub changed_cells: u64,
    /// Each column that is in both, in the order of the new version, with its changed cells.
    pub columns: Vec<ColumnChanges>,
}

/// A column that seems to have got another name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Renamed {
    /// Its name in the old version.
    pub from: String,
    /// Its name in the new version.
    pub to: String,
    /// The share of equal cells among the rows looked at, up to 2,000.
    pub equal_share: f64,
}

/// A column whose kind changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retyped {
    /// The column.
    pub name: String,
    /// Its kind in the old version.
    pub from: Kind,
    /// Its kind in the new version.
    pub to: Kind,
}

/// How rows of the two versions were matched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum Matching {
    /// By the values of these columns.
    Key {
        /// The columns.
        columns: Vec<String>,
        /// True if nobody named them: they are unique in both versions.
        is_found: bool,
    },
    /// By equal rows, and rows between them by their position.
    Content,
}

/// How many cells of a column changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnChanges {
    /// Its name in the new version.
    pub name: String,
    /// Its name in the old version.
    pub old_name: String,
    /// Changed cells.
    pub changed_cells: u64,
}

/// A cell that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellChange {
    /// The number of its row in the old version, from 0.
    pub old_row: u64,
    /// The number of its row in the new version.
    pub new_row: u64,
    /// The values of the key that names the row; empty if rows were matched by content.
    pub key: Vec<Option<String>>,
    /// The column, by its name in the new version.
    pub column: String,
    /// The value in the old version, as a viewer shows it; `None` if it was missing.
    pub old: Option<String>,
    /// The value in the new version.
    pub new: Option<String>,
}

/// What changed, with the places of every change.
#[derive(Debug)]
pub struct Diff {
    summary: Summary,
    old: TableFile,
    new: TableFile,
    places: Places,
}

/// Where everything is that changed.
#[derive(Debug)]
struct Places {
    shared: Vec<Shared>,
    alignment: Alignment,
    changes: Changes,
}

/// Compares two versions of a table.
///
/// # Errors
/// `not_found` for a key column that one version does not have; `invalid_input` for a key that
/// does not name rows, with examples, and for more than 4 billion rows; `corrupt`, `cancelled`.
pub fn diff(old: &TableFile, new: &TableFile, options: &Options, progress: &Progress) -> Result<Diff> {
    let too_long = [old, new].into_iter().any(|table| table.rows() >= u64::from(u32::MAX));
    if too_long {
        return Err(Error::invalid("the versions are too long to be compared")
            .hint(format!("compare versions of fewer than {} rows", u32::MAX)));
    }
    let mut shared = columns::shared(old, new);
    let (matching, mut alignment) = match key::choose(old, new, &shared, &options.key, progress)? {
        Some((matching, alignment)) => (matching, alignment),
        None => (Matching::Content, content::align(old, new, &shared, progress)?),
    };
    alignment.pairs.sort_unstable_by_key(|(_, new_row)| *new_row);
    let renamed = columns::renamed(old, new, &shared, &alignment, progress)?;
    columns::add_renamed(&mut shared, &renamed, new);
    let changes = Changes::find(old, new, &shared, &alignment, progress)?;
    let places = Places { shared, alignment, changes };
    let summary = places.summary(old, new, renamed, matching);
    Ok(Diff { summary, old: old.clone(), new: new.clone(), places })
}

impl Diff {
    /// What changed, in numbers.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// True if nothing changed but perhaps the order of rows and columns.
    pub fn is_empty(&self) -> bool {
        let s = &self.summary;
        let columns = s.added_columns.len() + s.removed_columns.len() + s.renamed_columns.len();
        columns + s.retyped_columns.len() == 0 && s.added_rows + s.removed_rows + s.changed_cells == 0
    }

    /// Up to `limit` changed cells from the `offset`-th on, in the order of the new version's rows
    /// and columns.
    ///
    /// # Errors
    /// `invalid_input` for more than [`MAX_PAGE_ROWS`] cells; `corrupt`.
    pub fn cells(&self, offset: u64, limit: u64) -> Result<Vec<CellChange>> {
        within_page(limit)?;
        let found = self.places.changes.window(offset, limit);
        let place = |(pair, _): &(usize, usize)| self.places.alignment.pairs[*pair];
        let new_rows: Vec<u32> = found.iter().map(|at| place(at).1).collect();
        let key_columns: Vec<&str> = match &self.summary.matching {
            Matching::Key { columns, .. } => columns.iter().map(String::as_str).collect(),
            Matching::Content => Vec::new(),
        };
        let keys = cells_at(&self.new, &key_columns, &new_rows)?;
        let mut cells: Vec<CellChange> = found
            .iter()
            .zip(keys)
            .map(|(at, key)| CellChange {
                old_row: u64::from(place(at).0),
                new_row: u64::from(place(at).1),
                key,
                column: self.places.shared[at.1].new.name.clone(),
                old: None,
                new: None,
            })
            .collect();
        for (column, shared) in self.places.shared.iter().enumerate() {
            let own: Vec<usize> = (0..found.len()).filter(|at| found[*at].1 == column).collect();
            let rows = |is_old: bool| -> Vec<u32> {
                own.iter()
                    .map(|at| place(&found[*at]))
                    .map(|pair| if is_old { pair.0 } else { pair.1 })
                    .collect()
            };
            let old = cells_at(&self.old, &[&shared.old.name], &rows(true))?;
            let new = cells_at(&self.new, &[&shared.new.name], &rows(false))?;
            for ((at, old), new) in own.into_iter().zip(old).zip(new) {
                cells[at].old = old.into_iter().next().flatten();
                cells[at].new = new.into_iter().next().flatten();
            }
        }
        Ok(cells)
    }

    /// Up to `limit` rows that only the new version has, from the `offset`-th on.
    ///
    /// # Errors
    /// As [`Self::cells`].
    pub fn added_rows(&self, offset: u64, limit: u64) -> Result<Page> {
        rows_page(&self.new, &self.places.alignment.added, offset, limit)
    }

    /// Up to `limit` rows that only the old version has, from the `offset`-th on.
    ///
    /// # Errors
    /// As [`Self::cells`].
    pub fn removed_rows(&self, offset: u64, limit: u64) -> Result<Page> {
        rows_page(&self.old, &self.places.alignment.removed, offset, limit)
    }

    /// The numbers, in their own version, of the rows that only the new version has.
    pub fn added_row_numbers(&self) -> &[u32] {
        &self.places.alignment.added
    }

    /// The numbers, in their own version, of the rows that only the old version has.
    pub fn removed_row_numbers(&self) -> &[u32] {
        &self.places.alignment.removed
    }
}

impl Places {
    fn summary(
        &self,
        old: &TableFile,
        new: &TableFile,
        renamed: Vec<Renamed>,
        matching: Matching,
    ) -> Summary {
        let Self { shared, alignment, changes } = self;
        let only_new = |column: &&Column| !shared.iter().any(|s| s.new.name == column.name);
        let only_old = |column: &&Column| !shared.iter().any(|s| s.old.name == column.name);
        let retyped = shared.iter().filter(|shared| shared.old.kind != shared.new.kind);
        let counted = shared.iter().zip(changes.per_column());
        Summary {
            added_columns: new.meta().visible().filter(only_new).cloned().collect(),
            removed_columns: old.meta().visible().filter(only_old).cloned().collect(),
            renamed_columns: renamed,
            retyped_columns: retyped
                .map(|s| Retyped { name: s.new.name.clone(), from: s.old.kind, to: s.new.kind })
                .collect(),
            matching,
            old_rows: old.rows(),
            new_rows: new.rows(),
            added_rows: alignment.added.len() as u64,
            removed_rows: alignment.removed.len() as u64,
            changed_rows: changes.rows(),
            unchanged_rows: alignment.pairs.len() as u64 - changes.rows(),
            changed_cells: changes.total(),
            columns: counted
                .map(|(shared, changed_cells)| ColumnChanges {
                    name: shared.new.name.clone(),
                    old_name: shared.old.name.clone(),
                    changed_cells,
                })
                .collect(),
        }
    }
}

fn within_page(limit: u64) -> Result<()> {
    if limit <= MAX_PAGE_ROWS {
        return Ok(());
    }
    Err(Error::invalid(format!("a page of {limit} changes is too long"))
        .hint(format!("ask for {MAX_PAGE_ROWS} or fewer")))
}

fn rows_page(table: &TableFile, rows: &[u32], offset: u64, limit: u64) -> Result<Page> {
    within_page(limit)?;
    let from = usize::try_from(offset).unwrap_or(usize::MAX).min(rows.len());
    let to = rows.len().min(from.saturating_add(limit as usize));
    let columns: Vec<&Column> = table.meta().visible().collect();
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    Ok(Page {
        offset,
        total_rows: Some(rows.len() as u64),
        columns: columns.iter().map(|column| PageColumn::of(&column.name, column.kind)).collect(),
        rows: cells_at(table, &names, &rows[from..to])?,
    })
}

/// The cells of rows in any order, which may repeat.
fn cells_at(table: &TableFile, columns: &[&str], rows: &[u32]) -> Result<Vec<Vec<Option<String>>>> {
    let mut sorted: Vec<u64> = rows.iter().map(|row| u64::from(*row)).collect();
    sorted.sort_unstable();
    sorted.dedup();
    let cells = pick(table, columns, &sorted)?;
    let cell = |row: &u32| {
        let at = sorted.binary_search(&u64::from(*row)).expect("every row is in the list");
        cells[at].clone()
    };
    Ok(rows.iter().map(cell).collect())
}

#[cfg(test)]
mod tests;
