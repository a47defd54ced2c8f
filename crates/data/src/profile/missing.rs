//! Which columns are missing together.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef};
use serde::{Deserialize, Serialize};

/// Patterns that a profile lists.
const MAX_LISTED: usize = 20;
/// Patterns that are counted; rows of any beyond are counted together.
const MAX_COUNTED: usize = 100_000;
/// Bits kept for all columns: 256 MB.
const MAX_BITS: u64 = 1 << 31;

/// Which columns are missing together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Rows without a missing value.
    pub complete_rows: u64,
    /// The most frequent sets of columns that are missing together, up to 20.
    pub patterns: Vec<MissingPattern>,
    /// Rows with a missing value that have none of those patterns.
    pub other_rows: u64,
}

/// Columns that are missing in the same rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingPattern {
    /// The columns that are missing, in file order; every other column has a value.
    pub columns: Vec<String>,
    /// Rows with exactly this pattern.
    pub rows: u64,
}

/// A bit for each row of a column, set where its value is missing.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    words: Vec<u64>,
    rows: usize,
    any: bool,
}

impl Gaps {
    /// True if the bits of a table of this size are few enough to keep.
    pub(super) fn fit(rows: u64, columns: usize) -> bool {
        rows.saturating_mul(columns as u64) <= MAX_BITS
    }

    pub(super) fn add(&mut self, array: &ArrayRef) {
        let first = self.rows;
        self.rows += array.len();
        self.words.resize(self.rows.div_ceil(64), 0);
        let Some(nulls) = array.nulls().filter(|nulls| nulls.null_count() > 0) else { return };
        self.any = true;
        for row in (0..array.len()).filter(|row| nulls.is_null(*row)) {
            let at = first + row;
            self.words[at / 64] |= 1 << (at % 64);
        }
    }

    /// The same, without bits if nothing is missing.
    pub(super) fn finished(mut self) -> Self {
        if !self.any {
            self.words = Vec::new();
        }
        self
    }
}

/// Counts the patterns of columns, each with its name.
pub(super) fn patterns(columns: &[(String, Gaps)], rows: u64) -> Missing {
    let gappy: Vec<&(String, Gaps)> = columns.iter().filter(|(_, gaps)| gaps.any).collect();
    let words = gappy.first().map_or(0, |(_, gaps)| gaps.words.len());
    let mut counts: HashMap<Box<[u64]>, u64> = HashMap::new();
    let (mut incomplete, mut uncounted) = (0, 0);
    let mut pattern = vec![0_u64; gappy.len().div_ceil(64)];
    for word in 0..words {
        let mut left = gappy.iter().fold(0, |any, (_, gaps)| any | gaps.words[word]);
        incomplete += u64::from(left.count_ones());
        while left != 0 {
            let row = left.trailing_zeros();
            left &= left - 1;
            pattern.fill(0);
            for (at, (_, gaps)) in gappy.iter().enumerate() {
                pattern[at / 64] |= (gaps.words[word] >> row & 1) << (at % 64);
            }
            if let Some(count) = counts.get_mut(pattern.as_slice()) {
                *count += 1;
            } else if counts.len() < MAX_COUNTED {
                counts.insert(pattern.as_slice().into(), 1);
            } else {
                uncounted += 1;
            }
        }
    }
    let mut counted: Vec<(Vec<usize>, u64)> =
        counts.into_iter().map(|(pattern, rows)| (members(&pattern), rows)).collect();
    counted.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let unlisted: u64 = counted.iter().skip(MAX_LISTED).map(|(_, rows)| rows).sum();
    counted.truncate(MAX_LISTED);
    let named = |members: Vec<usize>| members.into_iter().map(|at| gappy[at].0.clone()).collect();
    Missing {
        complete_rows: rows - incomplete,
        patterns: counted.into_iter().map(|(m, rows)| MissingPattern { columns: named(m), rows }).collect(),
        other_rows: unlisted + uncounted,
    }
}

/// The numbers of the bits that are set.
fn members(pattern: &[u64]) -> Vec<usize> {
    (0..pattern.len() * 64).filter(|at| pattern[at / 64] >> (at % 64) & 1 == 1).collect()
}
