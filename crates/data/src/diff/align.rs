//! Which row of one version is which row of the other, by the hashes of their keys.

/// The rows of two versions, matched.
#[derive(Debug, Default)]
pub(super) struct Alignment {
    /// Rows that are in both: the number in the old version and in the new one.
    pub(super) pairs: Vec<(u32, u32)>,
    /// Rows that only the old version has, ascending.
    pub(super) removed: Vec<u32>,
    /// Rows that only the new version has, ascending.
    pub(super) added: Vec<u32>,
}

/// A hash with the number of its row.
pub(super) type Placed = (u128, u32);

/// The hashes in ascending order, equal ones by their row.
pub(super) fn placed(hashes: &[u128]) -> Vec<Placed> {
    let mut placed: Vec<Placed> = hashes.iter().copied().zip(0..).collect();
    placed.sort_unstable();
    placed
}

/// Matches rows of equal hashes. Where a hash repeats, the first of one side is matched with the
/// first of the other, and so on.
pub(super) fn match_equal(old: &[u128], new: &[u128]) -> Alignment {
    if old == new {
        let rows = 0..u32::try_from(old.len()).expect("longer versions are refused");
        return Alignment { pairs: rows.clone().zip(rows).collect(), ..Alignment::default() };
    }
    let (old, new) = (placed(old), placed(new));
    let mut alignment = Alignment::default();
    let (mut i, mut j) = (0, 0);
    while let (Some(a), Some(b)) = (old.get(i), new.get(j)) {
        if a.0 == b.0 {
            alignment.pairs.push((a.1, b.1));
            (i, j) = (i + 1, j + 1);
        } else if a.0 < b.0 {
            alignment.removed.push(a.1);
            i += 1;
        } else {
            alignment.added.push(b.1);
            j += 1;
        }
    }
    alignment.removed.extend(old[i..].iter().map(|placed| placed.1));
    alignment.added.extend(new[j..].iter().map(|placed| placed.1));
    alignment.removed.sort_unstable();
    alignment.added.sort_unstable();
    alignment
}
