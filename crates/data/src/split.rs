//! Divides rows into train, validation and test. Which part a row gets depends on the seed, its
//! number and its stratum alone, so the same table is always divided in the same way.

use base::{Error, Result};

use crate::profile::mixed;

/// The part of each row (0 train, 1 validation, 2 test). With `strata` every stratum is divided
/// by the same shares: each part of a stratum is off by less than one row, and the remainders are
/// carried over, so that the parts of the whole come out right too.
///
/// # Errors
/// `invalid_input` for shares that are negative or do not add up to 1, and for strata that are
/// not one per row.
pub fn assign(rows: usize, strata: Option<&[u32]>, shares: [f64; 3], seed: u64) -> Result<Vec<i8>> {
    let sum: f64 = shares.iter().sum();
    if shares.iter().any(|share| share.is_nan() || *share < 0.0) || (sum - 1.0).abs() > 1e-6 {
        let [train, validation, test] = shares;
        return Err(Error::invalid(format!(
            "the shares {train}, {validation} and {test} do not add up to 1"
        ))
        .hint("use shares such as 0.6, 0.2 and 0.2"));
    }
    if let Some(strata) = strata.filter(|strata| strata.len() != rows) {
        let given = strata.len();
        return Err(Error::invalid(format!("{given} strata are given for {rows} rows"))
            .hint("give each row its stratum"));
    }
    let stratum = |row: usize| strata.map_or(0, |strata| strata[row]);
    let mut order: Vec<usize> = (0..rows).collect();
    // The row number breaks ties between hashes, of which there are none in practice.
    order.sort_unstable_by_key(|row| (stratum(*row), mixed(seed ^ mixed(*row as u64)), *row));
    let mut parts = vec![0; rows];
    let mut carried = [0.0; 3];
    for group in order.chunk_by(|a, b| stratum(*a) == stratum(*b)) {
        let counts = divide(group.len(), shares, &mut carried);
        let mut from = 0;
        for (part, count) in (0_i8..).zip(counts) {
            for row in &group[from..from + count] {
                parts[*row] = part;
            }
            from += count;
        }
    }
    Ok(parts)
}

/// Whole counts for `rows` rows. `carried` is what each part is owed by the groups before.
fn divide(rows: usize, shares: [f64; 3], carried: &mut [f64; 3]) -> [usize; 3] {
    let exact = shares.map(|share| share * rows as f64);
    // Shares such as 0.6 are not exact in binary: 0.6 * 5 must be 3, not 2 and a remainder.
    let mut counts = exact.map(|exact| (exact + 1e-9).floor() as usize);
    let mut owed = [0, 1, 2].map(|part| exact[part] - counts[part] as f64 + carried[part]);
    let left = rows - counts.iter().sum::<usize>().min(rows);
    let mut rounded_up = [false; 3];
    for _ in 0..left {
        // The part that is owed most takes the next row, each part at most one, and never a part
        // whose share is a whole number of rows.
        let can_take = |part: &usize| !rounded_up[*part] && exact[*part] - counts[*part] as f64 > 1e-9;
        let next = (0..3).filter(can_take).max_by(|a, b| owed[*a].total_cmp(&owed[*b]).then(b.cmp(a)));
        let part = next.unwrap_or(0);
        counts[part] += 1;
        owed[part] -= 1.0;
        rounded_up[part] = true;
    }
    *carried = owed;
    counts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    const SHARES: [f64; 3] = [0.6, 0.2, 0.2];

    fn sizes(parts: &[i8]) -> [usize; 3] {
        [0, 1, 2].map(|part| parts.iter().filter(|p| **p == part).count())
    }

    #[test]
    fn the_parts_have_their_shares_and_depend_on_the_seed_alone() {
        let parts = assign(1000, None, SHARES, 7).expect("fits");
        assert_eq!(sizes(&parts), [600, 200, 200]);
        assert_eq!(parts, assign(1000, None, SHARES, 7).expect("fits"));
        assert_ne!(parts, assign(1000, None, SHARES, 8).expect("fits"));
        // The rows of a part are spread over the table, not a run of it.
        assert!((80..=160).contains(&sizes(&parts[..200])[0]));
    }

    #[test]
    fn many_small_strata_still_give_every_part_its_share() {
        let strata: Vec<u32> = (0..900).map(|row| row / 2).collect();
        assert_eq!(sizes(&assign(900, Some(&strata), SHARES, 1).expect("fits")), [540, 180, 180]);
    }

    #[test]
    fn wrong_shares_are_refused() {
        for shares in [[0.6, 0.2, 0.1], [1.2, -0.2, 0.0], [f64::NAN, 0.5, 0.5]] {
            assert!(assign(10, None, shares, 0).is_err(), "{shares:?}");
        }
        assert!(assign(10, Some(&[1, 2]), SHARES, 0).is_err());
        assert_eq!(assign(0, None, SHARES, 0).expect("nothing to divide"), Vec::<i8>::new());
    }

    proptest! {
        #[test]
        fn every_stratum_is_divided_to_within_a_row(strata in proptest::collection::vec(0_u32..6, 0..300), seed in any::<u64>()) {
            let shares = [0.7, 0.1, 0.2];
            let parts = assign(strata.len(), Some(&strata), shares, seed).expect("fits");
            prop_assert_eq!(parts.len(), strata.len());
            for stratum in 0..6 {
                let own: Vec<i8> = parts.iter().zip(&strata).filter(|(_, s)| **s == stratum).map(|(p, _)| *p).collect();
                for (part, size) in sizes(&own).into_iter().enumerate() {
                    prop_assert!((size as f64 - shares[part] * own.len() as f64).abs() < 1.0 + 1e-6);
                }
            }
        }
    }
}
