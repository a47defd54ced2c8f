//! The criterion of a forest for three and more classes: the decrease of Gini's impurity, from
//! histograms that count each class.

use super::bins::Bins;
use super::forest::Criterion;
use super::split::Split;

/// Weights are whole numbers of this fraction, so that sums do not depend on their order.
const WEIGHT_UNIT: f64 = 1.0 / 65_536.0;

/// Judges nodes by the classes of their rows.
pub(super) struct Classes<'a> {
    codes: &'a [u32],
    count: usize,
    least_rows: u64,
    share_of: f64,
    weights: Vec<u64>,
    histogram: Vec<u64>,
}

impl<'a> Classes<'a> {
    /// The criterion for these rows, each of which counts as much as `weight` says.
    pub(super) fn new(
        codes: &'a [u32],
        count: usize,
        (least_rows, share_of): (u64, f64),
        rows: &[u32],
        weight: impl Fn(u32) -> f64,
    ) -> Self {
        let mut weights = vec![0; codes.len()];
        for row in rows {
            weights[*row as usize] = (weight(*row) / WEIGHT_UNIT + 0.5) as u64;
        }
        Self { codes, count, least_rows, share_of, weights, histogram: Vec::new() }
    }

    /// Adds up rows as `count` class weights and the number of rows.
    fn total(&self, rows: &[u32]) -> Vec<u64> {
        let mut total = vec![0; self.count + 1];
        for row in rows {
            total[self.codes[*row as usize] as usize] += self.weights[*row as usize];
        }
        total[self.count] = rows.len() as u64;
        total
    }

    fn best_of(&mut self, bins: &Bins, feature: usize, rows: &[u32], total: &[u64]) -> Option<Split> {
        let width = self.count + 1;
        let column = bins.column(feature);
        self.histogram.clear();
        self.histogram.resize(bins.count(feature) * width, 0);
        for row in rows {
            let row = *row as usize;
            let bin = &mut self.histogram[usize::from(column[row]) * width..][..width];
            bin[self.codes[row] as usize] += self.weights[row];
            bin[width - 1] += 1;
        }
        let missing = &self.histogram[..width];
        let first = self.scan(feature, total, missing, false);
        if missing[width - 1] == 0 {
            return first;
        }
        Split::better(first, self.scan(feature, total, missing, true))
    }

    fn scan(&self, feature: usize, total: &[u64], missing: &[u64], missing_left: bool) -> Option<Split> {
        let width = self.count + 1;
        let parent = purity(total.iter().copied(), self.count);
        let mut most = parent * 1e-12;
        let mut best = None;
        let mut left = if missing_left { missing.to_vec() } else { vec![0; width] };
        let mut before: Option<u8> = None;
        let bins = (1..=255_u8).zip(self.histogram[width..].chunks_exact(width));
        for (bin, sums) in bins.filter(|(_, sums)| sums[width - 1] > 0) {
            let (left_rows, right_rows) = (left[width - 1], total[width - 1] - left[width - 1]);
            if let Some(before) = before
                && left_rows.min(right_rows) >= self.least_rows
            {
                let right = total.iter().zip(&left).map(|(all, left)| all - left);
                let gain = purity(left.iter().copied(), self.count) + purity(right, self.count) - parent;
                if gain > most {
                    most = gain;
                    let middle = before + (bin - before - 1) / 2;
                    let follows = missing[width - 1] == 0 && left_rows >= right_rows;
                    let missing_left = missing_left || follows;
                    best = Some(Split { gain, feature, bin: middle, missing_left });
                }
            }
            for (so_far, sum) in left.iter_mut().zip(sums) {
                *so_far += sum;
            }
            before = Some(bin);
        }
        best
    }
}

/// The sum of squared class weights over their sum: large when one class has it all.
fn purity(sums: impl Iterator<Item = u64>, count: usize) -> f64 {
    let (mut squares, mut all) = (0.0, 0.0);
    for sum in sums.take(count) {
        let sum = sum as f64;
        squares += sum * sum;
        all += sum;
    }
    if all > 0.0 { squares / all } else { 0.0 }
}

impl Criterion for Classes<'_> {
    fn is_pure(&self, rows: &[u32]) -> bool {
        let first = self.codes[rows[0] as usize];
        rows.iter().all(|row| self.codes[*row as usize] == first)
    }

    fn best(&mut self, bins: &Bins, features: &[usize], rows: &[u32]) -> Option<Split> {
        let total = self.total(rows);
        let mut best = None;
        for feature in features {
            best = Split::better(best, self.best_of(bins, *feature, rows, &total));
        }
        best.map(|split| Split { gain: split.gain * WEIGHT_UNIT, ..split })
    }

    fn leaf(&self, rows: &[u32], out: &mut Vec<f32>) {
        let total = self.total(rows);
        let all: u64 = total[..self.count].iter().sum();
        let share = |sum: &u64| if all > 0 { *sum as f64 / all as f64 } else { 1.0 / self.count as f64 };
        out.extend(total[..self.count].iter().map(|sum| (share(sum) / self.share_of) as f32));
    }
}
