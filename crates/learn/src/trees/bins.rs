//! Values as bins: at most 255 per feature plus one for missing values. Borders follow the idea
//! of LightGBM's greedy `FindBin`: a value that is frequent gets a bin of its own, and what is
//! left shares the other bins evenly, so the long tail of a skewed feature keeps its resolution.

use std::ops::Range;

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use crate::matrix::Matrix;
use crate::random::Stream;

/// Missing values are in this bin, others in `1..=255`.
pub const MISSING: u8 = 0;
/// Bins for values that are there.
const MOST_BINS: usize = 255;
/// Borders are found on at most this many rows: more would cost sorting time and move no border
/// by more than a fraction of a bin (LightGBM uses the same number).
const SAMPLE_ROWS: usize = 200_000;

/// The features of a matrix as bins.
#[derive(Debug, Clone)]
pub struct Bins {
    columns: Vec<Vec<u8>>,
    cuts: Vec<Vec<f32>>,
}

impl Bins {
    /// Finds borders for some rows and puts these rows into bins, in their order. A bin holds at
    /// least `least_rows` of the rows looked at.
    pub fn new(matrix: &Matrix, rows: &[u32], least_rows: usize, seed: u64) -> Self {
        let sample = sample_rows(rows, seed);
        let columns: Vec<(Vec<u8>, Vec<f32>)> = (0..matrix.width())
            .into_par_iter()
            .map(|feature| {
                let column = matrix.column(feature);
                let cuts = find_cuts(column, &sample, least_rows);
                (assign(column, rows, &cuts), cuts)
            })
            .collect();
        let (columns, cuts) = columns.into_iter().unzip();
        Self { columns, cuts }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, Vec::len)
    }

    /// The number of features.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// The bin of each row for one feature.
    pub fn column(&self, feature: usize) -> &[u8] {
        &self.columns[feature]
    }

    /// The number of bins of one feature, with the one for missing values.
    pub fn count(&self, feature: usize) -> usize {
        self.cuts[feature].len() + 2
    }

    /// The largest value that is in this bin or in one before it; the last bin has no end.
    pub fn threshold(&self, feature: usize, bin: u8) -> f32 {
        self.cuts[feature].get(usize::from(bin) - 1).copied().unwrap_or(f32::INFINITY)
    }
}

/// One row out of each of equally long stretches, so that sorted data is sampled evenly too.
fn sample_rows(fit: &[u32], seed: u64) -> Vec<u32> {
    if fit.len() <= SAMPLE_ROWS {
        return fit.to_vec();
    }
    let mut stream = Stream::new(seed, "bins", 0);
    let start = |stretch: usize| stretch * fit.len() / SAMPLE_ROWS;
    (0..SAMPLE_ROWS)
        .map(|stretch| {
            let Range { start, end } = start(stretch)..start(stretch + 1);
            fit[start + stream.below(end - start)]
        })
        .collect()
}

fn find_cuts(column: &[f32], rows: &[u32], least_rows: usize) -> Vec<f32> {
    let mut values: Vec<f32> =
        rows.iter().map(|row| column[*row as usize]).filter(|value| !value.is_nan()).collect();
    // Both zeros are one value; a total order would put a border between them.
    values.iter_mut().for_each(|value| *value += 0.0);
    values.sort_unstable_by(f32::total_cmp);
    let mut distinct: Vec<(f32, usize)> = Vec::new();
    for value in &values {
        match distinct.last_mut() {
            Some((last, count)) if last == value => *count += 1,
            _ => distinct.push((*value, 1)),
        }
    }
    if distinct.len() <= MOST_BINS {
        return every_value_its_bin(&distinct, least_rows);
    }
    greedy_bins(&distinct, values.len(), least_rows)
}

fn every_value_its_bin(distinct: &[(f32, usize)], least_rows: usize) -> Vec<f32> {
    let mut cuts = Vec::new();
    let mut in_bin = 0;
    for pair in distinct.windows(2) {
        in_bin += pair[0].1;
        if in_bin >= least_rows {
            cuts.push(between(pair[0].0, pair[1].0));
            in_bin = 0;
        }
    }
    cuts
}

fn greedy_bins(distinct: &[(f32, usize)], rows: usize, least_rows: usize) -> Vec<f32> {
    let most_bins = MOST_BINS.min(rows / least_rows.max(1)).max(1);
    let mean = rows as f64 / most_bins as f64;
    let is_frequent = |at: usize| distinct[at].1 as f64 >= mean;
    let frequent = (0..distinct.len()).filter(|at| is_frequent(*at));
    let (mut bins_left, mut rows_left) = (most_bins as f64, rows as f64);
    for at in frequent {
        bins_left -= 1.0;
        rows_left -= distinct[at].1 as f64;
    }
    let mut share = rows_left / bins_left.max(1.0);
    let mut cuts = Vec::with_capacity(most_bins);
    let mut in_bin = 0.0;
    for at in 0..distinct.len() - 1 {
        let count = distinct[at].1 as f64;
        in_bin += count;
        if !is_frequent(at) {
            rows_left -= count;
        }
        // A frequent value starts a new bin, unless that would leave a nearly empty one behind.
        let is_full =
            is_frequent(at) || in_bin >= share || (is_frequent(at + 1) && in_bin >= (share * 0.5).max(1.0));
        if is_full {
            cuts.push(between(distinct[at].0, distinct[at + 1].0));
            if cuts.len() + 1 >= most_bins {
                break;
            }
            in_bin = 0.0;
            if !is_frequent(at) {
                bins_left -= 1.0;
                share = rows_left / bins_left.max(1.0);
            }
        }
    }
    cuts
}

/// A border with `low <= border < high`: the middle where that is a number of its own.
fn between(low: f32, high: f32) -> f32 {
    let middle = low * 0.5 + high * 0.5;
    if middle.is_finite() && middle >= low && middle < high { middle } else { low }
}

fn assign(column: &[f32], rows: &[u32], cuts: &[f32]) -> Vec<u8> {
    // A full table of 256 borders makes the search eight steps without a branch.
    let mut table = [f32::INFINITY; 256];
    table[..cuts.len()].copy_from_slice(cuts);
    rows.iter()
        .map(|row| {
            let value = column[*row as usize];
            if value.is_nan() {
                return MISSING;
            }
            let mut at = 0_usize;
            for step in [128, 64, 32, 16, 8, 4, 2, 1] {
                at += if table[(at + step - 1) & 255] < value { step } else { 0 };
            }
            (at + 1) as u8
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, any, prop, prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn bins_of(values: &[f32]) -> Bins {
        let matrix = Matrix::new(vec!["x".into()], vec![values.to_vec()]).expect("one column");
        let rows: Vec<u32> = (0..values.len() as u32).collect();
        Bins::new(&matrix, &rows, 1, 0)
    }

    #[test]
    fn few_values_get_a_bin_each_and_missing_has_its_own() {
        let bins = bins_of(&[3.0, f32::NAN, 1.0, 2.0, -0.0, 0.0]);
        assert_eq!(bins.column(0), [4, 0, 2, 3, 1, 1]);
        assert_eq!(bins.threshold(0, 1), 0.5);
    }

    #[test]
    fn the_long_tail_of_a_skewed_feature_keeps_its_resolution() {
        // 90 % of the rows lie on ten values; the tail is 10,000 distinct ones.
        let mut values: Vec<f32> = (0..90_000).map(|i| (i % 10) as f32).collect();
        values.extend((0..10_000).map(|i| 100.0 + i as f32));
        let bins = bins_of(&values);
        let tail = bins.cuts[0].iter().filter(|cut| **cut > 100.0).count();
        assert!(tail > 230, "{tail} of {} borders lie in the tail", bins.cuts[0].len());
    }

    #[test]
    fn infinities_and_neighbouring_numbers_get_a_border_between_them() {
        let next = f32::from_bits(1.0_f32.to_bits() + 1);
        for (low, high) in [(1.0, next), (f32::MAX, f32::INFINITY), (f32::NEG_INFINITY, 0.0), (-0.5, 7.0)] {
            let border = between(low, high);
            assert!(low <= border && border < high, "{low} {border} {high}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_threshold_on_the_value_says_the_same_as_one_on_the_bin(
            values in prop::collection::vec(any::<f32>(), 2..600),
        ) {
            let bins = bins_of(&values);
            prop_assert!(bins.count(0) <= 257);
            for bin in 1..(bins.count(0) - 1) as u8 {
                let threshold = bins.threshold(0, bin);
                for (value, at) in values.iter().zip(bins.column(0)).filter(|(value, _)| !value.is_nan()) {
                    prop_assert_eq!(*value <= threshold, *at <= bin, "{} {}", value, threshold);
                }
            }
        }
    }
}
