//! Which cells of matched rows changed: a bit for each, column by column, and none for a column
//! without changes.

use std::sync::atomic::{AtomicU64, Ordering};

use base::{Progress, Result};

use super::align::Alignment;
use super::columns::{Shared, hashes};
use crate::each::each;
use crate::table::TableFile;

/// Rows of one word of bits.
const WORD_ROWS: usize = 64;

/// The changed cells of matched rows.
#[derive(Debug)]
pub(super) struct Changes {
    /// For each shared column the bits of its rows, unless nothing changed.
    columns: Vec<Option<Vec<u64>>>,
    /// How many cells changed before each word's rows; one more than there are words.
    before: Vec<u64>,
    rows: u64,
}

impl Changes {
    /// Compares the cells of matched rows.
    pub(super) fn find(
        old: &TableFile,
        new: &TableFile,
        shared: &[Shared],
        alignment: &Alignment,
        progress: &Progress,
    ) -> Result<Self> {
        let total = Some(shared.len() as u64);
        progress.step("comparing", 0, total)?;
        let done = AtomicU64::new(0);
        let columns = each(shared.len(), 2, |at| {
            let column = &shared[at];
            let olds = hashes(old, &column.old.name, column.form(), progress)?;
            let news = hashes(new, &column.new.name, column.form(), progress)?;
            let bits = compare(&olds, &news, &alignment.pairs);
            progress.step("comparing", done.fetch_add(1, Ordering::Relaxed) + 1, total)?;
            Ok(bits)
        })?;
        Ok(Self::of(columns, alignment.pairs.len()))
    }

    fn of(columns: Vec<Option<Vec<u64>>>, pairs: usize) -> Self {
        let words = pairs.div_ceil(WORD_ROWS);
        let mut before = Vec::with_capacity(words + 1);
        let (mut cells, mut rows) = (0, 0);
        before.push(0);
        for word in 0..words {
            let own = || columns.iter().flatten().map(|bits| bits[word]);
            cells += own().map(|bits| u64::from(bits.count_ones())).sum::<u64>();
            rows += u64::from(own().fold(0, |any, bits| any | bits).count_ones());
            before.push(cells);
        }
        Self { columns, before, rows }
    }

    /// Changed cells.
    pub(super) fn total(&self) -> u64 {
        self.before.last().copied().unwrap_or(0)
    }

    /// Rows with a changed cell.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Changed cells of each column.
    pub(super) fn per_column(&self) -> impl Iterator<Item = u64> {
        let ones = |bits: &Vec<u64>| bits.iter().map(|word| u64::from(word.count_ones())).sum();
        self.columns.iter().map(move |bits| bits.as_ref().map_or(0, ones))
    }

    /// The pair of rows and the column of up to `limit` changed cells from the `offset`-th on.
    pub(super) fn window(&self, offset: u64, limit: u64) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        let mut word = self.before.partition_point(|before| *before <= offset).saturating_sub(1);
        while word + 1 < self.before.len() && (found.len() as u64) < limit {
            let skipped = offset.saturating_sub(self.before[word]) as usize;
            let left = limit as usize - found.len();
            found.extend(self.of_word(word).skip(skipped).take(left));
            word += 1;
        }
        found
    }

    fn of_word(&self, word: usize) -> impl Iterator<Item = (usize, usize)> {
        let changed = self.columns.iter().enumerate();
        let changed: Vec<(usize, u64)> =
            changed.filter_map(|(column, bits)| Some((column, bits.as_ref()?[word]))).collect();
        (0..WORD_ROWS).flat_map(move |row| {
            let own = changed.clone().into_iter().filter(move |(_, bits)| bits >> row & 1 == 1);
            own.map(move |(column, _)| (word * WORD_ROWS + row, column))
        })
    }
}

/// A bit for each pair of rows whose cells differ; none if all are equal.
fn compare(old: &[u128], new: &[u128], pairs: &[(u32, u32)]) -> Option<Vec<u64>> {
    let mut bits = vec![0; pairs.len().div_ceil(WORD_ROWS)];
    let mut is_changed = false;
    for (at, (i, j)) in pairs.iter().enumerate() {
        let differs = old[*i as usize] != new[*j as usize];
        bits[at / WORD_ROWS] |= u64::from(differs) << (at % WORD_ROWS);
        is_changed |= differs;
    }
    is_changed.then_some(bits)
}
