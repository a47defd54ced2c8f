//! Two columns as counts over the same bins or values.

use super::total;
use crate::profile::{ColumnProfile, Histogram, ValueCount};

/// A column then and now.
#[derive(Debug, Clone, PartialEq)]
pub struct Sides {
    /// Counts then and now in the bins of the baseline, with one more bin on either side for what lies
    /// beyond them; for texts and booleans the counts of each listed value and of all others.
    pub fine: (Vec<u64>, Vec<u64>),
    /// The same with neighbouring bins taken together until each holds a tenth of the baseline, and with
    /// rare values as one.
    pub coarse: (Vec<u64>, Vec<u64>),
    /// The edges of the inner bins, for numbers and moments.
    pub edges: Option<Vec<f64>>,
}

impl Sides {
    /// Lays two profiles of a column side by side.
    pub fn of(baseline: &ColumnProfile, current: &ColumnProfile) -> Self {
        let (then, now) = match (&baseline.histogram, &current.histogram) {
            (Some(then), Some(now)) => (counts(then), counts(&laid_over(now, &then.edges))),
            (Some(then), None) => (counts(then), vec![0; then.counts.len() + 2]),
            (None, _) => values(baseline, current),
        };
        let edges = baseline.histogram.as_ref().map(|histogram| histogram.edges.clone());
        let coarse = if edges.is_some() { merged(&then, &now) } else { pooled(&then, &now) };
        Self { fine: (then, now), coarse, edges }
    }

    /// Values on the smaller side.
    pub fn fewest(&self) -> u64 {
        self.fine.0.iter().sum::<u64>().min(self.fine.1.iter().sum())
    }
}

/// The counts of a histogram with what lies outside its edges as two more bins.
fn counts(histogram: &Histogram) -> Vec<u64> {
    let mut all = histogram.counts.clone();
    if let Some(first) = all.first_mut() {
        *first -= histogram.below.min(*first);
    }
    if let Some(last) = all.last_mut() {
        *last -= histogram.above.min(*last);
    }
    let inner = all.into_iter();
    [histogram.below].into_iter().chain(inner).chain([histogram.above]).collect()
}

/// A histogram with other edges, as if its values were even within each bin.
fn laid_over(histogram: &Histogram, edges: &[f64]) -> Histogram {
    let is_same = histogram.edges.len() == edges.len()
        && histogram.edges.iter().zip(edges).all(|(a, b)| (a - b).abs() <= 1e-9 * a.abs().max(b.abs()));
    if is_same || edges.len() < 2 {
        return histogram.clone();
    }
    let own = counts(histogram);
    let all: u64 = own.iter().sum();
    let before = |edge: f64| {
        let mut sum = own[0] as f64;
        if edge < histogram.edges[0] {
            return 0.0;
        }
        for (bin, pair) in histogram.edges.windows(2).enumerate() {
            let part = ((edge - pair[0]) / (pair[1] - pair[0])).clamp(0.0, 1.0);
            sum += part * own[bin + 1] as f64;
        }
        let is_beyond = histogram.edges.last().is_some_and(|last| edge > *last);
        sum + if is_beyond { own[own.len() - 1] as f64 } else { 0.0 }
    };
    let upto: Vec<u64> = edges.iter().map(|edge| before(*edge).round() as u64).collect();
    let (below, above) = (upto[0], all - upto[upto.len() - 1].min(all));
    let mut counts: Vec<u64> = upto.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
    counts[0] += below;
    let last = counts.len() - 1;
    counts[last] += above;
    Histogram { edges: edges.to_vec(), counts, below, above }
}

/// Neighbouring bins taken together until each holds a tenth of the first counts. If that leaves
/// one bin, as for a constant, the bins stay as they are.
fn merged(then: &[u64], now: &[u64]) -> (Vec<u64>, Vec<u64>) {
    let least = total(then) / 10.0;
    let mut groups: Vec<(u64, u64)> = Vec::new();
    let mut open = (0, 0);
    for (e, a) in then.iter().zip(now) {
        open = (open.0 + e, open.1 + a);
        if open.0 as f64 >= least && open.0 > 0 {
            groups.push(std::mem::take(&mut open));
        }
    }
    if let Some(last) = groups.last_mut() {
        *last = (last.0 + open.0, last.1 + open.1);
    }
    if groups.len() < 2 {
        return (then.to_vec(), now.to_vec());
    }
    groups.into_iter().unzip()
}

/// The counts of both columns for each value that one of them lists, and of all others.
fn values(baseline: &ColumnProfile, current: &ColumnProfile) -> (Vec<u64>, Vec<u64>) {
    let count =
        |top: &[ValueCount], value: &str| top.iter().find(|e| e.value == value).map_or(0, |e| e.count);
    let mut then: Vec<u64> = baseline.top.iter().map(|entry| entry.count).collect();
    let mut now: Vec<u64> = baseline.top.iter().map(|entry| count(&current.top, &entry.value)).collect();
    let listed = |value: &str| baseline.top.iter().any(|entry| entry.value == value);
    // A value that is new, or that was rare: where the baseline lists only its most frequent
    // values, its others are counted as one.
    let fresh: u64 = current.top.iter().filter(|e| !listed(&e.value)).map(|e| e.count).sum();
    then.push(baseline.other);
    now.push(fresh + current.other);
    (then, now)
}

/// Values with fewer than 10 occurrences in both together count as one: the chi-square
/// distribution is no good for them.
fn pooled(then: &[u64], now: &[u64]) -> (Vec<u64>, Vec<u64>) {
    let mut rest = (0, 0);
    let mut kept = Vec::new();
    for (e, a) in then.iter().zip(now) {
        if e + a < 10 {
            rest = (rest.0 + e, rest.1 + a);
        } else {
            kept.push((*e, *a));
        }
    }
    if rest.0 + rest.1 > 0 {
        kept.push(rest);
    }
    kept.into_iter().unzip()
}
