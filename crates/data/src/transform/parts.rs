//! Divides rows into train, validation and test so that the parts are apart: in time, or by whole
//! groups.

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::TimestampMillisecondType;
use base::{Error, Progress, Result};

use super::array;
use super::keys::Keys;
use crate::page;
use crate::profile::mixed;
use crate::schema::Kind;

/// The part of each row (0 train, 1 validation, 2 test) by two moments in milliseconds: training
/// rows lie before the first, validation rows before the second, the rest is for testing.
///
/// # Errors
/// `invalid_input` for a column that is no time or lacks values, and moments in the wrong order.
pub fn by_time(batch: &RecordBatch, column: &str, validation_ms: i64, test_ms: i64) -> Result<Vec<i8>> {
    if test_ms < validation_ms {
        let (validation, test) = (page::time(validation_ms), page::time(test_ms));
        return Err(Error::invalid(format!(
            "the test rows begin at {test}, before validation at {validation}"
        ))
        .hint("training comes first, then validation, then test"));
    }
    let part = |ms: i64| {
        if ms < validation_ms {
            0
        } else if ms < test_ms {
            1
        } else {
            2
        }
    };
    Ok(moments(batch, column)?.into_iter().map(part).collect())
}

/// The part of each row by shares in the order of time: the first rows are for training, the last
/// ones for testing. Rows of one moment are never in two parts, so shares hold as far as that
/// allows.
///
/// # Errors
/// `invalid_input` for a column that is no time or lacks values.
pub fn by_time_shares(batch: &RecordBatch, column: &str, shares: [f64; 3]) -> Result<Vec<i8>> {
    let moments = moments(batch, column)?;
    let mut sorted = moments.clone();
    sorted.sort_unstable();
    // The first moment of the part that begins after this share of the rows.
    let begin = |share: f64| {
        let at = (share * sorted.len() as f64).round() as usize;
        sorted.get(at).copied().unwrap_or(i64::MAX)
    };
    let (validation_ms, test_ms) = (begin(shares[0]), begin(shares[0] + shares[1]));
    by_time(batch, column, validation_ms, test_ms)
}

fn moments(batch: &RecordBatch, column: &str) -> Result<Vec<i64>> {
    let values = array(batch, column)?;
    let kind = Kind::of(values.data_type());
    let Some(times) = values.as_primitive_opt::<TimestampMillisecondType>() else {
        return Err(Error::invalid(format!("`{column}` is {}, not a time", kind.word()))
            .hint("choose a column of times, or put a `cast` step before this one"));
    };
    if times.null_count() > 0 {
        let missing = base::count(times.null_count() as u64);
        return Err(Error::invalid(format!(
            "`{column}` is missing in {missing} rows, which have no place in time"
        ))
        .hint(format!("put a `filter` step with `{column} is not null` before this one")));
    }
    Ok(times.values().to_vec())
}

/// The part of each row such that rows of equal values in `columns` are in the same part. Groups
/// are gone through in an order that the seed decides, and each goes to the part that lacks most
/// rows, so the shares hold as far as the sizes of the groups allow.
///
/// # Errors
/// `invalid_input` for a column that is not there; `cancelled`.
pub fn by_group(
    batch: &RecordBatch,
    columns: &[String],
    shares: [f64; 3],
    seed: u64,
    progress: &Progress,
) -> Result<Vec<i8>> {
    let groups = Keys::of(batch, columns)?.groups(progress)?;
    let mut order: Vec<usize> = (0..groups.len()).collect();
    // Large groups first, where they still fit; the seed decides among those of one size.
    order.sort_by_key(|group| {
        (std::cmp::Reverse(groups.rows(*group).len()), mixed(seed ^ mixed(*group as u64)), *group)
    });
    let mut owed = shares.map(|share| share * batch.num_rows() as f64);
    let mut parts = vec![0_i8; batch.num_rows()];
    for group in order {
        let rows = groups.rows(group);
        let open = (0..3).filter(|part| shares[*part] > 0.0);
        let part = open.max_by(|a, b| owed[*a].total_cmp(&owed[*b]).then(b.cmp(a))).unwrap_or(0);
        owed[part] -= rows.len() as f64;
        rows.iter().for_each(|row| parts[*row as usize] = part as i8);
    }
    Ok(parts)
}
