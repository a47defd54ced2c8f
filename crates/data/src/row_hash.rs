//! 128-bit hashes of cells and rows: to find equal rows without keeping them. The hash of a row is
//! the sum of the hashes of its cells, each mixed with its column's number, so that columns can be
//! added in any order and on any thread. Not meant to withstand someone who looks for collisions;
//! by chance, two of a billion rows collide with a probability below 2e-21.

use arrow::array::{Array, AsArray as _, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int8Type, Int64Type, TimestampMillisecondType};
use base::{Error, Result};

use crate::profile::mixed;

/// What a missing cell hashes as, before its column is mixed in.
const MISSING: u128 = 0xA409_3822_299F_31D0_082E_FA98_EC4E_6C89;

/// Adds the cells of a column, one for each row, to the hashes of the rows.
///
/// # Errors
/// `internal` for an Arrow type that no table holds.
pub(crate) fn add_column(rows: &mut [u128], array: &dyn Array, column: u64) -> Result<()> {
    debug_assert_eq!(rows.len(), array.len(), "one hash for each row");
    let salt = Salt::new(column);
    let cells = rows.iter_mut();
    match array.data_type() {
        DataType::Int64 => numbers(cells, array.as_primitive::<Int64Type>().iter(), salt, |v| v as u64),
        DataType::Float64 => numbers(cells, array.as_primitive::<Float64Type>().iter(), salt, float_bits),
        DataType::Boolean => numbers(cells, array.as_boolean().iter(), salt, u64::from),
        DataType::Int8 => numbers(cells, array.as_primitive::<Int8Type>().iter(), salt, |v| v as u64),
        DataType::Timestamp(..) => {
            numbers(cells, array.as_primitive::<TimestampMillisecondType>().iter(), salt, |v| v as u64);
        }
        DataType::Utf8 => {
            for (row, text) in cells.zip(array.as_string::<i32>().iter()) {
                let hash = text.map_or(MISSING, |text| of_bytes(text.as_bytes()));
                *row = row.wrapping_add(salt.mix(hash));
            }
        }
        other => return Err(Error::internal(format!("no table holds the type {other}"))),
    }
    Ok(())
}

/// The hash of each row over all columns of a batch.
///
/// # Errors
/// `internal` for an Arrow type that no table holds.
pub(crate) fn of_rows(batch: &RecordBatch) -> Result<Vec<u128>> {
    let mut rows = vec![0; batch.num_rows()];
    for (at, array) in batch.columns().iter().enumerate() {
        add_column(&mut rows, array.as_ref(), at as u64)?;
    }
    Ok(rows)
}

/// The hash of a number that stands in a column by its bits.
pub(crate) fn of_bits(bits: u64) -> u128 {
    join(bits, bits.rotate_left(32) ^ 0x4528_21E6_38D0_1377)
}

/// The hash of a text: two lanes of folded multiplications over 16 bytes a time, as in wyhash.
pub(crate) fn of_bytes(bytes: &[u8]) -> u128 {
    let length = bytes.len() as u64;
    let (mut a, mut b) = (length ^ 0x243F_6A88_85A3_08D3, length ^ 0x1319_8A2E_0370_7344);
    let mut chunks = bytes.chunks_exact(16);
    let mut add = |x: u64, y: u64| {
        a = folded(x ^ 0xBE54_66CF_34E9_0C6C, y ^ a);
        b = folded(x ^ 0xC0AC_29B7_C97C_50DD, y ^ b.rotate_left(29));
    };
    for chunk in &mut chunks {
        add(word(&chunk[..8]), word(&chunk[8..]));
    }
    // The length is mixed in, so that the zeros that fill up the last piece are no ambiguity.
    let rest = chunks.remainder();
    if !rest.is_empty() {
        let (x, y) = rest.split_at(rest.len().min(8));
        add(word(x), word(y));
    }
    join(a, b)
}

/// The number of rows that repeat an earlier one. Sorts the hashes.
pub(crate) fn count_repeats(hashes: &mut [u128]) -> u64 {
    hashes.sort_unstable();
    hashes.windows(2).filter(|pair| pair[0] == pair[1]).count() as u64
}

/// The hashes that occur more than once, sorted.
pub(crate) fn repeated(mut hashes: Vec<u128>) -> Vec<u128> {
    hashes.sort_unstable();
    let mut repeated: Vec<u128> =
        hashes.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    repeated.dedup();
    repeated
}

/// The bits of a number under which equal values are equal.
pub(crate) fn float_bits(value: f64) -> u64 {
    if value == 0.0 { 0 } else { value.to_bits() }
}

/// What makes equal values of two columns different.
#[derive(Clone, Copy)]
struct Salt(u64, u64);

impl Salt {
    fn new(column: u64) -> Self {
        Self(mixed(column.wrapping_mul(2)), mixed(column.wrapping_mul(2).wrapping_add(1)))
    }

    fn mix(self, hash: u128) -> u128 {
        join(mixed(hash as u64 ^ self.0), mixed((hash >> 64) as u64 ^ self.1))
    }
}

fn numbers<'a, T>(
    rows: impl Iterator<Item = &'a mut u128>,
    values: impl Iterator<Item = Option<T>>,
    salt: Salt,
    bits: impl Fn(T) -> u64,
) {
    for (row, value) in rows.zip(values) {
        let hash = value.map_or(MISSING, |value| of_bits(bits(value)));
        *row = row.wrapping_add(salt.mix(hash));
    }
}

fn join(low: u64, high: u64) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

fn folded(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// Up to eight bytes as a number.
fn word(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use arrow::array::{Float64Array, Int64Array, StringArray};
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    fn rows(columns: &[&dyn Array]) -> Vec<u128> {
        let mut rows = vec![0; columns[0].len()];
        for (at, column) in columns.iter().enumerate() {
            add_column(&mut rows, *column, at as u64).expect("a type of tables");
        }
        rows
    }

    #[test]
    fn near_texts_and_swapped_cells_have_hashes_of_their_own() {
        let texts = ["", "\0", "\0\0", "a", "b", "ab", "ba", "abcdefgh", "abcdefghi", "abcdefghabcdefghx"];
        let hashes: HashSet<u128> = texts.iter().map(|text| of_bytes(text.as_bytes())).collect();
        assert_eq!(hashes.len(), texts.len());
        let (a, b) = (Int64Array::from(vec![1, 2]), Int64Array::from(vec![2, 1]));
        let both = rows(&[&a, &b]);
        assert_ne!(both[0], both[1], "(1, 2) is not (2, 1)");
    }

    #[test]
    fn both_zeros_are_equal_and_a_missing_cell_equals_only_itself() {
        let hashes = rows(&[&Float64Array::from(vec![Some(0.0), Some(-0.0), None, None])]);
        assert_eq!(hashes[0], hashes[1]);
        assert_eq!(hashes[2], hashes[3]);
        assert_ne!(hashes[0], hashes[2]);
        let texts = rows(&[&StringArray::from(vec![Some(""), None])]);
        assert_ne!(texts[0], texts[1]);
    }

    #[test]
    fn a_million_numbers_in_a_row_do_not_collide() {
        let mut hashes: Vec<u128> = rows(&[&Int64Array::from_iter_values(0..1_000_000)]);
        assert_eq!(count_repeats(&mut hashes), 0);
    }

    proptest! {
        #[test]
        fn rows_are_equal_exactly_when_their_cells_are(cells in proptest::collection::vec((0_i64..4, any::<Option<bool>>()), 1..60)) {
            let numbers = Int64Array::from_iter_values(cells.iter().map(|(number, _)| *number));
            let texts = StringArray::from_iter(cells.iter().map(|(_, text)| text.map(|t| if t { "x" } else { "y" })));
            let hashes = rows(&[&numbers, &texts]);
            for (i, a) in cells.iter().enumerate() {
                for (j, b) in cells.iter().enumerate() {
                    prop_assert_eq!(a == b, hashes[i] == hashes[j]);
                }
            }
            let distinct: HashSet<_> = cells.iter().collect();
            prop_assert_eq!(count_repeats(&mut hashes.clone()), (cells.len() - distinct.len()) as u64);
        }
    }
}
