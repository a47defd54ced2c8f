//! Matches rows that have no key. Equal rows are matched wherever they stand. What is left over
//! between the same matched rows is matched by position, so that an edited row is one changed row
//! and not one that went and one that came.

use base::{Progress, Result};

use super::align::{Alignment, match_equal};
use super::columns::{Shared, hashes};
use super::key::keys;
use crate::table::TableFile;

/// A gap with more pairs of rows than this is matched by position alone.
const MAX_WEIGHED: usize = 10_000;
/// The most rows left over in a version whose cells are compared to match them well.
const MAX_LEFT: usize = 100_000;
/// Rows are the same row edited if at least this share of their cells is equal.
const MIN_SHARE: f64 = 0.5;

/// Matches the rows of two versions by their content.
pub(super) fn align(
    old: &TableFile,
    new: &TableFile,
    shared: &[Shared],
    progress: &Progress,
) -> Result<Alignment> {
    let columns: Vec<&Shared> = shared.iter().collect();
    if columns.is_empty() {
        return Ok(Alignment {
            pairs: Vec::new(),
            removed: (0..old.rows() as u32).collect(),
            added: (0..new.rows() as u32).collect(),
        });
    }
    let olds = keys(old, &columns, true, progress)?;
    let news = keys(new, &columns, false, progress)?;
    let mut alignment = match_equal(&olds, &news);
    let gaps = gaps(&alignment);
    let is_weighed =
        !gaps.is_empty() && alignment.removed.len() <= MAX_LEFT && alignment.added.len() <= MAX_LEFT;
    let cells = if is_weighed { Some(Cells::read(old, new, shared, &alignment, progress)?) } else { None };
    let mut edited = Vec::new();
    for gap in gaps {
        match &cells {
            Some(cells) if gap.removed.len() * gap.added.len() <= MAX_WEIGHED => {
                edited.extend(cells.best(&gap));
            }
            _ => edited.extend(gap.removed.iter().copied().zip(gap.added.iter().copied())),
        }
    }
    take_out(&mut alignment.removed, edited.iter().map(|pair| pair.0).collect());
    take_out(&mut alignment.added, edited.iter().map(|pair| pair.1).collect());
    alignment.pairs.extend(edited);
    Ok(alignment)
}

fn take_out(rows: &mut Vec<u32>, mut taken: Vec<u32>) {
    taken.sort_unstable();
    rows.retain(|row| taken.binary_search(row).is_err());
}

/// Rows left over behind the same matched row.
struct Gap {
    removed: Vec<u32>,
    added: Vec<u32>,
}

/// The gaps in which both versions have rows left over, in the order of the new version.
fn gaps(alignment: &Alignment) -> Vec<Gap> {
    // The new row that stands for the matched row before each row left over; 0 is the beginning.
    let mut by_old = alignment.pairs.clone();
    by_old.sort_unstable();
    let behind_old = |row: &u32| {
        let at = by_old.partition_point(|pair| pair.0 < *row);
        at.checked_sub(1).map_or(0, |at| u64::from(by_old[at].1) + 1)
    };
    let mut by_new: Vec<u32> = alignment.pairs.iter().map(|pair| pair.1).collect();
    by_new.sort_unstable();
    let behind_new = |row: &u32| {
        let at = by_new.partition_point(|new| new < row);
        at.checked_sub(1).map_or(0, |at| u64::from(by_new[at]) + 1)
    };
    let mut removed: Vec<(u64, u32)> = alignment.removed.iter().map(|row| (behind_old(row), *row)).collect();
    removed.sort_unstable();
    let added: Vec<(u64, u32)> = alignment.added.iter().map(|row| (behind_new(row), *row)).collect();
    let rows = |placed: &[(u64, u32)]| placed.iter().map(|placed| placed.1).collect();
    let mut gaps = Vec::new();
    for own in added.chunk_by(|a, b| a.0 == b.0) {
        let from = removed.partition_point(|placed| placed.0 < own[0].0);
        let to = removed.partition_point(|placed| placed.0 <= own[0].0);
        if from < to {
            gaps.push(Gap { removed: rows(&removed[from..to]), added: rows(own) });
        }
    }
    gaps
}

/// The cells of rows left over, as hashes, column by column.
struct Cells {
    removed: Vec<u32>,
    added: Vec<u32>,
    columns: Vec<(Vec<u128>, Vec<u128>)>,
}

impl Cells {
    fn read(
        old: &TableFile,
        new: &TableFile,
        shared: &[Shared],
        left: &Alignment,
        progress: &Progress,
    ) -> Result<Self> {
        let mut columns = Vec::with_capacity(shared.len());
        for column in shared {
            let old = hashes(old, &column.old.name, column.form(), progress)?;
            let new = hashes(new, &column.new.name, column.form(), progress)?;
            columns.push((
                left.removed.iter().map(|row| old[*row as usize]).collect(),
                left.added.iter().map(|row| new[*row as usize]).collect(),
            ));
        }
        Ok(Self { removed: left.removed.clone(), added: left.added.clone(), columns })
    }

    /// The pairs of a gap, in order on both sides, that have the most equal cells in all.
    fn best(&self, gap: &Gap) -> Vec<(u32, u32)> {
        let (m, n) = (gap.removed.len(), gap.added.len());
        let equal = |i: usize, j: usize| self.equal_cells(gap.removed[i], gap.added[j]);
        // most[i][j]: equal cells of the best pairs among the rows from i and from j on.
        let mut most = vec![vec![0_usize; n + 1]; m + 1];
        for i in (0..m).rev() {
            for j in (0..n).rev() {
                let pair = equal(i, j).map_or(0, |cells| cells + most[i + 1][j + 1]);
                most[i][j] = pair.max(most[i + 1][j]).max(most[i][j + 1]);
            }
        }
        let (mut i, mut j) = (0, 0);
        let mut pairs = Vec::new();
        while i < m && j < n {
            if equal(i, j).is_some_and(|cells| cells + most[i + 1][j + 1] == most[i][j]) {
                pairs.push((gap.removed[i], gap.added[j]));
                (i, j) = (i + 1, j + 1);
            } else if most[i + 1][j] == most[i][j] {
                i += 1;
            } else {
                j += 1;
            }
        }
        pairs
    }

    /// How many cells of two rows are equal, if they are enough to call them one row.
    fn equal_cells(&self, removed: u32, added: u32) -> Option<usize> {
        let i = self.removed.binary_search(&removed).expect("the row is left over");
        let j = self.added.binary_search(&added).expect("the row is left over");
        let equal = self.columns.iter().filter(|(old, new)| old[i] == new[j]).count();
        (equal as f64 >= MIN_SHARE * self.columns.len() as f64 && equal > 0).then_some(equal)
    }
}
